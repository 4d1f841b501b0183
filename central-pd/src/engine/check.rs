//! Checks of a descriptor that was copied out of shared memory. They change nothing.
//!
//! A flow with guards, a one-way flow, or one with all messages in the audit log looks like one that is not
//! granted, and a verdict like a message of unknown kind: only what would be refused is looked at again for
//! these. So plain messages pay nothing for them.

use ferry_layout::{Descriptor, DomainId, Kind, Span, Status, Verdict, flags};

use super::Engine;
use crate::send::{Header, Send};

/// What a descriptor is, if it is no message of a plain flow.
pub(super) enum NotPlain {
    /// A message that gets this status.
    Refused(Status),
    /// A message of a flow with guards, or of one whose messages are all audited.
    Guarded(Send),
    /// A message of a one-way flow.
    OneWay(Send),
    Verdict(Verdict),
}

impl Engine {
    /// Checks one descriptor by itself. The first check that fails decides the [`Status`]: kind and flags,
    /// target, flow, length, source, destination.
    #[inline]
    pub(super) fn check(
        &self,
        source: DomainId,
        index: u32,
        descriptor: &Descriptor,
    ) -> Result<Send, NotPlain> {
        let Some(kind) = Kind::from_number(descriptor.kind) else { return Err(no_message(descriptor)) };
        if descriptor.flags & !flags::ALL != 0 {
            return Err(Status::Malformed.into());
        }
        let target = DomainId::new(descriptor.target)
            .filter(|target| self.all.contains(*target))
            .ok_or(Status::NoTarget)?;
        let flow = self.flows.get(source, target);
        if !flow.is_granted() || (descriptor.flags & flags::URGENT != 0 && !flow.urgent) {
            return Err(self.check_guarded(source, index, descriptor, kind, target));
        }
        if descriptor.length > flow.max_message {
            return Err(Status::BadLength.into());
        }
        self.checked(source, index, descriptor, kind, target).map_err(NotPlain::Refused)
    }

    /// Checks a message to `target` that no plain flow allows.
    #[cold]
    fn check_guarded(
        &self,
        source: DomainId,
        index: u32,
        descriptor: &Descriptor,
        kind: Kind,
        target: DomainId,
    ) -> NotPlain {
        let flow = self.guards.flow(source, target);
        if flow.max_message == 0 {
            return self.check_one_way(source, index, descriptor, kind, target);
        }
        if descriptor.flags & flags::URGENT != 0 && !flow.urgent {
            return Status::Denied.into();
        }
        if descriptor.length > flow.max_message {
            return Status::BadLength.into();
        }
        match self.checked(source, index, descriptor, kind, target) {
            Ok(send) if flow.audits_all => NotPlain::Guarded(Send { header: send.header.audited(), ..send }),
            Ok(send) => NotPlain::Guarded(send),
            Err(status) => status.into(),
        }
    }

    /// Checks a message to `target` that no other flow allows.
    #[cold]
    fn check_one_way(
        &self,
        source: DomainId,
        index: u32,
        descriptor: &Descriptor,
        kind: Kind,
        target: DomainId,
    ) -> NotPlain {
        let flow = self.one_way.flow(source, target);
        let is_urgent = descriptor.flags & flags::URGENT != 0;
        // Where a window is open, only the receiver could say. A chain is not needed for so few bytes.
        let is_simple = kind == Kind::NextBuffer && descriptor.flags & flags::CHAINED == 0;
        if flow.max_message == 0 || (is_urgent && !flow.urgent) || !is_simple {
            return Status::Denied.into();
        }
        if descriptor.length > flow.max_message {
            return Status::BadLength.into();
        }
        match self.checked(source, index, descriptor, kind, target) {
            // It waits for nobody, so it cannot expire.
            Ok(send) => NotPlain::OneWay(Send { deadline: None, ..send }),
            Err(status) => status.into(),
        }
    }

    /// The send that a descriptor asks for, whose kind, flags, target and length are checked.
    #[inline(always)]
    fn checked(
        &self,
        source: DomainId,
        index: u32,
        descriptor: &Descriptor,
        kind: Kind,
        target: DomainId,
    ) -> Result<Send, Status> {
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
            header: Header { kind, flags: descriptor.flags, parts: 1, target },
            index,
            rest: index,
            tag: descriptor.tag,
            total: descriptor.length,
            copied: 0,
            claimed: None,
            deadline: (ticks != 0).then_some(self.now.wrapping_add(ticks)),
            next: index,
        })
    }

    /// Checks a part of a chain that is not the first. Only its bytes are its own. Everything else is taken
    /// from the first part.
    pub(super) fn check_part(
        &self,
        source: DomainId,
        first: &Descriptor,
        part: &Descriptor,
    ) -> Result<Span, Status> {
        if part.flags & !flags::ALL != 0 {
            return Err(Status::Malformed);
        }
        if part.target != first.target || part.kind != first.kind {
            return Err(Status::BadLength);
        }
        let bytes = self.clients[source].transmit_buffer.bytes();
        part.source.span(part.length, bytes).ok_or(Status::BadSource)
    }

    pub(super) fn placed(
        &self,
        target: DomainId,
        descriptor: &Descriptor,
        length: u32,
    ) -> Result<Span, Status> {
        let bytes = self.clients[target].receive_buffer.bytes();
        descriptor.destination.span(length, bytes).ok_or(Status::BadDestination)
    }
}

impl From<Status> for NotPlain {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

/// What a descriptor is that has the kind of no message.
#[cold]
fn no_message(descriptor: &Descriptor) -> NotPlain {
    Verdict::of(descriptor).map_or(NotPlain::Refused(Status::Malformed), NotPlain::Verdict)
}
