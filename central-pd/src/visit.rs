//! One client's turn in a round: new sends and waiting ones that may go on, then everything made visible.

use core::ops::Range;

use ferry_layout::geometry::TRANSMIT_SLOTS;
use ferry_layout::{DomainId, InRegion, Status, flags};
use heapless::Vec;

use crate::accept::Accepted;
use crate::buffer::Side;
use crate::client::{Client, Ports};
use crate::engine::Engine;
use crate::machine::Machine;
use crate::table::ClientSet;
use crate::transfer::Step;

/// What a turn has done and not yet made visible.
pub(crate) struct Visit {
    /// Frames to unmap before anything becomes visible.
    pub(crate) runs: Vec<Run, 32>,
    pub(crate) finished: Vec<Finished, TRANSMIT_SLOTS>,
}

/// Frames of one buffer that were mapped for messages of this turn.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) client: DomainId,
    pub(crate) side: Side,
    pub(crate) frames: Range<u32>,
}

/// Messages whose sender is to see `Done`: one, or several of one part each that lie and were carried one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Finished {
    /// First slot.
    pub(crate) index: u32,
    pub(crate) messages: u32,
    /// Parts of each.
    pub(crate) parts: u32,
    pub(crate) target: DomainId,
    /// The first one's number in its flow.
    pub(crate) sequence: u64,
    /// Bytes of all.
    pub(crate) bytes: u64,
}

impl Finished {
    /// Whether `next` begins where this ends, so that both are one run.
    #[inline]
    fn is_followed_by(&self, next: &Self) -> bool {
        (self.parts, next.parts) == (1, 1)
            && self.target == next.target
            && next.index == self.index.wrapping_add(self.messages)
            && next.sequence == self.sequence.wrapping_add(self.messages.into())
    }
}

/// Which messages a turn carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// Urgent ones; others are taken and wait.
    Urgent,
    /// All.
    Any,
}

impl Visit {
    pub(crate) const fn new() -> Self {
        Self { runs: Vec::new(), finished: Vec::new() }
    }

    /// Whether all is visible.
    #[inline]
    fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.finished.is_empty()
    }

    /// Notes a run, as part of an earlier one where both touch: messages of one turn often share frames, which are
    /// then mapped and unmapped once. The caller has made room.
    #[inline]
    pub(crate) fn note(&mut self, run: Run) {
        for earlier in self.runs.iter_mut().rev() {
            let same = earlier.client == run.client && earlier.side == run.side;
            if same && run.frames.start <= earlier.frames.end && earlier.frames.start <= run.frames.end {
                earlier.frames.start = earlier.frames.start.min(run.frames.start);
                earlier.frames.end = earlier.frames.end.max(run.frames.end);
                return;
            }
        }
        // Cannot fail: the caller has made room.
        let _ = self.runs.push(run);
    }

    /// Notes what is delivered, as part of what was noted last if it goes on there. There is room: each takes at least one of
    /// the slots of the sender's ring.
    #[inline]
    pub(crate) fn finish(&mut self, finished: Finished) {
        if let Some(last) = self.finished.last_mut()
            && last.is_followed_by(&finished)
        {
            last.messages += finished.messages;
            last.bytes += finished.bytes;
            return;
        }
        let _ = self.finished.push(finished);
    }
}

impl Engine {
    /// Serves `source` up to its share of the round. Whether it has work left that needs nobody else to act.
    pub(crate) fn turn(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        class: Class,
    ) -> bool {
        let client = &mut self.clients[source];
        let (mut in_share, mut new_first) = (true, true);
        if !client.ready.is_empty() {
            // In turns, so that neither a long message holds up the short ones behind it nor they it.
            client.new_first = !client.new_first;
            new_first = client.new_first;
            if !new_first {
                in_share = self.serve_waiting(machine, source, ports, class);
            }
        }
        if in_share {
            in_share = self.serve_new(machine, source, ports, class);
        }
        if in_share && new_first && !self.clients[source].ready.is_empty() {
            in_share = self.serve_waiting(machine, source, ports, class);
        }
        self.settle(machine, source, ports);
        let client = &self.clients[source];
        !in_share || !client.ready.is_empty()
    }

    /// Goes on with sends that waited, one step for each flow in turn. False when the share is used up.
    fn serve_waiting(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        class: Class,
    ) -> bool {
        let mut passed_over = ClientSet::EMPTY;
        loop {
            let ready = self.clients[source].ready;
            if ready.is_empty() {
                break;
            }
            for target in ready.from(self.clients[source].next_target) {
                self.clients[source].next_target = u32::from(target.number()) + 1;
                let Some((index, _)) = self.flows.get(source, target).waiting else {
                    self.forget_wait(source, target);
                    continue;
                };
                if class == Class::Urgent && self.clients[source].sends.get(index).flags & flags::URGENT == 0
                {
                    self.clients[source].ready.remove(target);
                    passed_over.insert(target);
                    continue;
                }
                let step = self.step(machine, source, index);
                match step {
                    Step::Progress => {}
                    Step::Blocked => self.clients[source].ready.remove(target),
                    Step::Done | Step::Failed(_) => {
                        let flow = self.flows.get_mut(source, target);
                        self.clients[source].sends.dequeue(flow);
                        if let Step::Failed(status) = step {
                            self.refuse(source, ports, index, status);
                        }
                    }
                    Step::OutOfShare => {
                        let client = &mut self.clients[source];
                        client.next_target = u32::from(target.number());
                        client.ready = client.ready.union(passed_over);
                        return false;
                    }
                }
                self.expel_offenders(machine);
            }
        }
        self.clients[source].ready = passed_over;
        true
    }

    /// Takes new sends and serves those that need not wait. False when the share is used up.
    fn serve_new(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        class: Class,
    ) -> bool {
        if class == Class::Any {
            self.express(machine, source, ports);
            if self.clients[source].transmit.available() == 0 {
                return true;
            }
        }
        self.serve_ordinary(machine, source, ports, class)
    }

    /// As [`serve_new`](Self::serve_new), for a next message that may not be plain.
    #[inline(never)]
    fn serve_ordinary(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        ports: Ports,
        class: Class,
    ) -> bool {
        while self.clients[source].messages_left > 0 {
            if class == Class::Any && self.is_beyond_share(source, ports) {
                return false;
            }
            let index = match self.accept(source, ports) {
                Accepted::Nothing => return true,
                Accepted::Message(index) => index,
                Accepted::Refused { index, parts, status } => {
                    self.spend(source, parts);
                    self.refuse_slots(source, ports, index, parts, status);
                    continue;
                }
            };
            let send = *self.clients[source].sends.get(index);
            self.spend(source, send.parts.into());
            let target = send.target;
            let passed_over = class == Class::Urgent && send.flags & flags::URGENT == 0;
            if passed_over || self.flows.get(source, target).waiting.is_some() {
                self.wait(source, ports, index, passed_over);
                continue;
            }
            match self.step(machine, source, index) {
                Step::Done => {}
                Step::Failed(status) => self.refuse(source, ports, index, status),
                Step::Blocked => self.wait(source, ports, index, false),
                Step::Progress => self.wait(source, ports, index, true),
                Step::OutOfShare => {
                    self.wait(source, ports, index, true);
                    return false;
                }
            }
            // Only now: if the target is expelled, this message has to be among those that wait for it.
            self.expel_offenders(machine);
            if class == Class::Any {
                self.express(machine, source, ports);
            }
        }
        self.clients[source].transmit.available() == 0
    }

    /// Counts descriptors against the share of `source`. A chain is taken whole, even if it is more than the rest.
    #[inline]
    fn spend(&mut self, source: DomainId, descriptors: u32) {
        let client = &mut self.clients[source];
        client.messages_left = client.messages_left.saturating_sub(descriptors);
    }

    /// Lets message `index` wait at the end of its flow. `ready`: it could go on at once but for the share.
    pub(crate) fn wait(&mut self, source: DomainId, ports: Ports, index: u32, ready: bool) {
        let client = &mut self.clients[source];
        let send = *client.sends.get(index);
        client.sends.enqueue(self.flows.get_mut(source, send.target), index);
        client.waits_for.insert(send.target);
        if ready {
            client.ready.insert(send.target);
        }
        self.clients[send.target].awaited_by.insert(source);
        self.reconsider.insert(send.target);
        for part in 0..u32::from(send.parts) {
            let index = index.wrapping_add(part);
            ports.into.status(index).set(index, Status::Queued);
        }
    }

    /// Nothing waits in this flow any more.
    fn forget_wait(&mut self, source: DomainId, target: DomainId) {
        let client = &mut self.clients[source];
        client.waits_for.remove(target);
        client.ready.remove(target);
        self.clients[target].awaited_by.remove(source);
    }

    /// Ends message `index` with a status other than `Done`.
    pub(crate) fn refuse(&mut self, source: DomainId, ports: Ports, index: u32, status: Status) {
        let parts = u32::from(self.clients[source].sends.get(index).parts);
        self.refuse_slots(source, ports, index, parts, status);
    }

    /// Gives `parts` slots from `index` on their final status. The first one's comes last: it stands for all of them, so
    /// a restart of central in between finds the message as if nothing had been said of it.
    pub(crate) fn refuse_slots(
        &mut self,
        source: DomainId,
        ports: Ports,
        index: u32,
        parts: u32,
        status: Status,
    ) {
        for part in (0..parts).rev() {
            let index = index.wrapping_add(part);
            ports.into.status(index).set(index, status);
        }
        let client = &mut self.clients[source];
        client.finish(index, parts);
        client.count(|counters| counters.refused.add(1));
        self.to_signal.insert(source);
    }

    /// Makes the turn's work visible, in the order that the guarantees need: unmap; deliveries; what the targets' requests
    /// have come to; statuses; slots. From the store that publishes a delivery on, a restarted central finishes the rest
    /// (`resume.rs`); before it, the message counts as not sent.
    #[inline]
    fn settle(&mut self, machine: &mut impl Machine, source: DomainId, ports: Ports) {
        if !self.visit.is_empty() {
            self.settle_visit(machine, source, ports);
        }
        self.release_slots(source, ports);
    }

    #[inline(never)]
    fn settle_visit(&mut self, machine: &mut impl Machine, source: DomainId, ports: Ports) {
        self.unmap_runs(machine);
        if !self.visit.finished.is_empty() {
            let mut targets = ClientSet::EMPTY;
            for finished in &self.visit.finished {
                targets.insert(finished.target);
            }
            for target in targets.iter() {
                let target = &mut self.clients[target];
                if let Some(Ports { into, .. }) = target.ports {
                    target.show_deliveries(into);
                }
            }
            machine.delivered();
            for finished in &self.visit.finished {
                if let Some(Ports { into, .. }) = self.clients[finished.target].ports {
                    say_done(&mut self.clients[source], ports, finished, into);
                }
            }
            for target in targets.iter() {
                ports.into.journal.acknowledge(target, self.flows.get(source, target).sequence);
                if let Some(Ports { into, .. }) = self.clients[target].ports {
                    self.clients[target].note_settled(into);
                }
            }
            self.visit.finished.clear();
            self.to_signal.insert(source);
        }
    }

    /// Gives the client back the slots of its oldest sends up to the first that is not finished.
    #[inline(always)]
    pub(crate) fn release_slots(&mut self, source: DomainId, ports: Ports) {
        let client = &mut self.clients[source];
        if !client.sends.none_finished() {
            let run = client.sends.finished_run(client.transmit.released());
            client.transmit.release(run);
        }
        ports.into.transmit_head.publish(client.transmit.released());
    }

    /// Unmaps the frames that messages of flows with policy `each` have touched (r19, r28).
    pub(crate) fn unmap_runs(&mut self, machine: &mut impl Machine) {
        for run in &self.visit.runs {
            let client = &mut self.clients[run.client];
            let changed = client.buffer_mut(run.side).unmap(run.client, run.frames.clone(), machine);
            client.count(|counters| counters.unmaps.add(changed.0.into()));
        }
        self.visit.runs.clear();
    }
}

/// Says of messages whose deliveries are visible that they are done, and counts them. `into` is the target's page.
#[inline(always)]
pub(crate) fn say_done(source: &mut Client, ports: Ports, finished: &Finished, into: &InRegion) {
    let Finished { index: first, messages, parts, target, sequence, bytes } = *finished;
    // The first part's last, as in `refuse_slots`.
    for part in (1..parts).rev() {
        let index = first.wrapping_add(part);
        ports.into.status(index).set(index, Status::Done);
    }
    ports.into.set_delivered(first, messages, target, sequence);
    source.finish(first, messages.max(parts));
    ports.into.counters.sent_messages.add(messages.into());
    ports.into.counters.sent_bytes.add(bytes);
    into.counters.received_messages.add(messages.into());
    into.counters.received_bytes.add(bytes);
}
