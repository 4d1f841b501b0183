//! The protection domain around a filter: it posts buffers, hands what arrives to the filter, answers, and
//! posts each buffer again when central has given it back.

use ferry_client::{ChannelSet, Client, DomainId, Doorbell, Inspection, Port, ReceiveBuffer, ReceiveMemory};
use heapless::{String, Vec};

use crate::{Filter, Message, Verdict};

/// Most buffers of a guard. Central hands out at most 64 messages at a time.
pub const MOST_BUFFERS: usize = 64;

/// Numbers that a client can have, and bytes of its name.
const CLIENTS: usize = 32;
const NAME_BYTES: usize = 48;

/// A client that inspects messages with a filter. `ferry_guard::start!` makes one.
pub struct Guard<F> {
    filter: F,
    /// The names of the senders and targets, by their numbers.
    names: [String<NAME_BYTES>; CLIENTS],
    judged: Judged,
    /// An inspection whose answer found no slot in the ring.
    unanswered: Option<(Inspection, Verdict)>,
}

/// Buffers whose inspections are answered, until the answer is reaped, with the tickets. Answers mostly end
/// in the order in which they were given, so a search begins where the last one ended.
struct Judged {
    places: [Option<(u64, ReceiveBuffer)>; MOST_BUFFERS],
    /// Where the next answer is noted, and where the answer is expected that ends next.
    next_noted: usize,
    next_ended: usize,
}

impl Judged {
    const NONE: Self = Self { places: [const { None }; MOST_BUFFERS], next_noted: 0, next_ended: 0 };

    /// Notes an answer. There is a place for every buffer of the guard.
    #[inline]
    fn note(&mut self, ticket: u64, buffer: ReceiveBuffer) {
        let next = self.next_noted % MOST_BUFFERS;
        self.next_noted = next + 1;
        match self.places.get_mut(next) {
            Some(free @ None) => *free = Some((ticket, buffer)),
            _ => self.note_elsewhere(ticket, buffer),
        }
    }

    #[cold]
    fn note_elsewhere(&mut self, ticket: u64, buffer: ReceiveBuffer) {
        for place in (self.next_noted..self.next_noted + MOST_BUFFERS).map(|place| place % MOST_BUFFERS) {
            if let Some(free @ None) = self.places.get_mut(place) {
                *free = Some((ticket, buffer));
                self.next_noted = place + 1;
                return;
            }
        }
    }

    /// The buffer whose inspection had this ticket. Its answer has ended.
    #[inline]
    fn end(&mut self, ticket: u64) -> Option<ReceiveBuffer> {
        let next = self.next_ended % MOST_BUFFERS;
        match self.places.get_mut(next) {
            Some(judged) if is_of(judged.as_ref(), ticket) => {
                self.next_ended = next + 1;
                judged.take().map(|(_, buffer)| buffer)
            }
            _ => self.end_elsewhere(ticket),
        }
    }

    #[cold]
    fn end_elsewhere(&mut self, ticket: u64) -> Option<ReceiveBuffer> {
        for place in (self.next_ended..self.next_ended + MOST_BUFFERS).map(|place| place % MOST_BUFFERS) {
            if let Some(judged) = self.places.get_mut(place)
                && is_of(judged.as_ref(), ticket)
            {
                self.next_ended = place + 1;
                return judged.take().map(|(_, buffer)| buffer);
            }
        }
        None
    }
}

/// Whether an answer is about the inspection with this ticket.
fn is_of(judged: Option<&(u64, ReceiveBuffer)>, ticket: u64) -> bool {
    judged.is_some_and(|(noted, _)| *noted == ticket)
}

impl<F: Filter> Guard<F> {
    /// A guard with as many buffers as there is memory for, each as large as the longest message that it
    /// inspects.
    pub fn new(port: &mut Port<impl Doorbell>, receive: ReceiveMemory, filter: F) -> Self {
        let mut names = [const { String::new() }; CLIENTS];
        let mut longest = 1;
        for peer in port.peers() {
            longest = longest.max(peer.max_message);
            if let Some(name) = names.get_mut(usize::from(peer.domain)) {
                // No name is longer.
                *name = String::try_from(peer.name.as_str()).unwrap_or_default();
            }
        }
        let buffers: Vec<ReceiveBuffer, MOST_BUFFERS> = receive.split(longest);
        for buffer in buffers {
            post(port, buffer);
        }
        Self { filter, names, judged: Judged::NONE, unanswered: None }
    }

    /// Answers an inspection. If there is no slot for the answer now, keeps it for later, and returns false.
    fn answer(&mut self, port: &mut Port<impl Doorbell>, inspection: Inspection, verdict: Verdict) -> bool {
        let (passes, reason) = said(verdict);
        if port.answer(inspection.ticket, passes, reason).is_err() {
            self.unanswered = Some((inspection, verdict));
            return false;
        }
        self.judged.note(inspection.ticket, inspection.buffer);
        true
    }
}

impl<F: Filter> Client for Guard<F> {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        // What central does while this runs is found when the port is armed again.
        port.disarm();
        // Whatever became of the verdict, the place is this guard's again. Central may have handed out the
        // next message meanwhile, so only the whole ticket says which one this was.
        while let Err(full) = port.reap_answers(|done| self.judged.end(done.tag)) {
            post(port, full.buffer);
        }
        if let Some((inspection, verdict)) = self.unanswered.take()
            && !self.answer(port, inspection, verdict)
        {
            return;
        }
        loop {
            let Self { filter, names, judged, .. } = self;
            port.inspect_each(|inspection| {
                let verdict = filter.inspect(&message(names, &inspection));
                judged.note(inspection.ticket, inspection.buffer);
                said(verdict)
            });
            // What is left needs a closer look.
            let Some(inspection) = port.inspect() else {
                // Anything else in the queue would stop it. Nothing else comes, because this guard posts only
                // what is its own.
                let Some(_) = port.receive() else { return };
                continue;
            };
            let verdict = self.filter.inspect(&message(&self.names, &inspection));
            if !self.answer(port, inspection, verdict) {
                return;
            }
        }
    }
}

/// What the filter gets.
#[inline]
fn message<'a>(names: &'a [String<NAME_BYTES>; CLIENTS], inspection: &'a Inspection) -> Message<'a> {
    let name = |client: DomainId| names.get(client.index()).map_or("", String::as_str);
    Message {
        source: name(inspection.source),
        target: name(inspection.target),
        tag: inspection.tag,
        bytes: inspection.bytes(),
    }
}

/// Whether the message may go on, and why.
#[inline]
const fn said(verdict: Verdict) -> (bool, u32) {
    match verdict {
        Verdict::Pass => (true, 0),
        Verdict::Refuse { reason } => (false, reason),
    }
}

/// Posts a buffer that is this guard's own. There is a slot for it: a guard has half as many buffers as there
/// are slots.
fn post(port: &mut Port<impl Doorbell>, buffer: ReceiveBuffer) {
    let posted = port.post(buffer, None);
    debug_assert!(posted.is_ok(), "a slot for every buffer");
}

#[cfg(test)]
mod tests {
    use super::Judged;
    use ferry_layout::config::Mapping;
    use ferry_testbed::{Testbed, Topology};
    use heapless::Vec;

    /// Central uses the number in the lowest byte of a ticket again when the message of the first one has
    /// ended. Both answers can be noted at the same time, and others may have ended before them.
    #[test]
    fn an_answer_is_known_by_its_whole_ticket() {
        let mut bed = Testbed::new(&Topology::guarded(&[(&[2], 1)], Mapping::Each, 50));
        let (_port, _, memory) = bed.open(2);
        let tickets = [0x1_05, 0x1_07, 0x2_05];
        let mut judged = Judged::NONE;
        let mut places = Vec::<_, 3>::new();
        for (ticket, buffer) in tickets.into_iter().zip(memory.split::<3>(64)) {
            places.push(buffer.place()).expect("there is a place for each");
            judged.note(ticket, buffer);
        }
        for number in [1, 0, 2] {
            let buffer = judged.end(tickets[number]).expect("it is noted");
            assert_eq!(buffer.place(), places[number], "{:#x}", tickets[number]);
            assert!(judged.end(tickets[number]).is_none(), "it has ended");
        }
    }
}
