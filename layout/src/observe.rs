//! Atomics that report every access to a hook of the test, for the feature `observe`.
//!
//! So a test can play a peer that rewrites shared memory between any two reads, count what a round costs, or
//! kill central after any store. Each thread has its own hook. The hook's own accesses to shared memory are
//! not reported. Without the feature this module does not exist.

extern crate std;

use core::cell::RefCell;
use core::sync::atomic::Ordering;
use std::boxed::Box;
use std::thread_local;

/// Whether an access reads or writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccessKind {
    /// A read. The hook runs before it, so that the hook can decide what is read.
    Load,
    /// A write. The hook runs after it.
    Store,
}

/// One access to shared memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Read or write.
    pub kind: AccessKind,
    /// Address of the word.
    pub address: usize,
    /// Bytes of the word, 4 or 8.
    pub bytes: usize,
}

type Hook = Box<dyn FnMut(Access)>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// Sets the hook that is called for every access of this thread from now on; `None` removes it. A hook may
/// unwind; it is removed then.
pub fn set_hook(hook: Option<Box<dyn FnMut(Access)>>) {
    HOOK.set(hook);
}

fn tell(kind: AccessKind, address: usize, bytes: usize) {
    // The hook is taken out while it runs: its own accesses are not reported, and it may unwind.
    if let Some(mut hook) = HOOK.take() {
        hook(Access { kind, address, bytes });
        HOOK.set(Some(hook));
    }
}

macro_rules! observed {
    ($name:ident, $value:ty) => {
        #[derive(Default)]
        #[repr(transparent)]
        pub(crate) struct $name(core::sync::atomic::$name);

        impl $name {
            pub(crate) fn load(&self, order: Ordering) -> $value {
                tell(AccessKind::Load, core::ptr::from_ref(self).addr(), size_of::<$value>());
                self.0.load(order)
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.0.store(value, order);
                tell(AccessKind::Store, core::ptr::from_ref(self).addr(), size_of::<$value>());
            }
        }
    };
}

observed!(AtomicU32, u32);
observed!(AtomicU64, u64);

impl AtomicU64 {
    pub(crate) const fn new(value: u64) -> Self {
        Self(core::sync::atomic::AtomicU64::new(value))
    }
}
