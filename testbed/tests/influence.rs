//! No influence (guarantee 9): a client that no chain of flows connects with another learns nothing of it.
//!
//! Two systems run side by side. Each has two pairs of clients, without a flow between the pairs. The second
//! pair does the same in both systems. The first pair does different things, and it may be hostile: it also
//! writes any word of its own pages. Whenever central comes to rest, everything that the second pair can read
//! must be the same in both systems: its pages, its receive memory, and how often it was signalled. Central's
//! work for the first pair may also come in the middle of its work for the second.

use std::cell::RefCell;
use std::rc::Rc;

use ferry_client::{Event, Message, Peer, Port, ReceiveBuffer, TransmitBuffer};
use ferry_layout::OutRegion;
use ferry_layout::config::Mapping;
use ferry_layout::observe::set_hook;
use ferry_testbed::{Action, ClientMemory, Memory, Silent, Testbed, Topology};
use proptest::prelude::*;

/// The clients whose acts differ, and those that must not notice.
const STRANGERS: [u16; 2] = [0, 1];
const WATCHERS: [u16; 2] = [2, 3];
/// Bytes of a buffer.
const BUFFER: u32 = 2048;
/// Words of a client's page that a hostile one writes.
const WORDS: usize = size_of::<OutRegion>() / 4;

/// What a client does. `who` chooses between the two clients of its pair.
#[derive(Clone, Copy, Debug)]
enum Act {
    Send { who: bool, length: u16, urgent: bool, ticks: u32 },
    Post { who: bool, named: bool },
    Reap { who: bool },
    Receive { who: bool },
    Signal { who: bool },
}

impl Act {
    const fn who(self) -> bool {
        let (Self::Send { who, .. }
        | Self::Post { who, .. }
        | Self::Reap { who }
        | Self::Receive { who }
        | Self::Signal { who }) = self;
        who
    }
}

/// What the strangers do besides.
#[derive(Clone, Copy, Debug)]
enum Foul {
    Act(Act),
    /// Writes a word of its own page.
    Write {
        who: bool,
        place: usize,
        word: u32,
    },
    /// The same when central has made some accesses of the watchers' next run, and signals.
    WriteAmid {
        who: bool,
        place: usize,
        word: u32,
        accesses: u8,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let who = any::<bool>;
    prop_oneof![
        4 => (who(), 0..3000_u16, any::<bool>(), 0..3_u32)
            .prop_map(|(who, length, urgent, ticks)| Act::Send { who, length, urgent, ticks }),
        3 => (who(), any::<bool>()).prop_map(|(who, named)| Act::Post { who, named }),
        2 => who().prop_map(|who| Act::Reap { who }),
        2 => who().prop_map(|who| Act::Receive { who }),
        4 => who().prop_map(|who| Act::Signal { who }),
    ]
}

fn foul() -> impl Strategy<Value = Foul> {
    let who = any::<bool>;
    // Mostly the indices and hints at the beginning, and mostly small numbers.
    let place = || prop_oneof![3 => 0..40_usize, 1 => 0..WORDS];
    let word = || prop_oneof![3 => 0..200_u32, 1 => any::<u32>()];
    prop_oneof![
        6 => act().prop_map(Foul::Act),
        3 => (who(), place(), word()).prop_map(|(who, place, word)| Foul::Write { who, place, word }),
        2 => (who(), place(), word(), any::<u8>())
            .prop_map(|(who, place, word, accesses)| Foul::WriteAmid { who, place, word, accesses }),
    ]
}

struct Client {
    port: Port<Silent>,
    peer: Peer,
    transmit: Vec<TransmitBuffer>,
    receive: Vec<ReceiveBuffer>,
}

/// One of the two systems.
struct System {
    bed: Testbed,
    clients: Vec<Client>,
    /// What a stranger writes in the middle of the next run: client, word and value, and after how many
    /// accesses.
    amid: Option<(u16, usize, u32, u8)>,
    /// Signals to each client.
    signals: Rc<RefCell<[u32; 4]>>,
}

/// What the watchers can read.
#[derive(PartialEq, Eq)]
struct View {
    pages: Vec<Vec<u8>>,
    received: Vec<Vec<u8>>,
    signals: Vec<u32>,
}

impl System {
    fn new(mapping: Mapping, urgent: bool) -> Self {
        let mut topology = Topology::mesh(4, 16, mapping);
        topology.messages_per_round = 1;
        topology.flows.retain(|flow| (flow.source < 2) == (flow.target < 2));
        for flow in &mut topology.flows {
            flow.urgent = urgent.into();
        }
        let mut bed = Testbed::new(&topology);
        let clients = (0..4_u16).map(|client| {
            let (port, transmit, receive) = bed.open(client);
            let peer = port.peer(&format!("client{}", client ^ 1)).unwrap();
            let transmit = transmit.split::<16>(BUFFER).into_iter().collect();
            let receive = receive.split::<16>(BUFFER).into_iter().collect();
            Client { port, peer, transmit, receive }
        });
        let clients = clients.collect();
        let signals = Rc::new(RefCell::new([0; 4]));
        let counted = signals.clone();
        bed.machine.records = false;
        bed.machine.interposer = Some(Box::new(move |action| {
            if let Action::Signal(client) = action {
                counted.borrow_mut()[usize::from(client)] += 1;
            }
        }));
        Self { bed, clients, amid: None, signals }
    }

    /// An act of one of a pair.
    fn act(&mut self, pair: [u16; 2], act: Act) {
        let number = |who: bool| pair[usize::from(who)];
        match act {
            Act::Send { who, length, urgent, ticks } => {
                let client = &mut self.clients[usize::from(number(who))];
                if let Some(buffer) = client.transmit.pop() {
                    let message = Message { urgent, time_to_live: ticks, ..Message::default() };
                    let sent = client.port.send(client.peer, buffer, u32::from(length), message);
                    client.transmit.extend(sent.err().map(|refused| refused.buffer));
                    client.port.publish();
                }
            }
            Act::Post { who, named } => {
                let client = &mut self.clients[usize::from(number(who))];
                if let Some(buffer) = client.receive.pop() {
                    // A buffer that is refused is lost to this test, which has enough of them.
                    let _ = client.port.post(buffer, named.then_some(client.peer));
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
        }
    }

    /// Central runs, woken by `client`. If a stranger is to write in the middle, it does so and signals.
    fn run(&mut self, client: u16) {
        if let Some((stranger, place, word, accesses)) = self.amid.take_if(|_| client >= 2) {
            let memory = self.bed.clients[usize::from(stranger)];
            let mut left = u32::from(accesses);
            set_hook(Some(Box::new(move |_| {
                if left == 0 {
                    write(&memory, place, word);
                }
                left = left.wrapping_sub(1);
            })));
            self.bed.run_for(client);
            set_hook(None);
            self.bed.run_for(stranger);
        } else {
            self.bed.run_for(client);
        }
    }

    fn foul(&mut self, foul: Foul) {
        match foul {
            Foul::Act(act) => self.act(STRANGERS, act),
            Foul::Write { who, place, word } => {
                write(&self.bed.clients[usize::from(STRANGERS[usize::from(who)])], place, word);
            }
            Foul::WriteAmid { who, place, word, accesses } => {
                self.amid = Some((STRANGERS[usize::from(who)], place, word, accesses));
            }
        }
    }

    /// What the watchers can read now.
    fn view(&self) -> View {
        let of = |client: &u16| self.bed.clients[usize::from(*client)];
        let all = |memory: Memory| memory.read(0, memory.bytes());
        View {
            pages: WATCHERS.iter().map(|client| all(Memory::of(of(client).to_client))).collect(),
            received: WATCHERS.iter().map(|client| all(of(client).receive)).collect(),
            signals: WATCHERS.iter().map(|client| self.signals.borrow()[usize::from(*client)]).collect(),
        }
    }
}

/// A client writes a word of its own page.
fn write(client: &ClientMemory, place: usize, word: u32) {
    Memory::of(client.from_client).write(place * 4, &word.to_le_bytes());
}

/// The first difference between two views, for a message.
fn difference(one: &View, other: &View) -> Option<String> {
    for (watcher, (one, other)) in one.pages.iter().zip(&other.pages).enumerate() {
        let differs = one.iter().zip(other).position(|(one, other)| one != other);
        if let Some(byte) = differs {
            return Some(format!("byte {byte:#x} of the page of watcher {watcher}"));
        }
    }
    (one != other).then(|| "received bytes or signals".to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(1000),
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn strangers_have_no_influence(
        keep in any::<bool>(),
        urgent in any::<bool>(),
        acts in prop::collection::vec((act(), prop::collection::vec(foul(), 0..6), any::<bool>()), 1..60),
    ) {
        let mapping = if keep { Mapping::Keep } else { Mapping::Each };
        // In one system the strangers act, in the other they do nothing at all.
        let (mut busy, mut quiet) = (System::new(mapping, urgent), System::new(mapping, urgent));
        for (act, fouls, tick) in acts {
            for foul in fouls {
                busy.foul(foul);
            }
            // A watcher signals what it publishes. What it does not signal, central serves when it happens to
            // look, at the next tick or because somebody else keeps it awake.
            for system in [&mut busy, &mut quiet] {
                system.act(WATCHERS, act);
                system.run(WATCHERS[usize::from(act.who())]);
            }
            if tick {
                busy.bed.tick();
                quiet.bed.tick();
                let (busy, quiet) = (busy.view(), quiet.view());
                let leak = difference(&busy, &quiet);
                prop_assert!(leak.is_none(), "{} tells of strangers", leak.unwrap_or_default());
            }
        }
    }
}
