//! What must hold, looked at after every store of central and after everything that it asks of the machine.
//!
//! * Each send ends once, as the deliveries say. A sender sees no end before the delivery.
//! * Nothing is delivered twice, out of order, wrong, or from a life that is over.
//! * Nothing is visible while a frame is mapped.
//! * Only places that are offered are written, and only with bytes of a message that may go there.
//! * Central rests only if nothing can go on, and whoever has news is signalled.

use ferry_layout::observe::{Access, AccessKind};
use ferry_layout::{Delivery, DeliveryKind, Standing, Status};
use ferry_testbed::{Action, Memory};

use crate::scene::{CLIENTS, Message, RECEIVER, Scene};

/// A message that was sent.
#[derive(Clone, Hash, Debug)]
struct Sent {
    source: u16,
    /// The sender's life, and the index of its first descriptor in it.
    epoch: u32,
    index: u32,
    parts: u32,
    /// The value of each of its bytes. It is its tag too.
    value: u8,
    bytes: u32,
    ticks: u32,
    /// Ticks since it was sent, and how often the receiver has asked for another life since.
    passed: u32,
    resets: u32,
    /// Status of each part, as far as central has written one.
    statuses: Vec<Option<u32>>,
    delivered: bool,
}

/// A place that the receiver has posted in this life.
#[derive(Clone, Hash, Debug)]
struct Offer {
    request: u32,
    place: u32,
    begin: u32,
    only: Option<u16>,
    epoch: u32,
    withdrawn: bool,
    /// Central has not answered it.
    open: bool,
}

/// The books.
#[derive(Clone, Hash, Default)]
pub(crate) struct Watch {
    sent: Vec<Sent>,
    offers: Vec<Offer>,
    /// The receiver's epoch as it last asked for it.
    epoch: u32,
    /// The delivery tail as it was last seen, and the next number of each flow.
    tail: u32,
    sequence: [u64; 2],
    /// Frames that are mapped.
    mapped: u32,
    /// Clients that have news and are not signalled.
    news: [bool; CLIENTS],
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

    pub(crate) fn offered(&mut self, request: u32, place: u32, begin: u32, only: Option<u16>) {
        let epoch = self.epoch;
        self.offers.push(Offer { request, place, begin, only, epoch, withdrawn: false, open: true });
    }

    /// Whether there is a request that the receiver may withdraw.
    pub(crate) fn may_withdraw(&self) -> bool {
        self.offers.iter().any(|offer| offer.open && !offer.withdrawn && offer.epoch == self.epoch)
    }

    /// Notes that the oldest of them is withdrawn. Returns its number.
    pub(crate) fn withdraw_oldest(&mut self) -> Option<u32> {
        let epoch = self.epoch;
        let mut offers = self.offers.iter_mut();
        let offer = offers.find(|offer| offer.open && !offer.withdrawn && offer.epoch == epoch)?;
        offer.withdrawn = true;
        Some(offer.request)
    }

    /// The places of requests that are answered, when the receiver takes the answers.
    pub(crate) fn take_closed(&mut self) -> Vec<u32> {
        let mut places = Vec::new();
        self.offers.retain(|offer| {
            if !offer.open {
                places.push(offer.place);
            }
            offer.open
        });
        places
    }

    /// Central is stopped. Whoever stops it removes its mappings.
    pub(crate) fn stopped(&mut self) {
        self.mapped = 0;
    }

    /// The receiver asks for another epoch.
    pub(crate) fn receiver_returns(&mut self) {
        self.sent.iter_mut().for_each(|sent| sent.resets += 1);
    }

    /// A tick passes.
    pub(crate) fn tick(&mut self) {
        self.sent.iter_mut().for_each(|sent| sent.passed += 1);
    }
}

impl Sent {
    /// The status of the whole message, if it is final.
    fn end(&self) -> Option<u32> {
        self.statuses[0].filter(|status| Status::ALL[*status as usize].is_final())
    }
}

impl Scene {
    /// Central has stored something.
    pub(crate) fn stored(&mut self, access: Access) {
        debug_assert_eq!(access.kind, AccessKind::Store);
        for client in 0..=RECEIVER {
            let page = Memory::of(self.in_page(client));
            let offset = access.address.wrapping_sub(page.address());
            match offset {
                0x08 => self.began(client),
                0x0c => {
                    let standing = self.in_page(client).standing();
                    assert!(standing == Standing::Open, "client {client} is {standing:?}");
                }
                0x40 => self.head_moved(client),
                0x48 if client == RECEIVER => self.tail_moved(),
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
        if client == RECEIVER {
            watch.epoch = epoch;
            watch.offers.clear();
        } else {
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
    fn served(&self, client: u16) -> u32 {
        self.in_page(client).epoch.observe()
    }

    fn tail_moved(&mut self) {
        let page = self.in_page(RECEIVER);
        let tail = page.delivery_tail.observe();
        let first = self.state.watch.tail;
        self.state.watch.tail = tail;
        if tail < first {
            assert_eq!(tail, 0, "the delivery tail runs backwards");
            return;
        }
        for index in first..tail {
            self.state.watch.news[2] = true;
            self.delivered(page.deliveries.load(index));
        }
        assert_eq!(self.state.watch.mapped, 0, "a delivery is visible while frames are mapped");
    }

    fn delivered(&mut self, delivery: Delivery) {
        let served = [self.served(0), self.served(1)];
        let watch = &mut self.state.watch;
        // A restarted central may not know the lap of a request, and only the slot counts.
        let slot = |request| Delivery::slot_of(request);
        let offer =
            watch.offers.iter_mut().find(|offer| offer.open && slot(offer.request) == slot(delivery.request));
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
        assert_eq!(watch.sequence[source], delivery.sequence, "the number of {delivery:?}");
        watch.sequence[source] += 1;
        let arrived = &self.shadow[delivery.position as usize..][..delivery.length as usize];
        assert!(arrived.iter().all(|byte| *byte == sent.value), "the bytes of {sent:?}");
    }

    fn status_set(&mut self, source: u16, index: u32, status: Status) {
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
            _ => false,
        };
        assert!(may_be, "ends as {status:?}: {sent:?}");
    }

    /// Central has copied. Only receive memory can have changed, because central has no right to any other.
    fn copied(&mut self) {
        let memory = self.memory[usize::from(RECEIVER)].receive;
        let now = memory.read(0, memory.bytes());
        let Some((first, last)) = difference(&now, &self.shadow) else { return };
        let (buffer, watch) = (self.scope.buffer as usize, &self.state.watch);
        let epoch = self.served(RECEIVER);
        let offer = watch.offers.iter().find(|offer| {
            let begin = offer.begin as usize;
            offer.open && offer.epoch == epoch && begin <= first && last < begin + buffer
        });
        let Some(offer) = offer else { panic!("bytes {first} to {last} are not offered") };
        let value = now[first];
        let sent = watch.sent.iter().find(|sent| sent.value == value);
        let Some(sent) = sent else { panic!("{value} is in no message") };
        assert!(now[first..=last].iter().all(|byte| *byte == value), "bytes of others");
        assert!(last < offer.begin as usize + sent.bytes as usize, "past the end of {sent:?}");
        assert!(offer.only.is_none_or(|only| only == sent.source), "{sent:?} in {offer:?}");
        assert!(!sent.delivered && sent.end().is_none(), "copied after its end: {sent:?}");
        assert_eq!(sent.epoch, self.served(sent.source), "copied from a life that is over: {sent:?}");
        self.shadow = now;
    }

    /// Central rests.
    pub(crate) fn rests(&self) {
        let watch = &self.state.watch;
        assert_eq!(watch.mapped, 0, "frames are mapped while central rests");
        for client in 0..=RECEIVER {
            let news = watch.news[usize::from(client)] && self.is_present(client);
            assert!(!news, "client {client} has news and is not signalled");
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
            let goes = |offer: &&Offer| !offer.withdrawn && offer.only.is_none_or(|only| only == source);
            let offer = self.open_offers().find(goes);
            assert!(offer.is_none(), "central rests; {first:?} could go to {offer:?}");
        }
        let withdrawn = self.open_offers().find(|offer| offer.withdrawn);
        assert!(withdrawn.is_none(), "central rests; {withdrawn:?} has no answer");
    }

    fn open_offers(&self) -> impl Iterator<Item = &Offer> {
        let epoch = self.epoch(RECEIVER);
        self.state.watch.offers.iter().filter(move |offer| offer.open && Some(offer.epoch) == epoch)
    }

    /// Everything has been done to let sends go on, so all of them have come to an end.
    pub(crate) fn all_ended(&self) {
        for sent in &self.state.watch.sent {
            let unserved = Some(sent.epoch) != self.epoch(sent.source);
            assert!(unserved || sent.end().is_some(), "never ends: {sent:?}");
            let same = sent.statuses.iter().all(|status| *status == sent.statuses[0]);
            assert!(unserved || same, "parts end differently: {sent:?}");
        }
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
