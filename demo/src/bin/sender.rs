//! Streams the region `input`, a file of any size, to the client `receiver`. After the last byte was
//! delivered, it sends one closing message with the file's SHA-256.

#![no_std]
#![no_main]

use ferry_client::{ChannelSet, Client, Doorbell, Message, Peer, Port, Status, TransmitBuffer};
use heapless::Vec;
use runtime::Handler;
use sha2::{Digest, Sha256};

runtime::protection_domain!(init);

/// Bytes of one message.
const MESSAGE_BYTES: u32 = 16 * 1024;
/// How many messages may be on their way at a time.
const MESSAGES: usize = 16;
/// Tag of the closing message; the others have tag 0.
const TAG_END: u64 = 1;

/// The file, and how much of it was sent.
struct Sender {
    receiver: Peer,
    free: Vec<TransmitBuffer, MESSAGES>,
    file: &'static [u8],
    sent: usize,
    /// The closing message is on its way.
    closing: bool,
}

fn init() -> impl Handler {
    ferry_client::start!(|port, transmit, _| {
        let Some(file) = input() else { fail(format_args!("there is no region input")) };
        let Some(receiver) = port.peer("receiver") else { fail(format_args!("no flow to receiver")) };
        Sender { receiver, free: transmit.split(MESSAGE_BYTES), file, sent: 0, closing: false }
    })
}

/// The file. The description gives the size of the file, and not of the region, to `input_size`.
fn input() -> Option<&'static [u8]> {
    let region = runtime::region!(input)?;
    // SAFETY: the image builder fills the region before the system starts, and nothing can write to it.
    Some(unsafe { region.constant() })
}

impl Client for Sender {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(done) = port.reap() {
            if done.status != Status::Done {
                fail(format_args!("message {} ended with {:?}", done.tag, done.status));
            }
            if self.free.push(done.buffer).is_err() {
                fail(format_args!("more buffers came back than were sent"));
            }
        }
        while let Some(piece) = self.next_piece(port) {
            self.send(port, piece, 0);
        }
        if !self.closing && self.sent == self.file.len() && port.outstanding() == 0 {
            runtime::println!("sent {} bytes: {}", self.file.len(), port.counters());
            self.send(port, &Sha256::digest(self.file), TAG_END);
            self.closing = true;
        }
    }
}

impl Sender {
    /// The next bytes of the file, if there are any and a buffer and a slot are free for them.
    fn next_piece(&mut self, port: &Port<impl Doorbell>) -> Option<&'static [u8]> {
        if self.free.is_empty() || port.room() == 0 {
            return None;
        }
        let rest = &self.file[self.sent..];
        let piece = &rest[..rest.len().min(MESSAGE_BYTES as usize)];
        self.sent += piece.len();
        (!piece.is_empty()).then_some(piece)
    }

    fn send(&mut self, port: &mut Port<impl Doorbell>, bytes: &[u8], tag: u64) {
        let Some(mut buffer) = self.free.pop() else { fail(format_args!("no buffer is free")) };
        buffer.bytes_mut()[..bytes.len()].copy_from_slice(bytes);
        let sent = u32::try_from(bytes.len())
            .map(|length| port.send(self.receiver, buffer, length, Message::tagged(tag)));
        if !matches!(sent, Ok(Ok(()))) {
            fail(format_args!("a message was not enqueued"));
        }
    }
}

fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error {reason}");
    runtime::exit(1)
}
