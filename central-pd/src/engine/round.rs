//! Rounds: whom central looks at, in which order it serves them, whom it signals, and when it may sleep.
//!
//! The lost-wake-up argument. Central's hint in a client's `_in` page is armed whenever central sleeps; it is
//! disarmed only for clients with more work in hand than one round, in [`Engine::run`], and all of those are
//! collected in `awake`. Before `run` returns it arms exactly these, which ends in a `SeqCst` fence, and then
//! looks at each of them once more. A client that published before the look is served now; one that publishes
//! after it finds the hint armed (the pattern in `ferry_layout::WakeHint`) and signals, and that signal makes
//! the next wait return at once. A second hint does the same for what a client need not signal, see
//! [`Engine::ask_for_requests`]. In the other direction, every signal goes out after everything it is about
//! was published, through the same fence.

use ferry_layout::{DomainId, Standing};

use super::Engine;
use super::turn::Class;
use crate::machine::Machine;
use crate::table::ClientSet;

impl Engine {
    /// Serves until nothing can be done without somebody else acting, then returns so that central may sleep.
    ///
    /// `woken` are the clients that have signalled. With `tick` a period has passed: everyone is polled,
    /// signalled or not (r14, r22), deadlines are checked, and frames that nobody used for a whole period are
    /// unmapped. A period that passes meanwhile is noticed between two rounds, so clients that publish
    /// without pause delay it by one round at most.
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
            for client in left.without(awake).iter() {
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
            }
            // From the second round on everyone is looked at: who keeps central awake must not keep it from
            // others.
            look_at = self.all;
        }
    }

    /// One round: look at the clients in `look_at`, serve all that have work. Who has work left.
    fn round(&mut self, machine: &mut impl Machine, look_at: ClientSet) -> ClientSet {
        self.has_progressed = false;
        self.round = self.round.wrapping_add(1);
        let look_at =
            if self.look_again.union(self.asking).is_empty() { look_at } else { self.also_look_at(look_at) };
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

    /// Clients to look at in a round, beyond those that have signalled.
    #[inline(never)]
    fn also_look_at(&mut self, woken: ClientSet) -> ClientSet {
        let mut look_at = woken.union(core::mem::replace(&mut self.look_again, ClientSet::EMPTY));
        // Whoever may want what an awaited client gives is heard before it is given away.
        for client in look_at.intersection(self.asking).iter() {
            look_at = look_at.union(self.clients[client].senders);
        }
        look_at
    }

    /// Gives each of `working` that has work a turn; with `first`, the first of this round. Who has work
    /// left.
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
                // Not for urgent ones: they are not to wait, and who has more than those may be done in the
                // next pass, with no further round.
                if class == Class::Any {
                    self.to_signal_later = self.to_signal_later.union(self.to_signal.without(others));
                    self.to_signal = others;
                }
            }
        }
        left
    }

    /// After a round in which nobody could afford its next step: gives everybody in `left` what the rounds
    /// would have given it that have to pass until the first of them can. So a share below the price of a
    /// step costs two rounds and no more.
    #[cold]
    fn pass_empty_rounds(&mut self, left: ClientSet) {
        let rounds =
            left.iter().filter_map(|client| self.clients[client].budget.rounds_until_afforded()).min();
        // The next round gives one share itself.
        if let Some(rounds) = rounds.and_then(|rounds| rounds.checked_sub(1)) {
            for client in left.iter() {
                self.clients[client].budget.save_up(rounds);
            }
        }
    }

    /// Signals each client that has news, at most once, and only if its wake hint asks for it. With `rest`
    /// this run has come to its end.
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

    /// Arms the hints of those in `awake` and looks at each of them once more; asks for requests where that
    /// may have to begin or end. Whether somebody has news, so that central must not sleep.
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
            // A client that has cleared its magic is not looked at, so nothing that it publishes is news;
            // were it taken for news, central would go round for ever.
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

    /// Arms the hint that asks `client` to signal when it posts or takes, if something waits for that, and
    /// looks once more. Whether it has done so already.
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
        self.asking.insert(client);
        ports.to_client.wake_for_requests.arm();
        let has_posted = ports.from_client.post_tail.observe() != state.requests.tail();
        let has_taken =
            !state.has_room() && ports.from_client.delivery_head.observe() != state.deliveries.head();
        (has_posted || has_taken) && ports.from_client.wanted_epoch().is_some()
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
