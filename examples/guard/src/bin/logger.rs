//! Keeps the audit log: it prints each record as a line, which `ferry audit verify` reads from a copy of the
//! console. A logger of a product would send the records to where nobody can change them.

#![no_std]
#![no_main]

use ferry_audit::{AuditKind, AuditReader, AuditRecord, Line, Missed};
use runtime::{ChannelSet, Handler};

runtime::protection_domain!(init);

fn init() -> impl Handler {
    let region = runtime::region!(ferry_audit).expect("the system description maps the audit log");
    let log = region.audit_log().expect("it has a page");
    let mut logger = Logger { reader: AuditReader::new(log, 0), refused: CLIENTS.map(|name| (name, 0)) };
    // What was written before this program started.
    logger.notified(ChannelSet::default());
    logger
}

/// The clients, by their numbers: their order in system.xml.
const CLIENTS: [&str; 6] = ["sensor", "schema", "range-a", "range-b", "range-c", "console"];

/// Prints what is new.
struct Logger {
    reader: AuditReader<'static>,
    /// How many messages each client has refused, by its number.
    refused: [(&'static str, u32); CLIENTS.len()],
}

impl Handler for Logger {
    fn notified(&mut self, _: ChannelSet) {
        while let Some(next) = self.reader.next() {
            match next {
                Ok(record) => self.keep(&record),
                Err(Missed { first, count }) => runtime::println!("missed {count} records from {first} on"),
            }
        }
    }
}

impl Logger {
    fn keep(&mut self, record: &AuditRecord) {
        runtime::println!("{}", Line(record));
        match record.kind() {
            Some(AuditKind::GuardRefused) => {
                if let Some((name, count)) = self.refused.get_mut(usize::from(record.guard)) {
                    *count += 1;
                    runtime::println!("{name} has refused {count}");
                }
            }
            Some(AuditKind::ClientStarted) if record.detail > 1 => {
                runtime::println!("client {} has started again", record.source);
            }
            _ => {}
        }
    }
}
