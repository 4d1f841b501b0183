//! Paired runs. Two systems run side by side. The low clients do the same in both. The high clients, to which
//! the low ones have one-way flows, and the guard of one of these flows do different things. They may be
//! hostile: they also write any word of their own pages, before central runs and in the middle of its run.
//! Whenever central comes to rest, everything that the low clients can read must be the same in both systems.
//!
//! Low clients need not signal what they publish, and they may write any word of their pages too.

use std::cell::RefCell;
use std::rc::Rc;

use ferry_client::{Event, Message, Port, ReceiveBuffer, TransmitBuffer};
use ferry_layout::OutRegion;
use ferry_layout::config::Mapping;
use ferry_layout::observe::set_hook;
use ferry_testbed::{Action, Memory, Silent, Testbed, Topology};
use proptest::prelude::*;

use crate::stage::one_way;

/// Clients below this are low, the others are high.
const LOW: u16 = 3;
const CLIENTS: u16 = 6;
/// The last one guards the flow from client 0 to the first high client.
const GUARD: u16 = CLIENTS - 1;
/// Bytes of a buffer.
const BUFFER: u32 = 2048;
/// Words of a client's page.
const WORDS: usize = size_of::<OutRegion>() / 4;

/// What a client does. `who` and `other` are taken modulo the number of clients that they can be.
#[derive(Clone, Copy, Debug)]
enum Act {
    Send {
        who: u16,
        to: u16,
        length: u16,
        urgent: bool,
        no_signal: bool,
        ticks: u32,
    },
    Post {
        who: u16,
        from: Option<u16>,
    },
    Reap {
        who: u16,
    },
    Receive {
        who: u16,
    },
    Signal {
        who: u16,
    },
    /// The guard answers. Only high clients do it.
    Judge {
        passes: bool,
    },
    /// Writes a word of its own page.
    Write {
        who: u16,
        place: usize,
        word: u32,
    },
    /// The same when central has made some accesses of the next run. Only high clients do it.
    WriteAmid {
        who: u16,
        place: usize,
        word: u32,
        accesses: u8,
    },
}

/// What happens between two comparisons.
#[derive(Clone, Debug)]
struct Step {
    high: [Vec<Act>; 2],
    low: Act,
    tick: bool,
}

fn act(foul: u32) -> impl Strategy<Value = Act> {
    let who = any::<u16>;
    // Mostly the indices and hints at the beginning, and mostly small numbers.
    let place = || prop_oneof![3 => 0..40_usize, 1 => 0..WORDS];
    let word = || prop_oneof![3 => 0..200_u32, 1 => any::<u32>()];
    prop_oneof![
        6 => (who(), who(), 0..2100_u16, any::<bool>(), any::<bool>(), 0..3_u32).prop_map(
            |(who, to, length, urgent, no_signal, ticks)| Act::Send { who, to, length, urgent, no_signal, ticks }
        ),
        4 => (who(), prop::option::of(who())).prop_map(|(who, from)| Act::Post { who, from }),
        2 => who().prop_map(|who| Act::Reap { who }),
        2 => who().prop_map(|who| Act::Receive { who }),
        5 => who().prop_map(|who| Act::Signal { who }),
        2 => any::<bool>().prop_map(|passes| Act::Judge { passes }),
        foul => (who(), place(), word()).prop_map(|(who, place, word)| Act::Write { who, place, word }),
        foul => (who(), place(), word(), any::<u8>())
            .prop_map(|(who, place, word, accesses)| Act::WriteAmid { who, place, word, accesses }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let high = || prop::collection::vec(act(3), 0..6);
    (high(), high(), act(1), prop::bool::weighted(0.3)).prop_map(|(one, other, low, tick)| Step {
        high: [one, other],
        low,
        tick,
    })
}

struct Client {
    port: Port<Silent>,
    transmit: Vec<TransmitBuffer>,
    receive: Vec<ReceiveBuffer>,
}

/// One of the two systems.
struct System {
    bed: Testbed,
    clients: Vec<Client>,
    /// What a high client writes in the middle of the next run: client, word and value, and after how many
    /// accesses.
    amid: Option<(u16, usize, u32, u8)>,
    signals: Rc<RefCell<[u32; CLIENTS as usize]>>,
}

fn topology(mapping: Mapping, urgent: bool, messages_per_round: u32) -> Topology {
    let mut topology = Topology::mesh(CLIENTS, 16, mapping);
    topology.messages_per_round = messages_per_round;
    topology.flows.retain(|flow| {
        flow.source < GUARD && flow.target < GUARD && (flow.source < LOW) == (flow.target < LOW)
    });
    let pairs = (0..LOW).flat_map(|low| (LOW..GUARD).map(move |high| (low, high)));
    let pairs = pairs.filter(|pair| *pair != (0, LOW));
    topology.flows.extend(pairs.map(|(low, high)| one_way(low, high, mapping)));
    topology.add_guarded(0, LOW, &[(&[GUARD], 1)], mapping, 2);
    if let Some(guarded) = topology.flows.last_mut() {
        guarded.one_way = 1;
    }
    for flow in &mut topology.flows {
        flow.urgent = urgent.into();
    }
    topology
}

impl System {
    fn new(topology: &Topology) -> Self {
        let mut bed = Testbed::new(topology);
        let clients = (0..CLIENTS).map(|client| {
            let (port, transmit, receive) = bed.open(client);
            let transmit = transmit.split::<16>(BUFFER).into_iter().collect();
            let receive = receive.split::<16>(BUFFER).into_iter().collect();
            Client { port, transmit, receive }
        });
        let clients = clients.collect();
        let signals = Rc::new(RefCell::new([0; CLIENTS as usize]));
        let counted = signals.clone();
        bed.machine.records = false;
        bed.machine.interposer = Some(Box::new(move |action| {
            if let Action::Signal(client) = action {
                counted.borrow_mut()[usize::from(client)] += 1;
            }
        }));
        Self { bed, clients, amid: None, signals }
    }

    /// An act of a low client, or of a high one.
    fn act(&mut self, is_low: bool, act: Act) {
        let (first, count) = if is_low { (0, LOW) } else { (LOW, CLIENTS - LOW) };
        let number = |who: u16| first + who % count;
        match act {
            Act::Send { who, to, length, urgent, no_signal, ticks } => {
                // Low clients send to everybody, high ones to each other.
                let to = if is_low { to % GUARD } else { number(to) };
                let client = &mut self.clients[usize::from(number(who))];
                if let (Some(buffer), Some(peer)) =
                    (client.transmit.pop(), client.port.peer(&format!("client{to}")))
                {
                    let message = Message { urgent, no_signal, time_to_live: ticks, ..Message::tagged(5) };
                    let sent = client.port.send(peer, buffer, u32::from(length), message);
                    client.transmit.extend(sent.err().map(|refused| refused.buffer));
                    client.port.publish();
                }
            }
            Act::Post { who, from } => {
                let from = from.map(number);
                let client = &mut self.clients[usize::from(number(who))];
                let from = from.and_then(|from| client.port.peer(&format!("client{from}")));
                if let Some(buffer) = client.receive.pop() {
                    // A buffer that is refused is lost to this test, which has enough of them.
                    let _ = client.port.post(buffer, from);
                    client.port.publish();
                }
            }
            Act::Reap { who } => {
                let client = &mut self.clients[usize::from(number(who))];
                client.transmit.extend(client.port.reap().map(|done| done.buffer));
            }
            Act::Receive { who } => {
                let client = &mut self.clients[usize::from(number(who))];
                client.receive.extend(match client.port.receive() {
                    Some(Event::Message { buffer, .. } | Event::Returned(buffer)) => Some(buffer),
                    Some(Event::Placed { .. }) | None => None,
                });
                client.port.publish();
            }
            Act::Signal { who } => self.run(number(who)),
            Act::Judge { passes } if !is_low => {
                let guard = &mut self.clients[usize::from(GUARD)];
                if let Some(inspection) = guard.port.inspect() {
                    let _ = guard.port.answer(inspection.ticket, passes, 0);
                    guard.receive.push(inspection.buffer);
                } else if let Some(Event::Returned(buffer)) = guard.port.receive() {
                    guard.receive.push(buffer);
                }
                let _ = guard.port.reap();
                guard.port.publish();
            }
            Act::Write { who, place, word } => self.write(number(who), place, word),
            Act::WriteAmid { who, place, word, accesses } if !is_low => {
                self.amid = Some((number(who), place, word, accesses));
            }
            Act::Judge { .. } | Act::WriteAmid { .. } => {}
        }
    }

    fn write(&self, client: u16, place: usize, word: u32) {
        Memory::of(self.bed.clients[usize::from(client)].from_client).write(place * 4, &word.to_le_bytes());
    }

    /// Central runs, woken by `client`. If a high client is to write in the middle of it, it does.
    fn run(&mut self, client: u16) {
        self.amidst(|bed| bed.run_for(client));
    }

    fn amidst(&mut self, run: impl FnOnce(&mut Testbed)) {
        if let Some((client, place, word, accesses)) = self.amid.take() {
            let memory = self.bed.clients[usize::from(client)];
            let mut left = u32::from(accesses);
            set_hook(Some(Box::new(move |_| {
                if left == 0 {
                    Memory::of(memory.from_client).write(place * 4, &word.to_le_bytes());
                }
                left = left.wrapping_sub(1);
            })));
        }
        run(&mut self.bed);
        set_hook(None);
    }

    /// The pages of the low clients, and their signals.
    fn pages(&self) -> Vec<(Vec<u8>, u32)> {
        let of = |client: u16| {
            let page = Memory::of(self.bed.clients[usize::from(client)].to_client);
            (page.read(0, page.bytes()), self.signals.borrow()[usize::from(client)])
        };
        (0..LOW).map(of).collect()
    }

    /// What the low clients have received.
    fn received(&self) -> Vec<Vec<u8>> {
        let of = |client: u16| self.bed.clients[usize::from(client)].receive;
        (0..LOW).map(of).map(|memory| memory.read(0, memory.bytes())).collect()
    }
}

/// The first difference, for a message.
fn difference(one: &[(Vec<u8>, u32)], other: &[(Vec<u8>, u32)]) -> Option<String> {
    for (client, ((one, signals), (other, other_signals))) in one.iter().zip(other).enumerate() {
        if let Some(byte) = one.iter().zip(other).position(|(one, other)| one != other) {
            return Some(format!("byte {byte:#x} of the page of client {client}"));
        }
        if signals != other_signals {
            return Some(format!("signals to client {client}: {signals} and {other_signals}"));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(500),
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn senders_see_nothing_of_their_receivers(
        keep in any::<bool>(),
        urgent in any::<bool>(),
        messages_per_round in 1..3_u32,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mapping = if keep { Mapping::Keep } else { Mapping::Each };
        let topology = topology(mapping, urgent, messages_per_round);
        let mut systems = [System::new(&topology), System::new(&topology)];
        for Step { high, low, tick } in steps {
            for (system, acts) in systems.iter_mut().zip(high) {
                for act in acts {
                    system.act(false, act);
                }
                system.act(true, low);
                if tick {
                    system.amidst(Testbed::tick);
                }
            }
            let [one, other] = &systems;
            let leak = difference(&one.pages(), &other.pages());
            prop_assert!(leak.is_none(), "the receivers show: {}", leak.unwrap_or_default());
            prop_assert!(!tick || one.received() == other.received(), "the receivers show in what arrived");
        }
        for system in systems {
            let System { bed, clients, .. } = system;
            drop(clients);
            // SAFETY: ports and buffers belonged to the clients, which are gone.
            unsafe { bed.free() };
        }
    }
}
