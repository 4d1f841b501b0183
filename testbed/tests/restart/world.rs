//! Honest clients with a book of everything that they sent and received, and a central that can be stopped at
//! any store. Some clients can be guards.
//!
//! Whatever happens to central, the book must read as if nothing had happened. [`World::outcome`] returns
//! what the tests compare.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use ferry_client::{Address, Message, Peer, Port, Posted, ReceiveBuffer, TransmitBuffer};
use ferry_layout::observe::{AccessKind, set_hook};
use ferry_layout::{OutRegion, Post};
use ferry_testbed::{Action, Silent, Testbed, Topology};

use super::actor::Actor;
use super::actor::Book;
use super::fuse::{Fuse, Stopped};
use super::guards::{ALWAYS, Guard};
use super::message::{length_of, payload, tag_of};
use super::stops::{Meanwhile, Seen, Stops};
use super::watch::{Place, Watch};

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

/// The system.
pub(crate) struct World {
    pub(crate) bed: Testbed,
    actors: Vec<Actor>,
    fuse: Fuse,
    /// Steps after which the second central is stopped, as long as that has not begun.
    second: Option<u32>,
    meanwhile: Meanwhile,
    /// How often central was stopped.
    pub(crate) stopped: u32,
    pub(crate) watch: Rc<RefCell<Watch>>,
    /// Where messages were whenever central was stopped. How many of one-way flows were with guards, and how
    /// many had no status.
    places: BTreeSet<Place>,
    pub(crate) with_guards: usize,
    pub(crate) untold: usize,
    /// What a client publishes when central makes its first copy in the next run, or when that run ends or is
    /// stopped before.
    later: Rc<Cell<Option<Later>>>,
    /// A client that is just restarting, so that it does not look.
    away: Option<u16>,
    last_place: Address,
    buffer_bytes: u32,
    next_tag: u64,
}

impl World {
    pub(crate) fn new(topology: &Topology, buffer_bytes: u32, stops: Stops) -> Self {
        let mut bed = Testbed::new(topology);
        bed.machine.records = false;
        let is_guard = |client: u16| topology.stages.iter().any(|stage| stage.members >> client & 1 != 0);
        let actors: Vec<Actor> = (0..u16::try_from(topology.clients.len()).unwrap())
            .map(|client| {
                let (port, transmit, receive) = bed.open(client);
                let receive: Vec<ReceiveBuffer> = receive.split::<128>(buffer_bytes).into_iter().collect();
                Actor {
                    port,
                    transmit: transmit.split::<128>(buffer_bytes).into_iter().collect(),
                    buffers: receive.len(),
                    receive,
                    window: None,
                    guard: is_guard(client).then(|| Guard::new(client)),
                    book: Book::default(),
                }
            })
            .collect();
        let watch = Rc::new(RefCell::new(Watch::new(topology, &bed.clients)));
        Self {
            bed,
            actors,
            fuse: Fuse::after(stops.first),
            second: stops.second,
            meanwhile: stops.meanwhile,
            stopped: 0,
            watch,
            places: BTreeSet::new(),
            with_guards: 0,
            untold: 0,
            later: Rc::default(),
            away: None,
            last_place: Address::default(),
            buffer_bytes,
            next_tag: 0,
        }
    }

    /// Plays `part` without a stop, and does not count its steps.
    pub(crate) fn unstopped(&mut self, part: impl FnOnce(&mut Self)) {
        self.fuse.pause(true);
        part(self);
        self.fuse.pause(false);
    }

    /// Counts no steps of the next run before central has copied so often.
    pub(crate) fn unstopped_before(&mut self, copies: u32) {
        self.fuse.pause_for(copies);
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

    fn tag(&mut self, length: u32, refused_by: &[u16], silent: &[u16]) -> u64 {
        self.next_tag += 1;
        tag_of(length, refused_by, silent) | self.next_tag
    }

    fn fill(&mut self, source: usize, tag: u64) -> TransmitBuffer {
        let mut buffer = self.actors[source].transmit.pop().expect("a buffer to send");
        let length = length_of(tag).min(self.buffer_bytes as usize);
        buffer.bytes_mut()[..length].copy_from_slice(&payload(tag, length));
        buffer
    }

    /// Lets `source` send and publish.
    fn publish(
        &mut self,
        source: usize,
        target: usize,
        tag: u64,
        send: impl FnOnce(&mut Port<Silent>, Peer, Message),
    ) {
        let peer = self.peer(source, target);
        let port = &mut self.actors[source].port;
        let tail = &self.bed.clients[source].from_client.transmit_tail;
        let before = tail.observe();
        send(port, peer, Message::tagged(tag));
        port.publish();
        let number = |client: usize| u16::try_from(client).unwrap();
        self.watch.borrow_mut().sent(number(source), number(target), tag, before..tail.observe());
    }

    pub(crate) fn send(&mut self, source: usize, target: usize, length: u32) {
        self.send_to_guards(source, target, length, &[], &[]);
    }

    /// Sends a message that some guards refuse, and some are silent about until it has ended.
    pub(crate) fn send_to_guards(
        &mut self,
        source: usize,
        target: usize,
        length: u32,
        refused_by: &[u16],
        silent: &[u16],
    ) {
        let tag = self.tag(length, refused_by, silent);
        let buffer = self.fill(source, tag);
        self.publish(source, target, tag, |port, peer, message| {
            port.send(peer, buffer, length, message).unwrap();
        });
    }

    /// Sends to a place `skip` frames into the target's open window.
    pub(crate) fn place(&mut self, source: usize, target: usize, skip: u32, length: u32) {
        let actor = &self.actors[target];
        let mut place = actor.window.and_then(|window| actor.port.posted_buffer(window)).unwrap().place();
        self.last_place = place;
        place.frame += skip;
        self.send_to(source, target, place, length);
    }

    /// Sends to the beginning of the window that was last sent to. It may be closed.
    pub(crate) fn place_again(&mut self, source: usize, target: usize, length: u32) {
        self.send_to(source, target, self.last_place, length);
    }

    fn send_to(&mut self, source: usize, target: usize, place: Address, length: u32) {
        let tag = self.tag(length, &[], &[]);
        let buffer = self.fill(source, tag);
        self.publish(source, target, tag, |port, peer, message| {
            port.send_to(peer, place, buffer, length, message).unwrap();
        });
    }

    /// Sends a chain of `parts` equal parts.
    pub(crate) fn chain(&mut self, source: usize, target: usize, parts: u32, length: u32) {
        self.chain_to_guards(source, target, parts, length, &[]);
    }

    /// The same, for a message that some guards refuse.
    pub(crate) fn chain_to_guards(
        &mut self,
        source: usize,
        target: usize,
        parts: u32,
        length: u32,
        refused_by: &[u16],
    ) {
        let tag = self.tag(parts * length, refused_by, &[]);
        let bytes = payload(tag, (parts * length) as usize);
        let mut chain = heapless::Vec::new();
        for piece in bytes.chunks(length as usize) {
            let mut buffer = self.actors[source].transmit.pop().unwrap();
            buffer.bytes_mut()[..piece.len()].copy_from_slice(piece);
            assert!(chain.push((buffer, length)).is_ok());
        }
        self.publish(source, target, tag, |port, peer, message| {
            port.send_chain(peer, &mut chain, message).unwrap();
        });
    }

    /// Lets a guard answer and post so many more times, and look.
    pub(crate) fn allow(&mut self, guard: usize, answers: u32, posts: u32) {
        let actor = &mut self.actors[guard];
        actor.guard.as_mut().expect("a guard").allow(answers, posts);
        actor.look(&mut self.watch.borrow_mut());
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
        self.run_by(Testbed::run, false);
    }

    /// A tick passes. If central is stopped, the new one goes on at the next tick.
    pub(crate) fn tick(&mut self) {
        self.run_by(Testbed::tick, true);
    }

    fn run_by(&mut self, run: impl FnOnce(&mut Testbed), is_tick: bool) {
        self.watch.borrow_mut().runs(is_tick);
        let mut stopped = self.until_stopped(None, run);
        while stopped {
            self.stopped += 1;
            self.note_stop();
            self.fuse.set(self.second.take());
            if self.meanwhile == Meanwhile::Down {
                self.look();
            }
            let amid = if let Meanwhile::Amid(steps) = self.meanwhile { Some(steps) } else { None };
            stopped = self.until_stopped(amid, |bed| {
                bed.restart();
                bed.run();
            });
        }
        self.look();
    }

    fn note_stop(&mut self) {
        let mut watch = self.watch.borrow_mut();
        self.places.extend(watch.census());
        self.with_guards += watch.with_guards();
        self.untold += watch.untold();
        watch.stopped();
        watch.runs(false);
    }

    /// Returns whether central was stopped in `work`. All clients look after `amid` steps of it.
    fn until_stopped(&mut self, amid: Option<u32>, work: impl FnOnce(&mut Testbed)) -> bool {
        let actors = Rc::new(RefCell::new(core::mem::take(&mut self.actors)));
        let (lookers, watch, away) = (actors.clone(), self.watch.clone(), self.away);
        let (left, looking) = (Cell::new(amid.unwrap_or_default()), Rc::new(Cell::new(false)));
        let looks = looking.clone();
        let step = Rc::new(move || {
            if left.replace(left.get().saturating_sub(1)) == 1 {
                looks.set(true);
                look(&mut lookers.borrow_mut(), away, &mut watch.borrow_mut());
                looks.set(false);
            }
        });
        let (fuse, watch, go_on) = (self.fuse.clone(), self.watch.clone(), step.clone());
        set_hook(Some(Box::new(move |access| {
            if access.kind == AccessKind::Store && !looking.get() {
                watch.borrow_mut().stored(access);
                go_on();
                fuse.step();
            }
        })));
        let (fuse, watch) = (self.fuse.clone(), self.watch.clone());
        let later = self.later.clone();
        self.bed.machine.interposer = Some(Box::new(move |action| {
            if matches!(action, Action::Copy(_)) {
                later.take().into_iter().for_each(Later::publish);
                fuse.copied();
            }
            watch.borrow_mut().acted(action);
            step();
            fuse.step();
        }));
        let bed = &mut self.bed;
        let ended = catch_unwind(AssertUnwindSafe(|| work(bed)));
        set_hook(None);
        self.bed.machine.interposer = None;
        self.actors = actors.take();
        self.later.take().into_iter().for_each(Later::publish);
        match ended {
            Ok(()) => false,
            Err(reason) if reason.is::<Stopped>() => true,
            Err(reason) => resume_unwind(reason),
        }
    }

    /// Lets every client take and check what has arrived for it.
    fn look(&mut self) {
        look(&mut self.actors, self.away, &mut self.watch.borrow_mut());
    }

    /// The books of all clients.
    pub(crate) fn books(&self) -> impl Iterator<Item = &Book> {
        self.actors.iter().map(|actor| &actor.book)
    }

    /// Lets everything go on until every send has ended.
    pub(crate) fn finish(&mut self) {
        for client in 0..self.actors.len() {
            if self.actors[client].guard.is_some() {
                self.allow(client, ALWAYS, ALWAYS);
                continue;
            }
            while !self.actors[client].receive.is_empty() {
                self.post(client, None);
            }
        }
        self.run();
        // A flow that keeps its mappings unmaps them after a whole period without traffic.
        let has_guards = self.watch.borrow().has_guards();
        if has_guards {
            self.settle();
        }
        for _ in 0..2 {
            self.bed.tick();
        }
        self.look();
        assert_eq!(self.bed.machine.mapped(), 0, "nothing is left mapped");
    }

    /// Brings everything to an end, and returns what was seen.
    pub(crate) fn outcome(mut self) -> Seen {
        self.finish();
        let counts = self.watch.borrow().has_guards();
        if counts {
            (0..self.actors.len()).for_each(|client| self.no_buffer_is_lost(client));
        }
        // Without guards, a stop changes nothing about which buffers are in the client's hands.
        let books = self
            .actors
            .into_iter()
            .map(|actor| {
                assert_eq!(actor.port.outstanding(), 0, "every send came to its end: {:?}", actor.book);
                (actor.book, if counts { 0 } else { actor.receive.len() })
            })
            .collect();
        // SAFETY: ports and buffers belonged to the actors, which are gone. Their books hold none.
        unsafe { self.bed.free() };
        Seen { books, steps: self.fuse.passed(), stopped: self.stopped, places: self.places }
    }

    /// Each buffer of a client is in its hands, held by central, or in the ring of requests.
    fn no_buffer_is_lost(&self, client: usize) {
        let (actor, memory) = (&self.actors[client], self.bed.clients[client]);
        let held: u32 = memory.to_client.journal.open().iter().map(|word| word.count_ones()).sum();
        let untaken = memory.to_client.post_head.observe()..memory.from_client.post_tail.observe();
        let is_request =
            |index: &u32| memory.from_client.posts.load::<Post>(*index).marks & Post::PASSED_OVER == 0;
        let posted = held as usize + untaken.filter(is_request).count();
        assert_eq!(actor.receive.len() + posted, actor.buffers, "buffers of client {client}");
    }

    /// Lets guards go on until all messages have ended. Then they say something about those that they were
    /// silent about.
    fn settle(&mut self) {
        const MOST: u32 = 400;
        // Longer than any guard has.
        const SILENT: u32 = 100;
        let mut quiet = (self.stopped, 0);
        for round in 0..MOST {
            let is_idle = |actor: &Actor| actor.guard.as_ref().is_none_or(Guard::is_idle);
            let is_told = |actor: &Actor| actor.guard.is_some() || actor.port.outstanding() == 0;
            if self.actors.iter().all(|actor| actor.port.outstanding() == 0 && is_idle(actor)) {
                return;
            }
            // A new central gives guards their time anew.
            quiet = (self.stopped, if quiet.0 == self.stopped { quiet.1 + 1 } else { 0 });
            if quiet.1 > SILENT && self.actors.iter().all(is_told) {
                self.actors.iter_mut().filter_map(|actor| actor.guard.as_mut()).for_each(Guard::speak);
            }
            if round % 2 == 0 {
                self.run();
            } else {
                self.tick();
            }
        }
        panic!("messages are left after {MOST} rounds: {:?}", self.watch.borrow().census());
    }
}

/// Lets all clients look but the one that is away.
fn look(actors: &mut [Actor], away: Option<u16>, watch: &mut Watch) {
    for (client, actor) in (0..).zip(actors) {
        if away != Some(client) {
            actor.look(watch);
        }
    }
}
