//! The low partition: it sends, and looks at everything that it can read, again and again without a pause. It
//! notes when something changes, and how many looks it had since the change before. On one core nothing
//! changes while it runs, so the number of looks is the time between two changes that it had itself.

#![no_std]
#![no_main]

#[path = "../pages.rs"]
mod pages;

use ferry_layout::{Descriptor, InRegion, Status};
use heapless::Vec;
use pages::Pages;
use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

/// How many changes it notes.
const CHANGES: usize = 60;
/// Most messages that it sends at a time.
const MOST: u32 = 8;
/// Bytes of a message.
const BYTES: u32 = 512;

/// It never waits.
struct Done;

impl Handler for Done {
    fn notified(&mut self, _: ChannelSet) {}
}

fn init() -> impl Handler {
    let mut sender = Sender { pages: Pages::of_this_domain(), published: 0, bursts: 0 };
    sender.pages.enter();
    for (number, Change { looks, hash }) in sender.watch().iter().enumerate() {
        runtime::println!("change {number} after {looks} looks: {hash:016x}");
    }
    runtime::println!("{CHANGES} changes");
    Done
}

/// Something that it can read has changed.
struct Change {
    /// Looks since the change before.
    looks: u32,
    /// Hash of what it can read now.
    hash: u64,
}

struct Sender {
    pages: Pages,
    /// Messages that it has published.
    published: u32,
    bursts: u32,
}

impl Sender {
    /// Notes changes, until there were enough.
    fn watch(&mut self) -> Vec<Change, CHANGES> {
        let mut changes = Vec::new();
        let (mut looks, mut before) = (0, self.look());
        while !changes.is_full() {
            self.send();
            let hash = self.look();
            looks += 1;
            if hash != before {
                // Its time slot may have ended in the middle of that look. The next look is in the new one.
                let hash = self.look();
                // There is room.
                let _ = changes.push(Change { looks, hash });
                (looks, before) = (0, hash);
            }
        }
        changes
    }

    /// Sends one to eight messages when all earlier ones have ended. Every second time without a signal, so
    /// that central has to find them by itself.
    fn send(&mut self) {
        let last = self.published.wrapping_sub(1);
        let ended = self.pages.to_client.status(last).get(last).is_some_and(Status::is_final);
        if self.pages.to_client.epoch.observe() != 1 || self.published != 0 && !ended {
            return;
        }
        for _ in 0..=self.bursts % MOST {
            // `high` is the first client in the description.
            let message = Descriptor { length: BYTES, target: 0, ..Descriptor::default() };
            self.pages.out.descriptors.store(self.published, message);
            self.published += 1;
        }
        self.pages.out.transmit_tail.publish(self.published);
        self.bursts += 1;
        if self.bursts.is_multiple_of(2) {
            self.pages.ring();
        }
    }

    /// A hash of everything that it can read and not write.
    fn look(&self) -> u64 {
        let words = size_of::<InRegion>() / size_of::<u64>();
        (0..words).fold(0, |hash: u64, number| {
            // SAFETY: the word is inside of the region.
            let place = unsafe { core::ptr::from_ref(self.pages.to_client).cast::<u64>().add(number) };
            // SAFETY: the region is mapped for good, and each word of it is aligned.
            let word = unsafe { place.read_volatile() };
            (hash ^ word).wrapping_mul(0x100_0000_01b3).rotate_left(7)
        })
    }
}
