//! The parts of a component that otherwise come from the standard library: an allocator, a panic
//! handler, and the function through which the host allocates memory. A component that links this
//! crate in place of the standard library imports no WASI interface.
//!
//! ```text
//! use guest_runtime as _;
//! ```

#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32,
    cell::Cell,
    panic::PanicInfo,
    ptr,
};

const PAGE_BYTES: usize = 64 * 1024;

/// An arena allocator that starts over whenever no allocation is live.
///
/// No allocation outlives a call, so all memory of a call is free again at its end. To allocate is
/// an addition, to free is a subtraction. A general allocator (dlmalloc) would add 6 KB to the
/// compiled component.
struct Arena {
    /// The address behind the latest allocation; 0 before the first one.
    next: Cell<usize>,
    /// The number of allocations that are not freed yet.
    live: Cell<usize>,
}

// SAFETY: the component has one thread; the contract imports none.
#[allow(unsafe_code, reason = "a static must be Sync")]
unsafe impl Sync for Arena {}

#[global_allocator]
static ARENA: Arena = Arena { next: Cell::new(0), live: Cell::new(0) };

impl Arena {
    /// Returns the address of the first byte behind the module's own data and stack.
    fn base() -> usize {
        #[allow(unsafe_code, reason = "the linker defines the symbol")]
        unsafe extern "C" {
            static __heap_base: u8;
        }
        (&raw const __heap_base).addr()
    }

    /// Allocates memory; returns null where the memory cannot grow far enough.
    fn take(&self, layout: Layout) -> *mut u8 {
        let next = if self.live.get() == 0 { Self::base() } else { self.next.get() };
        let Some(start) = next.checked_next_multiple_of(layout.align()) else {
            return ptr::null_mut();
        };
        let Some(end) = start.checked_add(layout.size()) else { return ptr::null_mut() };
        if !reach(end) {
            return ptr::null_mut();
        }
        self.next.set(end);
        self.live.set(self.live.get() + 1);
        ptr::with_exposed_provenance_mut(start)
    }
}

/// Grows the memory to at least `end` bytes. Returns whether the memory is that large now.
fn reach(end: usize) -> bool {
    let pages = wasm32::memory_size(0);
    let missing = end.div_ceil(PAGE_BYTES).saturating_sub(pages);
    missing == 0 || wasm32::memory_grow(0, missing) != usize::MAX
}

// SAFETY: allocations are disjoint ranges above the module's own data, each aligned as its layout
// asks. The arena starts over only when no allocation is live.
#[allow(unsafe_code, reason = "an allocator hands out raw memory")]
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
        self.live.set(self.live.get() - 1);
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // The latest allocation grows in place. This is the usual case: a list that is being
        // filled.
        let last = old.addr() + layout.size() == self.next.get();
        if let (true, Some(end)) = (last, old.addr().checked_add(new_size)) {
            if !reach(end) {
                return ptr::null_mut();
            }
            self.next.set(end);
            return old;
        }
        if new_size <= layout.size() {
            return old;
        }
        // SAFETY: the alignment comes from a valid layout. The two ranges are disjoint, and both
        // are at least as large as the old size.
        unsafe {
            let new = self.take(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(old, new, layout.size());
                self.dealloc(old, layout);
            }
            new
        }
    }
}

/// Ends the call with a trap. A panic is a defect of the component, and the host reports the trap
/// as a fault.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}

// The compiler calls `memcmp` and similar functions, which compiler_builtins leaves to libc on WASI
// targets. The component uses no other function of libc, so it imports nothing of WASI.
#[link(name = "c")]
#[allow(unsafe_code, reason = "declares no symbol, only links the library")]
unsafe extern "C" {}

/// Allocates the memory into which the host writes lists and strings. Traps where no memory is
/// left.
///
/// On wasm32-wasip2, wit-bindgen leaves this export to wasi-libc, which is not linked here.
///
/// # Safety
/// The canonical ABI calls this function: `old_ptr` and `old_len` come from an earlier call, and
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
    // SAFETY: the canonical ABI promises that `align` is a power of two and that lengths fit the
    // 32-bit memory. All memory belongs to the global allocator.
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
        wasm32::unreachable()
    }
    pointer
}
