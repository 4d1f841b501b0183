//! The one place where the work of a turn becomes visible, and the one order:
//!
//! ```text
//!   1  unmap what the flow's policy does not keep
//!   2  statuses of what is refused                      } the source's page
//!   3  deliveries, then the delivery tail               } the target's page
//!   4  journal: requests that are held; then post head  } the target's page
//!   5  statuses `Done`; in one-way flows `Queued`       } the source's page
//!   6  journal: acknowledged of the flow                } the source's page
//!   7  settled, as far as the delivery tail             } the target's page
//!   8  ended late, then the transmit head               } the source's page
//! ```
//!
//! Before all of them come the records of the audit log. So what anybody can see is in the log, whenever
//! central is stopped. After a stop, something can be in the log that is done, and written, once more.
//!
//! Step 1 comes first: nobody sees a delivery or a final status of this turn while frames are mapped for it,
//! unless the policy keeps them. Step 3 comes before step 5: a sender that sees `Done` can rely on the
//! delivery. A restarted central relies on the order of all steps; `resume.rs` has that argument.
//!
//! A turn publishes only three things before its end. A message that has to wait becomes `Queued`. Messages
//! of a flow that keeps its mappings may go through steps 3 to 7 as soon as an express lane has carried them
//! (`settle_run`, `settle_one_way`). And in the turn of a guard, what its verdicts let go on goes through all
//! steps at once, and then the verdicts get their statuses (`express/verdict.rs`).

use ferry_layout::{DomainId, InRegion, Status};

use super::Engine;
use super::client::{Client, Ports};
use crate::machine::Machine;
use crate::one_way::CarriedSends;
use crate::pending::{Finished, Refused};
use crate::slots::SlotSet;
use crate::table::ClientSet;

impl Engine {
    /// Notes that message `index` of `source`, which was taken, ends with `status`, which is not `Done`. The
    /// status becomes visible at the end of the turn. The audit log has it before that.
    pub(super) fn refuse(&mut self, source: DomainId, index: u32, status: Status) {
        self.audit_end(source, index, status);
        self.refuse_claim(source, index, status);
    }

    /// As [`refuse`](Self::refuse), for a message that was not taken, so that the audit log has it already.
    pub(super) fn refuse_claim(&mut self, source: DomainId, index: u32, status: Status) {
        let noted = self.pending.refuse(Refused { index, status });
        debug_assert!(noted, "a turn ends before this is full");
        self.clients[source].count(|counters| counters.refused.add(1));
        self.to_signal.insert(source);
        self.has_progressed = true;
    }

    /// Ends the waiting message `index` of `source` at once, with a status other than `Done`. Must be called
    /// between turns, when nothing is mapped for the message. The caller calls
    /// [`show_slots`](Self::show_slots) after it.
    pub(super) fn end_at_once(&mut self, source: DomainId, ports: Ports, index: u32, status: Status) {
        self.audit_end(source, index, status);
        self.end_claim_at_once(source, ports, index, status);
    }

    /// As [`end_at_once`](Self::end_at_once), for a message that could not be taken again, so that the audit
    /// log has it already.
    pub(super) fn end_claim_at_once(&mut self, source: DomainId, ports: Ports, index: u32, status: Status) {
        let client = &mut self.clients[source];
        say_refused(client, ports, Refused { index, status });
        client.count(|counters| counters.refused.add(1));
        self.to_signal.insert(source);
    }

    /// Makes the turn of `source` visible.
    #[inline]
    pub(super) fn settle(&mut self, machine: &mut impl Machine, source: DomainId, ports: Ports) {
        if !self.pending.is_empty() {
            self.settle_pending(machine, source, ports);
        }
        self.show_slots(source, ports);
    }

    #[inline(never)]
    pub(super) fn settle_pending(&mut self, machine: &mut impl Machine, source: DomainId, ports: Ports) {
        self.unmap_runs(machine);
        for refused in self.pending.refused() {
            say_refused(&mut self.clients[source], ports, *refused);
        }
        for client in self.pending.requests().iter() {
            let state = &mut self.clients[client];
            if let Some(Ports { to_client, .. }) = state.ports {
                state.show_deliveries(to_client);
            }
        }
        let targets = self.pending.targets();
        #[cfg(feature = "hooks")]
        if !targets.is_empty() {
            machine.delivered();
        }
        for finished in self.pending.finished() {
            if let Some(Ports { to_client, .. }) = self.clients[finished.target].ports {
                say_done(&mut self.clients[source], ports, finished, to_client);
            }
        }
        if !self.pending.carried().is_empty() {
            self.say_carried(source, ports);
        }
        for target in targets.iter() {
            ports.to_client.journal.acknowledge(target, self.flows.get(source, target).sequence);
            if let Some(Ports { to_client, .. }) = self.clients[target].ports {
                self.clients[target].note_settled(to_client);
            }
        }
        if !self.pending.finished().is_empty() {
            self.to_signal.insert(source);
        }
        self.pending.clear();
    }

    /// Makes one run of messages visible in the middle of a turn, in the order above, if the flow keeps its
    /// mappings (`keeps`) and no other end of this turn is still to become visible. Otherwise leaves the run
    /// to the end of the turn: a delivery must not come before a refusal of an earlier message, whose missing
    /// status a restart would take for that of the delivery. `to_client` is the target's page.
    #[inline(always)]
    pub(super) fn settle_run(
        &mut self,
        source: DomainId,
        ports: Ports,
        to_client: &InRegion,
        run: &Finished,
        keeps: bool,
    ) {
        if keeps && self.pending.has_no_end() {
            self.clients[run.target].show_deliveries(to_client);
            say_done(&mut self.clients[source], ports, run, to_client);
            ports.to_client.journal.acknowledge(run.target, run.sequence.wrapping_add(run.messages.into()));
            self.clients[run.target].note_settled(to_client);
            self.to_signal.insert(source);
        } else {
            let noted = self.pending.finish(*run);
            debug_assert!(noted, "a turn ends before this is full");
        }
    }

    /// As [`settle_run`](Self::settle_run), for messages of a one-way flow. `delivered_to` is the target's
    /// page, or `None` if the messages were dropped. When their statuses become visible does not depend on
    /// which of the two it was: it depends on the flow, and on how other sends of the source have ended.
    #[cfg(feature = "express")]
    #[inline(always)]
    pub(super) fn settle_one_way(
        &mut self,
        source: DomainId,
        ports: Ports,
        delivered_to: Option<&InRegion>,
        run: &Finished,
        keeps: bool,
    ) {
        if keeps && self.pending.has_no_end() && self.pending.carried().is_empty() {
            if let Some(to_client) = delivered_to {
                self.clients[run.target].show_deliveries(to_client);
            }
            note_carried(&mut self.clients[source], ports, run);
            if let Some(to_client) = delivered_to {
                self.clients[run.target].note_settled(to_client);
            }
            return;
        }
        if delivered_to.is_some() {
            self.pending.inspect(run.target);
        }
        let noted = self.pending.carry(*run);
        debug_assert!(noted, "a turn ends before this is full");
    }

    /// Notes in the page of `source` what this turn has carried in one-way flows. Its deliveries are visible.
    #[cold]
    #[inline(never)]
    pub(super) fn say_carried(&mut self, source: DomainId, ports: Ports) {
        for carried in self.pending.carried() {
            note_carried(&mut self.clients[source], ports, carried);
        }
    }

    /// Says `Done` for everything that `sources` have sent in one-way flows since the last tick. Must be
    /// called between turns.
    #[cold]
    #[inline(never)]
    pub(super) fn end_carried(&mut self, sources: ClientSet) {
        for source in sources.iter() {
            let client = &mut self.clients[source];
            let Some(ports) = client.ports else { continue };
            let carried = core::mem::replace(&mut client.carried, CarriedSends::NONE);
            if carried.slots.is_empty() {
                continue;
            }
            let mut slots = carried.slots;
            while !slots.is_empty() {
                let (first, count) = slots.first_run(0);
                ports.to_client.finish(first, count);
                slots.remove_run(first, count);
            }
            client.sends.release_all(carried.slots);
            client.count(|counters| {
                counters.sent_messages.add(carried.messages);
                counters.sent_bytes.add(carried.bytes);
            });
            self.to_signal.insert(source);
            self.show_slots(source, ports);
        }
    }

    /// Gives the verdicts whose messages have ended their final status. Must be called when the ends of these
    /// messages are visible: between turns, or in the turn of a guard after what its verdicts let go on.
    pub(super) fn settle_verdicts(&mut self) {
        for guard in core::mem::replace(&mut self.with_settled_verdicts, ClientSet::EMPTY).iter() {
            let client = &mut self.clients[guard];
            let settled = core::mem::replace(&mut client.settled_verdicts, SlotSet::EMPTY);
            let Some(ports) = client.ports else { continue };
            for slot in settled.from(0) {
                let index = client.sends.get(slot).index;
                ports.to_client.status(index).set(index, Status::Done);
            }
            client.sends.release_all(settled);
            self.to_signal.insert(guard);
            self.show_slots(guard, ports);
        }
    }

    /// Publishes how many slots of queued sends have been released, and then how far the client's sends are
    /// taken.
    #[inline(always)]
    pub(super) fn show_slots(&mut self, source: DomainId, ports: Ports) {
        let client = &mut self.clients[source];
        if let Some(late) = client.sends.ended_late() {
            ports.to_client.ended_late.publish(late);
        }
        ports.to_client.transmit_head.publish(client.transmit.next());
    }

    /// Unmaps the frames that messages of flows with policy `each` have touched (r19, r28).
    pub(super) fn unmap_runs(&mut self, machine: &mut impl Machine) {
        let Self { pending, clients, .. } = self;
        for run in pending.runs() {
            let client = &mut clients[run.client];
            let changed = client.buffer_mut(run.side).unmap(run.client, run.frames.clone(), machine);
            client.count_mappings(|counters| counters.unmaps.add(changed.0.into()));
        }
        pending.forget_runs();
    }
}

/// Writes `Done` for messages whose deliveries are visible, and counts them. `to_client` is the target's
/// page.
#[inline(always)]
fn say_done(source: &mut Client, ports: Ports, finished: &Finished, to_client: &InRegion) {
    let Finished { index: first, messages, parts, target, sequence, bytes } = *finished;
    if parts > 1 {
        say_of_rest(source, ports, first, Status::Done);
    }
    ports.to_client.set_delivered(first, messages, target, sequence);
    source.sends.release(first, messages);
    ports.to_client.counters.sent_messages.add(messages.into());
    ports.to_client.counters.sent_bytes.add(bytes);
    to_client.counters.received_messages.add(messages.into());
    to_client.counters.received_bytes.add(bytes);
}

/// Notes in the page of `source` that messages are carried, whose deliveries are visible or that were
/// dropped.
#[inline(always)]
pub(super) fn note_carried(source: &mut Client, ports: Ports, carried: &Finished) {
    let Finished { index, messages, target, sequence, bytes, .. } = *carried;
    ports.to_client.set_carried(index, messages, target, sequence);
    source.sends.occupy_run(index, messages);
    source.carried.slots.insert_run(index, messages);
    source.carried.messages += u64::from(messages);
    source.carried.bytes += bytes;
    ports.to_client.journal.acknowledge(target, sequence.wrapping_add(messages.into()));
}

/// Writes the final status of a message. The status of the first part is written last, because it stands for
/// the whole message. If central is stopped before that, its next start finds the message without a final
/// status.
fn say_refused(source: &mut Client, ports: Ports, refused: Refused) {
    let Refused { index, status } = refused;
    say_of_rest(source, ports, index, status);
    ports.to_client.status(index).set(index, status);
    source.sends.release(index, 1);
}

/// Sets the status of all parts but the first.
fn say_of_rest(source: &Client, ports: Ports, first: u32, status: Status) {
    for part in source.sends.parts(first).skip(1) {
        ports.to_client.status(part).set(part, status);
    }
}
