//! One client's turn in a round. New sends and waiting sends that may go on are served. Then everything
//! becomes visible.

use ferry_layout::{DomainId, Status};

use super::Engine;
use super::accept::Accepted;
use super::client::Ports;
#[cfg(feature = "express")]
use super::express::Ahead;
#[cfg(not(feature = "express"))]
use super::no_express::Ahead;
use super::transfer::Step;
use crate::machine::Machine;
use crate::send::Class;
use crate::table::ClientSet;

impl Engine {
    /// Serves `source` up to its share of the round. Returns whether it has work left that needs nobody else
    /// to act.
    pub(super) fn turn(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        class: Class,
    ) -> bool {
        let client = &mut self.clients[source];
        let (mut in_share, mut new_first) = (true, true);
        if !client.waits.ready().is_empty() {
            // Waiting sends and new sends come first alternately. So a long message does not hold up the
            // short ones behind it, and they do not hold up the long one.
            client.new_first = !client.new_first;
            new_first = client.new_first;
            if !new_first {
                in_share = self.serve_waiting(machine, source, class);
            }
        }
        if in_share {
            in_share = self.serve_new(machine, source, ports, class);
        }
        if in_share && new_first && !self.clients[source].waits.ready().is_empty() {
            in_share = self.serve_waiting(machine, source, class);
        }
        self.settle(machine, source, ports);
        // This comes after `settle`. By then what this turn delivered to an offender is settled. Messages of
        // this turn that wait for the offender are in its queue, so they end with `Quarantined` too.
        self.expel_offenders(machine);
        !in_share || !self.clients[source].waits.ready().is_empty()
    }

    /// Goes on with waiting sends, one step for each flow in turn. Returns false when the share is used up.
    #[inline(never)]
    fn serve_waiting(&mut self, machine: &mut impl Machine, source: DomainId, class: Class) -> bool {
        let mut passed_over = ClientSet::EMPTY;
        let in_share = loop {
            let ready = self.clients[source].waits.ready();
            if ready.is_empty() {
                break true;
            }
            if !self.serve_ready(machine, source, class, ready, &mut passed_over) {
                break false;
            }
        };
        self.clients[source].waits.unblock(passed_over);
        in_share
    }

    /// Does one step for each flow to a target in `ready`. Adds the targets that are not served in this turn
    /// to `passed_over`. Returns false when the share is used up.
    fn serve_ready(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        class: Class,
        ready: ClientSet,
        passed_over: &mut ClientSet,
    ) -> bool {
        for target in ready.from(self.clients[source].next_target) {
            let client = &mut self.clients[source];
            client.next_target = u32::from(target.number());
            let Some((index, _)) = self.flows.get(source, target).waiting else {
                if !self.serve_guarded(machine, source, target, class, passed_over) {
                    return false;
                }
                continue;
            };
            if class.passes_over(client.sends.get(index).header) {
                client.waits.block(target);
                passed_over.insert(target);
                continue;
            }
            if client.budget.messages() == 0 || self.pending.is_full() {
                return false;
            }
            match self.step(machine, source, index) {
                Step::Progress => {}
                Step::Blocked => self.clients[source].waits.block(target),
                Step::NotItsTurn => {
                    self.clients[source].waits.block(target);
                    passed_over.insert(target);
                }
                step @ (Step::Done | Step::Failed(_)) => {
                    let client = &mut self.clients[source];
                    client.sends.dequeue(&mut self.flows.get_mut(source, target).waiting);
                    client.spend(index);
                    if let Step::Failed(status) = step {
                        self.refuse(source, index, status);
                    }
                }
                Step::OutOfShare => return false,
            }
            self.clients[source].next_target = u32::from(target.number()) + 1;
        }
        true
    }

    /// Serves what waits for `target` although no plain message does: it is a guard that may be able to take
    /// something now, or the target of a flow with guards or of a one-way flow. Returns false when the share
    /// is used up.
    #[cold]
    fn serve_guarded(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        target: DomainId,
        class: Class,
        passed_over: &mut ClientSet,
    ) -> bool {
        let client = &mut self.clients[source];
        client.next_target = u32::from(target.number()) + 1;
        if self.one_way.is_granted(source, target) {
            return self.serve_one_way(machine, source, target, class, passed_over);
        }
        let Some((first, _)) = self.guards.flow(source, target).waiting else {
            self.forget_wait(source, target);
            if self.clients[target].is_guard {
                let client = &mut self.clients[source];
                client.waits.unblock(client.guarded.intersection(client.waits.targets()));
            }
            return true;
        };
        if class.passes_over(client.sends.get(first).header) {
            client.waits.block(target);
            passed_over.insert(target);
            return true;
        }
        // Before the lane: it lets the flow go on where it leaves something to the ordinary path.
        self.clients[source].waits.block(target);
        if self.express_waiting(machine, source, target) {
            return true;
        }
        self.clients[source].waits.unblock_one(target);
        self.walk(machine, source, target, passed_over)
    }

    /// Takes new sends and serves those that need not wait. Returns false when the share is used up.
    fn serve_new(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        class: Class,
    ) -> bool {
        let mut ahead = Ahead::NEW;
        if class == Class::Any {
            self.express(machine, source, ports, &mut ahead);
            if self.clients[source].transmit.available() == 0 {
                return true;
            }
        }
        self.serve_ordinary(machine, source, ports, class, &mut ahead)
    }

    /// The express lanes for what is not plain: one-way flows, flows with guards, and verdicts.
    fn express_others(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        ahead: &mut Ahead,
    ) {
        if self.one_way.sources.contains(source) {
            self.express_one_way(machine, source, ports, ahead);
        }
        let client = &self.clients[source];
        if client.is_guard {
            self.express_verdicts(machine, source, ports);
        } else if !client.guarded.is_empty() {
            self.express_guarded(machine, source, ports);
        }
    }

    /// Like [`serve_new`](Self::serve_new), but without the express lane: the next message may not be plain.
    #[inline(never)]
    fn serve_ordinary(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        class: Class,
        ahead: &mut Ahead,
    ) -> bool {
        if class == Class::Any {
            self.express_others(machine, source, ports, ahead);
            if self.clients[source].transmit.available() == 0 {
                return true;
            }
        }
        while self.clients[source].budget.messages() > 0 && !self.pending.is_full() {
            if class == Class::Any && self.is_beyond_share(source, ports) {
                return false;
            }
            let index = match self.accept(source, ports) {
                Accepted::Nothing => return true,
                Accepted::Message(index) => index,
                Accepted::Guarded(index) => {
                    self.has_progressed = true;
                    self.begin_course(source, ports, index);
                    continue;
                }
                Accepted::OneWay(index) => {
                    self.has_progressed = true;
                    if !self.take_one_way(machine, source, ports, index, class) {
                        return false;
                    }
                    if class == Class::Any {
                        ahead.note_carried(1);
                        self.express_one_way(machine, source, ports, ahead);
                    }
                    continue;
                }
                Accepted::Verdict(index) => {
                    self.has_progressed = true;
                    self.clients[source].spend(index);
                    ports.to_client.status(index).set(index, Status::Queued);
                    // What a verdict leads to in a one-way flow is paid for with the guard's share.
                    if self.clients[source].budget.deficit() == 0 {
                        return false;
                    }
                    continue;
                }
                Accepted::Refused { index, status } => {
                    self.clients[source].spend(index);
                    self.refuse_claim(source, index, status);
                    continue;
                }
            };
            self.has_progressed = true;
            let send = *self.clients[source].sends.get(index);
            let passed_over = class.passes_over(send.header);
            if passed_over || self.flows.get(source, send.header.target).waiting.is_some() {
                self.wait(source, ports, index, passed_over);
                continue;
            }
            match self.step(machine, source, index) {
                Step::Done => self.clients[source].spend(index),
                Step::Failed(status) => {
                    self.clients[source].spend(index);
                    self.refuse(source, index, status);
                }
                Step::Blocked => self.wait(source, ports, index, false),
                Step::Progress | Step::NotItsTurn => self.wait(source, ports, index, true),
                Step::OutOfShare => {
                    self.wait(source, ports, index, true);
                    return false;
                }
            }
            if class == Class::Any {
                // Frames that were mapped for it in vain are not the fault of the messages behind it.
                ahead.note_carried(1);
                self.express(machine, source, ports, ahead);
            }
        }
        self.clients[source].transmit.available() == 0
    }
}
