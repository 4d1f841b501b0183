//! Accepting sends: a descriptor is copied out of shared memory once, checked, and from then on only the copy counts.
//!
//! Every way to be wrong ends in the status that the offender reads; nothing here can fail otherwise.

use ferry_layout::geometry::MAX_CHAIN;
use ferry_layout::{Descriptor, DomainId, Kind, Span, Status, flags};

use crate::client::Ports;
use crate::engine::Engine;
use crate::send::Send;

/// What came of looking at the next descriptor of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Accepted {
    /// There is none, or only the beginning of a chain.
    Nothing,
    /// A message, now in the client's table at this index.
    Message(u32),
    /// This many slots from this index on are taken and have to get this status.
    Refused {
        /// First slot.
        index: u32,
        /// Slots.
        parts: u32,
        /// Why.
        status: Status,
    },
}

impl Engine {
    /// Takes the next message of `source`.
    #[inline]
    pub(crate) fn accept(&mut self, source: DomainId, ports: Ports) -> Accepted {
        let client = &mut self.clients[source];
        if client.transmit.available() == 0 {
            return Accepted::Nothing;
        }
        let index = client.transmit.next();
        let descriptor: Descriptor = ports.out.descriptors.load(index);
        let chained = descriptor.flags & flags::CHAINED != 0;
        if client.in_refused_chain {
            client.transmit.take();
            client.in_refused_chain = chained;
            return Accepted::Refused { index, parts: 1, status: Status::BadLength };
        }
        if chained {
            return self.accept_chain(source, ports, index, descriptor);
        }
        client.transmit.take();
        match self.check(source, &descriptor) {
            Ok(send) => {
                self.clients[source].sends.put(index, send);
                Accepted::Message(index)
            }
            Err(status) => Accepted::Refused { index, parts: 1, status },
        }
    }

    /// Takes a message whose first part is `first`. A chain is taken whole or, as long as its end has not been
    /// published, not at all; its length is bounded by a constant, so a chain without end is refused and not waited for.
    fn accept_chain(&mut self, source: DomainId, ports: Ports, index: u32, first: Descriptor) -> Accepted {
        let available = self.clients[source].transmit.available();
        let head = self.check(source, &first);
        let mut fault = head.err();
        let mut total = u64::from(first.length);
        let mut parts = 1;
        let mut open = true;
        while open {
            if parts as usize == MAX_CHAIN {
                self.clients[source].in_refused_chain = true;
                fault = Some(Status::BadLength);
                break;
            }
            if parts == available {
                return Accepted::Nothing;
            }
            let at = index.wrapping_add(parts);
            let part: Descriptor = ports.out.descriptors.load(at);
            open = part.flags & flags::CHAINED != 0;
            total += u64::from(part.length);
            match self.check_part(source, &first, &part) {
                Ok(span) => self.clients[source].sends.get_mut(at).span = span,
                Err(status) => fault = fault.or(Some(status)),
            }
            parts += 1;
        }
        for _ in 0..parts {
            self.clients[source].transmit.take();
        }
        match head {
            Ok(send) if fault.is_none() => match self.whole(source, send, &first, total, parts) {
                Ok(send) => {
                    self.clients[source].sends.put(index, send);
                    Accepted::Message(index)
                }
                Err(status) => Accepted::Refused { index, parts, status },
            },
            _ => Accepted::Refused { index, parts, status: fault.unwrap_or(Status::BadLength) },
        }
    }

    /// Makes the first part of a chain speak for all of it: the sum of lengths is checked as one length would be.
    fn whole(
        &self,
        source: DomainId,
        send: Send,
        first: &Descriptor,
        total: u64,
        parts: u32,
    ) -> Result<Send, Status> {
        let max = self.flows.get(source, send.target).max_message;
        let total = u32::try_from(total).ok().filter(|total| *total <= max).ok_or(Status::BadLength)?;
        let destination = match send.kind {
            Kind::NextBuffer => Span::EMPTY,
            Kind::Placed => self.placed(send.target, first, total)?,
        };
        #[expect(clippy::cast_possible_truncation, reason = "a chain has at most MAX_CHAIN parts")]
        let parts = parts as u8;
        Ok(Send { destination, parts, total, ..send })
    }

    /// Checks one descriptor by itself. The order of the checks is that of the documentation of [`Status`].
    #[inline]
    fn check(&self, source: DomainId, descriptor: &Descriptor) -> Result<Send, Status> {
        let kind = Kind::from_number(descriptor.kind).ok_or(Status::Malformed)?;
        if descriptor.flags & !flags::ALL != 0 {
            return Err(Status::Malformed);
        }
        let target = DomainId::new(descriptor.target)
            .filter(|target| self.all.contains(*target))
            .ok_or(Status::NoTarget)?;
        let flow = self.flows.get(source, target);
        if !flow.is_granted() || (descriptor.flags & flags::URGENT != 0 && !flow.urgent) {
            return Err(Status::Denied);
        }
        if descriptor.length > flow.max_message {
            return Err(Status::BadLength);
        }
        let bytes = self.clients[source].transmit_buffer.bytes();
        let span = descriptor.source.span(descriptor.length, bytes).ok_or(Status::BadSource)?;
        let destination = match kind {
            Kind::NextBuffer => Span::EMPTY,
            Kind::Placed => self.placed(target, descriptor, descriptor.length)?,
        };
        // A deadline more than half the range of ticks away could not be told from one in the past.
        let ticks = descriptor.time_to_live.min(u32::MAX / 2);
        Ok(Send {
            span,
            destination,
            kind,
            flags: descriptor.flags,
            parts: 1,
            target,
            tag: descriptor.tag,
            total: descriptor.length,
            copied: 0,
            claimed: None,
            deadline: (ticks != 0).then_some(self.now.wrapping_add(ticks)),
            next: None,
        })
    }

    /// Checks a part of a chain that is not the first: only its bytes are its own, the rest is the first part's to say.
    fn check_part(&self, source: DomainId, first: &Descriptor, part: &Descriptor) -> Result<Span, Status> {
        if part.flags & !flags::ALL != 0 {
            return Err(Status::Malformed);
        }
        if part.target != first.target || part.kind != first.kind {
            return Err(Status::BadLength);
        }
        let bytes = self.clients[source].transmit_buffer.bytes();
        part.source.span(part.length, bytes).ok_or(Status::BadSource)
    }

    fn placed(&self, target: DomainId, descriptor: &Descriptor, length: u32) -> Result<Span, Status> {
        let bytes = self.clients[target].receive_buffer.bytes();
        descriptor.destination.span(length, bytes).ok_or(Status::BadDestination)
    }
}
