//! What must hold, looked at after every store of central and after everything that it asks of the machine.
//!
//! * Each send ends once, as the deliveries say. A sender sees no end before the delivery.
//! * Nothing is delivered twice, out of order, wrong, or from a life that is over.
//! * Nothing is visible while a frame is mapped.
//! * Only places that are offered are written, and only with bytes of a message that may go there.
//! * What guards have to do with it is in `guards.rs`.
//! * Central rests only if nothing can go on, and whoever has news is signalled.

use ferry_layout::observe::{Access, AccessKind};
use ferry_layout::{Delivery, DeliveryKind, Standing, Status};
use ferry_testbed::{Action, Memory};

use crate::guards::{Inspected, Told};
use crate::scene::{CLIENTS, FIRST_GUARD, Message, RECEIVER, Scene};

/// A message that was sent.
#[derive(Clone, Hash, Debug)]
pub(crate) struct Sent {
    pub(crate) source: u16,
    /// The sender's life, and the index of its first descriptor in it.
    pub(crate) epoch: u32,
    pub(crate) index: u32,
    parts: u32,
    /// The value of each of its bytes. It is its tag too.
    pub(crate) value: u8,
    pub(crate) bytes: u32,
    ticks: u32,
    /// Ticks since it was sent, and how often the receiver has asked for another life since.
    passed: u32,
    resets: u32,
    /// Status of each part, as far as central has written one.
    pub(crate) statuses: Vec<Option<u32>>,
    pub(crate) delivered: bool,
}

/// A place that the receiver or a guard has posted in this life.
#[derive(Clone, Hash, Debug)]
pub(crate) struct Offer {
    pub(crate) client: u16,
    pub(crate) request: u32,
    place: u32,
    pub(crate) begin: u32,
    only: Option<u16>,
    epoch: u32,
    withdrawn: bool,
    /// Central has not answered it.
    pub(crate) open: bool,
}

/// The books.
#[derive(Clone, Hash, Default)]
pub(crate) struct Watch {
    pub(crate) sent: Vec<Sent>,
    pub(crate) offers: Vec<Offer>,
    /// The epoch of each client as central last began it.
    epochs: [u32; CLIENTS],
    /// The delivery tails as they were last seen, and the next number of each flow.
    tails: [u32; CLIENTS],
    sequence: [u64; 2],
    /// Frames that are mapped.
    mapped: u32,
    /// Clients that have news and are not signalled.
    pub(crate) news: [bool; CLIENTS],
    pub(crate) inspected: Vec<Inspected>,
    pub(crate) told: Vec<Told>,
}

impl Watch {
    /// Notes a message. Returns the value of its bytes.
    pub(crate) fn sent(&mut self, source: u16, epoch: u32, index: u32, number: u32, message: Message) -> u8 {
        let value = u8::try_from(u32::from(source) * 16 + number + 1).expect("few messages");
        let Message { bytes, parts, ticks } = message;
        let statuses = vec![None; parts as usize];
        self.sent.push(Sent {
            source,
            epoch,
            index,
            parts,
            value,
            bytes,
            ticks,
            passed: 0,
            resets: 0,
            statuses,
            delivered: false,
        });
        value
    }

    pub(crate) fn offered(&mut self, client: u16, request: u32, place: u32, begin: u32, only: Option<u16>) {
        let epoch = self.epochs[usize::from(client)];
        let (withdrawn, open) = (false, true);
        self.offers.push(Offer { client, request, place, begin, only, epoch, withdrawn, open });
    }

    /// Whether an offer belongs to the life of its client that central serves.
    fn is_of_this_life(&self, offer: &Offer) -> bool {
        offer.epoch == self.epochs[usize::from(offer.client)]
    }

    /// Whether there is a request that the receiver may withdraw.
    pub(crate) fn may_withdraw(&self) -> bool {
        let of_receiver = |offer: &&Offer| offer.client == RECEIVER && self.is_of_this_life(offer);
        self.offers.iter().filter(of_receiver).any(|offer| offer.open && !offer.withdrawn)
    }

    /// Notes that the oldest of them is withdrawn. Returns its number.
    pub(crate) fn withdraw_oldest(&mut self) -> Option<u32> {
        let epoch = self.epochs[usize::from(RECEIVER)];
        let mut offers = self.offers.iter_mut().filter(|offer| offer.client == RECEIVER);
        let offer = offers.find(|offer| offer.open && !offer.withdrawn && offer.epoch == epoch)?;
        offer.withdrawn = true;
        Some(offer.request)
    }

    /// The places of requests that are answered, when their client takes the answers.
    pub(crate) fn take_closed(&mut self, client: u16) -> Vec<u32> {
        let mut places = Vec::new();
        self.offers.retain(|offer| {
            let takes = offer.client == client && !offer.open;
            if takes {
                places.push(offer.place);
            }
            !takes
        });
        places
    }

    /// Central is stopped. Whoever stops it removes its mappings.
    pub(crate) fn stopped(&mut self) {
        self.mapped = 0;
        self.forget_inspections();
    }

    /// The receiver asks for another epoch.
    pub(crate) fn receiver_returns(&mut self) {
        self.sent.iter_mut().for_each(|sent| sent.resets += 1);
    }

    /// A tick passes.
    pub(crate) fn tick(&mut self) {
        self.sent.iter_mut().for_each(|sent| sent.passed += 1);
        self.inspections_age();
    }
}

impl Offer {
    /// Whether a message of this sender may use it.
    pub(crate) fn is_for(&self, source: Option<u16>) -> bool {
        !self.withdrawn && self.only.is_none_or(|only| Some(only) == source)
    }
}

impl Sent {
    /// The status of the whole message, if it is final.
    pub(crate) fn end(&self) -> Option<u32> {
        self.statuses[0].filter(|status| Status::ALL[*status as usize].is_final())
    }
}

impl Scene {
    /// Central has stored something.
    pub(crate) fn stored(&mut self, access: Access) {
        debug_assert_eq!(access.kind, AccessKind::Store);
        for client in self.clients() {
            let page = Memory::of(self.in_page(client));
            let offset = access.address.wrapping_sub(page.address());
            match offset {
                0x08 => self.began(client),
                0x0c => {
                    let standing = self.in_page(client).standing();
                    assert!(standing == Standing::Open, "client {client} is {standing:?}");
                }
                0x40 => self.head_moved(client),
                0x48 => self.tail_moved(client),
                0x400..0x800 => {
                    let slot = u32::try_from((offset - 0x400) / 8).expect("a slot");
                    let (index, status) = self.in_page(client).status(slot).latest();
                    if status != Status::Free {
                        self.status_set(client, index, status);
                    }
                }
                _ => {}
            }
        }
    }

    /// Central has asked something of the machine.
    pub(crate) fn acted(&mut self, action: Action) {
        match action {
            Action::Map(..) => self.state.watch.mapped += 1,
            Action::Unmap(..) => self.state.watch.mapped -= 1,
            Action::Copy(_) => self.copied(),
            Action::Signal(client) => self.state.watch.news[usize::from(client)] = false,
            Action::SignalAuditReader => {}
        }
    }

    /// A life of a client begins.
    fn began(&mut self, client: u16) {
        let page = self.in_page(client);
        for index in [&page.transmit_head, &page.post_head, &page.delivery_tail, &page.ended_late] {
            assert_eq!(index.observe(), 0, "client {client} does not begin at the beginning");
        }
        let is_free = |slot| page.status(slot).latest() == (0, Status::Free);
        assert!((0..128).all(is_free), "client {client} begins with old statuses");
        let epoch = page.epoch.observe();
        let watch = &mut self.state.watch;
        watch.news[usize::from(client)] = true;
        watch.epochs[usize::from(client)] = epoch;
        watch.tails[usize::from(client)] = 0;
        watch.offers.retain(|offer| offer.client != client);
        if client >= FIRST_GUARD {
            self.guard_began(client);
        } else if client < RECEIVER {
            // What earlier lives have sent may be forgotten if it was not delivered, and nobody reads the
            // statuses.
            watch.sent.retain(|sent| sent.source != client || sent.delivered);
        }
    }

    fn head_moved(&mut self, source: u16) {
        let (head, epoch) = (self.in_page(source).transmit_head.observe(), self.served(source));
        for sent in self.state.watch.sent.iter().filter(|sent| sent.source == source && sent.epoch == epoch) {
            assert!(sent.index >= head || sent.statuses[0].is_some(), "taken without a status: {sent:?}");
        }
    }

    /// The epoch of the client that central serves.
    pub(crate) fn served(&self, client: u16) -> u32 {
        self.in_page(client).epoch.observe()
    }

    fn tail_moved(&mut self, client: u16) {
        let page = self.in_page(client);
        let tail = page.delivery_tail.observe();
        let first = core::mem::replace(&mut self.state.watch.tails[usize::from(client)], tail);
        if tail < first {
            assert_eq!(tail, 0, "the delivery tail of client {client} runs backwards");
            return;
        }
        for index in first..tail {
            self.state.watch.news[usize::from(client)] = true;
            let delivery = page.deliveries.load(index);
            match client {
                RECEIVER => self.delivered(delivery),
                FIRST_GUARD.. => self.handed(client, delivery),
                _ => panic!("{delivery:?} for client {client}"),
            }
        }
        assert_eq!(self.state.watch.mapped, 0, "a delivery is visible while frames are mapped");
        self.state.watch.all_pinned_are_whole(client);
    }

    fn delivered(&mut self, delivery: Delivery) {
        let served = [self.served(0), self.served(1)];
        let watch = &mut self.state.watch;
        // A restarted central may not know the lap of a request, and only the slot counts.
        let slot = |request| Delivery::slot_of(request);
        let mut offers = watch.offers.iter_mut().filter(|offer| offer.client == RECEIVER && offer.open);
        let offer = offers.find(|offer| slot(offer.request) == slot(delivery.request));
        let Some(offer) = offer else { panic!("no request for {delivery:?}") };
        offer.open = false;
        if delivery.kind == DeliveryKind::Withdrawn as u8 {
            assert!(offer.withdrawn, "nobody has withdrawn {offer:?}");
            return;
        }
        assert_eq!(delivery.kind, DeliveryKind::Message as u8, "{delivery:?}");
        assert!(offer.only.is_none_or(|only| only == delivery.source), "{delivery:?} in {offer:?}");
        assert_eq!(delivery.position, offer.begin, "{delivery:?} in {offer:?}");
        let sent = watch.sent.iter().position(|sent| u64::from(sent.value) == delivery.tag);
        let number = sent.unwrap_or_else(|| panic!("nobody has sent {delivery:?}"));
        let source = usize::from(delivery.source);
        let earlier = watch.sent[..number].iter().find(|earlier| {
            let same_flow = earlier.source == delivery.source && earlier.epoch == served[source];
            same_flow && !earlier.delivered && earlier.end().is_none()
        });
        assert!(earlier.is_none(), "{earlier:?} comes before {delivery:?}");
        let sent = &mut watch.sent[number];
        assert!(!sent.delivered, "delivered twice: {sent:?}");
        assert_eq!((sent.source, sent.bytes), (delivery.source, delivery.length), "{sent:?}");
        assert_eq!(sent.epoch, served[source], "from a life that is over: {sent:?}");
        assert_eq!(sent.end(), None, "delivered after its end: {sent:?}");
        sent.delivered = true;
        let value = sent.value;
        assert_eq!(watch.sequence[source], delivery.sequence, "the number of {delivery:?}");
        watch.sequence[source] += 1;
        let arrived = &self.shadows[usize::from(RECEIVER)][delivery.position as usize..];
        let arrived = &arrived[..delivery.length as usize];
        assert!(arrived.iter().all(|byte| *byte == value), "the bytes of {delivery:?}");
        assert_eq!(usize::from(delivery.detail), self.scope.stages.len(), "the stages of {delivery:?}");
        self.passed_by_all(value);
    }

    fn status_set(&mut self, source: u16, index: u32, status: Status) {
        if source >= FIRST_GUARD {
            self.verdict_status(source, index, status);
            return;
        }
        let may_be_refused = self.may_be_refused(source, index);
        let epoch = self.served(source);
        let watch = &mut self.state.watch;
        let sent = watch.sent.iter_mut().find(|sent| {
            sent.source == source && sent.epoch == epoch && index.wrapping_sub(sent.index) < sent.parts
        });
        let Some(sent) = sent else { panic!("client {source} has not sent {index}, which is {status:?}") };
        let before = sent.end();
        sent.statuses[(index - sent.index) as usize] = Some(status as u32);
        if index != sent.index {
            // In a chain, only the first part says that all parts have ended.
            return;
        }
        let again = before.is_some_and(|before| before != status as u32);
        assert!(!again, "ends as {before:?} and then as {status:?}: {sent:?}");
        if !status.is_final() {
            return;
        }
        watch.news[usize::from(source)] = true;
        assert_eq!(watch.mapped, 0, "an end is visible while frames are mapped");
        let may_be = match status {
            Status::Done => sent.delivered,
            Status::Expired => !sent.delivered && sent.ticks != 0 && sent.passed >= sent.ticks,
            Status::PeerReset => !sent.delivered && sent.resets > 0,
            Status::Refused => !sent.delivered && may_be_refused,
            _ => false,
        };
        assert!(may_be, "ends as {status:?}: {sent:?}");
    }

    /// Central has copied. Only receive memory can have changed, because central has no right to any other.
    fn copied(&mut self) {
        for client in self.clients().filter(|client| *client >= RECEIVER) {
            self.written(client);
        }
    }

    /// Looks at what was written to the receive memory of the receiver or of a guard.
    fn written(&mut self, client: u16) {
        let number = usize::from(client);
        let memory = self.memory[number].receive;
        let now = memory.read(0, memory.bytes());
        let Some((first, last)) = difference(&now, &self.shadows[number]) else { return };
        let (buffer, watch) = (self.scope.buffer as usize, &self.state.watch);
        let offer = watch.offers.iter().find(|offer| {
            let begin = offer.begin as usize;
            let is_own = offer.client == client && watch.is_of_this_life(offer);
            is_own && offer.open && begin <= first && last < begin + buffer
        });
        let Some(offer) = offer else { panic!("bytes {first} to {last} of client {client} are not offered") };
        let value = now[first];
        let sent = watch.sent.iter().find(|sent| sent.value == value);
        let Some(sent) = sent else { panic!("{value} is in no message") };
        assert!(now[first..=last].iter().all(|byte| *byte == value), "bytes of others");
        assert!(last < offer.begin as usize + sent.bytes as usize, "past the end of {sent:?}");
        assert!(offer.only.is_none_or(|only| only == sent.source), "{sent:?} in {offer:?}");
        assert!(!sent.delivered && sent.end().is_none(), "copied after its end: {sent:?}");
        assert_eq!(sent.epoch, self.served(sent.source), "copied from a life that is over: {sent:?}");
        let begin = offer.begin;
        self.state.watch.overwrite(client, begin);
        self.shadows[number] = now;
    }

    /// Central rests.
    pub(crate) fn rests(&self) {
        let watch = &self.state.watch;
        assert_eq!(watch.mapped, 0, "frames are mapped while central rests");
        for client in self.clients() {
            let news = watch.news[usize::from(client)] && self.is_present(client);
            assert!(!news, "client {client} has news and is not signalled");
            watch.all_pinned_are_whole(client);
        }
        if self.state.pending.contains(&true) {
            return;
        }
        for source in 0..RECEIVER {
            let Some(epoch) = self.epoch(source) else { continue };
            let of_flow = |sent: &&Sent| sent.source == source && sent.epoch == epoch;
            let mut waiting = watch.sent.iter().filter(of_flow).filter(|sent| sent.end().is_none());
            let Some(first) = waiting.next() else { continue };
            assert!(first.statuses[0].is_some(), "central rests and has not seen {first:?}");
            if !self.scope.stages.is_empty() {
                let first = first.value;
                let waiting: Vec<u8> = waiting.map(|sent| sent.value).collect();
                self.guards_have_all(first, &waiting);
                continue;
            }
            let offer = self.open_offers(RECEIVER).find(|offer| offer.is_for(Some(source)));
            assert!(offer.is_none(), "central rests; {first:?} could go to {offer:?}");
        }
        let withdrawn = self.open_offers(RECEIVER).find(|offer| offer.withdrawn);
        assert!(withdrawn.is_none(), "central rests; {withdrawn:?} has no answer");
    }

    /// The offers of a client that nobody has used yet.
    pub(crate) fn open_offers(&self, client: u16) -> impl Iterator<Item = &Offer> {
        let epoch = self.epoch(client);
        let is_own = move |offer: &&Offer| offer.client == client && Some(offer.epoch) == epoch;
        self.state.watch.offers.iter().filter(is_own).filter(|offer| offer.open)
    }

    /// Everything has been done to let sends go on, so all of them have come to an end.
    pub(crate) fn all_ended(&self) {
        for sent in &self.state.watch.sent {
            let unserved = Some(sent.epoch) != self.epoch(sent.source);
            let inspected = &self.state.watch.inspected;
            assert!(unserved || sent.end().is_some(), "never ends: {sent:?}, {inspected:?}");
            let same = sent.statuses.iter().all(|status| *status == sent.statuses[0]);
            assert!(unserved || same, "parts end differently: {sent:?}");
        }
        self.nothing_is_pinned();
    }
}

/// The first and the last byte that differ.
fn difference(one: &[u8], other: &[u8]) -> Option<(usize, usize)> {
    const PAGE: usize = 4096;
    let pages = || one.chunks(PAGE).zip(other.chunks(PAGE)).enumerate();
    let differs = |(_, (one, other)): &(usize, (&[u8], &[u8]))| one != other;
    let (first, (ones, others)) = pages().find(differs)?;
    let begin = ones.iter().zip(others).position(|(one, other)| one != other)?;
    let (last, (ones, others)) = pages().rfind(differs)?;
    let end = ones.iter().zip(others).rposition(|(one, other)| one != other)?;
    Some((first * PAGE + begin, last * PAGE + end))
}
