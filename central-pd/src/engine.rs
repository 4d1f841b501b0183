//! Rounds: whom central looks at, in which order it serves them, whom it signals, and when it may sleep.
//!
//! The lost-wake-up argument. Central's hint in a client's `_in` page is armed whenever central sleeps; it is disarmed
//! only for clients with work in hand, in [`Engine::round`], and all of those are collected in `awake`. Before
//! [`Engine::run`] returns it arms exactly these, which ends in a `SeqCst` fence, and then looks at each of them once more.
//! A client that published before the look is served now; one that publishes after it finds the hint armed (the
//! pattern in `ferry_layout::WakeHint`) and signals, and that signal makes the next wait return at once. In the other
//! direction, every signal goes out after everything it is about was published, through the same fence.

use ferry_layout::config::{ClientRecord, Config};
use ferry_layout::geometry::MAX_CLIENTS;
use ferry_layout::{DeliveryKind, DomainId, Peer, Standing};

use crate::client::{Client, Ports};
use crate::flow::Flows;
use crate::machine::Machine;
use crate::requests::Taken;
use crate::table::{ClientSet, Table};
use crate::visit::{Class, Visit};

/// Most bytes that one step copies. A longer message is carried in several steps, between which others get their turn.
pub const CHUNK_BYTES: u32 = 64 * 1024;

/// The whole state of central. About half a megabyte: it belongs in a `static`.
pub struct Engine {
    pub(crate) clients: Table<Client, MAX_CLIENTS>,
    /// Clients of this system are those with a number below this.
    pub(crate) count: usize,
    pub(crate) flows: Flows,
    /// Some flow grants the urgent class, so rounds have two passes.
    has_urgent: bool,
    /// Ticks since the start, wrapping.
    pub(crate) now: u32,
    /// The client with which the next round begins, so that nobody is always first.
    pub(crate) rotation: u32,
    /// Clients to signal at the end of the round, if they ask for it.
    pub(crate) to_signal: ClientSet,
    /// Clients with sends that may go on, because a target has acted.
    pub(crate) roused: ClientSet,
    /// Clients whose counters have changed.
    pub(crate) touched: ClientSet,
    /// Clients that were found to have broken the protocol, until [`Engine::expel_offenders`].
    pub(crate) offenders: ClientSet,
    /// Clients that had a turn, or something delivered, since the last tick.
    active: ClientSet,
}

impl Engine {
    /// Without any client. To be configured before it runs.
    #[must_use]
    #[expect(clippy::large_stack_arrays, reason = "evaluated by the compiler into a static")]
    pub const fn new() -> Self {
        Self {
            clients: Table::new([const { Client::new() }; MAX_CLIENTS]),
            count: 0,
            flows: Flows::new(),
            has_urgent: false,
            now: 0,
            rotation: 0,
            to_signal: ClientSet::EMPTY,
            roused: ClientSet::EMPTY,
            touched: ClientSet::EMPTY,
            offenders: ClientSet::EMPTY,
            active: ClientSet::EMPTY,
        }
    }

    /// Takes over a checked configuration and introduces itself to every client. `ports` gives the pages of a
    /// client; a client for which it gives none is not served.
    ///
    /// If an earlier central has served these clients, its work is taken up where those pages say that it stopped
    /// (`resume.rs`). To be called once, on a new engine, with nothing mapped in the window.
    pub fn configure(&mut self, config: &Config<'_>, mut ports: impl FnMut(&ClientRecord) -> Option<Ports>) {
        for flow in config.flows() {
            if let (Some(source), Some(target)) = (DomainId::new(flow.source), DomainId::new(flow.target)) {
                self.flows.grant(source, target, flow);
                self.has_urgent |= flow.urgent != 0;
            }
        }
        for (id, record) in config.clients() {
            self.count = id.index() + 1;
            let client = &mut self.clients[id];
            client.bytes_per_round = record.bytes_per_round;
            client.messages_per_round = record.messages_per_round;
            client.transmit_buffer.configure(&record.transmit);
            client.receive_buffer.configure(&record.receive);
            client.ports = ports(record);
            if let Some(ports) = client.ports {
                let peers = config.clients().filter_map(|(peer, record)| self.peer(id, peer, record));
                ports.into.introduce(id.number(), record.transmit.bytes, record.receive.bytes, peers);
                ports.into.wake.arm();
            }
        }
        self.resume();
    }

    /// What the directory of `client` says of `peer`: nothing, if they share no flow.
    fn peer(&self, client: DomainId, peer: DomainId, record: &ClientRecord) -> Option<Peer> {
        let (to, from) = (self.flows.get(client, peer), self.flows.get(peer, client));
        (to.is_granted() || from.is_granted()).then(|| Peer {
            name: record.name,
            max_message: to.max_message,
            domain: peer.number(),
            may_send: to.is_granted().into(),
            may_receive: from.is_granted().into(),
        })
    }

    /// The clients of this system.
    pub(crate) fn all(&self) -> ClientSet {
        ClientSet::first(self.count)
    }

    /// Serves until nothing can be done without somebody else acting, then returns so that central may sleep.
    ///
    /// `woken` are the clients that have signalled. With `tick` a period has passed: everyone is polled, signalled
    /// or not (r14, r22), deadlines are checked, and frames that nobody used for a whole period are unmapped.
    pub fn run(&mut self, machine: &mut impl Machine, woken: ClientSet, tick: bool) {
        let mut visit = Visit::new();
        let mut look_at = woken.intersection(self.all());
        if tick {
            self.pass_tick(machine);
            look_at = self.all();
        }
        let mut awake = ClientSet::EMPTY;
        loop {
            let work_left = self.round(machine, &mut visit, look_at, &mut awake);
            if !work_left && !self.arm(&mut awake) {
                return;
            }
            // From the second round on everyone is looked at: who keeps central awake must not keep it from others.
            look_at = self.all();
        }
    }

    /// One round: look at the clients in `look_at`, serve all that have work, signal. Whether somebody has work left.
    fn round(
        &mut self,
        machine: &mut impl Machine,
        visit: &mut Visit,
        look_at: ClientSet,
        awake: &mut ClientSet,
    ) -> bool {
        for client in look_at.iter() {
            if let Some(ports) = self.clients[client].ports {
                self.look(machine, client, ports);
            }
        }
        self.expel_offenders(machine);
        let working = look_at.union(core::mem::replace(&mut self.roused, ClientSet::EMPTY));
        for client in working.iter() {
            self.replenish(client);
        }
        let mut left = ClientSet::EMPTY;
        for class in [Class::Urgent, Class::Any] {
            if class == Class::Urgent && !self.has_urgent {
                continue;
            }
            for client in working.from(self.rotation) {
                let Some(ports) = self.clients[client].ports else { continue };
                if !self.has_work(client) {
                    continue;
                }
                if !awake.contains(client) {
                    ports.into.wake.disarm();
                    awake.insert(client);
                }
                left.remove(client);
                if self.turn(machine, visit, client, ports, class) {
                    left.insert(client);
                }
            }
        }
        if let Some(first) = working.from(self.rotation).next() {
            self.rotation = u32::from(first.number()) + 1;
        }
        self.active = self.active.union(visit.touched);
        self.signal(machine);
        self.publish_counters(visit);
        !left.is_empty() || !self.roused.is_empty()
    }

    /// Reads what `client` has published: a wish for an epoch, receive requests, and how far its queue of sends goes.
    fn look(&mut self, machine: &mut impl Machine, client: DomainId, ports: Ports) {
        match ports.out.wanted_epoch() {
            Some(epoch) if epoch != self.clients[client].epoch => {
                self.begin_epoch(machine, client, ports, epoch);
            }
            Some(_) => {}
            // Not started, or just restarting.
            None => return,
        }
        let state = &mut self.clients[client];
        if state.standing != Standing::Open {
            return;
        }
        if let Some(end) = state.retake {
            self.retake(client, ports, end);
        }
        let state = &mut self.clients[client];
        let known = state
            .transmit
            .refresh(ports.out.transmit_tail.observe())
            .and_then(|()| state.requests.refresh(ports.out.post_tail.observe()));
        if known.is_err() {
            self.suspect(client, ports);
            return;
        }
        if state.requests.has_new() || state.lacks_room() {
            self.take_requests(client, ports);
        }
    }

    /// Gives `client` its share of a round. Who has nothing to send saves up nothing; who could not use all of the last
    /// share, because the next piece was larger than the rest, keeps the rest.
    fn replenish(&mut self, client: DomainId) {
        let has_work = self.has_work(client);
        let state = &mut self.clients[client];
        state.messages_left = state.messages_per_round;
        state.deficit = if has_work {
            let most = state.bytes_per_round.saturating_add(CHUNK_BYTES);
            state.deficit.saturating_add(state.bytes_per_round).min(most)
        } else {
            0
        };
    }

    /// Takes new receive requests, answers those that need it, and rouses whoever waits for this client.
    fn take_requests(&mut self, client: DomainId, ports: Ports) {
        let state = &mut self.clients[client];
        let was_full = !state.has_room();
        if state.deliveries.refresh(ports.out.delivery_head.observe()).is_err() {
            self.suspect(client, ports);
            return;
        }
        let mut offered = was_full && state.has_room();
        let bytes = state.receive_buffer.bytes();
        loop {
            match state.requests.take(ports.out, bytes, state.has_room()) {
                Taken::Nothing => break,
                Taken::Offered => offered = true,
                Taken::Withdrawn { earlier, by } => {
                    state.answer(ports, DeliveryKind::Withdrawn, earlier, by);
                    self.to_signal.insert(client);
                }
                Taken::Refused(request) => {
                    state.answer(ports, DeliveryKind::Refused, request, request);
                    self.to_signal.insert(client);
                    state.tally.refused += 1;
                    self.touched.insert(client);
                }
            }
        }
        state.requests.publish(ports.into);
        if offered {
            self.rouse_waiters(client);
        }
    }

    /// Whether a turn of `client` could do anything.
    fn has_work(&self, client: DomainId) -> bool {
        let state = &self.clients[client];
        state.standing == Standing::Open && (state.transmit.available() != 0 || !state.ready.is_empty())
    }

    /// Signals each client that has news, at most once, and only if its wake hint asks for it.
    fn signal(&mut self, machine: &mut impl Machine) {
        for client in core::mem::replace(&mut self.to_signal, ClientSet::EMPTY).iter() {
            let state = &mut self.clients[client];
            if state.ports.is_some_and(|ports| ports.out.wake.asks_for_signal()) {
                machine.signal(client);
                state.tally.signals += 1;
                self.touched.insert(client);
            }
        }
    }

    /// Brings the counters in shared memory up to date.
    fn publish_counters(&mut self, visit: &mut Visit) {
        let touched = self.touched.union(visit.touched);
        self.touched = ClientSet::EMPTY;
        visit.touched = ClientSet::EMPTY;
        for client in touched.iter() {
            let state = &mut self.clients[client];
            if let Some(ports) = state.ports {
                state.tally.publish(ports.into);
            }
        }
    }

    /// Arms the hints of those in `awake` and looks at each of them once more. Whether somebody has news, so that central
    /// must not sleep.
    fn arm(&mut self, awake: &mut ClientSet) -> bool {
        let mut news = false;
        for client in awake.iter() {
            let Some(ports) = self.clients[client].ports else { continue };
            ports.into.wake.arm();
            let state = &self.clients[client];
            // A client that has taken leave is not looked at, so nothing that it publishes is news; were it taken for
            // news, central would go round for ever.
            news |= state.standing == Standing::Open
                && (ports.out.transmit_tail.observe() != state.transmit.tail()
                    || ports.out.post_tail.observe() != state.requests.tail()
                    || (state.lacks_room() && ports.out.delivery_head.observe() != state.deliveries.head()))
                && ports.out.wanted_epoch().is_some();
        }
        *awake = ClientSet::EMPTY;
        news
    }

    /// A period has passed.
    fn pass_tick(&mut self, machine: &mut impl Machine) {
        self.now = self.now.wrapping_add(1);
        let active = core::mem::replace(&mut self.active, ClientSet::EMPTY);
        for client in self.all().iter() {
            self.expire(client);
            if !active.contains(client) {
                let state = &mut self.clients[client];
                let transmit = state.transmit_buffer.unmap_all(client, machine);
                let receive = state.receive_buffer.unmap_all(client, machine);
                state.tally.unmaps += transmit.0 + receive.0;
                if transmit.0 + receive.0 != 0 {
                    self.touched.insert(client);
                }
            }
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}
