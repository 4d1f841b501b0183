//! Sends batches and measures what they cost. Everything from one flush to the next counts. A batch consists
//! of the buffers that came back from the batch before, and causes one signal to central.
//!
//! The producer does only what a sender must do: it takes a buffer back and sends it again. It does not touch
//! the contents of the buffer.

#![no_std]
#![no_main]

mod clock;
mod order;
mod sending;
mod stopwatch;

use ferry_client::{Doorbell, Opening, Peer, Port, TransmitBuffer};
use heapless::Vec;
use order::{BUFFERS, Case, Order, fail, regions};
use runtime::{ChannelSet, Handler};
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
    /// Buffers that this case does not use.
    free: Vec<TransmitBuffer, BUFFERS>,
    stopwatch: Stopwatch,
    /// The case whose messages are sent. If the stopwatch has another one, that one comes next.
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
        let stopwatch = Stopwatch::new(order);
        let case = stopwatch.case();
        Self { port, consumer, free, stopwatch, case, missing: case.batch, left: case.batches }
    }

    /// Sends the first batch of a case.
    fn begin(&mut self) {
        self.case = self.stopwatch.case();
        self.left = self.case.batches;
        for number in 0..self.case.batch {
            let Some(buffer) = self.free.pop() else { fail(format_args!("a buffer is missing")) };
            send(&mut self.port, self.consumer, buffer, self.case.payload, number);
        }
        self.missing = self.case.batch;
        self.port.flush();
    }

    /// Runs until only central can go on. Sends each buffer again that comes back, and flushes when a batch
    /// is complete.
    fn pump(&mut self) {
        self.port.disarm();
        loop {
            // Only the messages of one batch are under way, so no more come back before the flush.
            let (length, missing) = (self.case.payload, self.missing);
            self.missing = send_again(&mut self.port, &self.consumer, length, missing, u32::MAX);
            if self.missing == 0 {
                self.batch_is_complete();
            } else if !self.port.arm() {
                return;
            }
        }
    }

    fn batch_is_complete(&mut self) {
        self.missing = self.case.batch;
        self.port.flush();
        self.left -= 1;
        if self.left == 0 {
            self.left = self.case.batches;
            if self.stopwatch.round_is_over() {
                self.next_case();
            }
        }
    }

    /// Takes all buffers back and begins the next case.
    fn next_case(&mut self) {
        while self.port.outstanding() != 0 {
            match self.port.reap() {
                // Cannot fail: the vector has room for all buffers.
                Some(done) => drop(self.free.push(done.buffer)),
                None => runtime::yield_now(),
            }
        }
        self.begin();
    }
}
