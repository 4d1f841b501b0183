//! Rounds: which clients central looks at, in which order it serves them, which it signals, and when it may
//! sleep.
//!
//! The lost-wake-up argument:
//!
//! * Whenever central sleeps, its wake hint in the `_in` page of every client is armed. `configure` arms all
//!   of them. [`Engine::run`] disarms the hint of a client only when that client has work left after a round,
//!   and then puts the client into `awake`.
//! * The hints of clients that `one_way.rs` tells of are never disarmed. They are not in `awake`.
//! * Before `run` returns, it arms the hints of exactly the clients in `awake`. Each arming ends in a
//!   `SeqCst` fence. After that it looks at each of these clients once more.
//! * If a client published before that look, central sees it and goes on with another round. If a client
//!   publishes after it, the client finds the hint armed and signals (the pattern in
//!   `ferry_layout::WakeHint`). That signal makes central's next wait return at once.
//! * The look need not cover a new epoch, because a client that asks for one always signals.
//! * A second hint does the same for what a client need not signal otherwise: posted buffers and deliveries
//!   taken. See [`Engine::ask_for_requests`].
//! * In the other direction, central publishes everything that a signal is about, executes the same fence,
//!   and only then reads the client's hint.

use ferry_layout::geometry::MAX_CLIENTS;
use ferry_layout::{DomainId, Standing};

use super::Engine;
use super::turn::Class;
use crate::machine::Machine;
use crate::table::ClientSet;

/// Numbers that a client can have.
#[expect(clippy::cast_possible_truncation, reason = "a system has few clients")]
const CLIENTS: u32 = MAX_CLIENTS as u32;

impl Engine {
    /// Serves clients until nothing more can be done before a client acts. Then it returns, and central may
    /// sleep.
    ///
    /// `woken` are the clients that have signalled. `tick` means that a period has passed. Then central looks
    /// at every client, signalled or not (r14, r22), checks deadlines, and unmaps frames that nobody used for
    /// a whole period. A period that passes during the run is noticed between two rounds. So clients that
    /// publish without pause delay it by one round at most.
    pub fn run(&mut self, machine: &mut impl Machine, woken: ClientSet, tick: bool) {
        let mut look_at = woken.intersection(self.all);
        if tick {
            self.pass_tick(machine);
            look_at = self.all;
        }
        let mut awake = ClientSet::EMPTY;
        loop {
            let left = self.round(machine, look_at);
            let rest =
                left.is_empty() && self.roused.union(self.look_again).is_empty() && !self.arm(&mut awake);
            self.signal(machine, rest);
            if rest {
                return;
            }
            look_at = self.between_rounds(machine, left, &mut awake);
        }
    }

    /// What is done between two rounds: disarms the hints of the clients in `left`, which have work left, and
    /// adds them to `awake`. A period that has passed meanwhile is noticed here. Returns the clients to look
    /// at in the next round.
    ///
    /// From the second round on, that is every client. Otherwise the clients that keep central awake could
    /// keep it from the others. The exceptions are clients that could learn by this that central is awake,
    /// and must not (`one_way.rs`). Their hints stay armed, so they signal.
    #[inline(never)]
    fn between_rounds(
        &mut self,
        machine: &mut impl Machine,
        left: ClientSet,
        awake: &mut ClientSet,
    ) -> ClientSet {
        for client in left.without(*awake).intersection(self.sociable).iter() {
            if let Some(ports) = self.clients[client].ports {
                ports.to_client.wake.disarm();
                awake.insert(client);
            }
        }
        if !self.has_progressed {
            self.pass_empty_rounds(left);
        }
        if machine.poll_tick() {
            self.pass_tick(machine);
            return self.all;
        }
        if self.one_way.low.is_empty() {
            return self.all;
        }
        self.ask_low_clients();
        self.sociable.union(left).union(machine.woken().intersection(self.all))
    }

    /// Arms or disarms the wake hints for requests of clients that must not learn that central stays awake.
    #[cold]
    fn ask_low_clients(&mut self) {
        let low = self.reconsider.union(self.asking).intersection(self.one_way.low);
        self.reconsider = self.reconsider.without(low);
        for client in low.iter() {
            if self.ask_for_requests(client) {
                self.look_again.insert(client);
            }
        }
    }

    /// One round: looks at the clients in `look_at`, then serves all that have work. Returns the clients that
    /// have work left.
    fn round(&mut self, machine: &mut impl Machine, look_at: ClientSet) -> ClientSet {
        self.has_progressed = false;
        self.round = self.round.wrapping_add(1);
        let look_at = if self.look_again.union(self.asking).is_empty() {
            look_at
        } else {
            self.also_look_at(machine, look_at)
        };
        for client in look_at.iter() {
            if let Some(ports) = self.clients[client].ports {
                self.look(machine, client, ports);
            }
        }
        self.expel_offenders(machine);
        let working = look_at.union(core::mem::replace(&mut self.roused, ClientSet::EMPTY));
        let (mut class, mut first) = (if self.has_urgent { Class::Urgent } else { Class::Any }, true);
        // `pass` is called in one place only, so that it is compiled in line.
        let left = loop {
            let left = self.pass(machine, working, class, first);
            if class == Class::Any {
                break left;
            }
            (class, first) = (Class::Any, false);
        };
        // Where there are one-way flows, the order of service is that of the tick. It would tell how many
        // rounds there were.
        if self.sociable == self.all
            && let Some(first) = working.from(self.rotation).next()
        {
            self.rotation = u32::from(first.number()) + 1;
        }
        left
    }

    /// Returns the clients to look at in this round: those in `woken`, and those that need a look without a
    /// signal.
    #[inline(never)]
    fn also_look_at(&mut self, machine: &mut impl Machine, woken: ClientSet) -> ClientSet {
        if self.relays.first_stirred().is_some() {
            self.walk_relays(machine);
        }
        self.settle_verdicts();
        let mut look_at = woken.union(core::mem::replace(&mut self.look_again, ClientSet::EMPTY));
        // A client in `asking` may have posted a buffer. All clients that may send to it are looked at too,
        // so that central knows of every send that competes for the buffer before it gives the buffer away.
        for client in look_at.intersection(self.asking).iter() {
            look_at = look_at.union(self.clients[client].senders);
        }
        look_at
    }

    /// Gives a turn to each client in `working` that has work. `first` means that this is the first pass of
    /// the round, which replenishes the budgets. Returns the clients that have work left.
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
                state.budget.replenish(has_work);
            }
            let others = self.to_signal;
            if has_work && self.turn(machine, client, ports, class) {
                left.insert(client);
                // The client has another turn in the next round, and signals of this turn wait until then.
                // This is not done in the urgent pass: urgent messages must not wait, and the client may
                // finish in the next pass of this round.
                if class == Class::Any {
                    self.to_signal_later = self.to_signal_later.union(self.to_signal.without(others));
                    self.to_signal = others;
                }
            }
        }
        left
    }

    /// Called after a round in which no client could afford its next step. Gives each client in `left` the
    /// shares of all the rounds that would have to pass until the first of them can afford it. So a share
    /// below the price of a step costs two rounds and no more.
    #[cold]
    fn pass_empty_rounds(&mut self, left: ClientSet) {
        let rounds =
            left.iter().filter_map(|client| self.clients[client].budget.rounds_until_afforded()).min();
        // The next round itself adds one share.
        if let Some(rounds) = rounds.and_then(|rounds| rounds.checked_sub(1)) {
            for client in left.iter() {
                self.clients[client].budget.save_up(rounds);
            }
        }
    }

    /// Signals each client in `to_signal` at most once, and only if its wake hint asks for it. `rest` means
    /// that this run ends here, so the last signal may be combined with sleeping.
    fn signal(&mut self, machine: &mut impl Machine, rest: bool) {
        let news = core::mem::replace(&mut self.to_signal, self.to_signal_later);
        self.to_signal_later = ClientSet::EMPTY;
        self.active = self.active.union(news);
        let mut asking = None;
        for client in news.iter() {
            let state = &self.clients[client];
            if state.ports.is_some_and(|ports| ports.from_client.wake.asks_for_signal()) {
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

    /// Arms the wake hints of the clients in `awake` and looks at each of them once more. Also arms or
    /// disarms the wake hint for requests where that may have to change. Returns whether a client has
    /// published something, so that central must not sleep.
    #[inline]
    fn arm(&mut self, awake: &mut ClientSet) -> bool {
        !awake.union(self.reconsider).union(self.asking).is_empty() && self.arm_hints(awake)
    }

    #[inline(never)]
    fn arm_hints(&mut self, awake: &mut ClientSet) -> bool {
        let mut news = false;
        for client in awake.iter() {
            let Some(ports) = self.clients[client].ports else { continue };
            ports.to_client.wake.arm();
            let state = &self.clients[client];
            // `look` does nothing for a client that has cleared its magic, so what that client publishes must
            // not keep central awake. Otherwise central would start round after round without end.
            news |= state.standing == Standing::Open
                && (ports.from_client.transmit_tail.observe() != state.transmit.tail()
                    || ports.from_client.post_tail.observe() != state.requests.tail()
                    || (!state.requests.unanswered && state.requests.may_have_withdrawn(ports.from_client)))
                && ports.from_client.wanted_epoch().is_some();
        }
        *awake = ClientSet::EMPTY;
        let reconsider = core::mem::replace(&mut self.reconsider, ClientSet::EMPTY);
        for client in reconsider.union(self.asking).iter() {
            news |= self.ask_for_requests(client);
        }
        news
    }

    /// Arms the wake hint for requests of `client` and looks once more, if a send waits for the client or an
    /// answer waits for a place in its receive queue. Otherwise disarms the hint. Returns whether the client
    /// has already posted or taken something, so that central must not sleep.
    fn ask_for_requests(&mut self, client: DomainId) -> bool {
        let state = &self.clients[client];
        let Some(ports) = state.ports else { return false };
        let waits =
            state.standing == Standing::Open && (state.waits.is_awaited() || state.requests.unanswered);
        if !waits {
            self.asking.remove(client);
            ports.to_client.wake_for_requests.disarm();
            return false;
        }
        if self.asking.contains(client) && self.one_way.low.contains(client) {
            // It is armed, and was looked at then. To look again would tell it that central is awake.
            return false;
        }
        self.asking.insert(client);
        ports.to_client.wake_for_requests.arm();
        let has_posted = ports.from_client.post_tail.observe() != state.requests.tail();
        let has_taken =
            !state.has_room() && ports.from_client.delivery_head.observe() != state.deliveries.head();
        (has_posted || has_taken) && ports.from_client.wanted_epoch().is_some()
    }

    /// Counts a tick. Says `Done` for what was carried in one-way flows, ends the sends that have expired,
    /// and unmaps the frames of clients that were not active since the last tick. Signals the reader of the
    /// audit log if there is something new for it.
    #[inline(never)]
    fn pass_tick(&mut self, machine: &mut impl Machine) {
        self.now = self.now.wrapping_add(1);
        if !self.one_way.sources.is_empty() {
            self.end_carried();
            self.end_late_relays();
            self.rotation = self.now % CLIENTS;
        }
        let active = core::mem::replace(&mut self.active, ClientSet::EMPTY);
        for client in self.all.iter() {
            self.expire(client);
            if !active.contains(client) {
                self.clients[client].unmap_all(client, machine);
            }
        }
        if self.audit.take_news() {
            machine.signal_audit_reader();
        }
    }
}
