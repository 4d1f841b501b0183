//! Rounds: whom central looks at, in which order it serves them, whom it signals, and when it may sleep.
//!
//! The lost-wake-up argument. Central's hint in a client's `_in` page is armed whenever central sleeps; it is disarmed
//! only for clients with more work in hand than one round, in [`Engine::run`], and all of those are collected in `awake`.
//! Before `run` returns it arms exactly these, which ends in a `SeqCst` fence, and then looks at each of them once more.
//! A client that published before the look is served now; one that publishes after it finds the hint armed (the
//! pattern in `ferry_layout::WakeHint`) and signals, and that signal makes the next wait return at once. A second hint
//! does the same for what a client need not signal, see [`Engine::ask_for_requests`]. In the other direction, every signal
//! goes out after everything it is about was published, through the same fence.

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
    /// The clients of this system.
    pub(crate) all: ClientSet,
    pub(crate) flows: Flows,
    /// Some flow grants the urgent class, so rounds have two passes.
    has_urgent: bool,
    /// Ticks since the start, wrapping.
    pub(crate) now: u32,
    /// The client with which the next round begins, so that nobody is always first.
    pub(crate) rotation: u32,
    /// Clients to signal at the end of the round, if they ask for it.
    pub(crate) to_signal: ClientSet,
    /// Clients to signal at the end of the next round. A sender with work left, and those it sends to, are not signalled for
    /// each round of it: the news of a batch is one signal. Bounded by the rings, which are full or empty some time.
    to_signal_later: ClientSet,
    /// Clients with sends that may go on, because a target has acted.
    pub(crate) roused: ClientSet,
    /// Clients that were found to have broken the protocol, until [`Engine::expel_offenders`].
    pub(crate) offenders: ClientSet,
    /// Clients that had news, or a frame used, since the last tick.
    pub(crate) active: ClientSet,
    /// Clients that are asked to signal when they post or take, because something waits for that.
    asking: ClientSet,
    /// Clients for which that may have changed.
    pub(crate) reconsider: ClientSet,
    /// The turn at hand.
    pub(crate) visit: Visit,
}

impl Engine {
    /// Without any client. To be configured before it runs.
    #[must_use]
    #[expect(clippy::large_stack_arrays, reason = "evaluated by the compiler into a static")]
    pub const fn new() -> Self {
        Self {
            clients: Table::new([const { Client::new() }; MAX_CLIENTS]),
            all: ClientSet::EMPTY,
            flows: Flows::new(),
            has_urgent: false,
            now: 0,
            rotation: 0,
            to_signal: ClientSet::EMPTY,
            to_signal_later: ClientSet::EMPTY,
            roused: ClientSet::EMPTY,
            offenders: ClientSet::EMPTY,
            active: ClientSet::EMPTY,
            asking: ClientSet::EMPTY,
            reconsider: ClientSet::EMPTY,
            visit: Visit::new(),
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
            self.all.insert(id);
            let client = &mut self.clients[id];
            client.bytes_per_round = record.bytes_per_round;
            client.most_bytes = record.bytes_per_round.saturating_add(CHUNK_BYTES);
            client.messages_per_round = record.messages_per_round;
            client.transmit_buffer.configure(&record.transmit);
            client.receive_buffer.configure(&record.receive);
            client.ports = ports(record);
            if let Some(ports) = client.ports {
                let peers = config.clients().filter_map(|(peer, record)| self.peer(id, peer, record));
                ports.into.introduce(id.number(), record.transmit.bytes, record.receive.bytes, peers);
                ports.into.wake_for_requests.disarm();
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

    /// Serves until nothing can be done without somebody else acting, then returns so that central may sleep.
    ///
    /// `woken` are the clients that have signalled. With `tick` a period has passed: everyone is polled, signalled
    /// or not (r14, r22), deadlines are checked, and frames that nobody used for a whole period are unmapped.
    pub fn run(&mut self, machine: &mut impl Machine, woken: ClientSet, tick: bool) {
        let mut look_at = woken.intersection(self.all);
        if tick {
            self.pass_tick(machine);
            look_at = self.all;
        }
        let mut awake = ClientSet::EMPTY;
        loop {
            let left = self.round(machine, look_at);
            let rest = left.is_empty() && self.roused.is_empty() && !self.arm(&mut awake);
            self.signal(machine, rest);
            if rest {
                return;
            }
            for client in left.without(awake).iter() {
                if let Some(ports) = self.clients[client].ports {
                    ports.into.wake.disarm();
                    awake.insert(client);
                }
            }
            // From the second round on everyone is looked at: who keeps central awake must not keep it from others.
            look_at = self.all;
        }
    }

    /// One round: look at the clients in `look_at`, serve all that have work. Who has work left.
    fn round(&mut self, machine: &mut impl Machine, look_at: ClientSet) -> ClientSet {
        for client in look_at.iter() {
            if let Some(ports) = self.clients[client].ports {
                self.look(machine, client, ports);
            }
        }
        self.expel_offenders(machine);
        let working = look_at.union(core::mem::replace(&mut self.roused, ClientSet::EMPTY));
        let (mut class, mut first) = (if self.has_urgent { Class::Urgent } else { Class::Any }, true);
        // One call, so that the pass is compiled in line.
        let left = loop {
            let left = self.pass(machine, working, class, first);
            if class == Class::Any {
                break left;
            }
            (class, first) = (Class::Any, false);
        };
        if let Some(first) = working.from(self.rotation).next() {
            self.rotation = u32::from(first.number()) + 1;
        }
        left
    }

    /// Gives each of `working` that has work a turn; with `first`, the first of this round. Who has work left.
    #[inline]
    fn pass(
        &mut self,
        machine: &mut impl Machine,
        working: ClientSet,
        class: Class,
        first: bool,
    ) -> ClientSet {
        let mut left = ClientSet::EMPTY;
        for client in working.from(self.rotation) {
            let state = &mut self.clients[client];
            let Some(ports) = state.ports else { continue };
            let has_work = state.has_work();
            if first {
                state.replenish(has_work);
            }
            let others = self.to_signal;
            if has_work && self.turn(machine, client, ports, class) {
                left.insert(client);
                // Not for urgent ones: they are not to wait, and who has more than those may be done in the next pass, with
                // no further round.
                if class == Class::Any {
                    self.to_signal_later = self.to_signal_later.union(self.to_signal.without(others));
                    self.to_signal = others;
                }
            }
        }
        left
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
        if state.transmit.refresh(ports.out.transmit_tail.observe()).is_err() {
            self.suspect(client, ports);
            return;
        }
        self.look_for_requests(client, ports);
    }

    /// Reads what `client`, which is let in, has posted. Clients need not signal that, so this is also called when a message
    /// for the client finds nothing open.
    #[inline(always)]
    pub(crate) fn look_for_requests(&mut self, client: DomainId, ports: Ports) {
        self.learn_requests(client, ports);
        if self.clients[client].requests.has_new() {
            self.take_requests(client, ports);
        }
    }

    /// Reads how far the requests of `client` go, and how far it has emptied its receive queue, but no request.
    #[inline(always)]
    pub(crate) fn learn_requests(&mut self, client: DomainId, ports: Ports) {
        let state = &mut self.clients[client];
        let tail = ports.out.post_tail.observe();
        if tail != state.requests.tail() && state.requests.refresh(tail).is_err() {
            self.suspect(client, ports);
            return;
        }
        self.learn_room(client, ports);
    }

    /// Reads how far `client` has emptied its receive queue.
    #[inline(always)]
    pub(crate) fn learn_room(&mut self, client: DomainId, ports: Ports) {
        let state = &mut self.clients[client];
        let head = ports.out.delivery_head.observe();
        if head == state.deliveries.head() {
            return;
        }
        let was_full = !state.has_room();
        if state.deliveries.refresh(head).is_err() {
            self.suspect(client, ports);
        } else if was_full {
            self.rouse_waiters(client);
        }
    }

    /// Takes new receive requests, answers those that need it, and rouses whoever waits for this client.
    fn take_requests(&mut self, client: DomainId, ports: Ports) {
        let state = &mut self.clients[client];
        let mut offered = false;
        let bytes = state.receive_buffer.bytes();
        while let Some(taken) = state.requests.take(ports.out, bytes, state.has_room(), &mut offered) {
            match taken {
                Taken::Offered => {}
                Taken::Withdrawn { earlier, by } => {
                    state.answer(ports, DeliveryKind::Withdrawn, earlier, by);
                    self.to_signal.insert(client);
                }
                Taken::Refused(request) => {
                    state.answer(ports, DeliveryKind::Refused, request, request);
                    self.to_signal.insert(client);
                    state.count(|counters| counters.refused.add(1));
                }
            }
        }
        if state.requests.has_new() {
            // One has to be answered, and there is no place for the answer.
            self.reconsider.insert(client);
        }
        state.requests.publish(ports.into);
        if offered {
            self.rouse_waiters(client);
        }
    }

    /// Signals each client that has news, at most once, and only if its wake hint asks for it. With `rest` this run has come to
    /// its end.
    fn signal(&mut self, machine: &mut impl Machine, rest: bool) {
        let news = core::mem::replace(&mut self.to_signal, self.to_signal_later);
        self.to_signal_later = ClientSet::EMPTY;
        self.active = self.active.union(news);
        let mut asking = None;
        for client in news.iter() {
            let state = &self.clients[client];
            if state.ports.is_some_and(|ports| ports.out.wake.asks_for_signal()) {
                state.count(|counters| counters.signals.add(1));
                if let Some(earlier) = asking.replace(client) {
                    machine.signal(earlier);
                }
            }
        }
        match asking {
            Some(last) if rest => machine.signal_and_sleep(last),
            Some(last) => machine.signal(last),
            None => {}
        }
    }

    /// Arms the hints of those in `awake` and looks at each of them once more; asks for requests where that may have to begin
    /// or end. Whether somebody has news, so that central must not sleep.
    #[inline]
    fn arm(&mut self, awake: &mut ClientSet) -> bool {
        !awake.union(self.reconsider).union(self.asking).is_empty() && self.arm_hints(awake)
    }

    #[inline(never)]
    fn arm_hints(&mut self, awake: &mut ClientSet) -> bool {
        let mut news = false;
        for client in awake.iter() {
            let Some(ports) = self.clients[client].ports else { continue };
            ports.into.wake.arm();
            let state = &self.clients[client];
            // A client that has taken leave is not looked at, so nothing that it publishes is news; were it taken for
            // news, central would go round for ever.
            news |= state.standing == Standing::Open
                && (ports.out.transmit_tail.observe() != state.transmit.tail()
                    || ports.out.post_tail.observe() != state.requests.tail())
                && ports.out.wanted_epoch().is_some();
        }
        *awake = ClientSet::EMPTY;
        let reconsider = core::mem::replace(&mut self.reconsider, ClientSet::EMPTY);
        for client in reconsider.union(self.asking).iter() {
            news |= self.ask_for_requests(client);
        }
        news
    }

    /// Arms the hint that asks `client` to signal when it posts or takes, if something waits for that, and looks once more.
    /// Whether it has done so already.
    fn ask_for_requests(&mut self, client: DomainId) -> bool {
        let state = &self.clients[client];
        let Some(ports) = state.ports else { return false };
        let waits =
            state.standing == Standing::Open && (!state.awaited_by.is_empty() || state.requests.has_new());
        if !waits {
            self.asking.remove(client);
            ports.into.wake_for_requests.disarm();
            return false;
        }
        self.asking.insert(client);
        ports.into.wake_for_requests.arm();
        let has_posted = ports.out.post_tail.observe() != state.requests.tail();
        let has_taken = !state.has_room() && ports.out.delivery_head.observe() != state.deliveries.head();
        (has_posted || has_taken) && ports.out.wanted_epoch().is_some()
    }

    /// A period has passed.
    #[inline(never)]
    fn pass_tick(&mut self, machine: &mut impl Machine) {
        self.now = self.now.wrapping_add(1);
        let active = core::mem::replace(&mut self.active, ClientSet::EMPTY);
        for client in self.all.iter() {
            self.expire(client);
            if !active.contains(client) {
                let state = &mut self.clients[client];
                let transmit = state.transmit_buffer.unmap_all(client, machine);
                let receive = state.receive_buffer.unmap_all(client, machine);
                state.count(|counters| counters.unmaps.add((transmit.0 + receive.0).into()));
            }
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}
