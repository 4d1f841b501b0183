//! The crate `iceoryx2`: both processes map the memory of the messages. The sender fills a message where it
//! lies, and the receiver copies it out. A publish-subscribe service carries the messages, and an event
//! service wakes the receiver once a batch.

use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::{EventId, LogLevel, Node, NodeBuilder, ServiceName, ipc, set_log_level};
use std::fmt::Display;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// Messages that may wait for the receiver: those of the largest batch.
const WAITING: usize = 128;
/// The event that a batch is there, and the one that there will be no more.
const BATCH: usize = 0;
const END: usize = 1;

pub(super) struct Sender {
    publisher: Publisher<ipc::Service, [u8], ()>,
    notifier: Notifier<ipc::Service>,
    _node: Node<ipc::Service>,
}

pub(super) struct Receiver {
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    listener: Listener<ipc::Service>,
    _node: Node<ipc::Service>,
}

/// A name that no other service of this machine has.
pub(super) fn new_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("ferry-bench/{}/{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The two services with this name. Whoever comes first makes them.
macro_rules! services {
    ($node:expr, $name:expr) => {{
        let name = ServiceName::new($name).map_err(failed)?;
        let messages = $node.service_builder(&name).publish_subscribe::<[u8]>();
        let messages = messages
            .max_publishers(1)
            .max_subscribers(1)
            .subscriber_max_buffer_size(WAITING)
            .subscriber_max_borrowed_samples(1)
            .history_size(0)
            .enable_safe_overflow(false)
            .open_or_create()
            .map_err(failed)?;
        let events = $node.service_builder(&name).event();
        let events = events.max_notifiers(1).max_listeners(1).event_id_max_value(END);
        (messages, events.open_or_create().map_err(failed)?)
    }};
}

fn node() -> io::Result<Node<ipc::Service>> {
    // It says that it has no file with a configuration.
    set_log_level(LogLevel::Error);
    NodeBuilder::new().create::<ipc::Service>().map_err(failed)
}

fn failed(cause: impl Display) -> io::Error {
    io::Error::other(cause.to_string())
}

impl Sender {
    /// The sending side of messages of `payload` bytes.
    pub(super) fn new(name: &str, payload: u32) -> io::Result<Self> {
        let node = node()?;
        let (messages, events) = services!(node, name);
        let publisher = messages.publisher_builder().initial_max_slice_len(payload as usize);
        let publisher = publisher.max_loaned_samples(1).create().map_err(failed)?;
        let notifier = events.notifier_builder().default_event_id(EventId::new(BATCH));
        Ok(Self { publisher, notifier: notifier.create().map_err(failed)?, _node: node })
    }

    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let sample = self.publisher.loan_slice_uninit(message.len()).map_err(failed)?;
        sample.write_from_slice(message).send().map_err(failed)?;
        Ok(())
    }

    pub(super) fn wake(&self) -> io::Result<()> {
        self.notifier.notify().map_err(failed)?;
        Ok(())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // The receiver may have ended before.
        let _ = self.notifier.notify_with_custom_event_id(EventId::new(END));
    }
}

impl Receiver {
    pub(super) fn new(name: &str) -> io::Result<Self> {
        let node = node()?;
        let (messages, events) = services!(node, name);
        let subscriber = messages.subscriber_builder().create().map_err(failed)?;
        let listener = events.listener_builder().create().map_err(failed)?;
        Ok(Self { subscriber, listener, _node: node })
    }

    /// Takes the next message. Sleeps until there is one.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        loop {
            if let Some(sample) = self.subscriber.receive().map_err(failed)? {
                buffer.copy_from_slice(sample.payload());
                return Ok(());
            }
            let mut ends = false;
            let note = |event: iceoryx2::prelude::EventActivation| ends |= event.id == EventId::new(END);
            self.listener.blocking_wait(note).map_err(failed)?;
            if ends {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
