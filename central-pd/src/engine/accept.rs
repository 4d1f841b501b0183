//! Accepting sends. A descriptor is copied out of shared memory once and checked. From then on only the copy
//! counts.
//!
//! Every mistake in a descriptor ends in a status that its sender reads. Nothing here can fail in any other
//! way. A flow with guards, a one-way flow, or one with all messages in the audit log looks like one that is
//! not granted, and a verdict like a message of unknown kind: only what would be refused is looked at again
//! for these. So plain messages pay nothing for them. What is refused here is also told to the audit log
//! here, as the descriptor claims it.

use ferry_layout::geometry::{MAX_CHAIN, TRANSMIT_SLOTS};
use ferry_layout::{Descriptor, DomainId, Kind, Route, Span, Status, flags};

use super::Engine;
use super::check::NotPlain;
use super::client::Ports;
use crate::send::{Header, Send, Sends};

/// Slots of the ring.
#[expect(clippy::cast_possible_truncation, reason = "a ring has far fewer slots than 2^32")]
pub(super) const TRANSMIT_RING: u32 = TRANSMIT_SLOTS as u32;

/// What the next descriptor of a client turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Accepted {
    /// There is none, or only the beginning of a chain.
    Nothing,
    /// A message, now in the client's table at this index.
    Message(u32),
    /// A message of a flow with guards, now in the client's table at this index.
    Guarded(u32),
    /// A message of a one-way flow, now in the client's table at this index.
    OneWay(u32),
    /// A guard's verdict at this index. It stays queued until the message that it is about has ended.
    Verdict(u32),
    /// The message at this index must get this status. Its parts are in the client's table.
    Refused {
        /// First slot.
        index: u32,
        /// Why.
        status: Status,
    },
}

/// Returns the index of the part of a chain that follows the part at the given index. `None` if it is not
/// published.
type NextPart<'a> = &'a dyn Fn(&Sends, u32) -> Option<u32>;

impl Engine {
    /// Takes the next message of `source`.
    #[inline]
    pub(super) fn accept(&mut self, source: DomainId, ports: Ports) -> Accepted {
        let client = &mut self.clients[source];
        let tail = client.transmit.tail();
        let Some(index) = next_entry(&client.sends, ports, client.transmit.next(), tail) else {
            client.transmit.take_to(tail);
            return Accepted::Nothing;
        };
        client.transmit.take_to(index);
        let descriptor: Descriptor = ports.from_client.descriptors.load(index);
        if client.in_refused_chain {
            client.transmit.take();
            client.in_refused_chain = descriptor.flags & flags::CHAINED != 0;
            client.sends.put_part(index, Span::EMPTY);
            self.audit_claim(source, &descriptor, descriptor.length, Status::BadLength);
            return Accepted::Refused { index, status: Status::BadLength };
        }
        if descriptor.flags & flags::CHAINED == 0 {
            client.transmit.take();
            return self.accept_single(source, index, &descriptor);
        }
        let next_part = |sends: &Sends, index: u32| next_entry(sends, ports, index.wrapping_add(1), tail);
        let Some((accepted, last)) = self.accept_chain(source, ports, index, descriptor, &next_part) else {
            return Accepted::Nothing;
        };
        self.clients[source].transmit.take_to(last.wrapping_add(1));
        accepted
    }

    /// Takes message `index` of `source` again, which an earlier central had queued. Each part of a chain has
    /// a status with its own index. Slots between two parts have none, because they were in use.
    pub(super) fn accept_again(&mut self, source: DomainId, ports: Ports, index: u32) -> Accepted {
        let descriptor = unmarked(ports.from_client.descriptors.load(index));
        if descriptor.flags & flags::CHAINED == 0 {
            return self.accept_single(source, index, &descriptor);
        }
        let next_part = |_: &Sends, index: u32| next_with_status(ports, index);
        self.accept_chain(source, ports, index, descriptor, &next_part)
            .map_or_else(|| self.accept_single(source, index, &descriptor), |(accepted, _)| accepted)
    }

    fn accept_single(&mut self, source: DomainId, index: u32, descriptor: &Descriptor) -> Accepted {
        let checked = self.check(source, index, descriptor);
        let sends = &mut self.clients[source].sends;
        match checked {
            Ok(send) => {
                sends.put(index, send);
                Accepted::Message(index)
            }
            Err(NotPlain::Guarded(send)) => {
                sends.put(index, send);
                self.not_plain(source, send.header.target, index)
            }
            Err(NotPlain::OneWay(send)) => {
                sends.put(index, send);
                Accepted::OneWay(index)
            }
            Err(NotPlain::Refused(status)) => {
                sends.put_part(index, Span::EMPTY);
                self.audit_claim(source, descriptor, descriptor.length, status);
                Accepted::Refused { index, status }
            }
            Err(NotPlain::Verdict(verdict)) => {
                sends.put_part(index, Span::EMPTY);
                if self.judge(source, index, verdict) {
                    return Accepted::Verdict(index);
                }
                let status = Status::NoInspection;
                match self.ended_inspection(source, verdict.ticket) {
                    Some(inspection) => self.audit_late_verdict(source, verdict, &inspection),
                    None => self.audit_claim(source, descriptor, 0, status),
                }
                Accepted::Refused { index, status }
            }
        }
    }

    /// What a message of a flow is that plain code does not know: guards have to pass it, or the audit log
    /// gets it and it is like any other message apart from that.
    #[cold]
    fn not_plain(&self, source: DomainId, target: DomainId, index: u32) -> Accepted {
        let has_guards = self.guards.flow(source, target).stages() != 0;
        if has_guards { Accepted::Guarded(index) } else { Accepted::Message(index) }
    }

    /// Takes a message whose first part is `first`, at `index`. A chain is taken whole. While its end is not
    /// published, it is not taken at all (`None`). Its length is bounded by a constant, so a chain without an
    /// end is refused and does not wait. Also returns the index of the last part that was taken.
    fn accept_chain(
        &mut self,
        source: DomainId,
        ports: Ports,
        index: u32,
        first: Descriptor,
        next_part: NextPart<'_>,
    ) -> Option<(Accepted, u32)> {
        let (head, guarded) = match self.check(source, index, &first) {
            Ok(send) => (Ok(send), false),
            Err(NotPlain::Guarded(send)) => (Ok(send), true),
            Err(NotPlain::Refused(status)) => (Err(status), false),
            // A verdict has no flags, and a one-way flow has no chains.
            Err(NotPlain::Verdict(_) | NotPlain::OneWay(_)) => (Err(Status::Malformed), false),
        };
        let mut fault = head.err();
        let mut total = u64::from(first.length);
        let (mut last, mut parts, mut open) = (index, 1, true);
        // The parts of a message that is refused are recorded too, because all of them get its status.
        let span = head.map_or(Span::EMPTY, |send| send.span);
        self.clients[source].sends.put_part(index, span);
        while open {
            if parts as usize == MAX_CHAIN {
                self.clients[source].in_refused_chain = true;
                fault = Some(Status::BadLength);
                break;
            }
            let at = next_part(&self.clients[source].sends, last)?;
            let part = unmarked(ports.from_client.descriptors.load(at));
            open = part.flags & flags::CHAINED != 0;
            total += u64::from(part.length);
            let span = self.check_part(source, &first, &part).unwrap_or_else(|status| {
                fault = fault.or(Some(status));
                Span::EMPTY
            });
            let sends = &mut self.clients[source].sends;
            sends.put_part(at, span);
            sends.get_mut(last).rest = at;
            (last, parts) = (at, parts + 1);
        }
        self.clients[source].sends.get_mut(index).header.parts = parts;
        let whole = match (head, fault) {
            (Ok(send), None) => self.whole(source, send, &first, total, parts),
            (_, fault) => Err(fault.unwrap_or(Status::BadLength)),
        };
        let accepted = match whole {
            Ok(send) => {
                let sends = &mut self.clients[source].sends;
                let rest = sends.get(index).rest;
                sends.put(index, Send { rest, ..send });
                if guarded {
                    self.not_plain(source, send.header.target, index)
                } else {
                    Accepted::Message(index)
                }
            }
            Err(status) => {
                let length = u32::try_from(total).unwrap_or(u32::MAX);
                self.audit_claim(source, &first, length, status);
                Accepted::Refused { index, status }
            }
        };
        Some((accepted, last))
    }

    /// Makes the first part of a chain stand for the whole chain. The sum of the lengths is checked as a
    /// single length would be.
    fn whole(
        &self,
        source: DomainId,
        send: Send,
        first: &Descriptor,
        total: u64,
        parts: u8,
    ) -> Result<Send, Status> {
        let max = self.flows.get(source, send.header.target).max_message;
        let max = if max == 0 { self.guards.flow(source, send.header.target).max_message } else { max };
        let total = u32::try_from(total).ok().filter(|total| *total <= max).ok_or(Status::BadLength)?;
        let destination = match send.header.kind {
            Kind::NextBuffer => Span::EMPTY,
            Kind::Placed => self.placed(send.header.target, first, total)?,
        };
        Ok(Send { destination, header: Header { parts, ..send.header }, total, ..send })
    }
}

/// The first index from `index` on and before `tail` whose entry is a message or a part of one. Slots of
/// waiting sends are passed over, and so are entries that the client has marked.
#[inline]
pub(super) fn next_entry(sends: &Sends, ports: Ports, mut index: u32, tail: u32) -> Option<u32> {
    loop {
        let occupied = sends.occupied_run(index);
        if tail.wrapping_sub(index) <= occupied {
            return None;
        }
        index = index.wrapping_add(occupied);
        if !is_passed_over(ports, index) {
            return Some(index);
        }
        index = index.wrapping_add(1);
        if index == tail {
            return None;
        }
    }
}

/// Whether the client has marked the entry at `index` as passed over: it is no message.
#[inline]
pub(super) fn is_passed_over(ports: Ports, index: u32) -> bool {
    Route::of(ports.from_client.descriptors.slot(index)).is_passed_over()
}

/// The first index after `index`, within one lap, for which there is a status. In a chain that was taken,
/// that is the next part.
pub(super) fn next_with_status(ports: Ports, index: u32) -> Option<u32> {
    (1..TRANSMIT_RING)
        .map(|age| index.wrapping_add(age))
        .find(|at| ports.to_client.status(*at).get(*at).is_some())
}

/// The descriptor without the mark that the client has set when the ring came round to its slot.
pub(super) const fn unmarked(descriptor: Descriptor) -> Descriptor {
    Descriptor { flags: descriptor.flags & !flags::PASSED_OVER, ..descriptor }
}
