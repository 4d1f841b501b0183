//! The receiver, in the high partition. The region `behaviour` says what it does:
//!
//! * 0: nothing. It never asks to be let in.
//! * 1: it posts buffers, and takes what comes.
//! * 2: the same, and the two others of its partition keep central as busy as they can.
//! * 3: it breaks the protocol and asks for another epoch, again and again; and the two others as before.

#![no_std]
#![no_main]

#[path = "../pages.rs"]
mod pages;

use ferry_layout::{Address, Delivery, Post, Standing};
use pages::Pages;
use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

/// Bytes of a buffer, and how many there are.
const BYTES: u32 = 512;
const BUFFERS: u32 = 32;

struct Receiver {
    behaviour: u8,
    pages: Pages,
    posted: u32,
    taken: u32,
}

fn init() -> impl Handler {
    let behaviour = runtime::region!(behaviour).expect("the description maps it");
    let mut receiver = Receiver {
        // SAFETY: the image builder fills the region, and nobody can write to it.
        behaviour: unsafe { behaviour.constant() }[0],
        pages: Pages::of_this_domain(),
        posted: 0,
        taken: 0,
    };
    if receiver.behaviour != 0 {
        receiver.enter();
    }
    receiver
}

impl Receiver {
    /// Asks for the next epoch.
    fn enter(&mut self) {
        (self.posted, self.taken) = (0, 0);
        self.pages.enter();
    }

    /// Posts one buffer.
    fn post(&mut self, place: u32) {
        let place = Address::at(place.into()).unwrap_or_default();
        let post = Post { place, length: BYTES, from: Post::ANYONE, ..Post::default() };
        self.pages.out.posts.store(self.posted, post);
        self.posted += 1;
    }

    /// Posts all buffers at first, and then each that has been used.
    fn receive(&mut self) {
        if self.posted == 0 {
            (0..BUFFERS).for_each(|number| self.post(number * BYTES));
        }
        let tail = self.pages.to_client.delivery_tail.observe();
        while self.taken != tail {
            let delivery: Delivery = self.pages.to_client.deliveries.load(self.taken);
            self.taken += 1;
            self.post(delivery.position);
        }
        self.pages.out.delivery_head.publish(tail);
        self.pages.out.post_tail.publish(self.posted);
        self.pages.ring();
    }
}

impl Handler for Receiver {
    fn notified(&mut self, _: ChannelSet) {
        if self.behaviour != 0
            && self.pages.to_client.epoch.observe() == self.pages.out.epoch_wanted.observe()
        {
            match self.pages.to_client.standing() {
                Standing::Open if self.behaviour == 3 => {
                    self.pages.out.post_tail.publish(5000);
                    self.pages.ring();
                }
                Standing::Open => self.receive(),
                _ => self.enter(),
            }
        }
    }
}
