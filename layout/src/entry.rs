//! Entries of rings: how a structure crosses shared memory as a few relaxed 64-bit words.
//!
//! An entry carries no synchronisation of its own. Its writer publishes it afterwards by an [`Index`]
//! (release), and its reader has observed that index before (acquire). That pair makes the words visible. If
//! a peer rewrites a published entry, the reader gets a mixture of words. So the reader checks its own copy
//! and never looks twice.
//!
//! [`Index`]: crate::Index

use crate::sync::{AtomicU64, Ordering};

/// A structure that crosses shared memory as a few words, in a slot of at least as many words.
///
/// A slot may be wider than the structure, so that no two slots share a cache line.
pub trait Entry: Sized {
    /// The words that carry the structure.
    type Words: Copy + AsRef<[u64]> + AsMut<[u64]> + Default;
    /// Makes the structure from words that were copied out of shared memory. Every bit pattern is accepted.
    fn from_words(words: Self::Words) -> Self;
    /// The words as they are to be stored.
    fn into_words(self) -> Self::Words;
}

/// One slot of `STRIDE` words.
#[repr(transparent)]
pub struct Slot<const STRIDE: usize>([AtomicU64; STRIDE]);

impl<const STRIDE: usize> Slot<STRIDE> {
    /// Copies the entry out, each word once.
    #[must_use]
    #[inline]
    pub fn load<E: Entry>(&self) -> E {
        let mut words = E::Words::default();
        for (word, cell) in words.as_mut().iter_mut().zip(&self.0) {
            *word = cell.load(Ordering::Relaxed);
        }
        E::from_words(words)
    }

    /// Stores `entry`. The writer publishes it by the ring's index afterwards.
    #[inline]
    pub fn store<E: Entry>(&self, entry: E) {
        for (word, cell) in entry.into_words().as_ref().iter().zip(&self.0) {
            cell.store(*word, Ordering::Relaxed);
        }
    }

    /// Sets bits of one word. Only the writer of this slot calls it, and publishes the change like the entry
    /// itself.
    pub(crate) fn set_bits<const NUMBER: usize>(&self, bits: u64) {
        const { assert!(NUMBER < STRIDE) };
        let cell = &self.0[NUMBER];
        cell.store(cell.load(Ordering::Relaxed) | bits, Ordering::Relaxed);
    }

    /// Stores one word and makes everything stored so far visible to whoever observes its value.
    pub(crate) fn publish<const NUMBER: usize>(&self, value: u64) {
        const { assert!(NUMBER < STRIDE) };
        self.0[NUMBER].store(value, Ordering::Release);
    }

    /// One word. Pairing: acquire, with [`publish`](Self::publish).
    #[must_use]
    pub(crate) fn observe<const NUMBER: usize>(&self) -> u64 {
        const { assert!(NUMBER < STRIDE) };
        self.0[NUMBER].load(Ordering::Acquire)
    }

    /// One word of the entry.
    #[must_use]
    #[inline]
    pub(crate) fn word<const NUMBER: usize>(&self) -> u64 {
        const { assert!(NUMBER < STRIDE) };
        self.0[NUMBER].load(Ordering::Relaxed)
    }
}

impl<const STRIDE: usize> Default for Slot<STRIDE> {
    fn default() -> Self {
        Self(core::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// `N` slots of `STRIDE` words each, for entries of one kind. `N` is a power of two.
#[repr(transparent)]
pub struct Slots<const N: usize, const STRIDE: usize>([Slot<STRIDE>; N]);

impl<const N: usize, const STRIDE: usize> Slots<N, STRIDE> {
    const MASK: usize = {
        assert!(N.is_power_of_two());
        N - 1
    };

    /// The slot of `index` (free-running).
    #[must_use]
    #[inline]
    pub fn slot(&self, index: u32) -> &Slot<STRIDE> {
        // The mask keeps it below N, so the bounds check folds away.
        &self.0[index as usize & Self::MASK]
    }

    /// The slots from that of `index` (free-running) up to the end of the ring.
    #[must_use]
    #[inline]
    pub fn run(&self, index: u32) -> &[Slot<STRIDE>] {
        self.0.get(index as usize & Self::MASK..).unwrap_or_default()
    }

    /// Copies entry `index` (free-running) out, each word once.
    #[must_use]
    #[inline]
    pub fn load<E: Entry>(&self, index: u32) -> E {
        self.slot(index).load()
    }

    /// Stores `entry` in the slot of `index` (free-running). The writer publishes it by the ring's index
    /// afterwards.
    #[inline]
    pub fn store<E: Entry>(&self, index: u32, entry: E) {
        self.slot(index).store(entry);
    }
}

impl<const N: usize, const STRIDE: usize> Default for Slots<N, STRIDE> {
    fn default() -> Self {
        Self(core::array::from_fn(|_| Slot::default()))
    }
}

/// Implements [`Entry`] for a `zerocopy` structure of whole words.
macro_rules! entry {
    ($structure:ty, $words:literal) => {
        impl $crate::Entry for $structure {
            type Words = [u64; $words];
            #[inline]
            fn from_words(words: [u64; $words]) -> Self {
                zerocopy::transmute!(words)
            }
            #[inline]
            fn into_words(self) -> [u64; $words] {
                zerocopy::transmute!(self)
            }
        }
    };
}
pub(crate) use entry;
