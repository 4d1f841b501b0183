//! The protection domain around a filter: it posts buffers, hands what arrives to the filter, answers, and
//! posts each buffer again when central has given it back.

use ferry_client::{
    ChannelSet, Client, DomainId, DomainName, Doorbell, Inspection, Port, ReceiveBuffer, ReceiveMemory,
};
use heapless::Vec;

use crate::{Filter, Message, Verdict};

/// Most buffers of a guard. Central hands out at most 64 messages at a time.
pub const MOST_BUFFERS: usize = 64;

/// Numbers that a client can have.
const CLIENTS: usize = 32;

/// A client that inspects messages with a filter. `ferry_guard::start!` makes one.
pub struct Guard<F> {
    filter: F,
    /// The names of the senders and targets, by their numbers.
    names: [DomainName; CLIENTS],
    /// Buffers whose inspections are answered, until the answer is reaped, with the tickets.
    judged: Vec<(u64, ReceiveBuffer), MOST_BUFFERS>,
    /// An inspection whose answer found no slot in the ring.
    unanswered: Option<(Inspection, Verdict)>,
}

impl<F: Filter> Guard<F> {
    /// A guard with as many buffers as there is memory for, each as large as the longest message that it
    /// inspects.
    pub fn new(port: &mut Port<impl Doorbell>, receive: ReceiveMemory, filter: F) -> Self {
        let mut names = [DomainName::default(); CLIENTS];
        let mut longest = 1;
        for peer in port.peers() {
            longest = longest.max(peer.max_message);
            if let Some(name) = names.get_mut(usize::from(peer.domain)) {
                *name = peer.name;
            }
        }
        let buffers: Vec<ReceiveBuffer, MOST_BUFFERS> = receive.split(longest);
        for buffer in buffers {
            post(port, buffer);
        }
        Self { filter, names, judged: Vec::new(), unanswered: None }
    }

    /// Answers an inspection. If there is no slot for the answer now, keeps it for later, and returns false.
    fn answer(&mut self, port: &mut Port<impl Doorbell>, inspection: Inspection, verdict: Verdict) -> bool {
        let (passes, reason) = match verdict {
            Verdict::Pass => (true, 0),
            Verdict::Refuse { reason } => (false, reason),
        };
        if port.answer(inspection.ticket, passes, reason).is_err() {
            self.unanswered = Some((inspection, verdict));
            return false;
        }
        let noted = self.judged.push((inspection.ticket, inspection.buffer));
        debug_assert!(noted.is_ok(), "a place for every buffer");
        true
    }
}

impl<F: Filter> Client for Guard<F> {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(done) = port.reap() {
            // Whatever became of the verdict, the place is this guard's again. Central may have handed out
            // the next message meanwhile, so only the whole ticket says which one this was.
            if let Some(place) = self.judged.iter().position(|(ticket, _)| *ticket == done.tag) {
                post(port, self.judged.swap_remove(place).1);
            }
        }
        if let Some((inspection, verdict)) = self.unanswered.take()
            && !self.answer(port, inspection, verdict)
        {
            return;
        }
        loop {
            let Some(inspection) = port.inspect() else {
                // Anything else in the queue would stop it. Nothing else comes, because this guard posts only
                // what is its own.
                let Some(_) = port.receive() else { return };
                continue;
            };
            let name = |client: DomainId| self.names.get(client.index()).map_or("", DomainName::as_str);
            let message = Message {
                source: name(inspection.source),
                target: name(inspection.target),
                tag: inspection.tag,
                bytes: inspection.bytes(),
            };
            let verdict = self.filter.inspect(&message);
            if !self.answer(port, inspection, verdict) {
                return;
            }
        }
    }
}

/// Posts a buffer that is this guard's own. There is a slot for it: a guard has half as many buffers as there
/// are slots.
fn post(port: &mut Port<impl Doorbell>, buffer: ReceiveBuffer) {
    let posted = port.post(buffer, None);
    debug_assert!(posted.is_ok(), "a slot for every buffer");
}
