//! The one client of a program. C passes no pointer to it, so C cannot pass a wrong one.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use ferry_client::Directory;

use crate::client::Client;

/// Something that one call at a time may use.
pub(crate) struct Global<T> {
    is_in_use: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: only `with` reaches the value, and it lets nobody in while somebody is.
unsafe impl<T: Send> Sync for Global<T> {}

/// The client.
pub(crate) static CLIENT: Global<Client> = Global::new(Client::new());
/// What central has written about the client and its peers, from when it is let in. It is apart from the
/// client, so a function of the program's can ask while the client is in use.
pub(crate) static DIRECTORY: Global<Option<Directory>> = Global::new(None);

impl<T> Global<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { is_in_use: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Uses the value. `None` if the value is in use: the caller was called by what uses it.
    ///
    /// A load and a store suffice, because a protection domain has one thread. A swap would make every
    /// message dearer on processors that lock the bus for it, or that have to repeat it.
    #[inline]
    pub(crate) fn with<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> Option<R> {
        if self.is_in_use.load(Ordering::Relaxed) {
            return None;
        }
        self.is_in_use.store(true, Ordering::Relaxed);
        // SAFETY: the flag shows that no other reference to the value exists, and this one ends before the
        // flag is cleared. No second thread can come in between, because a protection domain has one.
        let result = use_it(unsafe { &mut *self.value.get() });
        self.is_in_use.store(false, Ordering::Relaxed);
        Some(result)
    }
}
