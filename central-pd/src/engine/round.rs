//! Rounds: which clients central looks at, in which order it serves them, which it signals, and when it may
//! sleep.
//!
//! What central does for a component ([`crate::components`]) depends on what happens in the component and on
//! ticks, and not on how long others keep central awake:
//!
//! * A component takes part in a round if one of its members has signalled since the last round, if central
//!   has work left in it, or at a tick. In the first round after a rest, central looks at those that have
//!   signalled. From then on it looks at all members in each round, until the component comes to rest.
//!   Otherwise those that keep central awake could keep it from the others.
//! * Budgets are replenished, and the order of service moves on, only in rounds in which the component takes
//!   part. Rounds that central passes over because nobody can afford a step are those of one component.
//! * A component comes to rest when it has no work left, whether or not another one has.
//!
//! Where all clients are one component, which is the rule, central comes to rest when the component does, and
//! nobody is asked for who has signalled. What is done apart for each component is in functions of its own.
//!
//! Under a domain schedule, all this is so for the clients that central serves now (`partition.rs`).
//!
//! The lost-wake-up argument:
//!
//! * While a component rests, the wake hint in the `_in` page of each of its members is armed. `configure`
//!   arms all of them. [`Engine::run`] disarms the hint of a client only when that client has work left after
//!   a round, and then puts the client into `awake`.
//! * When a component comes to rest, `run` arms the hints of its members in `awake`. Each arming ends in a
//!   `SeqCst` fence. After that it looks at each of these clients once more.
//! * If a client published before that look, central sees it, and the component takes part in another round.
//!   If a client publishes after it, the client finds the hint armed and signals (the pattern in
//!   `ferry_layout::WakeHint`). If central is to sleep, that signal makes its next wait return at once. If
//!   another component keeps central awake, central finds the signal when it looks at its own notification,
//!   which it does before each further round ([`Machine::poll_tick`], [`Machine::woken`]). A signal that was
//!   found and then not used would be lost. So a tick has central look at everybody, and otherwise all that
//!   have signalled are looked at.
//! * The look need not cover a new epoch, because a client that asks for one always signals.
//! * A second hint does the same for what a client need not signal otherwise: posted buffers and deliveries
//!   taken. See [`Engine::ask_for_requests`]. It is armed, and looked at again, when the client's component
//!   comes to rest.
//! * In the other direction, central publishes everything that a signal is about, executes the same fence,
//!   and only then reads the client's hint.

use super::Engine;
use crate::machine::Machine;
use crate::send::Class;
use crate::table::ClientSet;

impl Engine {
    /// Serves clients until nothing more can be done before a client acts. Then it returns, and central may
    /// sleep.
    ///
    /// `woken` are the clients that have signalled. `tick` means that a period has passed. Then central looks
    /// at every client, signalled or not (r14, r22), checks deadlines, and unmaps frames that nobody used for
    /// a whole period. A period that passes during the run is noticed between two rounds. So clients that
    /// publish without pause delay it by one round at most.
    pub fn run(&mut self, machine: &mut impl Machine, woken: ClientSet, tick: bool) {
        let mut look_at = woken.intersection(self.served);
        if tick {
            self.pass_tick(machine);
            look_at = self.served;
        }
        let mut awake = ClientSet::EMPTY;
        loop {
            let left = self.round(machine, look_at);
            let mut busy = left.union(self.roused).union(self.look_again);
            if !self.is_connected {
                busy = if self.all_rest(busy, awake) {
                    ClientSet::EMPTY
                } else {
                    self.end_round_apart(machine, look_at, left, &mut awake)
                };
            } else if busy.is_empty() {
                busy = self.arm(self.served, &mut awake);
            }
            let rest = busy.is_empty();
            self.signal(machine, rest);
            if rest {
                return;
            }
            look_at = self.between_rounds(machine, left, busy, &mut awake);
        }
    }

    /// What is done between two rounds: disarms the hints of the clients in `left`, which have work left, and
    /// adds them to `awake`. A period that has passed meanwhile is noticed here. Returns the clients to look
    /// at in the next round: if the system is not one component, those in `busy`, and those that have
    /// signalled.
    #[inline(never)]
    fn between_rounds(
        &mut self,
        machine: &mut impl Machine,
        left: ClientSet,
        busy: ClientSet,
        awake: &mut ClientSet,
    ) -> ClientSet {
        for client in left.without(*awake).iter() {
            if let Some(ports) = self.clients[client].ports {
                ports.to_client.wake.disarm();
                awake.insert(client);
            }
        }
        if self.is_connected && !self.has_progressed {
            self.pass_empty_rounds(left);
        }
        let tick = machine.poll_tick();
        let is_announced =
            !self.is_connected && self.partitions.exist() && self.follow_schedule(machine, awake);
        if tick {
            self.pass_tick(machine);
        }
        if self.is_connected || tick || is_announced {
            return self.served;
        }
        busy.union(machine.woken().intersection(self.served))
    }

    /// If the system is not one component: whether a round that leaves work for the clients in `busy` leaves
    /// nothing to do for any component, not even for [`arm`](Self::arm).
    #[inline(always)]
    fn all_rest(&mut self, busy: ClientSet, awake: ClientSet) -> bool {
        let to_arm = awake.union(self.reconsider).union(self.asking);
        let all_rest = busy.union(to_arm).is_empty() && !self.partitions.exist();
        if all_rest {
            self.progressed = ClientSet::EMPTY;
        }
        all_rest
    }

    /// What a round ends with if the system is not one component. Passes empty rounds for the components that
    /// need it, and brings to rest those that have no work left. Returns all members of the others. The round
    /// began with a look at the clients in `looked_at`, and those in `left` have work left.
    #[cold]
    #[inline(never)]
    fn end_round_apart(
        &mut self,
        machine: &mut impl Machine,
        looked_at: ClientSet,
        left: ClientSet,
        awake: &mut ClientSet,
    ) -> ClientSet {
        let progressed = core::mem::replace(&mut self.progressed, ClientSet::EMPTY);
        let mut stuck = left.without(progressed);
        while !stuck.is_empty() {
            let part = self.components.first_part(stuck);
            self.pass_empty_rounds(part);
            stuck = stuck.without(part);
        }
        if self.partitions.exist() {
            self.keep_to_partition(machine);
        }
        let busy = self.components.around(left.union(self.roused).union(self.look_again));
        // Those of components that have taken part in no round since their last rest are left alone.
        let took_part = looked_at.union(*awake).union(self.reconsider.intersection(self.served));
        let resting = self.components.around(took_part).without(busy);
        let news = self.arm(resting, awake);
        busy.union(self.components.around(news))
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
                self.meet(machine, client, ports);
            }
        }
        self.expel_offenders(machine);
        let working = look_at.union(core::mem::replace(&mut self.roused, ClientSet::EMPTY));
        debug_assert!(working.without(self.served).is_empty(), "nobody else is served");
        let mut class = if self.has_urgent { Class::Urgent } else { Class::Any };
        let (mut first, mut rest, mut left) = (true, working, ClientSet::EMPTY);
        // `pass` is called in one place only, so that it is compiled in line.
        loop {
            let part = if self.is_connected { rest } else { self.enter_component(rest) };
            let unfinished = self.pass(machine, part, class, first);
            if class == Class::Any {
                left = left.union(unfinished);
                if let Some(first) = part.from(self.rotation).next() {
                    self.rotation = u32::from(first.number()) + 1;
                }
            }
            if !self.is_connected {
                self.leave_component(part);
                rest = rest.without(part);
                if !rest.is_empty() {
                    continue;
                }
            }
            if class == Class::Any {
                return left;
            }
            (class, first, rest) = (Class::Any, false, working);
        }
    }

    /// Turns to the component of the first of `clients`. Returns those of them that are in it. All components
    /// have their urgent pass before any has the other one. Their order is always the same: the receiver of a
    /// one-way flow can tell it, so it must not depend on others.
    #[cold]
    fn enter_component(&mut self, clients: ClientSet) -> ClientSet {
        let (part, rotation) = self.components.enter(clients);
        self.rotation = rotation;
        part
    }

    /// Notes how a pass has ended in the component of which `part` was served.
    #[cold]
    fn leave_component(&mut self, part: ClientSet) {
        if core::mem::replace(&mut self.has_progressed, false) {
            self.progressed = self.progressed.union(part);
        }
        self.components.leave(self.rotation);
    }

    /// Returns the clients to look at in this round: those in `woken`, and those that need a look without a
    /// signal.
    #[inline(never)]
    fn also_look_at(&mut self, machine: &mut impl Machine, woken: ClientSet) -> ClientSet {
        if self.relays.are_stirred() {
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
}
