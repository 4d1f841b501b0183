//! Sends batches and measures what they cost: from one batch's first enqueue to the next one's, everything in between
//! included. The next batch begins when the last has come back, so a batch is one signal to central.
//!
//! It does what a sender has to do and no more: it describes a buffer and takes it back. The buffer's contents are none of
//! its business.

#![no_std]
#![no_main]

mod clock;
mod order;
mod stopwatch;

use ferry_client::{Doorbell, Message, Opening, Peer, Port, Status, TransmitBuffer};
use heapless::Vec;
use order::{BUFFERS, Order, fail, regions};
use runtime::{ChannelSet, Handler};
use stopwatch::Stopwatch;

runtime::protection_domain!(init);

#[allow(clippy::large_enum_variant, reason = "there is one of it, and no allocator to put it anywhere else")]
enum Producer<D: Doorbell> {
    Opening(Option<(Opening<D>, Vec<TransmitBuffer, BUFFERS>, Order)>),
    Sending(Stream<D>),
}

struct Stream<D: Doorbell> {
    port: Port<D>,
    consumer: Peer,
    free: Vec<TransmitBuffer, BUFFERS>,
    stopwatch: Stopwatch,
    /// Batches until the round is over.
    left: u32,
}

fn init() -> impl Handler {
    let central = runtime::channel!(ferry_central);
    let doorbell = move || central.map_or((), runtime::notify);
    let regions = regions().unwrap_or_else(|error| fail(format_args!("{error:?}")));
    let Some(order) = Order::read() else { fail(format_args!("the region bench is not filled in")) };
    let (opening, transmit, _) = Port::open(regions, doorbell);
    let mut producer = Producer::Opening(Some((opening, transmit.split(order.stride), order)));
    producer.notified(ChannelSet::default());
    producer
}

impl<D: Doorbell> Handler for Producer<D> {
    fn notified(&mut self, _: ChannelSet) {
        match self {
            Self::Sending(stream) => stream.pump(),
            Self::Opening(state) => {
                let Some((opening, free, order)) = state.take() else { return };
                match opening.poll() {
                    Err(opening) => *state = Some((opening, free, order)),
                    Ok(port) => {
                        let mut stream = Stream::new(port, free, order);
                        stream.enqueue();
                        stream.pump();
                        *self = Self::Sending(stream);
                    }
                }
            }
        }
    }
}

impl<D: Doorbell> Stream<D> {
    fn new(port: Port<D>, free: Vec<TransmitBuffer, BUFFERS>, order: Order) -> Self {
        let Some(consumer) = port.peer("consumer") else { fail(format_args!("no flow to consumer")) };
        let stopwatch = Stopwatch::new(order);
        let left = stopwatch.case().batches;
        Self { port, consumer, free, stopwatch, left }
    }

    /// Goes on until there is nothing to do but wait for central.
    fn pump(&mut self) {
        self.port.disarm();
        loop {
            while let Some(done) = self.port.reap() {
                if done.status != Status::Done {
                    fail(format_args!("a message ended with {:?}", done.status));
                }
                // There is room for all buffers.
                let _ = self.free.push(done.buffer);
            }
            if self.port.outstanding() == 0 {
                self.left -= 1;
                if self.left == 0 {
                    self.stopwatch.round_is_over();
                    self.left = self.stopwatch.case().batches;
                }
                self.enqueue();
            } else if !self.port.arm() {
                return;
            }
        }
    }

    fn enqueue(&mut self) {
        let case = self.stopwatch.case();
        for number in 0..case.batch {
            let Some(buffer) = self.free.pop() else { fail(format_args!("a buffer is missing")) };
            let sent = self.port.send(self.consumer, buffer, case.payload, Message::tagged(number.into()));
            if let Err(refused) = sent {
                fail(format_args!("a message was not enqueued: {:?}", refused.reason));
            }
        }
        self.port.flush();
    }
}
