//! The producer of a one-way flow. A send ends with the next tick. So the producer sends batches as long as
//! buffers come back, and then asks for a tick. That is one tick for each time round the ring.
//!
//! As the producer of other flows does, it only takes buffers back and sends them again.

#![no_std]
#![no_main]

mod clock;
mod order;
mod sending;
mod stopwatch;

use ferry_client::{Doorbell, Opening, Peer, Port, TransmitBuffer};
use heapless::Vec;
use order::{BUFFERS, Case, Order, fail, regions};
use runtime::{Channel, ChannelSet, Handler};
use sending::{send, send_again};
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
    /// Buffers that were not sent yet.
    free: Vec<TransmitBuffer, BUFFERS>,
    stopwatch: Stopwatch,
    case: Case,
    /// Number of messages that the current batch still lacks.
    missing: u32,
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
                stream.begin();
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
        Self { port, consumer, ticker, free, stopwatch, case, missing: case.batch, left: case.batches }
    }

    /// Sends all buffers for the first time.
    fn begin(&mut self) {
        while let Some(buffer) = self.free.pop() {
            send(&mut self.port, self.consumer, buffer, self.case.payload, self.missing);
            self.missing -= 1;
            if self.missing == 0 {
                self.batch_is_complete();
            }
        }
    }

    /// Runs until only a tick can go on. Sends each buffer again that comes back, and flushes when a batch is
    /// complete.
    fn pump(&mut self) {
        self.port.disarm();
        loop {
            let (length, missing) = (self.case.payload, self.missing);
            self.missing = send_again(&mut self.port, &self.consumer, length, missing, missing);
            if self.missing == 0 {
                self.batch_is_complete();
            } else if !self.port.arm() {
                runtime::notify_on_return(self.ticker);
                return;
            }
        }
    }

    fn batch_is_complete(&mut self) {
        self.port.flush();
        self.left -= 1;
        if self.left == 0 {
            self.stopwatch.round_is_over();
            self.case = self.stopwatch.case();
            self.left = self.case.batches;
        }
        self.missing = self.case.batch;
    }
}
