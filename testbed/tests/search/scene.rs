//! The clients of the search: what each can do next, and what it does to its own page. What guards do is in
//! `guards.rs`.
//!
//! They are written from docs/abi.md, without the client library. All that they know is in [`State`], which
//! can be cloned and hashed. A client acts as a whole, but at any moment of central's work.

use ferry_layout::config::Mapping;
use ferry_layout::observe::{Access, AccessKind};
use ferry_layout::{Address, Descriptor, Post, PostKind, WakeHint, announce, flags};
use ferry_testbed::{ClientMemory, Memory, Topology, buffer_bytes};

use crate::guards::{Guard, GuardStep};
use crate::watch::Watch;

/// The two senders are 0 and 1.
pub(crate) const RECEIVER: u16 = 2;
/// The guards, if a scope has any.
pub(crate) const FIRST_GUARD: u16 = 3;
pub(crate) const GUARDS: usize = 2;
/// Most clients of a scope.
pub(crate) const CLIENTS: usize = 3 + GUARDS;
pub(crate) const FRAME: u32 = 4096;

/// Ticks in which the guards of a stage have to answer.
pub(crate) const VERDICT_WITHIN: u32 = 1;

/// How far a search goes.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    /// What each sender sends, in this order.
    pub(crate) messages: [&'static [Message]; 2],
    /// The stages of guards that both flows have, each with its quorum.
    pub(crate) stages: &'static [(&'static [u16], u32)],
    /// Bytes of a buffer, and places for buffers in each memory.
    pub(crate) buffer: u32,
    pub(crate) places: u32,
    /// Bytes and messages of a share.
    pub(crate) share: (u32, u32),
    /// How often the receiver may post and withdraw, clients may restart, ticks may pass, central may be
    /// stopped, and a client may act in the middle of a run, all of it together.
    pub(crate) most: Count,
    /// Acts of a quick search, and of a thorough one.
    pub(crate) few: u32,
    pub(crate) many: u32,
}

/// A message of a script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) bytes: u32,
    /// Descriptors of this message.
    pub(crate) parts: u32,
    pub(crate) ticks: u32,
}

/// How often something rare was done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Count {
    pub(crate) posts: u8,
    pub(crate) withdrawals: u8,
    pub(crate) leaves: u8,
    pub(crate) ticks: u8,
    pub(crate) stops: u8,
    pub(crate) amid: u8,
    /// Buffers that guards post, and verdicts that are none.
    pub(crate) offers: u8,
    pub(crate) lies: u8,
    /// How often a sender rewrites bytes that guards inspect.
    pub(crate) rewrites: u8,
}

/// What a client does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// A sender publishes its next message.
    Send(u16),
    /// A sender rewrites the bytes of its messages, all of which were handed to guards.
    Rewrite(u16),
    /// The receiver posts a buffer, for one sender or for anyone.
    Post { only: Option<u16> },
    /// The receiver withdraws its oldest open request.
    Withdraw,
    /// The receiver takes all deliveries.
    Take,
    /// A client begins to restart: it clears its magic and resets its page.
    Leave(u16),
    /// It asks for another epoch.
    Return(u16),
    /// It does both at once.
    Restart(u16),
    /// A guard acts.
    Guard(u16, GuardStep),
}

impl Step {
    const fn client(self) -> u16 {
        match self {
            Self::Send(client)
            | Self::Rewrite(client)
            | Self::Leave(client)
            | Self::Return(client)
            | Self::Restart(client)
            | Self::Guard(client, _) => client,
            Self::Post { .. } | Self::Withdraw | Self::Take => RECEIVER,
        }
    }
}

/// What all clients and the watch know.
#[derive(Clone, Hash)]
pub(crate) struct State {
    pub(crate) lives: [Life; CLIENTS],
    /// Messages that each sender has sent, in all its lives.
    sent: [u32; 2],
    /// Deliveries that the receiver has taken in this life, and the places that are not posted.
    taken: u32,
    free: Vec<bool>,
    /// Signals that central has not seen.
    pub(crate) pending: [bool; CLIENTS],
    pub(crate) guards: [Guard; GUARDS],
    pub(crate) done: Count,
    pub(crate) watch: Watch,
}

/// One life of a client.
#[derive(Clone, Copy, Hash, Default)]
pub(crate) struct Life {
    pub(crate) epoch: u32,
    /// It has asked for this epoch.
    present: bool,
    /// Indices that it has published for descriptors and for requests, and its withdrawals.
    pub(crate) published: u32,
    pub(crate) posted: u32,
    withdrawn: u32,
}

/// The clients, with their memory.
pub(crate) struct Scene {
    pub(crate) scope: &'static Scope,
    pub(crate) memory: Vec<ClientMemory>,
    pub(crate) state: State,
    /// The receive memory of each client as it was when the watch last looked. That of a sender is empty.
    pub(crate) shadows: Vec<Vec<u8>>,
}

/// The two senders, the receiver, the guards, and the flows between them.
pub(crate) fn topology(scope: &Scope) -> Topology {
    let frames = scope.buffer.div_ceil(FRAME);
    let places = |client: usize| scope.messages.get(client).map_or(scope.places as usize, |sent| sent.len());
    let mut topology = Topology::mesh(scope.clients(), 0, Mapping::Each);
    let clients = 0..topology.clients.len();
    topology.clients = clients.map(|client| buffer_bytes(places(client) * frames as usize)).collect();
    topology.flows.retain(|flow| flow.target == RECEIVER && flow.source < RECEIVER);
    if !scope.stages.is_empty() {
        topology.flows.clear();
        for source in 0..RECEIVER {
            topology.add_guarded(source, RECEIVER, scope.stages, Mapping::Each, VERDICT_WITHIN);
        }
        // So a guard has room for as many messages as it has places.
        topology.flows.iter_mut().for_each(|flow| flow.max_message = frames * FRAME);
    }
    (topology.bytes_per_round, topology.messages_per_round) = scope.share;
    topology
}

impl Scope {
    /// Number of its clients.
    pub(crate) fn clients(&self) -> u16 {
        let highest = self.stages.iter().flat_map(|(members, _)| members.iter()).max();
        highest.map_or(RECEIVER, |guard| *guard) + 1
    }
}

impl Scene {
    pub(crate) fn new(scope: &'static Scope, memory: Vec<ClientMemory>) -> Self {
        let state = State {
            lives: [Life::default(); CLIENTS],
            sent: [0; 2],
            taken: 0,
            free: vec![true; scope.places as usize],
            pending: [false; CLIENTS],
            guards: [Guard::default(); GUARDS],
            done: Count::default(),
            watch: Watch::default(),
        };
        let bytes = |(client, memory): (usize, &ClientMemory)| {
            if client < usize::from(RECEIVER) { 0 } else { memory.receive.bytes() }
        };
        let shadows = memory.iter().enumerate().map(|client| vec![0; bytes(client)]).collect();
        Self { scope, memory, state, shadows }
    }

    /// Takes over what was known in a state. The receive memory is that of this state already.
    pub(crate) fn load(&mut self, state: &State) {
        self.state.clone_from(state);
        for (memory, shadow) in self.memory.iter().zip(&mut self.shadows) {
            memory.receive.read_to(0, shadow);
        }
    }

    /// The numbers of all clients.
    pub(crate) fn clients(&self) -> core::ops::Range<u16> {
        0..self.scope.clients()
    }

    /// All that clients can do now.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let (state, most) = (&self.state, &self.scope.most);
        let mut steps = Vec::new();
        for sender in 0..RECEIVER {
            let sent = state.sent[usize::from(sender)] as usize;
            if self.is_in(sender) && sent < self.scope.messages[usize::from(sender)].len() {
                steps.push(Step::Send(sender));
            }
            if state.done.rewrites < most.rewrites && state.watch.are_inspected(sender) {
                steps.push(Step::Rewrite(sender));
            }
        }
        if self.is_in(RECEIVER) {
            if state.done.posts < most.posts && state.free.contains(&true) {
                steps.extend([Step::Post { only: None }, Step::Post { only: Some(0) }]);
            }
            if state.done.withdrawals < most.withdrawals && state.watch.may_withdraw() {
                steps.push(Step::Withdraw);
            }
            if self.in_page(RECEIVER).delivery_tail.observe() != state.taken {
                steps.push(Step::Take);
            }
        }
        self.add_guard_steps(&mut steps);
        for client in self.clients() {
            if !self.life(client).present {
                steps.push(Step::Return(client));
            } else if self.is_in(client) && state.done.leaves < most.leaves {
                steps.extend([Step::Leave(client), Step::Restart(client)]);
            }
        }
        steps
    }

    pub(crate) fn step(&mut self, step: Step) {
        match step {
            Step::Send(sender) => self.send(sender),
            Step::Rewrite(sender) => {
                self.state.done.rewrites += 1;
                let memory = self.memory[usize::from(sender)].transmit;
                memory.write(0, &vec![0xee; memory.bytes()]);
            }
            Step::Post { only } => {
                self.state.done.posts += 1;
                self.post(only);
            }
            Step::Withdraw => self.withdraw(),
            Step::Take => self.take(),
            Step::Leave(client) => self.leave(client),
            Step::Return(client) => self.come_back(client),
            Step::Restart(client) => {
                self.leave(client);
                self.come_back(client);
            }
            Step::Guard(guard, step) => self.guard_step(guard, step),
        }
    }

    fn send(&mut self, sender: u16) {
        let client = usize::from(sender);
        let number = self.state.sent[client];
        let message = self.scope.messages[client][number as usize];
        let (memory, life) = (self.memory[client], &mut self.state.lives[client]);
        let frames = self.scope.buffer.div_ceil(FRAME);
        let value = self.state.watch.sent(sender, life.epoch, life.published, number, message);
        memory.transmit.write((number * frames * FRAME) as usize, &vec![value; message.bytes as usize]);
        for part in 0..message.parts {
            let length = message.bytes / message.parts;
            let chained = if part + 1 < message.parts { flags::CHAINED } else { 0 };
            let descriptor = Descriptor {
                source: Address { frame: number * frames, offset: part * length },
                length,
                target: RECEIVER,
                flags: chained,
                tag: value.into(),
                time_to_live: message.ticks,
                ..Descriptor::default()
            };
            memory.from_client.descriptors.store(life.published + part, descriptor);
        }
        life.published += message.parts;
        self.state.sent[client] += 1;
        let signals = announce(&memory.from_client.transmit_tail, life.published, &memory.to_client.wake);
        self.state.pending[client] |= signals;
    }

    /// Posts the first free place.
    pub(crate) fn post(&mut self, only: Option<u16>) {
        let Some(place) = self.state.free.iter().position(|free| *free) else { return };
        self.state.free[place] = false;
        self.post_place(RECEIVER, u32::try_from(place).expect("few places"), only);
    }

    /// Posts a place of the receiver or of a guard.
    pub(crate) fn post_place(&mut self, client: u16, place: u32, only: Option<u16>) {
        let (memory, life) = (self.memory[usize::from(client)], &mut self.state.lives[usize::from(client)]);
        let frame = place * self.scope.buffer.div_ceil(FRAME);
        let post = Post {
            place: Address { frame, offset: 0 },
            length: self.scope.buffer,
            from: only.unwrap_or(Post::ANYONE),
            kind: PostKind::Buffer as u8,
            marks: 0,
        };
        memory.from_client.posts.store(life.posted, post);
        self.state.watch.offered(client, life.posted, place, frame * FRAME, only);
        life.posted += 1;
        memory.from_client.post_tail.publish(life.posted);
        self.signal(client, &memory.to_client.wake_for_requests);
    }

    /// Withdraws all requests that central has not answered.
    pub(crate) fn withdraw_all(&mut self) {
        while self.state.watch.may_withdraw() {
            self.withdraw();
        }
    }

    fn withdraw(&mut self) {
        let Some(request) = self.state.watch.withdraw_oldest() else { return };
        self.state.done.withdrawals += 1;
        let (memory, life) = (self.memory[2], &mut self.state.lives[2]);
        memory.from_client.withdraw(request);
        life.withdrawn += 1;
        memory.from_client.withdrawals.publish(life.withdrawn);
        self.signal(RECEIVER, &memory.to_client.wake);
    }

    /// Takes all deliveries, and clears the buffers that come back, so that the watch sees who writes there.
    pub(crate) fn take(&mut self) {
        let memory = self.memory[usize::from(RECEIVER)];
        self.state.taken = memory.to_client.delivery_tail.observe();
        for place in self.state.watch.take_closed(RECEIVER) {
            self.state.free[place as usize] = true;
            self.clear_place(RECEIVER, place);
        }
        memory.from_client.delivery_head.publish(self.state.taken);
        self.signal(RECEIVER, &memory.to_client.wake_for_requests);
    }

    fn clear_place(&mut self, client: u16, place: u32) {
        let begin = (place * self.scope.buffer.div_ceil(FRAME) * FRAME) as usize;
        let bytes = self.scope.buffer as usize;
        self.memory[usize::from(client)].receive.write(begin, &vec![0; bytes]);
        self.shadows[usize::from(client)][begin..][..bytes].fill(0);
    }

    fn leave(&mut self, client: u16) {
        self.state.done.leaves += 1;
        let out = self.memory[usize::from(client)].from_client;
        out.clear_magic();
        for index in [&out.transmit_tail, &out.post_tail, &out.delivery_head, &out.withdrawals] {
            index.publish(0);
        }
        out.wake.arm();
        self.state.lives[usize::from(client)].present = false;
    }

    pub(crate) fn come_back(&mut self, client: u16) {
        let life = &mut self.state.lives[usize::from(client)];
        *life = Life { epoch: life.epoch + 1, present: true, ..Life::default() };
        let out = self.memory[usize::from(client)].from_client;
        out.wake.arm();
        out.ask_for_epoch(life.epoch);
        if client == RECEIVER {
            self.state.watch.receiver_returns();
            self.state.taken = 0;
            self.state.free.fill(true);
        } else if client >= FIRST_GUARD {
            self.state.guards[usize::from(client - FIRST_GUARD)].begin();
        }
        self.state.pending[usize::from(client)] = true;
    }

    pub(crate) fn signal(&mut self, client: u16, hint: &WakeHint) {
        self.state.pending[usize::from(client)] |= hint.asks_for_signal();
    }

    fn life(&self, client: u16) -> &Life {
        &self.state.lives[usize::from(client)]
    }

    pub(crate) fn in_page(&self, client: u16) -> &'static ferry_layout::InRegion {
        self.memory[usize::from(client)].to_client
    }

    /// The epoch that a client lives in, if it lives in one.
    pub(crate) fn epoch(&self, client: u16) -> Option<u32> {
        self.is_in(client).then(|| self.life(client).epoch)
    }

    /// Whether the client has asked for an epoch and sees it.
    pub(crate) fn is_in(&self, client: u16) -> bool {
        let life = self.life(client);
        life.present && self.in_page(client).epoch.observe() == life.epoch
    }

    pub(crate) fn is_present(&self, client: u16) -> bool {
        self.life(client).present
    }

    /// Whether it matters on which side of `access` of central the step is taken. A step stores to few words,
    /// and what it does depends on few words.
    pub(crate) fn meets(&self, step: Step, access: Access) -> bool {
        let memory = &self.memory[usize::from(step.client())];
        let offset = |page: Memory| access.address.wrapping_sub(page.address());
        if access.kind == AccessKind::Store {
            // The epoch, the delivery tail and the two wake hints.
            return matches!(offset(Memory::of(memory.to_client)), 0x08 | 0x48 | 0x80 | 0x84);
        }
        let offset = offset(Memory::of(memory.from_client));
        match step {
            Step::Send(_) | Step::Guard(_, GuardStep::Lie { .. }) => offset == 0x40,
            Step::Guard(_, GuardStep::Answer { .. }) => offset == 0x40 || offset == 0x48,
            Step::Post { .. } | Step::Guard(_, GuardStep::Offer) => offset == 0x44,
            Step::Take => offset == 0x48,
            // Central reads bytes only when it copies, and that is no access.
            Step::Rewrite(_) => false,
            Step::Withdraw => offset == 0x4c || (0x800..0x1000).contains(&offset),
            Step::Leave(_) | Step::Return(_) | Step::Restart(_) => offset < 0x100,
        }
    }
}
