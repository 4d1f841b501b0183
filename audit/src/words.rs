//! A record in words.

use core::fmt;

use ferry_layout::{AuditKind, AuditRecord, Offence, Status};

/// A record in one line of words.
pub struct Words<'a> {
    /// The record.
    pub record: &'a AuditRecord,
    /// The names of the clients, by their numbers. A client without a name is called by its number.
    pub names: &'a [&'a str],
}

/// A client in a sentence.
struct Client<'a>(u16, &'a [&'a str]);

impl fmt::Display for Client<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, names) = *self;
        match names.get(usize::from(number)) {
            _ if number == AuditRecord::NOBODY => formatter.write_str("nobody"),
            Some(name) => write!(formatter, "`{name}`"),
            None => write!(formatter, "client {number}"),
        }
    }
}

impl fmt::Display for Words<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AuditRecord { sequence, tick, start, detail, number, .. } = *self.record;
        let client = |number| Client(number, self.names);
        let (source, guard) = (client(self.record.source), client(self.record.guard));
        write!(formatter, "{sequence}  start {start}, tick {tick}: ")?;
        match self.record.kind() {
            Some(AuditKind::CentralStarted) => formatter.write_str("central started"),
            Some(AuditKind::ClientStarted) => write!(formatter, "{source} started, epoch {detail}"),
            Some(AuditKind::Quarantined) => {
                write!(formatter, "{source} quarantined, because of {}", offence(detail))
            }
            Some(AuditKind::SendRefused) => {
                self.message(formatter)?;
                match Status::ALL.get(usize::from(self.record.status)) {
                    Some(status) => write!(formatter, " ended with {status:?}"),
                    None => write!(formatter, " ended with status {}", self.record.status),
                }
            }
            Some(AuditKind::RequestRefused) => {
                write!(formatter, "receive request {detail} of {source} not accepted")
            }
            Some(AuditKind::GuardPassed) => {
                self.message(formatter)?;
                write!(formatter, " passed by {guard}, ticket {number:#x}")?;
                self.effect(formatter)
            }
            Some(AuditKind::GuardRefused) => {
                self.message(formatter)?;
                write!(formatter, " refused by {guard}, reason {detail}, ticket {number:#x}")?;
                self.effect(formatter)
            }
            Some(AuditKind::GuardLate) => {
                self.message(formatter)?;
                write!(formatter, " not answered in time by {guard}")
            }
            Some(AuditKind::Delivered) => {
                self.message(formatter)?;
                write!(formatter, " delivered as number {number}")
            }
            None => write!(formatter, "a record of unknown kind {}", self.record.kind),
        }
    }
}

impl Words<'_> {
    fn message(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AuditRecord { source, target, tag, length, .. } = *self.record;
        let (source, target) = (Client(source, self.names), Client(target, self.names));
        write!(formatter, "{source} to {target}: a message of {length} bytes, tag {tag:#x},")
    }

    /// What becomes of a verdict.
    fn effect(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_late = self.record.status == Status::NoInspection as u8;
        formatter.write_str(if is_late { ", too late to count" } else { "" })
    }
}

fn offence(number: u32) -> &'static str {
    match Offence::ALL.into_iter().find(|offence| *offence as u32 == number) {
        Some(Offence::TransmitTail) => "an impossible transmit tail",
        Some(Offence::PostTail) => "an impossible post tail",
        Some(Offence::DeliveryHead) => "an impossible delivery head",
        None => "an unknown offence",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_have_their_names_if_these_are_known() {
        let record = AuditRecord {
            source: 0,
            target: 9,
            tag: 16,
            status: Status::NoTarget as u8,
            start: 1,
            ..AuditRecord::of(AuditKind::SendRefused)
        };
        let words = Words { record: &record, names: &["pilot"] }.to_string();
        assert_eq!(
            words,
            "0  start 1, tick 0: `pilot` to client 9: a message of 0 bytes, tag 0x10, ended with NoTarget"
        );
    }

    #[test]
    fn a_verdict_that_does_not_count_says_so() {
        let record = |status| AuditRecord {
            source: 0,
            target: 1,
            guard: 2,
            status,
            ..AuditRecord::of(AuditKind::GuardRefused)
        };
        let words = |status| Words { record: &record(status), names: &["a", "b", "c"] }.to_string();
        assert!(words(0).ends_with(" refused by `c`, reason 0, ticket 0x0"), "{}", words(0));
        let late = words(Status::NoInspection as u8);
        assert!(late.ends_with(" refused by `c`, reason 0, ticket 0x0, too late to count"), "{late}");
    }

    #[test]
    fn a_quarantine_says_what_for() {
        let offences = ["impossible transmit tail", "impossible post tail", "impossible delivery head"];
        for (detail, offence) in (0..).zip(["unknown offence"].into_iter().chain(offences)) {
            let record = AuditRecord { source: 0, detail, ..AuditRecord::of(AuditKind::Quarantined) };
            let words = Words { record: &record, names: &["pilot"] }.to_string();
            assert!(words.ends_with(&format!("`pilot` quarantined, because of an {offence}")), "{words}");
        }
    }

    #[test]
    fn every_kind_has_words() {
        for kind in AuditKind::ALL {
            let words = Words { record: &AuditRecord::of(kind), names: &[] }.to_string();
            assert!(!words.contains("unknown kind"), "{words}");
        }
    }
}
