//! The engine alone. Its clients are rings that this file fills by hand. Its window is the clients' memory
//! itself, and mapping only counts. So a measurement shows what central does in user mode, and the copy.
//!
//! Clients post and take exactly what the case says. Both wake hints are armed, so every run has the signals
//! that it would have on a kernel. Only the status of the last message and the number of deliveries are
//! checked. Comparing the bytes is the task of the tests.

use std::ops::Range;

use crate::case::Case;
use ferry_central::{ClientSet, Engine, FrameRef, Machine, MapFailed, Ports};
use ferry_layout::config::{
    AuditPlace, BufferRecord, CONFIG_MAGIC, CONFIG_VERSION, ClientRecord, Config, FlowRecord, Header,
};
use ferry_layout::geometry::FRAME_BYTES;
use ferry_layout::{
    Address, Delivery, DeliveryKind, Descriptor, DomainId, DomainName, InRegion, OutRegion, Post, Status,
};
use ferry_testbed::Memory;
use zerocopy::IntoBytes;

/// A client's share of one round in bytes: the default of `flows.toml`.
const BYTES_PER_ROUND: u32 = 256 * 1024;
/// A client's share of one round in descriptors: the default of `flows.toml`.
const MESSAGES_PER_ROUND: u32 = 128;

/// The cheapest machine for the engine. It copies, and only counts everything else.
#[derive(Default)]
pub struct Counters {
    /// Frames mapped.
    pub maps: u64,
    /// Frames unmapped.
    pub unmaps: u64,
    /// Signals sent.
    pub signals: u64,
}

impl Machine for Counters {
    fn map(&mut self, _: FrameRef) -> Result<(), MapFailed> {
        self.maps += 1;
        Ok(())
    }

    fn unmap(&mut self, _: FrameRef) {
        self.unmaps += 1;
    }

    fn copy(&mut self, from: u64, to: u64, length: u32) {
        let (from, to) = pointers(from, to);
        // SAFETY: window addresses are addresses of leaked memory, and the engine stays inside that memory.
        // The buffers of two clients, and the two buffers of one client, are separate allocations. No
        // references to them exist.
        unsafe { ferry_platform::copy_opaque(from, to, length as usize) }
    }

    fn signal(&mut self, _: DomainId) {
        self.signals += 1;
    }

    fn poll_tick(&mut self) -> bool {
        false
    }
}

/// The pointers to two places in the window.
pub(crate) fn pointers(from: u64, to: u64) -> (*const u8, *mut u8) {
    // Pointers have 64 bits wherever this program runs.
    #[expect(clippy::cast_possible_truncation, reason = "addresses of this process")]
    let (from, to) = (from as usize, to as usize);
    (core::ptr::with_exposed_provenance(from), core::ptr::with_exposed_provenance_mut(to))
}

/// One client: its pages, its buffers, and its indices.
struct ClientState {
    from_client: &'static OutRegion,
    to_client: &'static InRegion,
    transmit: Memory,
    receive: Memory,
    sent: u32,
    posted: u32,
}

/// An engine with its clients, for one case.
pub struct EngineBench {
    engine: Box<Engine>,
    /// Counts the engine's requests.
    pub machine: Counters,
    clients: Vec<ClientState>,
    /// Clients that have signalled since central last ran.
    woken: ClientSet,
    case: Case,
}

impl EngineBench {
    /// A system in which every client may send to the next one. All clients have been let in.
    ///
    /// # Panics
    /// If no configuration can describe the case.
    #[must_use]
    pub fn new(case: Case) -> Self {
        let bytes = (case.stride() * case.batch).next_multiple_of(4096) as usize;
        let clients: Vec<ClientState> = (0..case.clients)
            .map(|_| ClientState {
                from_client: Box::leak(Box::default()),
                to_client: Box::leak(Box::default()),
                transmit: Memory::new(bytes),
                receive: Memory::new(bytes),
                sent: 0,
                posted: 0,
            })
            .collect();
        let blob = configuration(case, &clients);
        let config = Config::parse(&blob).expect("the case makes a valid configuration");
        let mut engine = Box::new(Engine::new());
        let mut pages = clients.iter();
        engine.configure(&config, |_| {
            pages.next().map(|client| Ports { from_client: client.from_client, to_client: client.to_client })
        });
        for client in &clients {
            client.from_client.ask_for_epoch(1);
            client.from_client.wake.arm();
        }
        let mut bench = Self { engine, machine: Counters::default(), clients, woken: ClientSet::EMPTY, case };
        bench.engine.run(&mut bench.machine, ClientSet::first(usize::from(case.clients)), false);
        bench
    }

    /// What all clients do before central runs: receivers post buffers, senders enqueue a batch, and all go
    /// to sleep.
    pub fn prepare(&mut self) {
        for sender in 0..self.case.senders() {
            let target = self.target(sender);
            self.post(target);
            self.enqueue(sender, target);
        }
    }

    /// One wake-up of central, by the clients that have signalled.
    pub fn run(&mut self) {
        self.engine.run(&mut self.machine, core::mem::replace(&mut self.woken, ClientSet::EMPTY), false);
    }

    /// One wake-up of a central that checks nothing. It reads what the engine reads, moves the bytes, writes
    /// what the clients read, and does nothing else. No mediation with these queues can cost less.
    pub fn run_unchecked(&mut self) {
        self.woken = ClientSet::EMPTY;
        for sender in 0..self.case.senders() {
            let (source, target) =
                (&self.clients[usize::from(sender)], &self.clients[usize::from(self.target(sender))]);
            let (from, to) = (base(source.transmit), base(target.receive));
            let first = source.sent.wrapping_sub(self.case.batch);
            for index in (0..self.case.batch).map(|number| first.wrapping_add(number)) {
                let descriptor: Descriptor = source.from_client.descriptors.load(index);
                let post: Post = target.from_client.posts.load(index);
                let length = descriptor.length;
                self.machine.copy(from + byte(descriptor.source), to + byte(post.place), length);
                #[expect(clippy::cast_possible_truncation, reason = "a place in a region of at most 1 GiB")]
                let delivery = Delivery {
                    tag: descriptor.tag,
                    sequence: index.into(),
                    position: byte(post.place) as u32,
                    request: index,
                    length,
                    source: sender,
                    kind: DeliveryKind::Message as u8,
                    detail: 0,
                };
                target.to_client.deliveries.store(index, delivery);
            }
            target.to_client.delivery_tail.publish(target.posted);
            if let Some(target) = DomainId::new(self.target(sender)) {
                source.to_client.set_delivered(first, self.case.batch, target, first.into());
            }
            source.to_client.transmit_head.publish(source.sent);
            target.to_client.post_head.publish(target.posted);
        }
    }

    /// What all clients do when they are woken: they take what has arrived.
    ///
    /// # Panics
    /// If a message of the batch has not arrived.
    pub fn collect(&mut self) {
        for sender in 0..self.case.senders() {
            let source = &self.clients[usize::from(sender)];
            let target = &self.clients[usize::from(self.target(sender))];
            let last = source.sent.wrapping_sub(1);
            let arrived = target.to_client.delivery_tail.observe();
            assert_eq!(
                source.to_client.status(last).get(last),
                Some(Status::Done),
                "the last message of a batch"
            );
            assert_eq!(arrived, target.posted, "deliveries of all messages of a batch");
            target.from_client.delivery_head.publish(arrived);
        }
    }

    /// The addresses of the engine's state.
    #[must_use]
    pub fn state(&self) -> Range<usize> {
        let start = core::ptr::from_ref(&*self.engine).addr();
        start..start + size_of::<Engine>()
    }

    /// The addresses of the pages that the engine shares with its clients.
    pub fn pages(&self) -> impl Iterator<Item = Range<usize>> {
        self.clients.iter().flat_map(|client| {
            let page = |start: usize, bytes| start..start + bytes;
            [
                page(core::ptr::from_ref(client.from_client).addr(), size_of::<OutRegion>()),
                page(core::ptr::from_ref(client.to_client).addr(), size_of::<InRegion>()),
            ]
        })
    }

    /// Number of messages that one [`prepare`](Self::prepare) enqueues.
    #[must_use]
    pub fn messages(&self) -> u32 {
        self.case.batch * u32::from(self.case.senders())
    }

    /// For each message, the window addresses of its source and its destination.
    pub fn places(&self) -> impl Iterator<Item = (u64, u64)> {
        (0..self.case.senders()).flat_map(move |sender| {
            let (source, target) = (usize::from(sender), usize::from(self.target(sender)));
            let (from, to) = (base(self.clients[source].transmit), base(self.clients[target].receive));
            (0..self.case.batch).map(move |number| {
                let start = byte(place(self.case, number));
                (from + start, to + start)
            })
        })
    }

    const fn target(&self, sender: u16) -> u16 {
        (sender + 1) % self.case.clients
    }

    fn post(&mut self, client: u16) {
        let state = &mut self.clients[usize::from(client)];
        for number in 0..self.case.batch {
            let post = Post {
                place: place(self.case, number),
                length: self.case.stride(),
                from: Post::ANYONE,
                ..Post::default()
            };
            state.from_client.posts.store(state.posted, post);
            state.posted = state.posted.wrapping_add(1);
        }
        state.from_client.post_tail.publish(state.posted);
        // Sending always wakes central here. Posting wakes it only if its hint for requests asks for that.
        if state.to_client.wake_for_requests.asks_for_signal() {
            self.wake(client);
        }
    }

    fn enqueue(&mut self, client: u16, target: u16) {
        let state = &mut self.clients[usize::from(client)];
        for number in 0..self.case.batch {
            let descriptor = Descriptor {
                source: place(self.case, number),
                length: self.case.payload,
                target,
                tag: u64::from(number),
                ..Descriptor::default()
            };
            state.from_client.descriptors.store(state.sent, descriptor);
            state.sent = state.sent.wrapping_add(1);
        }
        state.from_client.transmit_tail.publish(state.sent);
        self.wake(client);
    }

    fn wake(&mut self, client: u16) {
        if let Some(client) = DomainId::new(client) {
            self.woken.insert(client);
        }
    }
}

/// Where message `number` of a batch lies.
fn place(case: Case, number: u32) -> Address {
    Address::at(u64::from(number) * u64::from(case.stride())).unwrap_or_default()
}

/// The offset of a place in its region, in bytes.
fn byte(place: Address) -> u64 {
    u64::from(place.frame) * u64::from(FRAME_BYTES) + u64::from(place.offset)
}

/// The window address of memory, which is its own address.
fn base(memory: Memory) -> u64 {
    memory.region().map_or(0, |region| region.base().addr().get() as u64)
}

fn configuration(case: Case, clients: &[ClientState]) -> Vec<u8> {
    let buffer = |memory: Memory| BufferRecord {
        window_address: base(memory),
        first_capability: 0,
        bytes: memory.bytes() as u64,
        frame_bits: 12,
        reserved: 0,
    };
    let header = Header {
        magic: CONFIG_MAGIC,
        version: CONFIG_VERSION,
        clients: u32::from(case.clients),
        flows: u32::from(case.clients),
        tick_channel: Header::NO_TICK,
        tick_period: 0,
        stages: 0,
        audit: AuditPlace::NONE,
    };
    let mut blob = header.as_bytes().to_vec();
    for (number, client) in (0..).zip(clients) {
        let record = ClientRecord {
            name: DomainName::new(&format!("client{number}")).unwrap_or_default(),
            // Not used: the engine gets the pages themselves.
            out_address: 4096,
            in_address: 4096,
            transmit: buffer(client.transmit),
            receive: buffer(client.receive),
            snapshot: BufferRecord::NONE,
            bytes_per_round: BYTES_PER_ROUND,
            messages_per_round: MESSAGES_PER_ROUND,
            channel: number,
            guard: 0,
            announcer: ClientRecord::NO_PARTITION,
            reserved: 0,
        };
        blob.extend_from_slice(record.as_bytes());
    }
    for source in 0..case.clients {
        let target = (source + 1) % case.clients;
        let flow = FlowRecord::plain(source, target, false, case.policy.mapping(), u32::MAX);
        blob.extend_from_slice(flow.as_bytes());
    }
    blob
}
