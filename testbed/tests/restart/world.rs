//! Honest clients with a book of everything that they sent and received, and a central that can be stopped at
//! any store.
//!
//! Whatever happens to central, the book must read as if nothing had happened. [`World::outcome`] returns
//! what the tests compare.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use ferry_client::{Address, Event, Message, Peer, Port, Posted, ReceiveBuffer, Status, TransmitBuffer};
use ferry_layout::OutRegion;
use ferry_layout::observe::{AccessKind, set_hook};
use ferry_testbed::{Action, Silent, Testbed, Topology};

/// The panic payload that unwinds central.
struct Stopped;

/// Counts stores to shared memory and actions of the machine, and stops central after a chosen one.
#[derive(Clone, Default)]
pub(crate) struct Fuse {
    passed: Rc<Cell<u32>>,
    blows_at: Rc<Cell<Option<u32>>>,
    paused: Rc<Cell<bool>>,
    /// Copies that central makes before its steps count again.
    copies: Rc<Cell<u32>>,
}

impl Fuse {
    /// A fuse that stops central after this many steps, or never.
    pub(crate) fn after(steps: Option<u32>) -> Self {
        let fuse = Self::default();
        fuse.blows_at.set(steps);
        fuse
    }

    /// Steps that central has made.
    pub(crate) fn passed(&self) -> u32 {
        self.passed.get()
    }

    fn copied(&self) {
        if self.copies.get() == 1 {
            self.paused.set(false);
        }
        self.copies.set(self.copies.get().saturating_sub(1));
    }

    fn step(&self) {
        if self.paused.get() {
            return;
        }
        self.passed.set(self.passed.get() + 1);
        if self.blows_at.get() == Some(self.passed.get()) {
            self.blows_at.set(None);
            resume_unwind(Box::new(Stopped));
        }
    }
}

/// Indices that a client publishes later: how far it has posted and withdrawn.
#[derive(Clone, Copy)]
struct Later {
    from_client: &'static OutRegion,
    posts: u32,
    withdrawals: u32,
}

impl Later {
    fn publish(self) {
        self.from_client.post_tail.publish(self.posts);
        self.from_client.withdrawals.publish(self.withdrawals);
    }
}

/// One client and its book.
struct Actor {
    port: Port<Silent>,
    transmit: Vec<TransmitBuffer>,
    receive: Vec<ReceiveBuffer>,
    window: Option<Posted>,
    book: Book,
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

/// The system.
pub(crate) struct World {
    pub(crate) bed: Testbed,
    actors: Vec<Actor>,
    fuse: Fuse,
    /// Steps after which the second central is stopped.
    second: Option<u32>,
    /// How often central was stopped.
    pub(crate) stopped: u32,
    /// Whether clients go on while central is down.
    pub(crate) clients_go_on: bool,
    /// What a client publishes when central makes its first copy in the next run, or when that run ends or is
    /// stopped before.
    later: Rc<Cell<Option<Later>>>,
    /// A client that is just restarting, so that it does not look.
    away: Option<u16>,
    last_place: Address,
    buffer_bytes: u32,
    next_tag: u64,
}

/// The bytes of a message. They follow from its tag, so the receiver can check them.
fn payload(tag: u64, length: usize) -> Vec<u8> {
    (0..length as u64).map(|i| ((i * 31 + tag * 101 + 7) % 251) as u8).collect()
}

fn length_of(tag: u64) -> usize {
    usize::try_from(tag >> 32).unwrap()
}

impl World {
    pub(crate) fn new(topology: &Topology, buffer_bytes: u32, fuse: Fuse, second: Option<u32>) -> Self {
        let mut bed = Testbed::new(topology);
        bed.machine.records = false;
        let actors = (0..u16::try_from(topology.clients.len()).unwrap())
            .map(|client| {
                let (port, transmit, receive) = bed.open(client);
                Actor {
                    port,
                    transmit: transmit.split::<128>(buffer_bytes).into_iter().collect(),
                    receive: receive.split::<128>(buffer_bytes).into_iter().collect(),
                    window: None,
                    book: Book::default(),
                }
            })
            .collect();
        Self {
            bed,
            actors,
            fuse,
            second,
            stopped: 0,
            clients_go_on: false,
            later: Rc::default(),
            away: None,
            last_place: Address::default(),
            buffer_bytes,
            next_tag: 0,
        }
    }

    /// Plays `part` without a stop, and does not count its steps.
    pub(crate) fn unstopped(&mut self, part: impl FnOnce(&mut Self)) {
        self.fuse.paused.set(true);
        part(self);
        self.fuse.paused.set(false);
    }

    /// Counts no steps of the next run before central has copied so often.
    pub(crate) fn unstopped_before(&mut self, copies: u32) {
        self.fuse.paused.set(true);
        self.fuse.copies.set(copies);
    }

    fn peer(&self, client: usize, other: usize) -> Peer {
        self.actors[client].port.peer(&format!("client{other}")).unwrap()
    }

    pub(crate) fn post(&mut self, client: usize, from: Option<usize>) -> Posted {
        let from = from.map(|from| self.peer(client, from));
        let actor = &mut self.actors[client];
        let buffer = actor.receive.pop().expect("a buffer to post");
        let posted = actor.port.post(buffer, from).expect("a slot to post in");
        actor.port.publish();
        posted
    }

    pub(crate) fn open_window(&mut self, client: usize, from: usize) {
        let peer = self.peer(client, from);
        let actor = &mut self.actors[client];
        let buffer = actor.receive.pop().expect("a buffer to open");
        actor.window = Some(actor.port.open_window(buffer, peer).expect("a slot to post in"));
        actor.port.publish();
    }

    /// Opens a window that nobody places anything in.
    pub(crate) fn open_window_beside(&mut self, client: usize, from: usize) {
        let peer = self.peer(client, from);
        let actor = &mut self.actors[client];
        let buffer = actor.receive.pop().expect("a buffer to open");
        actor.port.open_window(buffer, peer).expect("a slot to post in");
        actor.port.publish();
    }

    /// Withdraws a request, unless its buffer has come back already.
    pub(crate) fn withdraw(&mut self, client: usize, posted: Posted) {
        self.actors[client].port.withdraw(posted);
        self.actors[client].port.publish();
    }

    /// Delays what `client` publishes in `requests`: it becomes visible in the middle of the next run.
    pub(crate) fn in_the_next_run(&mut self, client: usize, requests: impl FnOnce(&mut Self)) {
        let from_client = self.bed.clients[client].from_client;
        let before = (from_client.post_tail.observe(), from_client.withdrawals.observe());
        requests(self);
        let (posts, withdrawals) = (from_client.post_tail.observe(), from_client.withdrawals.observe());
        self.later.set(Some(Later { from_client, posts, withdrawals }));
        from_client.post_tail.publish(before.0);
        from_client.withdrawals.publish(before.1);
    }

    pub(crate) fn withdraw_window(&mut self, client: usize) {
        let window = self.actors[client].window.expect("an open window");
        self.withdraw(client, window);
    }

    fn fill(&mut self, source: usize, length: u32) -> (u64, TransmitBuffer) {
        self.next_tag += 1;
        let tag = u64::from(length) << 32 | self.next_tag;
        let mut buffer = self.actors[source].transmit.pop().expect("a buffer to send");
        let length = length.min(self.buffer_bytes) as usize;
        buffer.bytes_mut()[..length].copy_from_slice(&payload(tag, length));
        (tag, buffer)
    }

    pub(crate) fn send(&mut self, source: usize, target: usize, length: u32) {
        let (tag, buffer) = self.fill(source, length);
        let peer = self.peer(source, target);
        self.actors[source].port.send(peer, buffer, length, Message::tagged(tag)).unwrap();
        self.actors[source].port.publish();
    }

    /// Sends to a place `skip` frames into the target's open window.
    pub(crate) fn place(&mut self, source: usize, target: usize, skip: u32, length: u32) {
        let (tag, buffer) = self.fill(source, length);
        let peer = self.peer(source, target);
        let target = &self.actors[target];
        let mut place = target.window.and_then(|window| target.port.posted_buffer(window)).unwrap().place();
        self.last_place = place;
        place.frame += skip;
        self.actors[source].port.send_to(peer, place, buffer, length, Message::tagged(tag)).unwrap();
        self.actors[source].port.publish();
    }

    /// Sends to the beginning of the window that was last sent to. It may be closed.
    pub(crate) fn place_again(&mut self, source: usize, target: usize, length: u32) {
        let (tag, buffer) = self.fill(source, length);
        let (peer, place) = (self.peer(source, target), self.last_place);
        self.actors[source].port.send_to(peer, place, buffer, length, Message::tagged(tag)).unwrap();
        self.actors[source].port.publish();
    }

    /// Sends a chain of `parts` equal parts.
    pub(crate) fn chain(&mut self, source: usize, target: usize, parts: u32, length: u32) {
        self.next_tag += 1;
        let tag = u64::from(parts * length) << 32 | self.next_tag;
        let bytes = payload(tag, (parts * length) as usize);
        let mut chain = heapless::Vec::new();
        for piece in bytes.chunks(length as usize) {
            let mut buffer = self.actors[source].transmit.pop().unwrap();
            buffer.bytes_mut()[..piece.len()].copy_from_slice(piece);
            assert!(chain.push((buffer, length)).is_ok());
        }
        let peer = self.peer(source, target);
        self.actors[source].port.send_chain(peer, &mut chain, Message::tagged(tag)).unwrap();
        self.actors[source].port.publish();
    }

    /// Restarts a client. Its book stays, and its port and buffers are made anew.
    pub(crate) fn restart_client(&mut self, client: u16) {
        let (opening, transmit, receive) = Port::open(self.bed.regions(client), Silent);
        self.away = Some(client);
        self.run();
        self.away = None;
        let actor = &mut self.actors[usize::from(client)];
        actor.port = opening.poll().ok().expect("let in again");
        actor.transmit = transmit.split::<128>(self.buffer_bytes).into_iter().collect();
        actor.receive = receive.split::<128>(self.buffer_bytes).into_iter().collect();
        actor.window = None;
    }

    /// Runs central. If it is stopped, a new central replaces it. Then all clients look.
    pub(crate) fn run(&mut self) {
        self.run_by(Testbed::run);
    }

    /// A tick passes. If central is stopped, the new one goes on at the next tick.
    pub(crate) fn tick(&mut self) {
        self.run_by(Testbed::tick);
    }

    fn run_by(&mut self, run: impl FnOnce(&mut Testbed)) {
        let mut stopped = self.guarded(run);
        while stopped {
            self.stopped += 1;
            self.fuse.blows_at.set(self.second.take().map(|steps| self.fuse.passed() + steps));
            if self.clients_go_on {
                self.look();
            }
            stopped = self.guarded(|bed| {
                bed.restart();
                bed.run();
            });
        }
        self.look();
    }

    /// Returns whether central was stopped in `work`.
    fn guarded(&mut self, work: impl FnOnce(&mut Testbed)) -> bool {
        let fuse = self.fuse.clone();
        set_hook(Some(Box::new(move |access| {
            if access.kind == AccessKind::Store {
                fuse.step();
            }
        })));
        let fuse = self.fuse.clone();
        let later = self.later.clone();
        self.bed.machine.interposer = Some(Box::new(move |action| {
            if matches!(action, Action::Copy(_)) {
                later.take().into_iter().for_each(Later::publish);
                fuse.copied();
            }
            fuse.step();
        }));
        let bed = &mut self.bed;
        let ended = catch_unwind(AssertUnwindSafe(|| work(bed)));
        set_hook(None);
        self.bed.machine.interposer = None;
        self.later.take().into_iter().for_each(Later::publish);
        match ended {
            Ok(()) => false,
            Err(reason) if reason.is::<Stopped>() => true,
            Err(reason) => resume_unwind(reason),
        }
    }

    /// Lets every client take and check what has arrived for it.
    fn look(&mut self) {
        for (client, actor) in (0..).zip(&mut self.actors) {
            if self.away != Some(client) {
                actor.look();
            }
        }
    }

    /// The books of all clients.
    pub(crate) fn books(&self) -> impl Iterator<Item = &Book> {
        self.actors.iter().map(|actor| &actor.book)
    }

    /// Posts all buffers that are left, so that no send waits, and returns the books.
    pub(crate) fn outcome(mut self) -> (Vec<(Book, usize)>, u32) {
        for client in 0..self.actors.len() {
            while !self.actors[client].receive.is_empty() {
                self.post(client, None);
            }
        }
        self.run();
        // A flow that keeps its mappings unmaps them after a whole period without traffic.
        self.bed.tick();
        self.bed.tick();
        self.look();
        assert_eq!(self.bed.machine.mapped(), 0, "nothing is left mapped");
        // No buffer is lost: each is in the client's hands or posted, and the number in the client's hands is
        // compared.
        let books = self
            .actors
            .into_iter()
            .map(|actor| {
                assert_eq!(actor.port.outstanding(), 0, "every send came to its end: {:?}", actor.book);
                (actor.book, actor.receive.len())
            })
            .collect();
        // SAFETY: ports and buffers belonged to the actors, which are gone. Their books hold none.
        unsafe { self.bed.free() };
        (books, self.stopped)
    }
}

impl Actor {
    fn look(&mut self) {
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
                    let skip = (place.frame - window.place().frame) * 4096 + place.offset;
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
