//! One client of these tests, and its book of everything that it has sent and received.

use std::collections::BTreeMap;

use ferry_client::{Event, Port, Posted, ReceiveBuffer, Status, TransmitBuffer};
use ferry_testbed::Silent;

use super::guards::Guard;
use super::message::{length_of, payload};
use super::watch::Watch;

/// One client and its book.
pub(crate) struct Actor {
    pub(crate) port: Port<Silent>,
    pub(crate) transmit: Vec<TransmitBuffer>,
    pub(crate) receive: Vec<ReceiveBuffer>,
    pub(crate) window: Option<Posted>,
    pub(crate) guard: Option<Guard>,
    /// Receive buffers that it has.
    pub(crate) buffers: usize,
    pub(crate) book: Book,
}

/// What a client has sent and received.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Book {
    /// The statuses of each tag, one for each part. They are kept by tag because sends that wait end out of
    /// order, and a stop may make more of them wait.
    pub(crate) reaped: BTreeMap<u64, Vec<Status>>,
    /// For each source: sequence numbers and tags, in the order of arrival.
    pub(crate) received: BTreeMap<u16, Vec<(u64, u64)>>,
    pub(crate) returned: usize,
}

impl Actor {
    /// Takes and checks what has arrived.
    pub(crate) fn look(&mut self, watch: &mut Watch) {
        if let Some(guard) = &mut self.guard {
            guard.look(&mut self.port, &mut self.receive, watch);
            self.port.publish();
            return;
        }
        while let Some(done) = self.port.reap() {
            self.book.reaped.entry(done.tag).or_default().push(done.status);
            self.transmit.push(done.buffer);
        }
        while let Some(event) = self.port.receive() {
            match event {
                Event::Message { source, tag, sequence, buffer, length } => {
                    assert_eq!(length as usize, length_of(tag), "the whole message");
                    assert!(buffer.bytes()[..length as usize] == payload(tag, length_of(tag)), "its bytes");
                    self.book.received.entry(source.number()).or_default().push((sequence, tag));
                    self.receive.push(buffer);
                }
                Event::Placed { source, tag, sequence, place, length } => {
                    let window = self.window.and_then(|window| self.port.posted_buffer(window)).unwrap();
                    let begin = window.place();
                    let skip = (place.frame - begin.frame) * 4096 + place.offset - begin.offset;
                    let mut bytes = vec![0; length as usize];
                    assert!(window.copy_out(skip, &mut bytes));
                    assert!(bytes == payload(tag, length_of(tag)), "its bytes");
                    self.book.received.entry(source.number()).or_default().push((sequence, tag));
                }
                Event::Returned(buffer) => {
                    self.receive.push(buffer);
                    self.book.returned += 1;
                }
            }
        }
        self.port.publish();
    }
}
