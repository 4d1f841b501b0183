//! Paired runs. Two systems run side by side. Some clients, the *watched* ones, do the same in both, and the
//! *others* do different things. Whenever central comes to rest, everything that the watched clients can read
//! must be the same in both systems: their pages, how often they were signalled, and what they have received.
//!
//! If the topology has partitions, each step has a time slot for each of them, the watched one last. The one
//! before may be cut off.
//!
//! All clients may be hostile: they also write any word of their own pages, the others also in the middle of
//! a run. Nobody need signal what it publishes. A signal of a watched client, or a tick, may come while
//! central is at work for the others.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ferry_central::ClientSet;
use ferry_client::{Event, Message, Peer, Port, ReceiveBuffer, TransmitBuffer};
use ferry_layout::OutRegion;
use ferry_layout::observe::set_hook;
use ferry_testbed::{Action, Memory, Silent, Testbed, Topology, id, set_of};
use proptest::prelude::*;

/// Bytes of a buffer.
const BUFFER: u32 = 2048;
/// Words of a client's page.
const WORDS: usize = size_of::<OutRegion>() / 4;

/// What one client does. `who` is taken modulo the number of clients that it can be, and `peer` modulo the
/// number of its flows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Sends some messages that are alike.
    Send {
        who: u16,
        peer: u16,
        count: u8,
        length: u16,
        urgent: bool,
        no_signal: bool,
        ticks: u32,
    },
    /// Posts some buffers.
    Post {
        who: u16,
        peer: Option<u16>,
        count: u8,
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
    /// A guard answers for what it has to inspect, if it has something.
    Judge {
        who: u16,
        passes: bool,
    },
    /// Writes a word of its own page.
    Write {
        who: u16,
        place: usize,
        word: u32,
    },
    /// The same when central has made some accesses of the next run. Watched clients do not do it.
    WriteAmid {
        who: u16,
        place: usize,
        word: u32,
        accesses: u8,
    },
}

/// What wakes central when all have acted. `round` is a number of rounds of its run for one of the others.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wake {
    Nothing,
    /// Some watched clients signal, one for each bit of `who`.
    Signal {
        who: u16,
    },
    /// They signal while central is at work for one of the others.
    SignalAmid {
        who: u16,
        other: u16,
        round: u8,
    },
    Tick,
    /// A tick passes while central is at work for one of the others.
    TickAmid {
        other: u16,
        round: u8,
    },
}

/// What happens between two comparisons.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// What the others do in each of the two systems.
    pub(crate) others: [Vec<Act>; 2],
    pub(crate) watched: Vec<Act>,
    pub(crate) wake: Wake,
}

/// An act. `foul` is the weight of foul ones.
fn act(foul: u32) -> impl Strategy<Value = Act> {
    let who = any::<u16>;
    // Mostly the indices and hints at the beginning, and mostly small numbers.
    let place = || prop_oneof![3 => 0..40_usize, 1 => 0..WORDS];
    // Short ones cost little, so that others can afford less than whoever sends them.
    let length = || prop_oneof![0..64_u16, 0..2100_u16];
    let count = || prop_oneof![2 => Just(1_u8), 1 => 2..8_u8];
    let word = || prop_oneof![3 => 0..200_u32, 1 => any::<u32>()];
    prop_oneof![
        24 => (who(), who(), count(), length(), any::<[bool; 2]>(), 0..3_u32).prop_map(
            |(who, peer, count, length, [urgent, no_signal], ticks)| {
                Act::Send { who, peer, count, length, urgent, no_signal, ticks }
            }
        ),
        16 => (who(), prop::option::weighted(0.3, who()), count())
            .prop_map(|(who, peer, count)| Act::Post { who, peer, count }),
        8 => who().prop_map(|who| Act::Reap { who }),
        8 => who().prop_map(|who| Act::Receive { who }),
        16 => who().prop_map(|who| Act::Signal { who }),
        8 => (who(), any::<bool>()).prop_map(|(who, passes)| Act::Judge { who, passes }),
        foul => (who(), place(), word()).prop_map(|(who, place, word)| Act::Write { who, place, word }),
        foul => (who(), place(), word(), any::<u8>())
            .prop_map(|(who, place, word, accesses)| Act::WriteAmid { who, place, word, accesses }),
    ]
}

fn wake() -> impl Strategy<Value = Wake> {
    let who = any::<u16>;
    let round = || 0..6_u8;
    prop_oneof![
        4 => Just(Wake::Nothing),
        3 => who().prop_map(|who| Wake::Signal { who }),
        3 => (who(), who(), round()).prop_map(|(who, other, round)| Wake::SignalAmid { who, other, round }),
        2 => Just(Wake::Tick),
        2 => (who(), round()).prop_map(|(other, round)| Wake::TickAmid { other, round }),
    ]
}

/// A program for two systems.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    // In half of the cases, the others of one system do nothing at all.
    any::<bool>().prop_flat_map(|one_is_idle| {
        let others = |most| prop::collection::vec(act(12), 0..most);
        let watched = prop::collection::vec(act(1), 0..4);
        let step = (others(if one_is_idle { 1 } else { 6 }), others(6), watched, wake());
        let step = step.prop_map(|(one, other, watched, wake)| Step { others: [one, other], watched, wake });
        prop::collection::vec(step, 1..60)
    })
}

/// Plays a program in two systems of this topology. Returns what differs for the watched clients, if
/// something does.
pub(crate) fn first_difference(topology: &Topology, watched: &[u16], program: &[Step]) -> Option<String> {
    let mut systems = [System::new(topology, watched), System::new(topology, watched)];
    let leak = program.iter().find_map(|step| {
        for (system, acts) in systems.iter_mut().zip(&step.others) {
            system.play(acts, &step.watched, step.wake);
        }
        let is_tick = matches!(step.wake, Wake::Tick | Wake::TickAmid { .. });
        let [one, other] = &systems;
        difference(&one.view(is_tick), &other.view(is_tick))
    });
    for System { bed, clients, .. } in systems {
        drop(clients);
        // SAFETY: ports and buffers belonged to the clients, which are gone.
        unsafe { bed.free() };
    }
    leak
}

struct Client {
    port: Port<Silent>,
    transmit: Vec<TransmitBuffer>,
    receive: Vec<ReceiveBuffer>,
    /// Those that it may send to, and those that may send to it.
    targets: Vec<Peer>,
    sources: Vec<Peer>,
}

/// One of the two systems.
struct System {
    bed: Testbed,
    clients: Vec<Client>,
    watched: Vec<u16>,
    others: Vec<u16>,
    guards: Vec<u16>,
    /// What one of the others writes in the middle of the next run: client, word and value, and after how
    /// many accesses.
    amid: Option<(u16, usize, u32, u8)>,
    signals: Rc<RefCell<Vec<u32>>>,
    /// The clients of each partition, the watched ones last; empty if there are none.
    partitions: Vec<Vec<u16>>,
}

/// What the watched clients can read.
struct View {
    pages: Vec<(u16, Vec<u8>, u32)>,
    /// Their receive buffers, if they are to be compared.
    received: Vec<Vec<u8>>,
}

impl System {
    fn new(topology: &Topology, watched: &[u16]) -> Self {
        let mut bed = Testbed::new(topology);
        let numbers = 0..u16::try_from(topology.clients.len()).expect("few clients");
        let partition_of = |client: u16| topology.partitions.get(usize::from(client)).copied();
        let mut partitions: Vec<Vec<u16>> = Vec::new();
        for client in numbers.clone().filter(|client| partition_of(*client).is_some()) {
            match partitions.iter_mut().find(|known| partition_of(known[0]) == partition_of(client)) {
                Some(known) => known.push(client),
                None => partitions.push(vec![client]),
            }
        }
        partitions.sort_by_key(|partition| watched.contains(&partition[0]));
        let clients = numbers.clone().map(|client| {
            if let Some(partition) = partitions.iter().find(|partition| partition.contains(&client)) {
                bed.announce(partition);
            }
            let (port, transmit, receive) = bed.open(client);
            let transmit = transmit.split::<16>(BUFFER).into_iter().collect();
            let receive = receive.split::<16>(BUFFER).into_iter().collect();
            let targets = port.peers().filter(|peer| peer.may_send != 0).collect();
            let sources = port.peers().filter(|peer| peer.may_receive != 0).collect();
            Client { port, transmit, receive, targets, sources }
        });
        let clients: Vec<Client> = clients.collect();
        let signals = Rc::new(RefCell::new(vec![0; clients.len()]));
        let counted = signals.clone();
        bed.machine.records = false;
        bed.machine.interposer = Some(Box::new(move |action| {
            if let Action::Signal(client) = action {
                counted.borrow_mut()[usize::from(client)] += 1;
            }
        }));
        let guards = topology.stages.iter().fold(0, |guards, stage| guards | stage.members);
        let guards = numbers.clone().filter(|client| guards >> client & 1 != 0).collect();
        let others = numbers.filter(|client| !watched.contains(client)).collect();
        let watched = watched.to_vec();
        Self { bed, clients, watched, others, guards, amid: None, signals, partitions }
    }

    /// What happens in one step.
    fn play(&mut self, others: &[Act], watched: &[Act], wake: Wake) {
        let (group, watchers) = (self.others.clone(), self.watched.clone());
        for act in others {
            self.act(&group, *act);
        }
        for act in watched.iter().filter(|act| !matches!(act, Act::WriteAmid { .. })) {
            self.act(&watchers, *act);
        }
        if !self.partitions.is_empty() {
            self.play_time_slots(wake);
            return;
        }
        match wake {
            Wake::Nothing => {}
            Wake::Signal { who } => self.run(some_of(&watchers, who)),
            Wake::SignalAmid { who, other, round } => {
                let (woken, has_signalled) = (some_of(&watchers, who), Rc::new(Cell::new(false)));
                let (seen, mut left) = (has_signalled.clone(), u32::from(round));
                self.bed.machine.woken = Some(Box::new(move || {
                    let now = left == 0;
                    left = left.wrapping_sub(1);
                    seen.set(seen.get() || now);
                    if now { woken } else { ClientSet::EMPTY }
                }));
                self.run(one_of(&group, other));
                self.bed.machine.woken = None;
                if !has_signalled.get() {
                    self.run(woken);
                }
            }
            Wake::Tick => self.amidst(Testbed::tick),
            Wake::TickAmid { other, round } => {
                let (passed, mut left) = (Rc::new(Cell::new(false)), u32::from(round));
                let seen = passed.clone();
                self.bed.machine.between_rounds = Some(Box::new(move || {
                    let now = left == 0;
                    left = left.wrapping_sub(1);
                    seen.set(seen.get() || now);
                    now
                }));
                self.run(one_of(&group, other));
                self.bed.machine.between_rounds = None;
                if !passed.get() {
                    self.amidst(Testbed::tick);
                }
            }
        }
    }

    /// A time slot for each partition. What wakes central otherwise says when the last but one ends, and
    /// whether a tick comes with that.
    fn play_time_slots(&mut self, wake: Wake) {
        let partitions = self.partitions.clone();
        let [others @ .., cut_off, watched] = partitions.as_slice() else {
            panic!("there are two partitions")
        };
        for partition in others {
            self.bed.announce(partition);
        }
        let is_tick = matches!(wake, Wake::Tick | Wake::TickAmid { .. });
        let (has_ended, announced) = (Rc::new(Cell::new(false)), set_of(watched));
        if let Wake::SignalAmid { round, .. } | Wake::TickAmid { round, .. } = wake {
            let (polls, ended) = (Rc::new(Cell::new(0)), has_ended.clone());
            let seen = polls.clone();
            self.bed.machine.between_rounds = Some(Box::new(move || {
                polls.set(polls.get() + 1);
                is_tick && polls.get() == u32::from(round) + 1
            }));
            self.bed.machine.announced = Some(Box::new(move || {
                let now = seen.get() == u32::from(round) + 1;
                ended.set(ended.get() || now);
                if now { announced } else { ClientSet::EMPTY }
            }));
        }
        self.amidst(|bed| bed.announce(cut_off));
        (self.bed.machine.between_rounds, self.bed.machine.announced) = (None, None);
        if !has_ended.get() {
            let Testbed { engine, machine, .. } = &mut self.bed;
            engine.serve_partition(machine, announced);
            engine.run(machine, announced, is_tick);
        }
    }

    /// An act of one of these clients.
    fn act(&mut self, group: &[u16], act: Act) {
        match act {
            Act::Send { who, peer, count, length, urgent, no_signal, ticks } => {
                let client = &mut self.clients[usize::from(member(group, who))];
                let Some(peer) = some(&client.targets, peer) else { return };
                for _ in 0..count {
                    let Some(buffer) = client.transmit.pop() else { break };
                    let message = Message { urgent, no_signal, time_to_live: ticks, ..Message::tagged(5) };
                    let sent = client.port.send(peer, buffer, u32::from(length), message);
                    client.transmit.extend(sent.err().map(|refused| refused.buffer));
                }
                client.port.publish();
            }
            Act::Post { who, peer, count } => {
                let client = &mut self.clients[usize::from(member(group, who))];
                let from = peer.and_then(|peer| some(&client.sources, peer));
                for _ in 0..count {
                    let Some(buffer) = client.receive.pop() else { break };
                    let refused = client.port.post(buffer, from).err();
                    client.receive.extend(refused.map(|refused| refused.buffer));
                }
                client.port.publish();
            }
            Act::Reap { who } => {
                let client = &mut self.clients[usize::from(member(group, who))];
                while let Some(done) = client.port.reap() {
                    client.transmit.push(done.buffer);
                }
            }
            Act::Receive { who } => {
                let client = &mut self.clients[usize::from(member(group, who))];
                // A guard takes what it is given to inspect when it judges.
                if client.sources.is_empty() {
                    return;
                }
                client.receive.extend(match client.port.receive() {
                    Some(Event::Message { buffer, .. } | Event::Returned(buffer)) => Some(buffer),
                    Some(Event::Placed { .. }) | None => None,
                });
                client.port.publish();
            }
            Act::Signal { who } => self.run(one_of(group, who)),
            Act::Judge { who, passes } => {
                let guards: Vec<u16> =
                    self.guards.iter().copied().filter(|guard| group.contains(guard)).collect();
                if !guards.is_empty() {
                    self.judge(member(&guards, who), passes);
                }
            }
            Act::Write { who, place, word } => self.write(member(group, who), place, word),
            Act::WriteAmid { who, place, word, accesses } => {
                self.amid = Some((member(group, who), place, word, accesses));
            }
        }
    }

    fn judge(&mut self, guard: u16, passes: bool) {
        let guard = &mut self.clients[usize::from(guard)];
        if let Some(inspection) = guard.port.inspect() {
            let _ = guard.port.answer(inspection.ticket, passes, 0);
            guard.receive.push(inspection.buffer);
        } else if let Some(Event::Returned(buffer)) = guard.port.receive() {
            guard.receive.push(buffer);
        }
        let _ = guard.port.reap();
        guard.port.publish();
    }

    fn write(&self, client: u16, place: usize, word: u32) {
        Memory::of(self.bed.clients[usize::from(client)].from_client).write(place * 4, &word.to_le_bytes());
    }

    /// Central runs, woken by these clients. If one of the others is to write in the middle of it, it does.
    fn run(&mut self, woken: ClientSet) {
        self.amidst(|bed| bed.engine.run(&mut bed.machine, woken, false));
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

    fn view(&self, with_received: bool) -> View {
        let signals = self.signals.borrow();
        let page = |client: &u16| {
            let page = Memory::of(self.bed.clients[usize::from(*client)].to_client);
            (*client, page.read(0, page.bytes()), signals[usize::from(*client)])
        };
        let received = self.watched.iter().filter(|_| with_received).map(|client| {
            let memory = self.bed.clients[usize::from(*client)].receive;
            memory.read(0, memory.bytes())
        });
        View { pages: self.watched.iter().map(page).collect(), received: received.collect() }
    }
}

/// A member of a group, which is not empty.
fn member(group: &[u16], who: u16) -> u16 {
    group[usize::from(who) % group.len()]
}

/// The set of one member of a group, which is not empty.
fn one_of(group: &[u16], who: u16) -> ClientSet {
    some_of(&[member(group, who)], 1)
}

/// The members of a group for which `who` has a bit.
fn some_of(group: &[u16], who: u16) -> ClientSet {
    let mut set = ClientSet::EMPTY;
    for (_, client) in (0..).zip(group).filter(|(place, _)| who >> place & 1 != 0) {
        set.insert(id(*client));
    }
    set
}

/// One of these peers, if there are any.
fn some(peers: &[Peer], which: u16) -> Option<Peer> {
    peers.get(usize::from(which) % peers.len().max(1)).copied()
}

/// The first difference, for a message.
fn difference(one: &View, other: &View) -> Option<String> {
    for ((client, one, signals), (_, other, other_signals)) in one.pages.iter().zip(&other.pages) {
        if let Some(byte) = one.iter().zip(other).position(|(one, other)| one != other) {
            return Some(format!("byte {byte:#x} of the page of client {client}"));
        }
        if signals != other_signals {
            return Some(format!("signals to client {client}: {signals} and {other_signals}"));
        }
    }
    (one.received != other.received).then(|| "received bytes".to_owned())
}
