//! The producer of a one-way flow. A send ends with the next tick, so the producer sends batches as long as
//! it has buffers, and then asks for a tick. That is one tick for each time round the ring.
//!
//! As the producer of other flows does, it only takes buffers back and sends them again.

#![no_std]
#![no_main]

mod clock;
mod order;
mod stopwatch;

use ferry_client::{Doorbell, Message, Opening, Peer, Port, Status, TransmitBuffer};
use heapless::Vec;
use order::{BUFFERS, Case, Order, fail, regions};
use runtime::{Channel, ChannelSet, Handler};
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
    ticker: Channel,
    /// Buffers that are not under way.
    free: Vec<TransmitBuffer, BUFFERS>,
    stopwatch: Stopwatch,
    case: Case,
    /// Number of batches until the end of the round.
    left: u32,
}

fn init() -> impl Handler {
    let central = runtime::channel!(ferry_central);
    let doorbell = move || central.map_or((), runtime::notify_above);
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
            Self::Opening(_) => self.open(),
        }
    }
}

impl<D: Doorbell> Producer<D> {
    // A function of its own, because its stack frame is large.
    #[cold]
    #[inline(never)]
    fn open(&mut self) {
        let Self::Opening(state) = self else { return };
        let Some((opening, free, order)) = state.take() else { return };
        match opening.poll() {
            Err(opening) => *state = Some((opening, free, order)),
            Ok(port) => {
                let mut stream = Stream::new(port, free, order);
                stream.pump();
                *self = Self::Sending(stream);
            }
        }
    }
}

impl<D: Doorbell> Stream<D> {
    fn new(port: Port<D>, free: Vec<TransmitBuffer, BUFFERS>, order: Order) -> Self {
        let Some(consumer) = port.peer("consumer") else { fail(format_args!("no flow to consumer")) };
        let Some(ticker) = runtime::channel!(ferry_ticker) else {
            fail(format_args!("no channel to ticker"))
        };
        let stopwatch = Stopwatch::new(order);
        let case = stopwatch.case();
        Self { port, consumer, ticker, free, stopwatch, case, left: case.batches }
    }

    /// Runs until only a tick can go on.
    fn pump(&mut self) {
        self.port.disarm();
        loop {
            let free = &mut self.free;
            let taken_back = self.port.reap_each(|done| {
                if done.status != Status::Done {
                    fail(format_args!("a message ended with {:?}", done.status));
                }
                // Cannot fail: the vector has room for all buffers.
                let _ = free.push(done.buffer);
                None
            });
            if let Err(refused) = taken_back {
                fail(format_args!("a message was not enqueued: {:?}", refused.reason));
            }
            while self.free.len() >= self.case.batch as usize {
                self.send_batch();
            }
            if !self.port.arm() {
                runtime::notify_above(self.ticker);
                return;
            }
        }
    }

    fn send_batch(&mut self) {
        for number in 0..self.case.batch {
            let Some(buffer) = self.free.pop() else { fail(format_args!("a buffer is missing")) };
            let message = Message::tagged(number.into());
            if let Err(refused) = self.port.send(self.consumer, buffer, self.case.payload, message) {
                fail(format_args!("a message was not enqueued: {:?}", refused.reason));
            }
        }
        self.port.flush();
        self.left -= 1;
        if self.left == 0 {
            self.stopwatch.round_is_over();
            self.case = self.stopwatch.case();
            self.left = self.case.batches;
        }
    }
}
