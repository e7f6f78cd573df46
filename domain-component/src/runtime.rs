//! What the standard library would bring: an allocator, a panic handler, and the
//! canonical ABI's allocation entry.

use core::alloc::Layout;
use core::panic::PanicInfo;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// A panic is a defect of the component: stop, and let the host say so.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

// `memcmp` and its like, which the compiler calls and compiler_builtins leaves to libc
// on WASI targets. Nothing else of libc is reached, so nothing of WASI is imported.
#[link(name = "c")]
#[allow(unsafe_code, reason = "declares nothing, only links")]
unsafe extern "C" {}

/// Where the host asks for memory to pass lists and strings into.
///
/// On wasm32-wasip2 wit-bindgen leaves this export to wasi-libc, which is not linked.
///
/// # Safety
/// As the canonical ABI calls it: `old_ptr` and `old_len` come from an earlier call,
/// `align` is a power of two.
#[cfg(target_env = "p2")]
#[unsafe(no_mangle)]
#[allow(unsafe_code, reason = "the canonical ABI hands over raw memory")]
unsafe extern "C" fn cabi_realloc(
    old_ptr: *mut u8,
    old_len: usize,
    align: usize,
    new_len: usize,
) -> *mut u8 {
    // SAFETY: `align` is a power of two and lengths fit the 32-bit memory, as the
    // canonical ABI promises; memory comes from and goes to the global allocator.
    let pointer = unsafe {
        if old_len == 0 {
            if new_len == 0 {
                return align as *mut u8;
            }
            alloc::alloc::alloc(Layout::from_size_align_unchecked(new_len, align))
        } else {
            let layout = Layout::from_size_align_unchecked(old_len, align);
            alloc::alloc::realloc(old_ptr, layout, new_len)
        }
    };
    if pointer.is_null() {
        core::arch::wasm32::unreachable()
    }
    pointer
}
