//! Sends batches and measures how long they take: from the first enqueue to the last `Done`, everything in between included.
//! The next batch begins when the last has come back, so a batch is one signal each way.

#![no_std]
#![no_main]

mod clock;
mod order;

use ferry_client::{Doorbell, Message, Opening, Peer, Port, Status, TransmitBuffer};
use heapless::Vec;
use order::{BUFFERS, Order, fail, regions};
use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

#[allow(clippy::large_enum_variant, reason = "there is one of it, and no allocator to put it anywhere else")]
enum Producer<D: Doorbell> {
    Opening(Opening<D>, Vec<TransmitBuffer, BUFFERS>, Order),
    Sending(Stream<D>),
    Ended,
}

struct Stream<D: Doorbell> {
    port: Port<D>,
    consumer: Peer,
    free: Vec<TransmitBuffer, BUFFERS>,
    order: Order,
    /// Batches that have come back.
    done: u32,
    begun: u64,
}

fn init() -> impl Handler {
    let central = runtime::channel!(ferry_central);
    let doorbell = move || central.map_or((), runtime::notify);
    let regions = regions().unwrap_or_else(|error| fail(format_args!("{error:?}")));
    let Some(order) = Order::read() else { fail(format_args!("the region bench is not filled in")) };
    let (opening, transmit, _) = Port::open(regions, doorbell);
    let mut producer = Producer::Opening(opening, transmit.split(order.stride), order);
    producer.notified(ChannelSet::default());
    producer
}

impl<D: Doorbell> Handler for Producer<D> {
    fn notified(&mut self, _: ChannelSet) {
        *self = match core::mem::replace(self, Self::Ended) {
            Self::Opening(opening, free, order) => match opening.poll() {
                Err(opening) => Self::Opening(opening, free, order),
                Ok(port) => {
                    let Some(consumer) = port.peer("consumer") else {
                        fail(format_args!("no flow to consumer"))
                    };
                    let mut stream = Stream { port, consumer, free, order, done: 0, begun: 0 };
                    stream.enqueue();
                    stream.pump();
                    Self::Sending(stream)
                }
            },
            Self::Sending(mut stream) => {
                stream.pump();
                Self::Sending(stream)
            }
            Self::Ended => Self::Ended,
        };
    }
}

impl<D: Doorbell> Stream<D> {
    /// Goes on until there is nothing to do but wait for central.
    fn pump(&mut self) {
        loop {
            while let Some(done) = self.port.reap() {
                if done.status != Status::Done {
                    fail(format_args!("a message ended with {:?}", done.status));
                }
                // There is room for all buffers.
                let _ = self.free.push(done.buffer);
            }
            if self.port.outstanding() == 0 {
                self.batch_is_back();
                self.enqueue();
            }
            if !self.port.arm() {
                return;
            }
        }
    }

    fn batch_is_back(&mut self) {
        let unmeasured = self.order.batches / 4;
        self.done += 1;
        if self.done == unmeasured {
            self.begun = clock::now();
        } else if self.done == unmeasured + self.order.batches {
            let ticks = clock::now() - self.begun;
            runtime::println!("bench: messages={} ticks={ticks}", self.order.batches * self.order.batch);
            runtime::exit(0);
        }
    }

    fn enqueue(&mut self) {
        for number in 0..self.order.batch {
            let Some(buffer) = self.free.pop() else { fail(format_args!("a buffer is missing")) };
            let sent =
                self.port.send(self.consumer, buffer, self.order.payload, Message::tagged(number.into()));
            if let Err(refused) = sent {
                fail(format_args!("a message was not enqueued: {:?}", refused.reason));
            }
        }
        self.port.flush();
    }
}
