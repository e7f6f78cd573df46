//! What the standard library would bring to a component: an allocator, a panic handler, and the
//! canonical ABI's allocation entry. A component that links it instead names no WASI interface.
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

/// An arena that is empty again whenever its last allocation is given back.
///
/// Nothing outlives a call, so a call's allocations are a pile that grows and vanishes
/// as a whole: taking memory is an addition, giving it back a subtraction. A general
/// allocator (dlmalloc) is 6 KB more of compiled component.
struct Arena {
    /// Where the next allocation may begin; 0 before the first.
    next: Cell<usize>,
    live: Cell<usize>,
}

// SAFETY: the component has one thread; the contract imports none.
#[allow(unsafe_code, reason = "a static must be Sync")]
unsafe impl Sync for Arena {}

#[global_allocator]
static ARENA: Arena = Arena { next: Cell::new(0), live: Cell::new(0) };

impl Arena {
    /// The first byte behind the module's own data and stack.
    fn base() -> usize {
        #[allow(unsafe_code, reason = "the linker defines it")]
        unsafe extern "C" {
            static __heap_base: u8;
        }
        (&raw const __heap_base).addr()
    }

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

/// Grows the memory where it does not yet reach to `end`.
fn reach(end: usize) -> bool {
    let pages = wasm32::memory_size(0);
    let missing = end.div_ceil(PAGE_BYTES).saturating_sub(pages);
    missing == 0 || wasm32::memory_grow(0, missing) != usize::MAX
}

// SAFETY: allocations are disjoint ranges above the module's own data, aligned as asked
// for; the arena starts over only when none is live.
#[allow(unsafe_code, reason = "an allocator hands out raw memory")]
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.take(layout)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
        self.live.set(self.live.get() - 1);
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // The latest allocation grows in place, as a list that is being filled does.
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
        // SAFETY: the alignment is that of a valid layout; the two ranges are disjoint
        // and both hold the old size.
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

/// A panic is a defect of the component: stop, and let the host say so.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    wasm32::unreachable()
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
        wasm32::unreachable()
    }
    pointer
}
