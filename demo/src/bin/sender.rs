//! Streams the region `input`, a file of any size, to the client `receiver`. After the last byte was
//! delivered, it sends one closing message with the file's SHA-256.

#![no_std]
#![no_main]

use ferry_client::{Doorbell, Message, Opening, Peer, Port, Regions, Status, TransmitBuffer};
use heapless::Vec;
use runtime::{ChannelSet, Handler};
use sha2::{Digest, Sha256};

runtime::protection_domain!(init);

/// Bytes of one message.
const MESSAGE_BYTES: u32 = 16 * 1024;
/// How many messages may be on their way at a time.
const MESSAGES: usize = 16;
/// Tag of the closing message; the others have tag 0.
const TAG_END: u64 = 1;

#[expect(clippy::large_enum_variant, reason = "there is one, and it is nearly always in the large variant")]
enum Sender<D: Doorbell> {
    Opening(Opening<D>, Vec<TransmitBuffer, MESSAGES>, &'static [u8]),
    Sending(Stream<D>),
    Ended,
}

/// The file, and how much of it was sent.
struct Stream<D: Doorbell> {
    port: Port<D>,
    receiver: Peer,
    free: Vec<TransmitBuffer, MESSAGES>,
    file: &'static [u8],
    sent: usize,
    /// The closing message is on its way.
    closing: bool,
}

fn init() -> impl Handler {
    let central = runtime::channel!(ferry_central);
    let doorbell = move || central.map_or((), runtime::notify_above);
    // SAFETY: these are this PD's regions, and this is the only place that takes them.
    let regions = unsafe {
        Regions::new(
            runtime::region!(ferry_out),
            runtime::region!(ferry_in),
            runtime::region!(ferry_tx),
            runtime::region!(ferry_rx),
        )
    };
    let Some(file) = input() else { fail(format_args!("there is no region input")) };
    let regions = regions.unwrap_or_else(|error| fail(format_args!("{error:?}")));
    let (opening, transmit, _) = Port::open(regions, doorbell);
    let mut sender = Sender::Opening(opening, transmit.split(MESSAGE_BYTES), file);
    // Central runs before this PD, so it may have let this client in already.
    sender.notified(ChannelSet::default());
    sender
}

/// The file. The description gives the size of the file, and not of the region, to `input_size`.
fn input() -> Option<&'static [u8]> {
    let region = runtime::region!(input)?;
    // SAFETY: the image builder fills the region before the system starts, and nothing can write to it.
    Some(unsafe { region.constant() })
}

impl<D: Doorbell> Handler for Sender<D> {
    fn notified(&mut self, _: ChannelSet) {
        *self = match core::mem::replace(self, Self::Ended) {
            Self::Opening(opening, free, file) => match opening.poll() {
                Err(opening) => Self::Opening(opening, free, file),
                Ok(port) => {
                    let Some(receiver) = port.peer("receiver") else {
                        fail(format_args!("no flow to receiver"))
                    };
                    Stream { port, receiver, free, file, sent: 0, closing: false }.pump()
                }
            },
            Self::Sending(stream) => stream.pump(),
            Self::Ended => Self::Ended,
        };
    }
}

impl<D: Doorbell> Stream<D> {
    /// Sends as much as possible, until only central can act next.
    fn pump(mut self) -> Sender<D> {
        loop {
            while let Some(done) = self.port.reap() {
                if done.status != Status::Done {
                    fail(format_args!("message {} ended with {:?}", done.tag, done.status));
                }
                if self.free.push(done.buffer).is_err() {
                    fail(format_args!("more buffers came back than were sent"));
                }
            }
            if self.closing && self.port.outstanding() == 0 {
                return Sender::Ended;
            }
            while let Some(piece) = self.next_piece() {
                self.send(piece, 0);
            }
            if !self.closing && self.sent == self.file.len() && self.port.outstanding() == 0 {
                runtime::println!("sender: sent {} bytes: {}", self.file.len(), self.port.counters());
                self.send(&Sha256::digest(self.file), TAG_END);
                self.closing = true;
            }
            self.port.flush();
            if !self.port.arm() {
                return Sender::Sending(self);
            }
        }
    }

    /// The next bytes of the file, if there are any and a buffer and a slot are free for them.
    fn next_piece(&mut self) -> Option<&'static [u8]> {
        if self.free.is_empty() || self.port.room() == 0 {
            return None;
        }
        let rest = &self.file[self.sent..];
        let piece = &rest[..rest.len().min(MESSAGE_BYTES as usize)];
        self.sent += piece.len();
        (!piece.is_empty()).then_some(piece)
    }

    fn send(&mut self, bytes: &[u8], tag: u64) {
        let Some(mut buffer) = self.free.pop() else { fail(format_args!("no buffer is free")) };
        buffer.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        let sent = u32::try_from(bytes.len())
            .map(|length| self.port.send(self.receiver, buffer, length, Message::tagged(tag)));
        if !matches!(sent, Ok(Ok(()))) {
            fail(format_args!("a message was not enqueued"));
        }
    }
}

fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error domain=sender {reason}");
    runtime::exit(1)
}
