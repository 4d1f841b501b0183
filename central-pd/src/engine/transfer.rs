//! One step of one message: find its place, map both buffers, copy, and file the delivery.
//!
//! A step copies at most [`CHUNK_BYTES`]. A longer message keeps its claimed buffer and goes on in a later
//! step. The delivery and the status of a finished message become visible only in [`settle`](Engine::settle),
//! after the frames that the flow's policy does not keep are unmapped.

use core::ops::Range;

use ferry_layout::config::Mapping;
use ferry_layout::{Delivery, DeliveryKind, DomainId, Kind, Span, Standing, Status, flags};

use super::Engine;
use super::client::Ports;
use crate::flow::CHUNK_BYTES;
use crate::machine::{Machine, Side};
use crate::pending::{Finished, MappedRun};
use crate::send::{AUDITED, Send, Sends};

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The message is delivered. `settle` makes that visible.
    Done,
    /// The message cannot be delivered. It ends with this status.
    Failed(Status),
    /// Some bytes are copied, and more remain.
    Progress,
    /// Nothing can be done until the target acts.
    Blocked,
    /// Nothing can be done before other senders that wait for the same target have had their share.
    NotItsTurn,
    /// The source has used up its share of this round.
    OutOfShare,
}

impl Engine {
    /// Does one step of message `index` of `source`.
    #[inline]
    pub(super) fn step(&mut self, machine: &mut impl Machine, source: DomainId, index: u32) -> Step {
        self.step_from::<false>(machine, source, index)
    }

    /// Does one step of message `index` of `source`. The bytes come from the sender, or, if `INSPECTED`, from
    /// a snapshot that all its guards have passed.
    #[inline]
    pub(super) fn step_from<const INSPECTED: bool>(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        index: u32,
    ) -> Step {
        let send = *self.clients[source].sends.get(index);
        let target = send.header.target;
        match self.clients[target].standing {
            Standing::Open => {}
            Standing::Closed => return Step::Blocked,
            Standing::Quarantined => return Step::Failed(Status::Quarantined),
        }
        let rest = send.total - send.copied;
        let length = rest.min(CHUNK_BYTES);
        // An empty message has a price too. Otherwise a flood of them would be free.
        let cost = length.max(MINIMUM_COST);
        if !self.clients[source].budget.can_afford(cost) {
            return Step::OutOfShare;
        }
        let Some(ports) = self.clients[target].ports else { return Step::Blocked };
        if !self.has_room(target, ports) {
            return Step::Blocked;
        }
        let destination = match (send.claimed, send.header.kind) {
            (Some(_), _) => send.destination,
            (None, Kind::NextBuffer) => {
                let found = self.clients[target].requests.find(source).or_else(|| {
                    self.look_for_requests(target, ports);
                    self.clients[target].requests.find(source)
                });
                let Some((request, buffer)) = found else { return Step::Blocked };
                let Some(destination) = buffer.part(0, send.total) else {
                    return Step::Failed(Status::TooLong);
                };
                if self.fair_part(source, target) == 0 {
                    return Step::NotItsTurn;
                }
                self.count_service(source, target, 1, send.total.into());
                self.clients[target].requests.claim(request);
                let send = self.clients[source].sends.get_mut(index);
                send.claimed = Some(request);
                send.destination = destination;
                destination
            }
            (None, Kind::Placed) => {
                if !self.clients[target].requests.has_window(source, send.destination) {
                    self.look_for_requests(target, ports);
                }
                if !self.clients[target].requests.has_window(source, send.destination) {
                    return Step::Failed(Status::BadDestination);
                }
                if send.copied == 0 {
                    if self.fair_part(source, target) == 0 {
                        return Step::NotItsTurn;
                    }
                    self.count_service(source, target, 1, send.total.into());
                }
                send.destination
            }
        };
        self.has_progressed = true;
        self.clients[source].budget.pay(cost);
        let carried = if INSPECTED {
            self.carry_snapshot(machine, source, index, target, destination)
        } else {
            self.carry(machine, source, index, destination, send.copied, length)
        };
        if let Err(status) = carried {
            self.abandon(source, index);
            // Another sender may wait for the buffer, which is open again.
            self.rouse_waiters(target);
            return Step::Failed(status);
        }
        self.clients[source].sends.get_mut(index).copied = send.copied + length;
        if length < rest {
            return Step::Progress;
        }
        let stages = if INSPECTED { self.stages_of(source, target) } else { 0 };
        self.file(source, index, stages);
        Step::Done
    }

    /// Copies `length` bytes of the message, beginning `skip` bytes into it, part by part. Everything is
    /// mapped before the first byte moves, so a step that fails has written nothing.
    fn carry(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        index: u32,
        destination: Span,
        skip: u32,
        length: u32,
    ) -> Result<(), Status> {
        let target = self.clients[source].sends.get(index).header.target;
        self.carry_to(machine, source, index, target, destination, skip, length)
    }

    /// As [`carry`](Self::carry), but into the receive buffer of `receiver`, which may be a guard.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "a range of a message, and a place in a buffer")]
    pub(super) fn carry_to(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        index: u32,
        receiver: DomainId,
        destination: Span,
        skip: u32,
        length: u32,
    ) -> Result<(), Status> {
        if length == 0 {
            return Ok(());
        }
        let target = self.clients[source].sends.get(index).header.target;
        let mapping = self.flows.get(source, target).mapping;
        let parts = self.clients[source].sends.get(index).header.parts;
        // Makes room for all runs first. Making room later would unmap what was just mapped.
        self.make_room_for_runs(machine, usize::from(parts) + 1);
        // The spans cover these pieces by construction. If one did not fit, that would be central's own
        // mistake.
        let place = destination.part(skip, length).ok_or(Status::Failed)?;
        let begin = Pieces { index, parts: parts.into(), begins: 0, skip, end: skip + length };
        let (mut pieces, mut covered) = (begin, 0);
        while let Some((piece, _)) = pieces.next(&self.clients[source].sends) {
            self.map(machine, source, Side::Transmit, piece, mapping)?;
            covered += piece.length();
        }
        if covered != length {
            return Err(Status::Failed);
        }
        self.map(machine, receiver, Side::Receive, place, mapping)?;
        let mut pieces = begin;
        while let Some((piece, offset)) = pieces.next(&self.clients[source].sends) {
            let place = place.part(offset, piece.length()).ok_or(Status::Failed)?;
            let from = self.clients[source].transmit_buffer.home().address(piece);
            machine.copy(from, self.clients[receiver].receive_buffer.home().address(place), piece.length());
        }
        Ok(())
    }

    /// Copies message `index` from its snapshot to a place in the receive buffer of `receiver`.
    pub(super) fn carry_snapshot(
        &mut self,
        machine: &mut impl Machine,
        source: DomainId,
        index: u32,
        receiver: DomainId,
        place: Span,
    ) -> Result<(), Status> {
        let course = &self.clients[source].courses[index];
        let (holder, slot) = course.snapshot().ok_or(Status::Failed)?;
        let target = self.clients[source].sends.get(index).header.target;
        let mapping = self.flows.get(source, target).mapping;
        self.copy_snapshot(machine, holder, slot, receiver, place, mapping)
    }

    /// Copies the snapshot that `holder` has in `slot` to a place in the receive buffer of `receiver`.
    pub(super) fn copy_snapshot(
        &mut self,
        machine: &mut impl Machine,
        holder: DomainId,
        slot: u32,
        receiver: DomainId,
        place: Span,
        mapping: Mapping,
    ) -> Result<(), Status> {
        let snapshot = self.clients[holder].inspections.place(slot);
        if place.length() == 0 {
            return Ok(());
        }
        if snapshot.length() != place.length() {
            return Err(Status::Failed);
        }
        self.make_room_for_runs(machine, 2);
        self.map(machine, holder, Side::Snapshot, snapshot, mapping)?;
        self.map(machine, receiver, Side::Receive, place, mapping)?;
        let from = self.clients[holder].snapshot_buffer.home().address(snapshot);
        machine.copy(from, self.clients[receiver].receive_buffer.home().address(place), place.length());
        Ok(())
    }

    /// The number of stages of a flow, for its deliveries. A configuration has at most 8 for each.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most MAX_GUARDS, because every stage has a guard"
    )]
    pub(super) fn stages_of(&self, source: DomainId, target: DomainId) -> u8 {
        self.guards.flow(source, target).stages() as u8
    }

    /// Makes room to note `count` more runs of frames. If there is too little room, it unmaps all runs noted
    /// so far.
    #[inline]
    pub(super) fn make_room_for_runs(&mut self, machine: &mut impl Machine, count: usize) {
        if !self.pending.has_room_for_runs(count) {
            self.unmap_runs(machine);
        }
    }

    /// Maps the frames of `span` and notes them for unmapping, unless the flow keeps them.
    #[inline]
    pub(super) fn map(
        &mut self,
        machine: &mut impl Machine,
        client: DomainId,
        side: Side,
        span: Span,
        mapping: Mapping,
    ) -> Result<(), Status> {
        let frames = self.clients[client].buffer_mut(side).frames(span);
        self.map_frames(machine, client, side, frames, mapping)
    }

    /// Maps those of `frames` that are not mapped, and notes all of them for unmapping, unless the flow keeps
    /// them.
    #[inline]
    pub(super) fn map_frames(
        &mut self,
        machine: &mut impl Machine,
        client: DomainId,
        side: Side,
        frames: Range<u32>,
        mapping: Mapping,
    ) -> Result<(), Status> {
        self.active.insert(client);
        let state = &mut self.clients[client];
        let buffer = state.buffer_mut(side);
        if buffer.reaches(&frames, mapping) {
            return Ok(());
        }
        if mapping == Mapping::Each {
            let noted = self.pending.note_run(MappedRun { client, side, frames: frames.clone() });
            // A run that is not noted would stay mapped.
            noted.map_err(|_| Status::Failed)?;
        }
        let (changed, result) = buffer.map(client, frames, mapping, machine);
        if changed.0 != 0 {
            state.count_mappings(|counters| counters.maps.add(changed.0.into()));
        }
        result.map_err(|_| Status::Failed)
    }

    /// Stores the delivery of a message whose bytes are all copied, and that `stages` stages of guards have
    /// passed. It becomes visible in `settle`.
    #[inline]
    fn file(&mut self, source: DomainId, index: u32, stages: u8) {
        let send = *self.clients[source].sends.get(index);
        let flow = self.flows.get_mut(source, send.header.target);
        let sequence = flow.sequence;
        flow.sequence = sequence.wrapping_add(1);
        let target = &mut self.clients[send.header.target];
        let (kind, request) = match send.claimed {
            Some(request) => {
                target.requests.consume(request);
                (DeliveryKind::Message, request)
            }
            None => (DeliveryKind::Placed, 0),
        };
        if let (Some(slot), Some(ports)) = (target.deliveries.push(), target.ports) {
            let delivery = Delivery {
                tag: send.tag,
                sequence,
                position: send.destination.position(),
                request,
                length: send.total,
                source: source.number(),
                kind: kind as u8,
                detail: stages,
            };
            ports.to_client.deliveries.store(slot, delivery);
        }
        // One comparison for both, so that the log costs nothing where it has not all messages.
        if send.header.flags & (flags::NO_SIGNAL | AUDITED) == 0 {
            self.to_signal.insert(send.header.target);
        } else {
            self.file_specially(source, &send, sequence);
        }
        let noted = self.pending.finish(Finished {
            index,
            messages: 1,
            parts: send.header.parts.into(),
            target: send.header.target,
            sequence,
            bytes: send.total.into(),
        });
        debug_assert!(noted, "a turn ends before this is full");
    }

    /// What is done for a delivery that the target is not signalled about, or that the audit log gets. The
    /// record comes before the delivery is visible.
    #[cold]
    fn file_specially(&mut self, source: DomainId, send: &Send, sequence: u64) {
        let target = send.header.target;
        if send.header.flags & AUDITED != 0 {
            self.audit_delivery(source, send, sequence);
        }
        if send.header.flags & flags::NO_SIGNAL == 0 {
            self.to_signal.insert(target);
        }
    }

    /// Whether the target's receive queue has a free place. Reads the target's index only when the queue
    /// seems full.
    #[inline]
    pub(super) fn has_room(&mut self, target: DomainId, ports: Ports) -> bool {
        if self.clients[target].has_room() {
            return true;
        }
        self.learn_room(target, ports);
        self.clients[target].has_room()
    }
}

/// Price of the shortest messages, in bytes of the sender's share. Even an empty message costs this much.
pub(super) const MINIMUM_COST: u32 = 64;

/// The pieces that a step takes from a message: one from each part that it touches, none of them empty.
#[derive(Clone, Copy)]
struct Pieces {
    /// Index of the next part, and the number of parts from it on.
    index: u32,
    parts: u32,
    /// Offset at which that part begins in the message, in bytes.
    begins: u32,
    /// The step takes the bytes of the message from offset `skip` up to offset `end`.
    skip: u32,
    end: u32,
}

impl Pieces {
    /// The next piece, and its offset among the bytes of the step.
    fn next(&mut self, sends: &Sends) -> Option<(Span, u32)> {
        while self.parts != 0 {
            let span = sends.get(self.index).span;
            let (begins, ends) = (self.begins, self.begins + span.length());
            (self.index, self.parts, self.begins) = (sends.get(self.index).rest, self.parts - 1, ends);
            let (from, upto) = (self.skip.max(begins), self.end.min(ends));
            if from < upto {
                return Some((span.part(from - begins, upto - from)?, from - self.skip));
            }
        }
        None
    }
}
