//! A hostile sender. In the last case but one it sends good bytes, and rewrites them from then on: while the
//! guards look at them, and between two guards. Central copies the bytes before the sender runs again, or it
//! copies rewritten bytes, which the honest guard refuses.

#![no_std]
#![no_main]

use ferry_client::{
    ChannelSet, Client, Doorbell, Message, Peer, Port, ReceiveMemory, Status, TransmitMemory,
};
use heapless::Vec;

runtime::protection_domain!(init);

fn init() -> impl runtime::Handler {
    ferry_client::start!(Sender::new)
}

/// Bytes of a message.
const BYTES: u32 = 64;
/// The cases, as `hostile-guard.rs` knows them.
const CASES: usize = 11;
/// The case in which the sender rewrites what it has sent.
const REWRITTEN: u64 = 9;

struct Sender {
    /// To whom each case goes, and the message.
    cases: Vec<(Peer, ferry_client::TransmitBuffer), CASES>,
    next: u64,
}

impl Sender {
    fn new(port: &mut Port<impl Doorbell>, transmit: TransmitMemory, _: ReceiveMemory) -> Self {
        let target = port.peer("target").expect("the flow is in flows.toml");
        let second = port.peer("second").expect("the flow is in flows.toml");
        let mut cases = Vec::new();
        for (mut buffer, case) in transmit.split::<CASES>(BYTES).into_iter().zip(0..) {
            // The guards have to refuse cases 6 and 8.
            buffer.bytes_mut().fill(if matches!(case, 6 | 8) { b'b' } else { b'g' });
            let peer = if matches!(case, 7 | 8) { second } else { target };
            assert!(cases.push((peer, buffer)).is_ok(), "there is room for all cases");
        }
        // The oldest case comes last, so that `pop` finds it.
        cases.reverse();
        let mut sender = Self { cases, next: 0 };
        sender.send(port);
        sender
    }

    /// Sends the next case.
    fn send(&mut self, port: &mut Port<impl Doorbell>) {
        let Some((peer, mut buffer)) = self.cases.pop() else {
            runtime::println!("all cases have ended");
            return;
        };
        let bytes = buffer.bytes_mut().as_mut_ptr();
        port.send(peer, buffer, BYTES, Message::tagged(self.next)).expect("the ring is empty");
        port.flush();
        if self.next == REWRITTEN {
            rewrite(bytes);
        }
        self.next += 1;
    }
}

/// Rewrites the bytes of a message, again and again, for a while.
fn rewrite(bytes: *mut u8) {
    for round in 0..200_000_u32 {
        let byte = if round % 2 == 0 { b'b' } else { b'x' };
        // SAFETY: the buffer has BYTES bytes.
        let place = unsafe { bytes.add((round % BYTES) as usize) };
        // SAFETY: `place` is in the transmit memory of this domain, which stays mapped for ever, and nothing
        // else of this program uses this buffer. That central may read it is the point.
        unsafe { place.write_volatile(byte) };
    }
}

impl Client for Sender {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(ended) = port.reap() {
            match ended.status {
                // What happens to rewritten bytes depends on who was first.
                Status::Done | Status::Refused if ended.tag == REWRITTEN => {}
                status @ (Status::Done | Status::Refused) => {
                    runtime::println!("case {} ended with {status:?}", ended.tag);
                }
                other => runtime::println!("case {} ended, which it must not, with {other:?}", ended.tag),
            }
            self.send(port);
        }
    }
}
