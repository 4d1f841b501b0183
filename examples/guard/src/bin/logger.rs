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
    let mut logger = Logger { reader: AuditReader::new(log, 0), refused: 0 };
    // What was written before this program started.
    logger.notified(ChannelSet::default());
    logger
}

/// Prints what is new.
struct Logger {
    reader: AuditReader<'static>,
    refused: u32,
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
            Some(AuditKind::SendRefused) => {
                self.refused += 1;
                runtime::println!("{} sends refused", self.refused);
            }
            Some(AuditKind::ClientStarted) if record.detail > 1 => {
                runtime::println!("client {} has started again", record.source);
            }
            _ => {}
        }
    }
}
