//! The model: queues of messages, lists of offers, and the rules for what central may have done.
//!
//! In a one-way flow, a message has its number and its place, or is dropped, in the run that takes it, and
//! its end at the first tick after that. It is dropped only if its target could not take it. With guards, it
//! arrives later, after the messages before it, or never. It arrives only if the guards have passed it.

use std::collections::VecDeque;
use std::ops::Range;

use ferry_central::Side;
use ferry_client::Status;
use ferry_layout::config::{FlowRecord, Mapping, StageRecord};
use ferry_testbed::Topology;

use crate::program::Shape;

/// One message as its sender asked for it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each of these can be without the others")]
pub(crate) struct Sent {
    pub(crate) tag: u64,
    pub(crate) target: u16,
    pub(crate) bytes: Vec<u8>,
    pub(crate) urgent: bool,
    /// Time-to-live in ticks; 0 means that it never expires.
    pub(crate) ticks: u32,
    /// Where a placed message goes in the target's receive region.
    pub(crate) place: Option<u64>,
    /// It is a single descriptor.
    pub(crate) is_single: bool,
    /// The target has restarted since the send.
    pub(crate) reset: bool,
    /// Ticks that have passed since the send.
    pub(crate) age: u32,
    /// Ticks that have passed since central has taken the message and written `Queued`.
    pub(crate) waited: Option<u32>,
    /// The status, once it is final.
    pub(crate) end: Option<Status>,
    /// In a one-way flow: its number, when central has taken it, and whether it was delivered.
    pub(crate) number: Option<u64>,
    pub(crate) has_arrived: bool,
    /// In a one-way flow: central has restarted since it was taken, and does not know how many bytes it had.
    pub(crate) is_uncounted: bool,
    /// Mappings were refused since the send.
    pub(crate) unmapped: bool,
}

impl Sent {
    /// A message that was just sent.
    pub(crate) fn new(tag: u64, target: u16, bytes: Vec<u8>) -> Self {
        Self {
            tag,
            target,
            bytes,
            urgent: false,
            ticks: 0,
            place: None,
            is_single: true,
            reset: false,
            age: 0,
            waited: None,
            end: None,
            number: None,
            has_arrived: false,
            is_uncounted: false,
            unmapped: false,
        }
    }
}

/// One receive request that is open as far as the client knows.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each of these can be without the others")]
pub(crate) struct Offer {
    pub(crate) from: Option<u16>,
    pub(crate) start: u64,
    pub(crate) length: u32,
    pub(crate) is_window: bool,
    /// The client has published the request, and central has certainly seen it.
    pub(crate) published: bool,
    pub(crate) known: bool,
    /// The client has withdrawn the request.
    pub(crate) withdrawing: bool,
}

impl Offer {
    pub(crate) fn end(&self) -> u64 {
        self.start + u64::from(self.length)
    }

    fn covers(&self, start: u64, length: usize) -> bool {
        self.start <= start && start + length as u64 <= self.end()
    }
}

/// One delivery that central has filed for a client. The model keeps them in order until the client takes
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filed {
    Message {
        source: u16,
        tag: u64,
        start: u64,
        length: u32,
        placed: bool,
    },
    /// The buffer at this place comes back.
    Returned {
        start: u64,
    },
}

/// What the model knows about one client.
#[derive(Default)]
pub(crate) struct Client {
    /// Tags of the sends in flight, one for each slot, oldest first.
    pub(crate) slots: VecDeque<u64>,
    pub(crate) offers: Vec<Offer>,
    /// What central has filed and the client has not taken yet.
    pub(crate) filed: VecDeque<Filed>,
    /// Index of the next delivery to look at.
    pub(crate) seen: u32,
    /// What its receive region holds.
    pub(crate) receive: Vec<u8>,
}

/// What the counters of a client have to say.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Totals {
    pub(crate) sent_messages: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) received_messages: u64,
    pub(crate) received_bytes: u64,
    pub(crate) refused: u64,
    pub(crate) maps: u64,
    pub(crate) unmaps: u64,
    pub(crate) signals: u64,
    pub(crate) dropped: u64,
}

/// What the model knows about the whole system.
pub(crate) struct Model {
    pub(crate) shape: Shape,
    pub(crate) clients: Vec<Client>,
    /// Messages that are neither delivered nor failed, by source and target, oldest first.
    flows: Vec<Vec<VecDeque<Sent>>>,
    /// Messages that have a number, by source and target: those delivered, in one-way flows also those
    /// dropped.
    numbered: Vec<Vec<u64>>,
    /// Messages of one-way flows that central has taken in the run that is being checked: source, target and
    /// number.
    fresh: Vec<(u16, u16, u64)>,
    /// Messages of one-way flows with guards that central has taken, by source and target, oldest first. They
    /// may be with the guards, and those that come before one that arrived are dropped.
    relayed: Vec<Vec<VecDeque<Sent>>>,
    /// Messages to each client that may have been with guards of one-way flows when central restarted. Those
    /// that were are dropped and not counted.
    lost: Vec<u64>,
    /// Messages that were delivered to each client in one-way flows.
    arrived: Vec<u64>,
    /// Clients for which others wait, or have waited, in the run that is being checked.
    contested: Vec<bool>,
    /// Clients that must not learn how often their frames are mapped.
    pub(crate) uncounted: Vec<bool>,
    /// What the counters of each client have to say.
    pub(crate) totals: Vec<Totals>,
    /// Mappings were refused during the run that is being checked.
    pub(crate) maps_refused: bool,
    /// The run that is being checked was one for a tick.
    pub(crate) is_tick: bool,
    /// Tags of urgent messages that nothing can hold up in the next run.
    hasty: Vec<u64>,
    /// Source and target of messages that were delivered in that run, and are not urgent.
    unhurried: Vec<(u16, u16)>,
}

impl Model {
    pub(crate) fn new(shape: Shape) -> Self {
        let count = shape.topology.clients.len();
        let bytes = shape.topology.clients.iter();
        let clients = bytes.map(|bytes| Client { receive: vec![0; *bytes], ..Client::default() }).collect();
        Self {
            clients,
            // One more queue, for all targets that do not exist.
            flows: vec![vec![VecDeque::new(); count + 1]; count],
            numbered: vec![vec![0; count]; count],
            fresh: Vec::new(),
            relayed: vec![vec![VecDeque::new(); count]; count],
            lost: vec![0; count],
            arrived: vec![0; count],
            contested: vec![false; count],
            uncounted: uncounted(&shape.topology),
            totals: vec![Totals::default(); count],
            shape,
            maps_refused: false,
            is_tick: false,
            hasty: Vec::new(),
            unhurried: Vec::new(),
        }
    }

    fn queue(&mut self, source: u16, target: u16) -> &mut VecDeque<Sent> {
        let targets = &mut self.flows[usize::from(source)];
        let place = usize::from(target).min(targets.len() - 1);
        &mut targets[place]
    }

    pub(crate) fn flow(&self, source: u16, target: u16) -> Option<&FlowRecord> {
        self.shape.topology.flows.iter().find(|flow| (flow.source, flow.target) == (source, target))
    }

    pub(crate) fn stages_of(&self, source: u16, target: u16) -> &[StageRecord] {
        let flow = self.flow(source, target);
        flow.map_or(&[], |flow| {
            &self.shape.topology.stages[flow.first_stage as usize..][..flow.stages.into()]
        })
    }

    fn is_one_way(&self, source: u16, target: u16) -> bool {
        self.flow(source, target).is_some_and(|flow| flow.one_way != 0)
    }

    /// Whether there is a one-way flow.
    pub(crate) fn has_one_way(&self) -> bool {
        self.shape.topology.flows.iter().any(|flow| flow.one_way != 0)
    }

    pub(crate) fn send(&mut self, source: u16, parts: usize, sent: Sent) {
        for _ in 0..parts {
            self.clients[usize::from(source)].slots.push_back(sent.tag);
        }
        self.queue(source, sent.target).push_back(sent);
    }

    /// The status that follows from the send itself and the configuration alone, if there is one.
    fn verdict(&self, source: u16, sent: &Sent) -> Option<Status> {
        let count = self.clients.len();
        let Some(flow) = self.flow(source, sent.target) else {
            let exists = usize::from(sent.target) < count;
            return Some(if exists { Status::Denied } else { Status::NoTarget });
        };
        let length = sent.bytes.len() as u64;
        let region = self.shape.topology.clients[usize::from(sent.target)] as u64;
        let is_simple = sent.is_single && sent.place.is_none();
        if sent.urgent && flow.urgent == 0 || flow.one_way != 0 && !is_simple {
            Some(Status::Denied)
        } else if length > u64::from(flow.max_message) {
            Some(Status::BadLength)
        } else if sent.place.is_some_and(|place| place + length > region) {
            Some(Status::BadDestination)
        } else {
            None
        }
    }

    /// A run begins, for which `signalled` have published and signalled. An urgent message that is the first
    /// of its sender, and the first to its target, has neither others before it, nor a share that is used up.
    pub(crate) fn begin_run(&mut self, signalled: Range<u16>) {
        self.unhurried.clear();
        let hasty = signalled.filter_map(|source| {
            let oldest = self.flows[usize::from(source)].iter().flatten().min_by_key(|sent| sent.tag)?;
            let is_plain = self.verdict(source, oldest).is_none()
                && (oldest.is_single && oldest.place.is_none())
                && !self.is_one_way(source, oldest.target)
                && self.stages_of(source, oldest.target).is_empty();
            let is_first = oldest.waited.is_none()
                && oldest.bytes.len() <= self.shape.topology.bytes_per_round as usize
                && is_plain
                && self.numbered[usize::from(source)][usize::from(oldest.target)] == 0;
            (oldest.urgent && is_first).then_some(oldest.tag)
        });
        self.hasty = hasty.collect();
    }

    /// A message is delivered. No message of another client to the same target comes before an urgent one
    /// that nothing holds up.
    fn keep_class(&mut self, source: u16, target: u16, sent: &Sent) {
        if !sent.urgent {
            self.unhurried.push((source, target));
        } else if !self.maps_refused && self.hasty.contains(&sent.tag) {
            let mut earlier = self.unhurried.iter();
            let earlier = earlier.find(|(other, to)| *other != source && *to == target);
            assert!(earlier.is_none(), "{sent:?} of client {source} is urgent, and comes after {earlier:?}");
        }
    }

    /// A run has ended. Its outcome is checked next.
    pub(crate) fn begin_check(&mut self, maps_refused: bool, is_tick: bool) {
        (self.maps_refused, self.is_tick) = (maps_refused, is_tick);
        for sent in self.flows.iter_mut().flatten().flatten() {
            sent.unmapped |= maps_refused;
        }
        for target in 0..self.clients.len() {
            let number = u16::try_from(target).expect("few clients");
            self.contested[target] = (0..).zip(&self.flows).any(|(source, targets)| {
                !self.is_one_way(source, number) && targets.get(target).is_some_and(|queue| !queue.is_empty())
            });
        }
    }

    /// A slot of `source` is `Queued`: central has taken the message, and its time-to-live counts. One of a
    /// one-way flow has got its number, and stays so until the next tick.
    pub(crate) fn taken(&mut self, source: u16, tag: u64) {
        let flows = &self.shape.topology.flows;
        let is_one_way = |source, target| {
            flows.iter().any(|flow| (flow.source, flow.target, flow.one_way) == (source, target, 1))
        };
        let of_one_way = (0..)
            .zip(&mut self.flows[usize::from(source)])
            .find_map(|(target, queue)| Some((target, queue.iter_mut().find(|sent| sent.tag == tag)?)));
        if let Some((target, sent)) = of_one_way
            && is_one_way(source, target)
        {
            assert!(sent.number.is_none() || !self.is_tick, "{sent:?} of client {source} goes past a tick");
            if sent.number.is_none() {
                let next = &mut self.numbered[usize::from(source)][usize::from(target)];
                sent.number = Some(*next);
                self.fresh.push((source, target, *next));
                *next += 1;
            }
            return;
        }
        let queues = self.flows[usize::from(source)].iter_mut().flatten();
        for sent in queues.filter(|sent| sent.tag == tag) {
            sent.waited = sent.waited.or(Some(0));
        }
    }

    /// A slot of `source` has a final status.
    pub(crate) fn end(&mut self, source: u16, tag: u64, status: Status) {
        let count = self.clients.len();
        let targets = &self.flows[usize::from(source)];
        let found = targets.iter().flatten().find(|sent| sent.tag == tag);
        // There is none for a further slot of a chain whose end was seen already.
        let Some(sent) = found.cloned() else { return };
        if let Some(verdict) = self.verdict(source, &sent) {
            assert_eq!(status, verdict, "{sent:?} of client {source}");
        }
        if self.is_one_way(source, sent.target) && self.verdict(source, &sent).is_none() {
            let is_true = status == Status::Done && self.is_tick && sent.number.is_some();
            assert!(is_true, "{status:?} for {sent:?} of client {source}, which is one-way");
            self.queue(source, sent.target).retain(|sent| sent.tag != tag);
            let totals = &mut self.totals[usize::from(source)];
            totals.sent_messages += 1;
            if !sent.is_uncounted {
                totals.sent_bytes += sent.bytes.len() as u64;
            }
            return;
        }
        let is_guarded = !self.stages_of(source, sent.target).is_empty();
        let is_passed = self.is_passed(source, &sent);
        match status {
            Status::Done => assert!(is_passed, "{sent:?} of client {source} was not passed"),
            Status::Refused => {
                let may_be = !is_passed || is_guarded && sent.unmapped;
                assert!(may_be, "{sent:?} of client {source} was not refused");
            }
            Status::NoTarget | Status::Denied | Status::BadLength => {
                assert!(self.verdict(source, &sent).is_some(), "{status:?} for {sent:?} of client {source}");
            }
            Status::TooLong => assert!(sent.bytes.len() as u64 > u64::from(self.shape.buffer), "{sent:?}"),
            Status::BadDestination => {
                let place = sent.place.expect("only a placed message has a destination");
                // Central may not have seen the window yet, or it was just withdrawn. Then either status is
                // right.
                let target = &self.clients[usize::from(sent.target)];
                let is_open = target.offers.iter().any(|offer| {
                    offer.is_window
                        && offer.from == Some(source)
                        && offer.covers(place, sent.bytes.len())
                        && !offer.withdrawing
                        && offer.known
                });
                assert!(!is_open, "{sent:?} of client {source} had its window");
            }
            Status::Expired => assert!(sent.ticks != 0 && sent.age >= sent.ticks, "{sent:?}"),
            Status::PeerReset => assert!(sent.reset, "{sent:?}"),
            Status::Failed => assert!(self.maps_refused, "{sent:?}"),
            _ => panic!("{status:?} for an honest client's {sent:?}"),
        }
        let queue = &mut self.flows[usize::from(source)][usize::from(sent.target).min(count)];
        if status == Status::Done {
            for sent in queue.iter_mut().filter(|sent| sent.tag == tag) {
                sent.end = Some(status);
            }
        } else {
            queue.retain(|sent| sent.tag != tag);
            self.totals[usize::from(source)].refused += 1;
        }
    }

    /// Whether the guards of its flow, if there are any, get a message and pass it.
    fn is_passed(&self, source: u16, sent: &Sent) -> bool {
        let fits = sent.bytes.len() as u64 <= u64::from(self.shape.buffer);
        self.stages_of(source, sent.target).iter().all(|stage| {
            let members = (0..u32::BITS).filter(|guard| stage.members >> guard & 1 != 0);
            let passes = |guard: &u32| !is_refused_by(sent.tag, *guard);
            fits && members.filter(passes).count() >= stage.quorum as usize
        })
    }

    /// The oldest message of a flow is delivered with this number.
    fn take_oldest(&mut self, source: u16, target: u16, sequence: u64) -> Sent {
        let sent = self.queue(source, target).pop_front().expect("only what was sent is delivered, and once");
        assert_eq!(sent.end, Some(Status::Done), "a delivery and its status are published together");
        let next = &mut self.numbered[usize::from(source)][usize::from(target)];
        assert_eq!(sequence, *next, "numbered without a gap");
        *next += 1;
        let sender = &mut self.totals[usize::from(source)];
        sender.sent_messages += 1;
        sender.sent_bytes += sent.bytes.len() as u64;
        sent
    }

    /// The message of a one-way flow with this number is delivered. Without guards, it was taken in this run.
    /// None after it was delivered before it.
    fn arrive(&mut self, source: u16, target: u16, sequence: u64) -> Sent {
        self.arrived[usize::from(target)] += 1;
        if !self.stages_of(source, target).is_empty() {
            let relayed = &mut self.relayed[usize::from(source)][usize::from(target)];
            let place = relayed.iter().position(|sent| sent.number == Some(sequence));
            let place = place.expect("it was taken, and nothing after it has arrived");
            let sent = relayed.drain(..=place).next_back().expect("that one");
            assert!(self.is_passed(source, &sent), "{sent:?} of client {source} was not passed");
            return sent;
        }
        assert!(self.fresh.contains(&(source, target, sequence)), "{sequence} was not taken in this run");
        let queue = self.queue(source, target);
        let later = queue.iter().find(|sent| sent.number >= Some(sequence) && sent.has_arrived);
        assert!(later.is_none(), "{later:?} is delivered before {sequence}");
        let sent = queue.iter_mut().find(|sent| sent.number == Some(sequence)).expect("it was taken");
        sent.has_arrived = true;
        sent.clone()
    }

    /// All deliveries of a run are seen. What it has taken of one-way flows and not delivered is dropped.
    /// That must have a reason at its target. `has_room` says whether a client can get another delivery.
    pub(crate) fn check_drops(&mut self, has_room: impl Fn(usize) -> bool) {
        for (source, target, number) in core::mem::take(&mut self.fresh) {
            let queue = self.queue(source, target);
            let sent = queue.iter().find(|sent| sent.number == Some(number)).expect("it was taken").clone();
            let place = usize::from(target);
            if !self.stages_of(source, target).is_empty() {
                self.relayed[usize::from(source)][place].push_back(sent);
                continue;
            }
            if sent.has_arrived {
                continue;
            }
            self.totals[place].dropped += 1;
            let fits = |offer: &&Offer| {
                let is_open = offer.published && !offer.is_window && !offer.withdrawing;
                let is_for_it = offer.from.is_none_or(|only| only == source);
                is_open && is_for_it && sent.bytes.len() <= offer.length as usize
            };
            let offer = self.clients[place].offers.iter().find(fits);
            let may_drop = self.maps_refused || self.contested[place] || !has_room(place);
            assert!(
                offer.is_none() || may_drop,
                "{sent:?} of client {source} is dropped in spite of {offer:?}"
            );
        }
    }

    /// How many messages to `target` have been taken in one-way flows, and not delivered: with guards, they
    /// are dropped, or may still arrive. `None` if guards have no part in it.
    pub(crate) fn missing(&self, target: u16) -> Option<u64> {
        let sources = || (0..).zip(&self.numbered).filter(|(source, _)| self.is_one_way(*source, target));
        let is_guarded = sources().any(|(source, _)| !self.stages_of(source, target).is_empty());
        let numbered: u64 = sources().map(|(_, targets)| targets[usize::from(target)]).sum();
        is_guarded.then(|| numbered - self.arrived[usize::from(target)])
    }

    /// A message of `source` was filed for `target`, in `length` bytes from `start`.
    pub(crate) fn deliver(
        &mut self,
        source: u16,
        target: u16,
        tag: u64,
        sequence: u64,
        start: u64,
        length: u32,
    ) {
        let flow = self.flow(source, target).expect("only an allowed flow delivers");
        assert!(length <= flow.max_message);
        let sent = if flow.one_way != 0 {
            self.arrive(source, target, sequence)
        } else {
            self.take_oldest(source, target, sequence)
        };
        assert_eq!((sent.tag, sent.bytes.len()), (tag, length as usize), "in the order of the flow");
        self.keep_class(source, target, &sent);
        let receiver = &mut self.totals[usize::from(target)];
        receiver.received_messages += 1;
        receiver.received_bytes += u64::from(length);

        let client = &mut self.clients[usize::from(target)];
        if let Some(place) = sent.place {
            assert_eq!(start, place, "a placed message lies where it was placed");
            let window = |offer: &&Offer| {
                offer.is_window && offer.from == Some(source) && offer.covers(place, sent.bytes.len())
            };
            assert!(
                client.offers.iter().any(|offer| window(&offer)),
                "inside a window held open for its source"
            );
        } else {
            let fits = |offer: &Offer| !offer.is_window && offer.from.is_none_or(|only| only == source);
            // Buffers for this source alone come first.
            let open = |alone: bool| {
                let mut offers = client.offers.iter();
                offers.position(|offer| fits(offer) && !offer.withdrawing && offer.from.is_some() == alone)
            };
            let oldest = open(true).or_else(|| open(false));
            let chosen = client.offers.iter().position(|offer| fits(offer) && offer.start == start);
            let chosen = chosen.expect("a buffer that was offered to this source");
            // A message of several steps claims its buffer when it begins, and other messages may end before
            // it.
            let in_one_step = self.shape.buffer < ferry_central::CHUNK_BYTES;
            assert!(
                !in_one_step
                    || oldest.is_none_or(|oldest| chosen <= oldest || client.offers[chosen].from.is_some()),
                "the oldest buffer that fits is used first"
            );
            client.offers.remove(chosen);
        }
        let place = usize::try_from(start).expect("inside the region");
        client.receive[place..place + sent.bytes.len()].copy_from_slice(&sent.bytes);
        client.filed.push_back(Filed::Message { source, tag, start, length, placed: sent.place.is_some() });
    }

    /// The request of `client` whose buffer begins at `start` is closed, as the client asked.
    pub(crate) fn withdrawn(&mut self, client: u16, start: u64) {
        let client = &mut self.clients[usize::from(client)];
        let place = client.offers.iter().position(|offer| offer.start == start);
        let offer = client.offers.remove(place.expect("only an open request can be withdrawn"));
        assert!(offer.withdrawing, "{offer:?} was not to be withdrawn");
        client.filed.push_back(Filed::Returned { start });
    }

    /// The request of `client` whose buffer begins at `start` was refused. It was one window too many.
    pub(crate) fn refused(&mut self, client: u16, start: u64) {
        self.totals[usize::from(client)].refused += 1;
        let client = &mut self.clients[usize::from(client)];
        let place = client.offers.iter().position(|offer| offer.start == start);
        let offer = client.offers.remove(place.expect("only an open request can be refused"));
        assert!(offer.is_window, "{offer:?} is an honest offer");
        let for_same = |other: &&Offer| other.is_window && other.from == offer.from;
        let open = client.offers.iter().filter(for_same).count();
        assert!(open >= ferry_layout::geometry::MAX_WINDOWS, "{offer:?} is not one too many");
        client.filed.push_back(Filed::Returned { start });
    }

    /// A client publishes.
    pub(crate) fn publish(&mut self, client: u16) {
        for offer in &mut self.clients[usize::from(client)].offers {
            offer.published = true;
        }
    }

    /// Central has seen everything that was offered so far.
    pub(crate) fn know_offers(&mut self) {
        for offer in self.clients.iter_mut().flat_map(|client| &mut client.offers) {
            offer.known = true;
        }
    }

    pub(crate) fn tick(&mut self) {
        for sent in self.flows.iter_mut().flatten().flatten() {
            sent.age += 1;
            sent.waited = sent.waited.map(|ticks| ticks + 1);
        }
    }

    /// `client` restarts: its own sends and offers are gone. Sends to it may end with `PeerReset`.
    pub(crate) fn restart(&mut self, client: u16) {
        for queue in &mut self.flows[usize::from(client)] {
            queue.clear();
        }
        for sent in self.flows.iter_mut().flatten().flatten().filter(|sent| sent.target == client) {
            sent.reset = true;
        }
        let state = &mut self.clients[usize::from(client)];
        *state = Client { receive: std::mem::take(&mut state.receive), ..Client::default() };
    }

    /// Central restarts. Every time to live begins anew. What was with guards of one-way flows does not
    /// arrive any more. Counts that had not reached the counters are lost.
    pub(crate) fn restart_central(&mut self) {
        for sent in self.flows.iter_mut().flatten().flatten() {
            (sent.age, sent.waited) = (0, sent.waited.and(Some(0)));
            sent.is_uncounted |= sent.number.is_some();
        }
        for targets in &mut self.relayed {
            for (relayed, lost) in targets.iter_mut().zip(&mut self.lost) {
                *lost += relayed.drain(..).count() as u64;
            }
        }
    }

    /// How many messages to `target` can be missing without being counted as dropped: they were with guards
    /// when central restarted.
    pub(crate) fn may_be_lost(&self, target: u16) -> u64 {
        self.lost[usize::from(target)]
    }

    /// Checks that every send with status `Done` was delivered.
    pub(crate) fn check_conservation(&self) {
        for sent in self.flows.iter().flatten().flatten() {
            assert_eq!(sent.end, None, "{sent:?} is done and not delivered");
        }
    }

    /// Call it after a run that has seen everything. Checks that each message that still waits has a reason.
    pub(crate) fn check_nothing_waits_in_vain(&self, has_room: impl Fn(usize) -> bool) {
        for (source, targets) in self.flows.iter().enumerate() {
            for sent in targets.iter().filter_map(VecDeque::front) {
                let target = usize::from(sent.target);
                let number = u16::try_from(source).expect("few clients");
                if sent.number.is_some() || !self.stages_of(number, sent.target).is_empty() {
                    // It waits for the next tick, or for guards.
                    continue;
                }
                let has_one_way_flow =
                    u16::try_from(source).is_ok_and(|source| self.is_one_way(source, sent.target));
                assert!(
                    target < self.clients.len() && !has_one_way_flow,
                    "{sent:?} of client {source} has no status"
                );
                if !has_room(target) {
                    continue;
                }
                assert_eq!(sent.place, None, "{sent:?} of client {source} need not wait for a buffer");
                let fits = |offer: &Offer| {
                    !offer.is_window && offer.from.is_none_or(|only| usize::from(only) == source)
                };
                let offers = &self.clients[target].offers;
                assert!(
                    !offers.iter().any(fits),
                    "{sent:?} of client {source} waits, and its target has {offers:?}"
                );
                let due = sent.ticks != 0 && sent.waited.is_some_and(|waited| waited >= sent.ticks);
                assert!(!due, "{sent:?} of client {source} should have expired");
            }
        }
    }

    /// Number of messages that are neither delivered nor failed.
    pub(crate) fn waiting(&self) -> usize {
        self.flows.iter().flatten().map(VecDeque::len).sum()
    }

    /// Whether frames of `client` on this side may stay mapped: a flow keeps them.
    pub(crate) fn may_keep(&self, client: u16, side: Side) -> bool {
        let is_guard = usize::from(client + self.shape.guards) >= self.clients.len();
        self.shape.topology.flows.iter().any(|flow| {
            let owner = if side == Side::Transmit { flow.source } else { flow.target };
            (owner == client || is_guard) && flow.mapping() == Mapping::Keep
        })
    }

    /// Ranges of `client`'s receive region into which an unfinished or failed transfer may have written.
    pub(crate) fn offered(&self, client: usize) -> impl Iterator<Item = (usize, usize)> {
        self.clients[client].offers.iter().map(|offer| {
            let start = usize::try_from(offer.start).expect("inside the region");
            (start, start + offer.length as usize)
        })
    }
}

/// The clients of the components that have senders of one-way flows. The counters of guards are not checked.
fn uncounted(topology: &Topology) -> Vec<bool> {
    let mut uncounted = vec![false; topology.clients.len()];
    for flow in topology.flows.iter().filter(|flow| flow.one_way != 0) {
        uncounted[usize::from(flow.source)] = true;
    }
    for _ in 0..topology.clients.len() {
        for flow in topology.flows.iter().filter(|flow| flow.one_way == 0) {
            let stages = &topology.stages[flow.first_stage as usize..][..flow.stages.into()];
            let guards = stages.iter().fold(0, |all, stage| all | stage.members);
            let members = 1 << flow.source | 1 << flow.target | guards;
            let members = (0..uncounted.len()).filter(|client| members >> client & 1 != 0);
            let is_uncounted = members.clone().any(|client| uncounted[client]);
            members.for_each(|client| uncounted[client] = is_uncounted);
        }
    }
    uncounted
}

/// Whether a guard refuses a message: about a quarter of them, others than the next guard.
pub(crate) const fn is_refused_by(tag: u64, guard: u32) -> bool {
    (tag.wrapping_mul(0x9e37_79b9 + 2 * guard as u64) >> 9).is_multiple_of(4)
}
