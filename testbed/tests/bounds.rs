//! What bounds the work of one wake-up: quotas that count the carried messages, shares smaller than one step,
//! and ticks that come while clients publish without pause.

use std::cell::Cell;
use std::rc::Rc;

use ferry_client::{Message, Port, ReceiveBuffer, Status, TransmitBuffer};
use ferry_layout::Descriptor;
use ferry_layout::config::Mapping;
use ferry_layout::observe::{AccessKind, set_hook};
use ferry_testbed::{Silent, Testbed, Topology};

struct Client {
    port: Port<Silent>,
    transmit: Vec<TransmitBuffer>,
    receive: Vec<ReceiveBuffer>,
}

fn system(topology: &Topology, bytes: u32) -> (Testbed, Vec<Client>) {
    let mut bed = Testbed::new(topology);
    bed.machine.records = false;
    let count = u16::try_from(topology.clients.len()).unwrap();
    let clients = (0..count)
        .map(|client| {
            let (port, transmit, receive) = bed.open(client);
            Client {
                port,
                transmit: transmit.split::<128>(bytes).into_iter().collect(),
                receive: receive.split::<128>(bytes).into_iter().collect(),
            }
        })
        .collect();
    (bed, clients)
}

impl Client {
    fn send(&mut self, target: u16, length: u32, message: Message) {
        let peer = self.port.peer(&format!("client{target}")).unwrap();
        self.port.send(peer, self.transmit.pop().unwrap(), length, message).unwrap();
        self.port.publish();
    }

    fn post(&mut self, count: usize) {
        for _ in 0..count {
            self.port.post(self.receive.pop().unwrap(), None).unwrap();
        }
        self.port.publish();
    }
}

/// 120 messages of client 0 have waited for client 2. Client 1 then publishes 8 new ones for client 3. With a
/// quota of two messages a round, the 8 are delivered when client 0 has had about as many.
#[test]
fn t120_the_quota_counts_what_has_waited() {
    let mut topology = Topology::mesh(4, 16, Mapping::Keep);
    topology.messages_per_round = 2;
    // One peer may then use all slots.
    topology.flows.retain(|flow| matches!((flow.source, flow.target), (0, 2) | (1, 3)));
    let (mut bed, mut clients) = system(&topology, 256);
    for _ in 0..120 {
        clients[0].send(2, 8, Message::default());
    }
    bed.run();
    clients[2].post(120);
    clients[3].post(8);
    for _ in 0..8 {
        clients[1].send(3, 8, Message::default());
    }
    // The number of deliveries to client 2 when the last delivery to client 3 has become visible.
    let (waited, new) = (bed.clients[2].to_client, bed.clients[3].to_client);
    let at_the_eighth = Rc::new(Cell::new(None));
    let noted = at_the_eighth.clone();
    bed.machine.between_rounds = Some(Box::new(move || {
        if noted.get().is_none() && new.delivery_tail.observe() == 8 {
            noted.set(Some(waited.delivery_tail.observe()));
        }
        false
    }));
    bed.run();
    assert_eq!((waited.delivery_tail.observe(), new.delivery_tail.observe()), (120, 8));
    let carried = at_the_eighth.get().expect("the eight came before the end");
    assert!((6..=10).contains(&carried), "{carried} were carried meanwhile");
}

/// The share is one byte a round, and the message has one mebibyte. Each step of 64 KiB takes two rounds, not
/// 65536.
#[test]
fn t121_a_share_below_one_step_takes_few_rounds() {
    for bytes_per_round in [1, 63, 64, 65, 1000, 65_535, 65_536] {
        let mut topology = Topology::mesh(3, 260, Mapping::Each);
        topology.bytes_per_round = bytes_per_round;
        let (mut bed, mut clients) = system(&topology, 1 << 20);
        clients[1].post(1);
        clients[0].send(1, 1 << 20, Message::default());
        bed.run();
        assert_eq!(clients[0].port.reap().map(|done| done.status), Some(Status::Done));
        let rounds = bed.machine.rounds;
        assert!(rounds <= 40, "{bytes_per_round} bytes a round: {rounds} rounds");
        assert!(clients[1].port.receive().is_some());
    }
}

/// A short message that costs more than a share stays in the ring until the sender can afford it.
#[test]
fn t121_a_short_message_beyond_a_share_takes_few_rounds() {
    let mut topology = Topology::mesh(3, 260, Mapping::Each);
    topology.bytes_per_round = 1;
    let (mut bed, mut clients) = system(&topology, 1 << 12);
    clients[1].post(1);
    clients[0].send(1, 1 << 12, Message::default());
    bed.run();
    assert_eq!(clients[0].port.reap().map(|done| done.status), Some(Status::Done));
    assert!(bed.machine.rounds <= 4, "{} rounds", bed.machine.rounds);
}

/// Two clients with such shares are served alike, and in few rounds.
#[test]
fn t122_shares_below_one_step_are_still_shares() {
    let mut topology = Topology::mesh(4, 260, Mapping::Each);
    topology.bytes_per_round = 1;
    let (mut bed, mut clients) = system(&topology, 1 << 18);
    for receiver in [2, 3] {
        clients[receiver].post(4);
    }
    for _ in 0..4 {
        clients[0].send(2, 1 << 18, Message::default());
        clients[1].send(3, 1 << 18, Message::default());
    }
    let pages = [bed.clients[2].to_client, bed.clients[3].to_client];
    bed.machine.between_rounds = Some(Box::new(move || {
        let [one, other] = pages.map(|to_client| i64::from(to_client.delivery_tail.observe()));
        assert!((one - other).abs() <= 1, "{one} and {other}");
        false
    }));
    bed.run();
    assert_eq!(pages.map(|to_client| to_client.delivery_tail.observe()), [4, 4]);
    assert!(bed.machine.rounds <= 80, "{} rounds", bed.machine.rounds);
}

/// Two clients on other cores publish whenever central looks, so the run goes on and on. A tick passes in
/// each round all the same, and a message that has waited too long expires.
#[test]
fn t123_periods_pass_while_clients_publish_without_pause() {
    const ROUNDS: u32 = 500;
    let mut topology = Topology::mesh(4, 16, Mapping::Keep);
    topology.messages_per_round = 1;
    let (mut bed, mut clients) = system(&topology, 256);
    clients[2].send(3, 8, Message { time_to_live: 5, ..Message::default() });
    bed.run();
    assert_eq!(clients[2].port.status(0), Some(Status::Queued));
    let waiting = bed.clients[2].to_client;
    let rounds = Rc::new(Cell::new(0_u32));
    let (counted, expired_in) = (rounds.clone(), Rc::new(Cell::new(None)));
    let expired = expired_in.clone();
    bed.machine.between_rounds = Some(Box::new(move || {
        counted.set(counted.get() + 1);
        if expired.get().is_none() && waiting.status(0).get(0) == Some(Status::Expired) {
            expired.set(Some(counted.get()));
        }
        true
    }));
    let pages = [bed.clients[0], bed.clients[1]];
    let tails = pages.map(|page| core::ptr::from_ref(&page.from_client.transmit_tail).addr());
    let seen = rounds.clone();
    set_hook(Some(Box::new(move |access| {
        let publisher = tails.iter().position(|tail| *tail == access.address);
        if let (AccessKind::Load, Some(publisher)) = (access.kind, publisher)
            && seen.get() < ROUNDS
        {
            let page = pages[publisher];
            // Two sends, of which a turn takes one.
            for _ in 0..2 {
                let tail = page.from_client.transmit_tail.observe();
                if tail.wrapping_sub(page.to_client.transmit_head.observe()) < 128 {
                    // The send is refused, but central has to look at it.
                    let descriptor = Descriptor { target: 9, length: 8, ..Descriptor::default() };
                    page.from_client.descriptors.store(tail, descriptor);
                    page.from_client.transmit_tail.publish(tail.wrapping_add(1));
                }
            }
        }
    })));
    bed.run();
    set_hook(None);
    assert!(rounds.get() >= ROUNDS, "central was kept awake for {} rounds", rounds.get());
    assert!(expired_in.get().is_some_and(|round| round <= 8), "expired in round {:?}", expired_in.get());
    assert!(bed.clients[0].to_client.counters.refused.get() > 100, "and the others were served");
}

/// Two senders have 60 messages each that wait. The receiver posts buffers for all of them at a moment that
/// is tried through all of central's work, and a period passes between any two rounds or never. Neither
/// sender is ever more than two quotas ahead of the other while both have some left.
#[test]
fn t120_the_quota_holds_whenever_the_buffers_come() {
    for (first, ticks) in [(0, false), (1, false), (0, true), (1, true)] {
        let mut at = 1;
        while let Some(lead) = largest_lead(at, first, ticks) {
            assert!(lead <= 4, "posted at access {at}: one sender is {lead} messages ahead");
            at += 1;
        }
        assert!(at > 4, "central does something");
    }
}

/// By how many messages one sender gets ahead of the other, if the buffers are posted at access `at` to
/// shared memory after both first messages have arrived. `None` if there are not so many accesses.
fn largest_lead(at: u32, first: u16, ticks: bool) -> Option<u32> {
    const WAITING: u32 = 60;
    let mut topology = Topology::mesh(3, 16, Mapping::Each);
    topology.messages_per_round = 2;
    topology.flows.retain(|flow| flow.target == 2);
    topology.flows[0].mapping = Mapping::Keep as u8;
    let (mut bed, mut clients) = system(&topology, 256);
    for sender in [0, 1] {
        let peer = clients[2].port.peer(&format!("client{sender}"));
        let buffer = clients[2].receive.pop().unwrap();
        clients[2].port.post(buffer, peer).unwrap();
    }
    clients[2].port.publish();
    for sender in [0, 1] {
        for _ in 0..=WAITING {
            clients[sender].send(2, 8, Message::default());
        }
    }
    // What the receiver posts later is in its ring, and not published yet.
    let receiver = bed.clients[2];
    clients[2].post(2 * WAITING as usize);
    let all = receiver.from_client.post_tail.observe();
    receiver.from_client.post_tail.publish(2);
    if ticks {
        bed.machine.between_rounds = Some(Box::new(|| true));
    }
    let left = Rc::new(Cell::new(at));
    let counted = left.clone();
    set_hook(Some(Box::new(move |_| {
        if counted.get() != 0 && receiver.to_client.delivery_tail.observe() >= 2 {
            counted.set(counted.get() - 1);
            if counted.get() == 0 {
                receiver.from_client.post_tail.publish(all);
            }
        }
    })));
    bed.run_for(first);
    bed.run_for(1 - first);
    set_hook(None);
    if left.get() != 0 {
        bed.machine.between_rounds = None;
        drop(clients);
        // SAFETY: the clients are gone, and nobody else has anything of this system.
        unsafe { bed.free() };
        return None;
    }
    bed.run();
    let sources = (2..receiver.to_client.delivery_tail.observe())
        .map(|index| receiver.to_client.deliveries.load::<ferry_layout::Delivery>(index).source);
    let sources: Vec<u16> = sources.collect();
    assert_eq!(sources.len(), 2 * WAITING as usize);
    let (mut given, mut largest) = ([0_u32; 2], 0);
    for source in sources {
        given[usize::from(source)] += 1;
        if given.iter().all(|count| *count < WAITING) {
            largest = largest.max(given[0].abs_diff(given[1]));
        }
    }
    drop(clients);
    // SAFETY: the clients are gone, and nobody else has anything of this system.
    unsafe { bed.free() };
    Some(largest)
}
