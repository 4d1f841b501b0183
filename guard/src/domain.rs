//! The protection domain around a filter: it posts buffers, hands what arrives to the filter, answers, and
//! posts each buffer again when central has given it back.

use ferry_client::{
    ChannelSet, Client, DomainId, DomainName, Doorbell, Inspection, Port, ReceiveBuffer, ReceiveMemory,
    slot_of,
};
use heapless::Vec;

use crate::{Filter, Message, Verdict};

/// Most buffers of a guard. Central hands out at most 64 messages at a time.
pub const MOST_BUFFERS: usize = 64;

/// Numbers that the slot of an inspection can have.
const SLOTS: usize = 128;

/// Numbers that a client can have.
const CLIENTS: usize = 32;

/// A client that inspects messages with a filter. `ferry_guard::start!` makes one.
pub struct Guard<F> {
    filter: F,
    /// The names of the senders and targets, by their numbers.
    names: [DomainName; CLIENTS],
    /// Buffers whose inspections are answered and not over, by the slot of the inspection.
    judged: [Option<ReceiveBuffer>; SLOTS],
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
        Self { filter, names, judged: [const { None }; SLOTS], unanswered: None }
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
        if let Some(place) = self.judged.get_mut(inspection.slot()) {
            *place = Some(inspection.buffer);
        }
        true
    }
}

impl<F: Filter> Client for Guard<F> {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        while let Some(done) = port.reap() {
            // Whatever became of the verdict, the place is this guard's again.
            if let Some(buffer) = self.judged.get_mut(slot_of(done.tag)).and_then(Option::take) {
                post(port, buffer);
            }
        }
        if let Some((inspection, verdict)) = self.unanswered.take()
            && !self.answer(port, inspection, verdict)
        {
            return;
        }
        while let Some(inspection) = port.inspect() {
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
