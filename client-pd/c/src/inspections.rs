//! What a guard in C inspects: the tickets that the program has, and the buffers behind them.
//!
//! ```text
//!            ferry_inspect            ferry_answer             ferry_reap
//!  central ───────────────► program ───────────────► central ─────────────► pool
//!                           a ticket: the program                    the place can be
//!                           may read the bytes                       posted again
//! ```
//!
//! The buffer never is the program's: it stays under its ticket until the end of the answer has been reaped.
//! So no program can post a place that central still reads for others.

use ferry_client::{Inspection, ReceiveBuffer};
use heapless::Vec;

use crate::types::MAX_BUFFERS;

/// The inspections of a guard whose answers are not reaped. Each has a buffer.
pub(crate) struct Inspections(Vec<Entry, MAX_BUFFERS>);

struct Entry {
    ticket: u64,
    buffer: ReceiveBuffer,
    length: u32,
    is_answered: bool,
}

impl Inspections {
    /// No inspections.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The program gets the ticket.
    pub(crate) fn begin(&mut self, inspection: Inspection) {
        let Inspection { ticket, buffer, length, .. } = inspection;
        // There is room, because each one has a buffer.
        let _ = self.0.push(Entry { ticket, buffer, length, is_answered: false });
    }

    /// The bytes that the program may read under a ticket.
    pub(crate) fn bytes(&self, ticket: u64) -> Option<&[u8]> {
        let entry = self.0.iter().find(|entry| entry.is_open(ticket))?;
        entry.buffer.bytes().get(..entry.length as usize)
    }

    /// The program gives the ticket away by `answer`, if it has it. If that refuses it, the program keeps it.
    /// `None` if the program does not have it.
    pub(crate) fn answer<E>(
        &mut self,
        ticket: u64,
        answer: impl FnOnce() -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let entry = self.0.iter_mut().find(|entry| entry.is_open(ticket))?;
        let answered = answer();
        entry.is_answered = answered.is_ok();
        Some(answered)
    }

    /// The answer has ended. Returns the buffer.
    pub(crate) fn end(&mut self, ticket: u64) -> Option<ReceiveBuffer> {
        let place = self.0.iter().position(|entry| entry.ticket == ticket && entry.is_answered)?;
        Some(self.0.swap_remove(place).buffer)
    }
}

impl Entry {
    /// Whether the program has this ticket.
    const fn is_open(&self, ticket: u64) -> bool {
        self.ticket == ticket && !self.is_answered
    }
}
