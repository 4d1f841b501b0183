//! The protection domain around a filter: it posts buffers, hands what arrives to the filter, answers, and
//! posts each buffer again when central has given it back.

use ferry_client::{
    Answered, ChannelSet, Client, DomainId, Doorbell, Inspection, Port, ReceiveBuffer, ReceiveMemory,
};
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
    answered: Answered,
    /// An inspection whose answer found no slot in the ring.
    unanswered: Option<(Inspection, Verdict)>,
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
        Self { filter, names, answered: Answered::new(), unanswered: None }
    }

    /// Answers an inspection. If there is no slot for the answer now, keeps it for later, and returns false.
    fn answer(&mut self, port: &mut Port<impl Doorbell>, inspection: Inspection, verdict: Verdict) -> bool {
        let (passes, reason) = said(verdict);
        match port.answer_and_keep(&mut self.answered, inspection, passes, reason) {
            Ok(()) => true,
            Err(inspection) => {
                self.unanswered = Some((inspection, verdict));
                false
            }
        }
    }
}

impl<F: Filter> Client for Guard<F> {
    fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
        // What central does while this runs is found when the port is armed again.
        port.disarm();
        // Whatever became of the verdict, the place is this guard's again.
        while let Err(full) = port.reap_answers(&mut self.answered) {
            post(port, full.buffer);
        }
        if let Some((inspection, verdict)) = self.unanswered.take()
            && !self.answer(port, inspection, verdict)
        {
            return;
        }
        loop {
            let Self { filter, names, answered, .. } = self;
            let inspect = |inspection: &Inspection| said(filter.inspect(&message(names, inspection)));
            if !port.inspect_each(answered, inspect) {
                return;
            }
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
