//! A client that writes its rings by itself, without the client library. So it can do anything. Each test
//! adds what its clients say to each other.

use ferry_layout::{Address, Delivery, Descriptor, Post, PostKind, Status};
use ferry_testbed::ClientMemory;

/// One client. It knows what it has published, and nothing else.
#[derive(Clone, Copy)]
pub(crate) struct Actor {
    pub(crate) memory: ClientMemory,
    sent: u32,
    posted: u32,
    taken: u32,
}

impl Actor {
    /// A client that has published nothing.
    pub(crate) const fn new(memory: ClientMemory) -> Self {
        Self { memory, sent: 0, posted: 0, taken: 0 }
    }

    /// Publishes one descriptor. Returns its index.
    pub(crate) fn publish(&mut self, descriptor: Descriptor) -> u32 {
        let index = self.sent;
        self.memory.from_client.descriptors.store(index, descriptor);
        self.sent = index.wrapping_add(1);
        self.memory.from_client.transmit_tail.publish(self.sent);
        index
    }

    /// Posts `length` bytes from `start` on.
    pub(crate) fn post_at(&mut self, start: u32, length: u32) -> u32 {
        let index = self.posted;
        let post =
            Post { place: at(start), length, from: Post::ANYONE, kind: PostKind::Buffer as u8, marks: 0 };
        self.memory.from_client.posts.store(index, post);
        self.posted = index.wrapping_add(1);
        self.memory.from_client.post_tail.publish(self.posted);
        index
    }

    /// What has arrived since the last call.
    pub(crate) fn deliveries(&mut self) -> Vec<Delivery> {
        let tail = self.memory.to_client.delivery_tail.observe();
        let count = tail.wrapping_sub(self.taken);
        let all = (0..count)
            .map(|number| self.memory.to_client.deliveries.load(self.taken.wrapping_add(number)))
            .collect();
        self.taken = tail;
        self.memory.from_client.delivery_head.publish(tail);
        all
    }

    pub(crate) fn status(&self, index: u32) -> Option<Status> {
        self.memory.to_client.status(index).get(index)
    }

    /// Makes an index impossible, which is a breach of the protocol.
    pub(crate) fn break_protocol(&self) {
        self.memory.from_client.post_tail.publish(self.posted.wrapping_add(1000));
    }
}

/// The address of a byte of a region.
pub(crate) fn at(position: u32) -> Address {
    Address::at(position.into()).unwrap()
}
