//! `<client>_out`: everything that the client tells central. The client writes it, central can only read it.

use crate::descriptor::flags;
use crate::entry::{Slot, Slots};
use crate::geometry::{ABI_VERSION, MAGIC, POST_SLOTS, TRANSMIT_SLOTS};
use crate::index::Index;
use crate::post::Post;
use crate::sync::{AtomicU32, Ordering, Unused32, Unused64};
use crate::wake::WakeHint;

/// The slot of a transmit descriptor: a cache line.
pub type DescriptorSlot = Slot<8>;

/// The client's page and its rings.
#[derive(Default)]
#[repr(C, align(4096))]
pub struct OutRegion {
    magic: AtomicU32,
    version: AtomicU32,
    /// The epoch that the client works in or asks for. Central begins a new epoch when it changes (restart).
    pub epoch_wanted: Index,
    _introduction: [Unused32; 13],

    /// One past the newest transmit descriptor.
    pub transmit_tail: Index,
    /// One past the newest receive request.
    pub post_tail: Index,
    /// One past the newest delivery that the client has taken.
    pub delivery_head: Index,
    /// How often the client has marked a request as [withdrawn](crate::Post::WITHDRAWN).
    pub withdrawals: Index,
    _indices: [Unused32; 12],

    /// The client sleeps and asks to be signalled about statuses and deliveries.
    pub wake: WakeHint,
    _wake: [Unused32; 15],

    _unused: [[Unused64; 8]; 29],

    /// Receive requests.
    pub posts: Slots<POST_SLOTS, 2>,
    /// Transmit descriptors, one cache line each.
    pub descriptors: Slots<TRANSMIT_SLOTS, 8>,
}

impl OutRegion {
    /// Clears the magic, before the client resets the rest of the region. Until
    /// [`ask_for_epoch`](Self::ask_for_epoch) central reads no queue of this client, and takes no index for a
    /// breach of the protocol.
    ///
    /// Pairing: every later [`Index::publish`] orders this store before itself. Central reads the magic
    /// again, by [`wanted_epoch`](Self::wanted_epoch), after it has observed an impossible index.
    pub fn clear_magic(&self) {
        self.magic.store(0, Ordering::Relaxed);
    }

    /// Clears the magic, and resets all indices. What a client does before it asks for an epoch.
    pub fn reset(&self) {
        self.clear_magic();
        self.transmit_tail.publish(0);
        self.post_tail.publish(0);
        self.delivery_head.publish(0);
        self.withdrawals.publish(0);
    }

    /// Stores the magic again and asks for `epoch`, after the client has reset everything else in the region.
    ///
    /// The magic comes last. If it came before the epoch, central could see it beside the old epoch. It would
    /// then take the reset indices for a breach of the protocol by a client that had not left.
    pub fn ask_for_epoch(&self, epoch: u32) {
        self.version.store(ABI_VERSION, Ordering::Relaxed);
        self.epoch_wanted.publish(epoch);
        self.magic.store(MAGIC, Ordering::Release);
    }

    /// Marks the descriptor in the slot of `index` as [passed over](flags::PASSED_OVER): there is no message
    /// at this index. The client calls it before it publishes a tail past `index`.
    pub fn pass_over_send(&self, index: u32) {
        self.descriptors.slot(index).set_bits::<2>(u64::from(flags::PASSED_OVER) << 56);
    }

    /// Marks the request in the slot of `index` as [passed over](Post::PASSED_OVER): there is no new request
    /// at this index. The client calls it before it publishes a tail past `index`.
    pub fn pass_over_post(&self, index: u32) {
        self.posts.slot(index).set_bits::<1>(u64::from(Post::PASSED_OVER) << 56);
    }

    /// Marks the request in the slot of `index` as [withdrawn](Post::WITHDRAWN). The client calls it before
    /// it publishes [`withdrawals`](Self::withdrawals).
    pub fn withdraw(&self, index: u32) {
        self.posts.slot(index).set_bits::<1>(u64::from(Post::WITHDRAWN) << 56);
    }

    /// The epoch that the client asks for, or `None` unless the magic and this version of the ABI are stored.
    ///
    /// Pairing: the magic (acquire) with the one of [`ask_for_epoch`](Self::ask_for_epoch) (release). Whoever
    /// sees it sees an epoch at least as new. Whoever sees that epoch sees the region as it was reset.
    #[must_use]
    #[inline]
    pub fn wanted_epoch(&self) -> Option<u32> {
        let is_valid = self.magic.load(Ordering::Acquire) == MAGIC
            && self.version.load(Ordering::Relaxed) == ABI_VERSION;
        let epoch = self.epoch_wanted.observe();
        is_valid.then_some(epoch)
    }
}

#[cfg(not(loom))]
const _: () = {
    use core::mem::{align_of, offset_of, size_of};
    assert!(size_of::<OutRegion>() == crate::geometry::OUT_BYTES);
    assert!(align_of::<OutRegion>() == 4096);
    assert!(offset_of!(OutRegion, magic) == 0x00);
    assert!(offset_of!(OutRegion, version) == 0x04);
    assert!(offset_of!(OutRegion, epoch_wanted) == 0x08);
    assert!(offset_of!(OutRegion, transmit_tail) == 0x40);
    assert!(offset_of!(OutRegion, post_tail) == 0x44);
    assert!(offset_of!(OutRegion, delivery_head) == 0x48);
    assert!(offset_of!(OutRegion, withdrawals) == 0x4c);
    assert!(offset_of!(OutRegion, wake) == 0x80);
    assert!(offset_of!(OutRegion, posts) == 0x800);
    assert!(offset_of!(OutRegion, descriptors) == 0x1000);
};
