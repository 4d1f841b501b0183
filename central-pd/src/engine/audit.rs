//! What goes into the audit log, and in which words of it.
//!
//! * A record is written before anybody can see what it is about. So nothing that a client has seen is
//!   missing in the log, wherever central is stopped. What was written and not yet seen is done again by the
//!   next central, and is in the log again.
//! * Records are written only where something is refused, judged, started or quarantined, and for messages of
//!   flows with `audit = "all"`. Plain code takes such a flow for one that is not granted, and meets it only
//!   where a message would be refused ([`AUDITED`](crate::send::AUDITED)). So a log costs other messages
//!   nothing.
//! * The work for a record is bounded: one hash of a fixed number of bytes. Clients cause records only by
//!   descriptors and requests of their own, so the shares of a round bound how many there are.

use ferry_layout::{AuditKind, AuditLog, AuditRecord, Delivery, Descriptor, DomainId, Status, Verdict};

use super::Engine;
use crate::audit::Audit;
use crate::send::Send;

impl Engine {
    /// Writes an audit log from now on. It goes on behind what earlier centrals have written there. This must
    /// be called before [`configure`](Self::configure), which may already find something to write.
    pub fn keep_audit(&mut self, log: AuditLog<'static>) {
        self.audit = Audit::resume(log);
    }

    /// A descriptor of `source` was refused. The record has what the descriptor claims.
    #[cold]
    pub(super) fn audit_claim(&mut self, source: DomainId, claim: &Descriptor, length: u32, status: Status) {
        let record = AuditRecord {
            source: source.number(),
            target: claim.target,
            tag: claim.tag,
            length,
            status: status as u8,
            ..AuditRecord::of(AuditKind::SendRefused)
        };
        self.audit.append(self.now, record);
    }

    /// Message `index` of `source`, which was taken, ends with another status than `Done`.
    #[cold]
    pub(super) fn audit_end(&mut self, source: DomainId, index: u32, status: Status) {
        let record =
            AuditRecord { status: status as u8, ..self.about(AuditKind::SendRefused, source, index) };
        self.audit.append(self.now, record);
    }

    /// A message with [`AUDITED`](crate::send::AUDITED) is delivered, as number `sequence` of its flow.
    #[cold]
    pub(super) fn audit_delivery(&mut self, source: DomainId, send: &Send, sequence: u64) {
        let record = AuditRecord {
            number: sequence,
            status: Status::Done as u8,
            ..about(AuditKind::Delivered, source, send)
        };
        self.audit.append(self.now, record);
    }

    /// A guard has said something about message `index` of `source`. It `counts`, or comes when the message
    /// was decided without it.
    #[cold]
    pub(super) fn audit_verdict(
        &mut self,
        source: DomainId,
        index: u32,
        guard: DomainId,
        verdict: Verdict,
        counts: bool,
    ) {
        let message = self.about(AuditKind::GuardPassed, source, index);
        self.audit.append(self.now, said(message, guard, verdict, counts));
    }

    /// A guard has said something about a message that has ended.
    #[cold]
    pub(super) fn audit_late_verdict(&mut self, guard: DomainId, verdict: Verdict, inspection: &Delivery) {
        let message = AuditRecord {
            source: inspection.source,
            target: inspection.detail.into(),
            tag: inspection.tag,
            length: inspection.length,
            ..AuditRecord::of(AuditKind::GuardPassed)
        };
        self.audit.append(self.now, said(message, guard, verdict, false));
    }

    /// A guard has said nothing about message `index` of `source` in time.
    #[cold]
    pub(super) fn audit_silence(&mut self, source: DomainId, index: u32, guard: DomainId) {
        let record = AuditRecord { guard: guard.number(), ..self.about(AuditKind::GuardLate, source, index) };
        self.audit.append(self.now, record);
    }

    /// A guard has said something about the message of a one-way flow in `slot`, and whether it counts, or
    /// nothing in time.
    #[cold]
    pub(super) fn audit_relay(&mut self, slot: u32, guard: DomainId, verdict: Option<(Verdict, bool)>) {
        let relay = *self.relays.get(slot);
        let message = AuditRecord {
            source: relay.source.number(),
            target: relay.target.number(),
            tag: relay.tag,
            length: relay.total,
            guard: guard.number(),
            ..AuditRecord::of(AuditKind::GuardLate)
        };
        let record = verdict.map_or(message, |(verdict, counts)| said(message, guard, verdict, counts));
        self.audit.append(self.now, record);
    }

    /// A client begins an epoch.
    pub(super) fn audit_start(&mut self, client: DomainId, epoch: u32) {
        let record = AuditRecord {
            source: client.number(),
            detail: epoch,
            ..AuditRecord::of(AuditKind::ClientStarted)
        };
        self.audit.append(self.now, record);
    }

    /// A client is quarantined.
    pub(super) fn audit_quarantine(&mut self, client: DomainId) {
        let record = AuditRecord {
            source: client.number(),
            detail: self.clients[client].offence as u32,
            ..AuditRecord::of(AuditKind::Quarantined)
        };
        self.audit.append(self.now, record);
    }

    fn about(&self, kind: AuditKind, source: DomainId, index: u32) -> AuditRecord {
        about(kind, source, self.clients[source].sends.get(index))
    }
}

/// A record of this kind about a message.
fn about(kind: AuditKind, source: DomainId, send: &Send) -> AuditRecord {
    AuditRecord {
        source: source.number(),
        target: send.header.target.number(),
        tag: send.tag,
        length: send.total,
        ..AuditRecord::of(kind)
    }
}

/// The record about a message, for what a guard has said about it. A verdict that does not count has the
/// status of one that is about nothing.
fn said(message: AuditRecord, guard: DomainId, verdict: Verdict, counts: bool) -> AuditRecord {
    let kind = if verdict.passes { AuditKind::GuardPassed } else { AuditKind::GuardRefused };
    AuditRecord {
        kind: kind as u8,
        guard: guard.number(),
        number: verdict.ticket,
        detail: verdict.reason,
        status: if counts { 0 } else { Status::NoInspection as u8 },
        ..message
    }
}

/// A receive request of `client` is not accepted.
pub(super) fn request_refused(client: DomainId, request: u32) -> AuditRecord {
    AuditRecord { source: client.number(), detail: request, ..AuditRecord::of(AuditKind::RequestRefused) }
}
