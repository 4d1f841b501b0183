//! The crate `rtrb`: a lock-free ring of bytes between two threads of one process, which share all memory. A
//! batch ends with one wake-up of the receiving thread.

use rtrb::{Consumer, Producer, RingBuffer};
use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

pub(super) struct Sender {
    /// None once the sender ends.
    producer: Option<Producer<u8>>,
    /// The thread of the receiver, which sleeps while the ring is empty.
    receiver: Arc<OnceLock<Thread>>,
}

pub(super) struct Receiver(Consumer<u8>);

/// The sender, and what makes the receiver in its thread. The ring has room for so many bytes.
pub(super) fn pair(bytes: usize) -> (Sender, impl FnOnce() -> Receiver + Send) {
    let (producer, consumer) = RingBuffer::new(bytes);
    let receiver = Arc::new(OnceLock::new());
    let sender = Sender { producer: Some(producer), receiver: Arc::clone(&receiver) };
    let make = move || {
        receiver.get_or_init(thread::current);
        Receiver(consumer)
    };
    (sender, make)
}

impl Sender {
    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let producer = self.producer.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        producer.push_entire_slice(message).map_err(io::Error::other)
    }

    pub(super) fn wake(&self) {
        if let Some(receiver) = self.receiver.get() {
            receiver.unpark();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.producer = None;
        self.wake();
    }
}

impl Receiver {
    /// Takes the next message. Sleeps until there is one.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        while self.0.pop_entire_slice(buffer).is_err() {
            if self.0.is_abandoned() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            thread::park();
        }
        Ok(())
    }
}
