//! One step of one message: find its place, map both buffers, copy, and file the delivery.
//!
//! A step copies at most [`CHUNK_BYTES`]; a longer message keeps its claimed buffer and goes on in a later step. What a
//! finished message makes visible (delivery, status) is held back until [`settle`](Engine::settle) has unmapped what the
//! flow's policy does not keep.

use ferry_layout::config::Mapping;
use ferry_layout::{Delivery, DeliveryKind, DomainId, Kind, Span, Standing, Status, flags};

use crate::buffer::Side;
use crate::engine::{CHUNK_BYTES, Engine};
use crate::machine::Machine;
use crate::visit::{Finished, Run, Visit};

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// The message is delivered; `settle` will say so.
    Done,
    /// The message cannot be delivered, and this is why.
    Failed(Status),
    /// A part of it is copied, more remains.
    Progress,
    /// Nothing can be done until the target acts.
    Blocked,
    /// The source has used up its share of this round.
    OutOfShare,
}

impl Engine {
    /// Does one step of message `index` of `source`.
    #[inline]
    pub(crate) fn step(
        &mut self,
        machine: &mut impl Machine,
        visit: &mut Visit,
        source: DomainId,
        index: u32,
    ) -> Step {
        let send = *self.clients[source].sends.get(index);
        let target = send.target;
        match self.clients[target].standing {
            Standing::Open => {}
            Standing::Closed => return Step::Blocked,
            Standing::Quarantined => return Step::Failed(Status::Quarantined),
        }
        let rest = send.total - send.copied;
        let length = rest.min(CHUNK_BYTES);
        // An empty message costs something too, or a flood of them would be free.
        let cost = length.max(MINIMUM_COST);
        if self.clients[source].deficit < cost {
            return Step::OutOfShare;
        }
        if !self.has_room(target) {
            return Step::Blocked;
        }
        let destination = match (send.claimed, send.kind) {
            (Some(_), _) => send.destination,
            (None, Kind::NextBuffer) => {
                let Some((request, buffer)) = self.clients[target].requests.find(source) else {
                    return Step::Blocked;
                };
                let Some(destination) = buffer.part(0, send.total) else {
                    return Step::Failed(Status::TooLong);
                };
                self.clients[target].requests.claim(request);
                let send = self.clients[source].sends.get_mut(index);
                send.claimed = Some(request);
                send.destination = destination;
                destination
            }
            (None, Kind::Placed) => {
                if !self.clients[target].requests.has_window(source, send.destination) {
                    return Step::Failed(Status::BadDestination);
                }
                send.destination
            }
        };
        self.clients[source].deficit -= cost;
        if let Err(status) = self.carry(machine, visit, source, index, destination, send.copied, length) {
            self.abandon(source, index);
            // Somebody else may have waited for the buffer that is open again.
            self.rouse_waiters(target);
            return Step::Failed(status);
        }
        self.clients[source].sends.get_mut(index).copied = send.copied + length;
        if length < rest {
            return Step::Progress;
        }
        self.file(visit, source, index);
        Step::Done
    }

    /// Copies `length` bytes of the message, from `skip` bytes in, part by part.
    #[expect(clippy::too_many_arguments, reason = "each is a different thing, and all are needed")]
    #[inline]
    fn carry(
        &mut self,
        machine: &mut impl Machine,
        visit: &mut Visit,
        source: DomainId,
        index: u32,
        destination: Span,
        skip: u32,
        length: u32,
    ) -> Result<(), Status> {
        let target = self.clients[source].sends.get(index).target;
        let parts = u32::from(self.clients[source].sends.get(index).parts);
        let keep = self.flows.get(source, target).mapping == Mapping::Keep;
        let end = skip + length;
        // Where the part at hand begins in the message.
        let mut begins = 0;
        for part in 0..parts {
            let span = self.clients[source].sends.get(index.wrapping_add(part)).span;
            let from = skip.max(begins);
            let upto = end.min(begins + span.length());
            if from < upto {
                // Room for both runs first: making room later would unmap what was just mapped.
                if visit.runs.capacity() - visit.runs.len() < 2 {
                    self.unmap_runs(machine, visit);
                }
                // Both spans cover the piece by construction; a piece that did not fit would be our mistake.
                let piece = span.part(from - begins, upto - from).ok_or(Status::Failed)?;
                let place = destination.part(from, upto - from).ok_or(Status::Failed)?;
                self.map(machine, visit, source, Side::Transmit, piece, keep)?;
                self.map(machine, visit, target, Side::Receive, place, keep)?;
                let from = self.clients[source].transmit_buffer.address(piece);
                let to = self.clients[target].receive_buffer.address(place);
                machine.copy(from, to, piece.length());
            }
            begins += span.length();
        }
        Ok(())
    }

    /// Maps the frames of `span` and notes them for unmapping, unless the flow keeps them.
    #[inline]
    fn map(
        &mut self,
        machine: &mut impl Machine,
        visit: &mut Visit,
        client: DomainId,
        side: Side,
        span: Span,
        keep: bool,
    ) -> Result<(), Status> {
        let state = &mut self.clients[client];
        let frames = state.buffer_mut(side).frames(span);
        if !keep {
            visit.note(Run { client, side, frames: frames.clone() });
        }
        let state = &mut self.clients[client];
        let (changed, result) = state.buffer_mut(side).map(client, frames, machine);
        if changed.0 != 0 {
            state.tally.maps += changed.0;
            visit.touched.insert(client);
        }
        result.map_err(|_| Status::Failed)
    }

    /// Stores the delivery of a message whose bytes are all copied. It becomes visible in `settle`.
    #[inline]
    fn file(&mut self, visit: &mut Visit, source: DomainId, index: u32) {
        let send = *self.clients[source].sends.get(index);
        let flow = self.flows.get_mut(source, send.target);
        let sequence = flow.sequence;
        flow.sequence = sequence.wrapping_add(1);
        let target = &mut self.clients[send.target];
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the lowest bits of the index are what is wanted"
        )]
        let (kind, request) = match send.claimed {
            Some(request) => {
                target.requests.consume(request);
                (DeliveryKind::Message, request as u8)
            }
            None => (DeliveryKind::Placed, 0),
        };
        if let (Some(slot), Some(ports)) = (target.deliveries.push(), target.ports) {
            let delivery = Delivery {
                tag: send.tag,
                sequence,
                place: send.destination.address(),
                length: send.total,
                source: source.number(),
                kind: kind as u8,
                request,
            };
            ports.into.deliveries.store(slot, delivery);
        }
        target.tally.received_messages += 1;
        target.tally.received_bytes += u64::from(send.total);
        let tally = &mut self.clients[source].tally;
        tally.sent_messages += 1;
        tally.sent_bytes += u64::from(send.total);
        visit.delivered_to.insert(send.target);
        visit.touched.insert(send.target);
        if send.flags & flags::NO_SIGNAL == 0 {
            self.to_signal.insert(send.target);
        }
        visit.finish(Finished { index, parts: send.parts, target: send.target, sequence });
    }

    /// Whether the target's receive queue has a free place. Looks at the target's index only when it seems full.
    #[inline]
    fn has_room(&mut self, target: DomainId) -> bool {
        if self.clients[target].has_room() {
            return true;
        }
        let Some(ports) = self.clients[target].ports else { return false };
        let taken = ports.out.delivery_head.observe();
        if self.clients[target].deliveries.refresh(taken).is_err() {
            self.suspect(target, ports);
            return false;
        }
        self.clients[target].has_room()
    }

    /// Gives back the buffer that a message had claimed and that will not arrive.
    pub(crate) fn abandon(&mut self, source: DomainId, index: u32) {
        let send = self.clients[source].sends.get_mut(index);
        let target = send.target;
        if let Some(request) = send.claimed.take() {
            self.clients[target].requests.give_back(request);
        }
    }
}

/// Bytes that even an empty message counts for in its sender's share.
const MINIMUM_COST: u32 = 64;
