//! The audit log as the engine holds it. `engine/audit.rs` decides what is written.

use ferry_audit::Writer;
use ferry_layout::{AuditLog, AuditRecord};

/// The audit log, if the system has one.
pub(crate) struct Audit {
    writer: Option<Writer<'static>>,
    /// Something was written since the reader was last signalled.
    has_news: bool,
}

impl Audit {
    pub(crate) const NONE: Self = Self { writer: None, has_news: false };

    /// Takes up a log, and writes that central has started.
    pub(crate) fn resume(log: AuditLog<'static>) -> Self {
        Self { writer: Some(Writer::resume(log)), has_news: true }
    }

    /// Whether there is a log.
    #[cfg(feature = "express")]
    pub(crate) const fn is_kept(&self) -> bool {
        self.writer.is_some()
    }

    /// Appends a record of tick `now`. Without a log, nothing happens.
    #[cold]
    #[inline(never)]
    pub(crate) fn append(&mut self, now: u32, record: AuditRecord) {
        if let Some(writer) = &mut self.writer {
            writer.append(AuditRecord { tick: now, ..record });
            self.has_news = true;
        }
    }

    /// Whether something was written since this was last asked.
    pub(crate) const fn take_news(&mut self) -> bool {
        core::mem::replace(&mut self.has_news, false)
    }
}
