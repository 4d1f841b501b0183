//! The initialiser's heap: a fixed array from which memory is taken and never given back. The initialiser
//! builds one system and allocates nothing after that, so reuse would gain nothing.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Enough for some thousand domains and regions. The array costs boot time, one frame per 4 KiB.
const BYTES: usize = 1 << 20;

#[repr(align(4096))]
struct Heap {
    memory: UnsafeCell<[u8; BYTES]>,
    used: AtomicUsize,
}

// SAFETY: the atomic `used` alone hands out `memory`, in pieces that do not overlap.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap { memory: UnsafeCell::new([0; BYTES]), used: AtomicUsize::new(0) };

// SAFETY: every piece is inside the array, aligned as asked, and handed out once.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut start = 0;
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            start = used.checked_next_multiple_of(layout.align())?;
            start.checked_add(layout.size()).filter(|end| *end <= BYTES)
        });
        // The array is aligned to a page; larger alignments do not occur and are refused.
        if taken.is_err() || layout.align() > 4096 {
            return core::ptr::null_mut();
        }
        self.memory.get().cast::<u8>().wrapping_add(start)
    }

    unsafe fn dealloc(&self, _piece: *mut u8, _layout: Layout) {}
}
