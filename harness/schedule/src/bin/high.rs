//! The receiver, in the high partition. The region `behaviour` says what it does:
//!
//! * 0: nothing. It never asks to be let in.
//! * 1: it posts buffers, and takes what comes.
//! * 2: the same, and the two others of its partition keep central as busy as they can.
//! * 3: it breaks the protocol and asks for another epoch, again and again; and the two others as before.

#![no_std]
#![no_main]

use ferry_layout::{Address, Delivery, InRegion, OutRegion, Post, Standing};
use runtime::{Channel, ChannelSet, Handler};

runtime::protection_domain!(init);

/// Bytes of a buffer, and how many there are.
const BYTES: u32 = 512;
const BUFFERS: u32 = 32;

struct Receiver {
    behaviour: u8,
    central: Channel,
    out: &'static OutRegion,
    to_client: &'static InRegion,
    posted: u32,
    taken: u32,
}

fn init() -> impl Handler {
    let behaviour = runtime::region!(behaviour).expect("the description maps it");
    let out = runtime::region!(ferry_out).expect("the description maps it");
    let page = runtime::region!(ferry_in).expect("the description maps it");
    // The description sets these symbols in every client. What is in the memory does not matter here.
    let buffers = [runtime::region!(ferry_tx), runtime::region!(ferry_rx)];
    assert!(buffers.iter().all(Option::is_some), "the description maps them");
    let mut receiver = Receiver {
        // SAFETY: the image builder fills the region, and nobody can write to it.
        behaviour: unsafe { behaviour.constant() }[0],
        central: runtime::channel!(ferry_central).expect("the description sets it"),
        out: out.shared().expect("it has the size of the ABI"),
        to_client: page.shared().expect("it has the size of the ABI"),
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
        self.out.clear_magic();
        self.out.transmit_tail.publish(0);
        self.out.post_tail.publish(0);
        self.out.delivery_head.publish(0);
        self.out.withdrawals.publish(0);
        self.out.wake.arm();
        self.out.ask_for_epoch(self.to_client.epoch.observe().wrapping_add(1));
        runtime::notify(self.central);
    }

    /// Posts one buffer.
    fn post(&mut self, place: u32) {
        let place = Address::at(place.into()).unwrap_or_default();
        let post = Post { place, length: BYTES, from: Post::ANYONE, ..Post::default() };
        self.out.posts.store(self.posted, post);
        self.posted += 1;
    }

    /// Posts all buffers at first, and then each that has been used.
    fn receive(&mut self) {
        if self.posted == 0 {
            (0..BUFFERS).for_each(|number| self.post(number * BYTES));
        }
        let tail = self.to_client.delivery_tail.observe();
        while self.taken != tail {
            let delivery: Delivery = self.to_client.deliveries.load(self.taken);
            self.taken += 1;
            self.post(delivery.position);
        }
        self.out.delivery_head.publish(tail);
        self.out.post_tail.publish(self.posted);
        runtime::notify(self.central);
    }
}

impl Handler for Receiver {
    fn notified(&mut self, _: ChannelSet) {
        if self.behaviour != 0 && self.to_client.epoch.observe() == self.out.epoch_wanted.observe() {
            match self.to_client.standing() {
                Standing::Open if self.behaviour == 3 => {
                    self.out.post_tail.publish(5000);
                    runtime::notify(self.central);
                }
                Standing::Open => self.receive(),
                _ => self.enter(),
            }
        }
    }
}
