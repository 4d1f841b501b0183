//! The one place where the work of a turn becomes visible, and the one order:
//!
//! ```text
//!   1  unmap what the flow's policy does not keep
//!   2  statuses of what is refused                 } the source's page
//!   3  deliveries, then the delivery tail          } the target's page
//!   4  journal: requests that are held; post head  }
//!   5  statuses `Done`                             } the source's page
//!   6  journal: acknowledged of the flow           }
//!   7  settled, as far as the delivery tail        } the target's page
//!   8  ended late; transmit head                   } the source's page
//! ```
//!
//! A restarted central relies on it (`resume.rs`). Nothing is published in the middle of a turn, but
//! `Queued`.

use ferry_layout::{DomainId, InRegion, Status};

use crate::client::{Client, Ports};
use crate::engine::Engine;
use crate::machine::Machine;
use crate::pending::{Finished, Refused};
use crate::table::ClientSet;

impl Engine {
    /// Message `index` of `source` ends with a status other than `Done`, with the turn.
    pub(crate) fn refuse(&mut self, source: DomainId, index: u32, status: Status) {
        let noted = self.pending.refuse(Refused { index, status });
        debug_assert!(noted, "a turn ends before this is full");
        self.clients[source].count(|counters| counters.refused.add(1));
        self.to_signal.insert(source);
        self.has_progressed = true;
    }

    /// Ends message `index` of `source`, which waits, with a status other than `Done`. Between turns only,
    /// when nothing is mapped for it; [`show_slots`](Self::show_slots) is to follow.
    pub(crate) fn end_at_once(&mut self, source: DomainId, ports: Ports, index: u32, status: Status) {
        let client = &mut self.clients[source];
        say_refused(client, ports, Refused { index, status });
        client.count(|counters| counters.refused.add(1));
        self.to_signal.insert(source);
    }

    /// Makes the turn of `source` visible.
    #[inline]
    pub(crate) fn settle(&mut self, machine: &mut impl Machine, source: DomainId, ports: Ports) {
        if !self.pending.is_empty() {
            self.settle_pending(machine, source, ports);
        }
        self.show_slots(source, ports);
    }

    #[inline(never)]
    fn settle_pending(&mut self, machine: &mut impl Machine, source: DomainId, ports: Ports) {
        self.unmap_runs(machine);
        let mut targets = ClientSet::EMPTY;
        for finished in self.pending.finished() {
            targets.insert(finished.target);
        }
        for refused in self.pending.refused() {
            say_refused(&mut self.clients[source], ports, *refused);
        }
        for client in self.pending.requests().iter() {
            let state = &mut self.clients[client];
            if let Some(Ports { into, .. }) = state.ports {
                state.show_deliveries(into);
            }
        }
        if !targets.is_empty() {
            machine.delivered();
        }
        for finished in self.pending.finished() {
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
        if !targets.is_empty() {
            self.to_signal.insert(source);
        }
        self.pending.clear();
    }

    /// Makes one run of messages visible in the middle of a turn, in the order above, if nothing of this turn
    /// has to become so before: nothing else is delivered, and what these messages need stays mapped. Else
    /// leaves it to the end of the turn.
    #[inline]
    pub(crate) fn settle_run(
        &mut self,
        source: DomainId,
        ports: Ports,
        into: &InRegion,
        run: &Finished,
        keeps: bool,
    ) {
        if keeps && self.pending.has_no_delivery() {
            self.clients[run.target].show_deliveries(into);
            say_done(&mut self.clients[source], ports, run, into);
            ports.into.journal.acknowledge(run.target, run.sequence.wrapping_add(run.messages.into()));
            self.clients[run.target].note_settled(into);
            self.to_signal.insert(source);
        } else {
            let noted = self.pending.finish(*run);
            debug_assert!(noted, "a turn ends before this is full");
        }
    }

    /// Shows the client how far its sends are taken, and which of those that were queued have ended.
    #[inline(always)]
    pub(crate) fn show_slots(&mut self, source: DomainId, ports: Ports) {
        let client = &mut self.clients[source];
        if let Some(late) = client.sends.ended_late() {
            ports.into.ended_late.publish(late);
        }
        ports.into.transmit_head.publish(client.transmit.next());
    }

    /// Unmaps the frames that messages of flows with policy `each` have touched (r19, r28).
    pub(crate) fn unmap_runs(&mut self, machine: &mut impl Machine) {
        for run in &self.pending.take_runs() {
            let client = &mut self.clients[run.client];
            let changed = client.buffer_mut(run.side).unmap(run.client, run.frames.clone(), machine);
            client.count(|counters| counters.unmaps.add(changed.0.into()));
        }
    }
}

/// Says of messages whose deliveries are visible that they are done, and counts them. `into` is the target's
/// page.
#[inline(always)]
fn say_done(source: &mut Client, ports: Ports, finished: &Finished, into: &InRegion) {
    let Finished { index: first, messages, parts, target, sequence, bytes } = *finished;
    if parts > 1 {
        say_of_rest(source, ports, first, Status::Done);
    }
    ports.into.set_delivered(first, messages, target, sequence);
    source.sends.release(first, messages);
    ports.into.counters.sent_messages.add(messages.into());
    ports.into.counters.sent_bytes.add(bytes);
    into.counters.received_messages.add(messages.into());
    into.counters.received_bytes.add(bytes);
}

/// Gives a message its final status. The first part's comes last: it stands for all of them, so a restart of
/// central in between finds the message as if nothing had been said of it.
fn say_refused(source: &mut Client, ports: Ports, refused: Refused) {
    let Refused { index, status } = refused;
    say_of_rest(source, ports, index, status);
    ports.into.status(index).set(index, status);
    source.sends.release(index, 1);
}

/// Sets the status of all parts but the first.
fn say_of_rest(source: &Client, ports: Ports, first: u32, status: Status) {
    for part in source.sends.parts(first).skip(1) {
        ports.into.status(part).set(part, status);
    }
}
