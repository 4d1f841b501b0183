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

use ferry_client::{Inspection, ReceiveBuffer, slot_of};

/// Numbers that the slot of an inspection can have.
const SLOTS: usize = 128;

/// The inspections of a guard, by their slots.
pub(crate) struct Inspections([Option<Entry>; SLOTS]);

struct Entry {
    ticket: u64,
    buffer: ReceiveBuffer,
    length: u32,
    is_answered: bool,
}

impl Inspections {
    /// No inspections.
    pub(crate) const fn new() -> Self {
        Self([const { None }; SLOTS])
    }

    /// The program gets the ticket.
    pub(crate) fn begin(&mut self, inspection: Inspection) {
        let (slot, Inspection { ticket, buffer, length, .. }) = (inspection.slot(), inspection);
        if let Some(place) = self.0.get_mut(slot) {
            *place = Some(Entry { ticket, buffer, length, is_answered: false });
        }
    }

    /// The bytes that the program may read under a ticket.
    pub(crate) fn bytes(&self, ticket: u64) -> Option<&[u8]> {
        let entry = self.0.get(slot_of(ticket))?.as_ref().filter(|entry| entry.is_open(ticket))?;
        entry.buffer.bytes().get(..entry.length as usize)
    }

    /// The program gives the ticket away by `answer`, if it has it. If that refuses it, the program keeps it.
    /// `None` if the program does not have it.
    pub(crate) fn answer<E>(
        &mut self,
        ticket: u64,
        answer: impl FnOnce() -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let entry = self.0.get_mut(slot_of(ticket))?.as_mut().filter(|entry| entry.is_open(ticket))?;
        let answered = answer();
        entry.is_answered = answered.is_ok();
        Some(answered)
    }

    /// The answer has ended. Returns the buffer.
    pub(crate) fn end(&mut self, ticket: u64) -> Option<ReceiveBuffer> {
        let ended = |entry: &mut Entry| entry.ticket == ticket && entry.is_answered;
        self.0.get_mut(slot_of(ticket))?.take_if(ended).map(|entry| entry.buffer)
    }
}

impl Entry {
    /// Whether the program has this ticket.
    const fn is_open(&self, ticket: u64) -> bool {
        self.ticket == ticket && !self.is_answered
    }
}
