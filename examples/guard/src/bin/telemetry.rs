//! The sensor of the high side. It is not trusted: some of its readings are not what they should be, and one
//! of them it rewrites when it has sent it.
//!
//! Its flow is one-way: each send ends with `Done` at the next tick, whatever became of it. So it cannot know
//! whether anybody listens. It sends for as long as it runs, one reading in a tick, and each again and again.

#![no_std]
#![no_main]

use ferry_client::{
    ChannelSet, Client, Doorbell, Message, Port, ReceiveMemory, Status, TransmitBuffer, TransmitMemory,
};

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Sensor::new)
}

/// What it sends, in turn. Three of these may arrive.
const READINGS: [&[u8]; 6] = [
    b"temperature 21",
    b"temperature \x1b[2J",
    b"temperature 2100",
    b"humidity 40",
    b"temperature 22",
    REWRITTEN,
];
/// The reading that it rewrites when it has sent it.
const REWRITTEN: &[u8] = b"temperature 23";

/// Bytes of a buffer.
const BYTES: u32 = 64;
/// It says so when it has rewritten a reading so often.
const OFTEN: u32 = 3;

/// Counts what it has sent.
struct Sensor {
    sent: u64,
    rewritten: u32,
    readings: core::iter::Cycle<core::array::IntoIter<&'static [u8], { READINGS.len() }>>,
}

impl Sensor {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, _: ReceiveMemory) -> Self {
        let mut sensor = Self { sent: 0, rewritten: 0, readings: READINGS.into_iter().cycle() };
        let buffer = transmit.split::<1>(BYTES).pop().expect("the region has a page");
        sensor.send(port, buffer);
        sensor
    }

    /// Sends the next reading.
    fn send(&mut self, port: &mut Port<impl Doorbell>, mut buffer: TransmitBuffer) {
        let reading = self.readings.next().unwrap_or_default();
        buffer.bytes_mut()[..reading.len()].copy_from_slice(reading);
        let length = u32::try_from(reading.len()).unwrap_or(0);
        let console = port.peer("console").expect("the flow is in flows.toml");
        let bytes = buffer.bytes_mut().as_mut_ptr();
        port.send(console, buffer, length, Message::tagged(self.sent)).expect("the ring has room");
        self.sent += 1;
        if reading == REWRITTEN {
            // Central sees the message now. When it copies it is central's business.
            port.flush();
            rewrite(bytes, reading, self.rewritten.is_multiple_of(2));
            self.rewritten += 1;
            if self.rewritten == OFTEN {
                runtime::println!("rewrote {OFTEN} readings that it had sent");
            }
        }
    }
}

/// Rewrites the last byte of a reading that was sent, again and again, and leaves it right or wrong.
fn rewrite(bytes: *mut u8, reading: &[u8], ends_wrong: bool) {
    let Some((last, others)) = reading.split_last() else { return };
    // SAFETY: the buffer is longer than the reading.
    let place = unsafe { bytes.add(others.len()) };
    for round in 0..20_000 + u32::from(ends_wrong) {
        let byte = if round % 2 == 0 { b'\x1b' } else { *last };
        // SAFETY: `place` is in the transmit memory of this domain, which stays mapped for ever, and nothing
        // else of this program uses this buffer now. That central may read it is the point.
        unsafe { place.write_volatile(byte) };
    }
}

impl Client for Sensor {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            if ended.status != Status::Done {
                // It would have learned something.
                runtime::println!("ferry: error reading {} ended with {:?}", ended.tag, ended.status);
            }
            self.send(port, ended.buffer);
            if self.sent == 10 {
                runtime::println!("the first 9 sends ended with Done, and that is all that it learns");
            }
        }
    }
}
