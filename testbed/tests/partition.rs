//! Partitions (guarantee 13): under a domain schedule, central serves the clients of one scheduling domain
//! only in their time slots. What they do in between waits, and is not lost.

use std::cell::Cell;
use std::rc::Rc;

use ferry_central::{ClientSet, Side};
use ferry_layout::config::{FlowRecord, Mapping};
use ferry_layout::geometry::MAX_ONE_WAY;
use ferry_layout::{Descriptor, Standing, Status, Verdict};
use ferry_testbed::{Action, ClientMemory, Memory, Testbed, Topology, set_of};

#[path = "shared/actor.rs"]
mod actor;

use actor::Actor;

/// The low partition.
const LOW: u16 = 0;
/// The high partition: two clients that have flows to each other.
const HIGH: u16 = 1;
const NOISE: u16 = 2;
const HIGHS: [u16; 2] = [HIGH, NOISE];
/// A guard, if there is one: a third partition.
const GUARD: u16 = 3;

/// Bytes of a buffer.
const BYTES: u32 = 256;

struct Stage {
    bed: Testbed,
    actors: Vec<Actor>,
}

fn one_way(source: u16, target: u16) -> FlowRecord {
    FlowRecord { one_way: 1, max_message: MAX_ONE_WAY, ..Topology::flow(source, target, Mapping::Keep) }
}

/// A one-way flow from the low client to a high one, and flows between the two high ones. Each has a share of
/// one message a round.
fn topology() -> Topology {
    let mut topology = Topology::mesh(3, 16, Mapping::Each);
    topology.flows = vec![
        one_way(LOW, HIGH),
        Topology::flow(HIGH, NOISE, Mapping::Keep),
        Topology::flow(NOISE, HIGH, Mapping::Keep),
    ];
    topology.messages_per_round = 1;
    topology.partitions = vec![0, 1, 1];
    topology
}

/// The same with a guard in the one-way flow, which has two ticks.
fn guarded() -> Topology {
    let mut topology = topology();
    topology.clients = vec![topology.clients[0]; 4];
    topology.flows.remove(0);
    topology.add_guarded(LOW, HIGH, &[(&[GUARD], 1)], Mapping::Keep, 2);
    topology.flows.last_mut().unwrap().one_way = 1;
    topology.partitions.push(2);
    topology
}

impl Stage {
    fn new(topology: &Topology) -> Self {
        let mut stage = Self::closed(topology);
        for partition in [&[LOW][..], &HIGHS[..], &[GUARD]] {
            for client in partition.iter().filter(|client| usize::from(**client) < stage.actors.len()) {
                ask(stage.actors[usize::from(*client)].memory);
            }
            stage.bed.announce(partition);
        }
        stage.bed.machine.actions.clear();
        stage
    }

    /// Nobody has started.
    fn closed(topology: &Topology) -> Self {
        let bed = Testbed::new(topology);
        Self { actors: bed.clients.iter().map(|memory| Actor::new(*memory)).collect(), bed }
    }

    fn send(&mut self, source: u16, target: u16) -> u32 {
        self.actors[usize::from(source)].publish(Descriptor { length: 64, target, ..Descriptor::default() })
    }

    fn post(&mut self, client: u16, count: u32) {
        for number in 0..count {
            self.actors[usize::from(client)].post_at(number * BYTES, BYTES);
        }
    }

    fn status(&self, client: u16, index: u32) -> Option<Status> {
        self.actors[usize::from(client)].status(index)
    }

    fn taken(&mut self, client: u16) -> usize {
        self.actors[usize::from(client)].deliveries().len()
    }

    fn standing(&self, client: u16) -> Standing {
        self.actors[usize::from(client)].memory.to_client.standing()
    }

    /// Everything that these clients can read.
    fn pages(&self, clients: &[u16]) -> Vec<Vec<u8>> {
        let memory = |client: &u16| Memory::of(self.bed.clients[usize::from(*client)].to_client);
        clients.iter().map(memory).map(|memory| memory.read(0, memory.bytes())).collect()
    }

    /// Has these clients announced after so many more rounds, and has `meanwhile` done at that moment.
    fn announce_after(&mut self, rounds: u32, clients: ClientSet, mut meanwhile: impl FnMut() + 'static) {
        let mut left = rounds;
        self.bed.machine.announced = Some(Box::new(move || {
            left = left.wrapping_sub(1);
            if left > 0 {
                return ClientSet::EMPTY;
            }
            meanwhile();
            clients
        }));
    }
}

/// A client asks for its next epoch.
fn ask(memory: ClientMemory) {
    let wanted = memory.to_client.epoch.observe().wrapping_add(1);
    memory.from_client.wake.arm();
    memory.from_client.ask_for_epoch(wanted);
}

#[test]
fn t150_nobody_is_served_before_the_first_announcement() {
    let mut stage = Stage::closed(&topology());
    for actor in &stage.actors {
        ask(actor.memory);
    }
    stage.bed.run();
    stage.bed.tick();
    assert!([LOW, HIGH, NOISE].iter().all(|client| stage.standing(*client) == Standing::Closed));
    stage.bed.announce(&HIGHS);
    assert_eq!(stage.standing(HIGH), Standing::Open);
    assert_eq!(stage.standing(LOW), Standing::Closed);
    stage.bed.announce(&[LOW]);
    assert_eq!(stage.standing(LOW), Standing::Open);
}

#[test]
fn t151_what_others_do_waits_for_their_own_time_slot() {
    let mut stage = Stage::new(&topology());
    stage.post(HIGH, 4);
    let sent = [stage.send(NOISE, HIGH), stage.send(NOISE, HIGH)];
    let before = stage.pages(&HIGHS);
    stage.bed.announce(&[LOW]);
    // They signal, and a tick passes.
    stage.bed.run();
    stage.bed.tick();
    assert_eq!(stage.pages(&HIGHS), before);
    assert_eq!(stage.bed.machine.actions, []);
    // Without another signal.
    stage.bed.announce(&HIGHS);
    assert_eq!(sent.map(|index| stage.status(NOISE, index)), [Some(Status::Done); 2]);
    assert_eq!(stage.taken(HIGH), 2);
}

#[test]
fn t152_a_long_run_ends_with_the_next_announcement() {
    let mut stage = Stage::new(&topology());
    stage.post(HIGH, 20);
    for _ in 0..8 {
        stage.send(NOISE, HIGH);
    }
    stage.send(LOW, HIGH);
    // Who is cut off goes on to send, which must not give it another round.
    let mut noise = stage.actors[usize::from(NOISE)];
    let more = Descriptor { length: 64, target: HIGH, ..Descriptor::default() };
    stage.announce_after(3, set_of(&[LOW]), move || {
        noise.publish(more);
    });
    stage.bed.announce(&HIGHS);
    // Three rounds for the one, and then the other.
    assert_eq!(stage.actors[usize::from(LOW)].memory.to_client.transmit_head.observe(), 1);
    assert_eq!(stage.actors[usize::from(NOISE)].memory.to_client.transmit_head.observe(), 3);
    assert_eq!(stage.taken(HIGH), 3 + 1);
    stage.bed.machine.announced = None;
    stage.bed.run();
    assert_eq!(stage.taken(HIGH), 0, "the rest waits for its time slot");
    let noise = stage.actors[usize::from(NOISE)].memory;
    assert!(noise.to_client.wake.asks_for_signal(), "who was cut off is at rest");
    stage.bed.announce(&HIGHS);
    assert_eq!(stage.taken(HIGH), 9 - 3);
    assert_eq!(stage.status(NOISE, 8), Some(Status::Done));
}

#[test]
fn t153_a_tick_is_done_for_each_partition_in_its_own_time_slot() {
    let mut stage = Stage::new(&topology());
    stage.post(HIGH, 4);
    let sent = stage.send(LOW, HIGH);
    stage.bed.announce(&[LOW]);
    let in_time = Descriptor { length: 64, target: NOISE, time_to_live: 1, ..Descriptor::default() };
    let late = stage.actors[usize::from(HIGH)].publish(in_time);
    stage.bed.announce(&HIGHS);
    assert_eq!(stage.status(HIGH, late), Some(Status::Queued), "nobody has posted a buffer");
    // Ticks in the high time slot. Without partitions, the second would unmap what the low one has sent.
    stage.bed.machine.actions.clear();
    for _ in 0..3 {
        stage.bed.tick();
    }
    assert_eq!(stage.status(LOW, sent), Some(Status::Queued));
    assert_eq!(stage.status(HIGH, late), Some(Status::Expired));
    let of_low = |action: &Action| matches!(action, Action::Unmap(LOW, ..));
    assert!(!stage.bed.machine.actions.iter().any(of_low));
    assert!(stage.bed.machine.actions.contains(&Action::Unmap(HIGH, Side::Receive, 0)));
    stage.bed.announce(&[LOW]);
    assert_eq!(stage.status(LOW, sent), Some(Status::Done));
    // It was used since the tick before.
    assert!(!stage.bed.machine.actions.iter().any(of_low));
    stage.bed.tick();
    stage.bed.tick();
    assert!(stage.bed.machine.actions.iter().any(of_low));
}

#[test]
fn t154_a_breach_has_its_consequence_in_the_time_slot_of_who_broke_the_protocol() {
    for asks_anew in [false, true] {
        let mut stage = Stage::new(&topology());
        stage.actors[usize::from(HIGH)].break_protocol();
        let before = stage.pages(&HIGHS);
        stage.send(LOW, HIGH);
        stage.bed.announce(&[LOW]);
        stage.bed.tick();
        let after = stage.pages(&HIGHS);
        assert_eq!(stage.standing(HIGH), Standing::Open);
        assert_eq!(after[1], before[1]);
        if asks_anew {
            // It was resetting its page.
            let memory = stage.actors[usize::from(HIGH)].memory;
            memory.from_client.post_tail.publish(0);
            ask(memory);
        }
        stage.bed.announce(&HIGHS);
        let expected = if asks_anew { Standing::Open } else { Standing::Quarantined };
        assert_eq!(stage.standing(HIGH), expected, "asks anew: {asks_anew}");
    }
}

#[test]
fn t155_a_buffer_that_a_low_message_finds_gives_no_turn_to_high_senders() {
    let mut stage = Stage::new(&topology());
    let waiting = stage.send(NOISE, HIGH);
    stage.bed.announce(&HIGHS);
    assert_eq!(stage.status(NOISE, waiting), Some(Status::Queued));
    stage.post(HIGH, 2);
    stage.send(LOW, HIGH);
    stage.bed.announce(&[LOW]);
    assert_eq!(stage.taken(HIGH), 1, "the low one");
    assert_eq!(stage.status(NOISE, waiting), Some(Status::Queued));
    stage.bed.announce(&HIGHS);
    assert_eq!(stage.status(NOISE, waiting), Some(Status::Done));
    assert_eq!(stage.taken(HIGH), 1);
}

#[test]
fn t156_two_partitions_at_once_are_none() {
    let mut stage = Stage::new(&topology());
    stage.post(HIGH, 4);
    let (low, high) = (stage.send(LOW, HIGH), stage.send(NOISE, HIGH));
    stage.bed.announce(&[LOW, HIGH, NOISE]);
    stage.bed.run();
    assert_eq!((stage.status(LOW, low), stage.status(NOISE, high)), (None, None));
    stage.bed.announce(&[LOW]);
    assert_eq!((stage.status(LOW, low), stage.status(NOISE, high)), (Some(Status::Queued), None));
}

/// The guard has a message of the low client to inspect, which may go on to the high one.
fn with_inspection() -> Stage {
    let mut stage = Stage::new(&guarded());
    stage.post(HIGH, 2);
    stage.post(GUARD, 2);
    stage.send(LOW, HIGH);
    for partition in [&HIGHS[..], &[GUARD], &[LOW]] {
        stage.bed.announce(partition);
    }
    stage
}

/// Lets the guard pass what it has to inspect.
fn pass(stage: &mut Stage) -> u32 {
    let guard = &mut stage.actors[usize::from(GUARD)];
    let inspection = guard.deliveries()[0];
    let verdict = Verdict { ticket: inspection.sequence, passes: true, reason: 0 };
    guard.publish(verdict.descriptor())
}

#[test]
fn t157_a_verdict_has_its_effect_in_the_time_slot_of_the_guard() {
    let mut stage = with_inspection();
    let verdict = pass(&mut stage);
    let rounds = Rc::new(Cell::new(0));
    for partition in [&[LOW][..], &HIGHS] {
        stage.bed.announce(partition);
        assert_eq!(stage.taken(HIGH), 0);
    }
    let seen = rounds.clone();
    stage.bed.machine.between_rounds = Some(Box::new(move || {
        seen.set(seen.get() + 1);
        false
    }));
    stage.bed.announce(&[GUARD]);
    assert_eq!((stage.taken(HIGH), stage.status(GUARD, verdict)), (1, Some(Status::Done)));
    assert!(rounds.get() < 3, "central comes to rest");
}

#[test]
fn t158_a_late_guard_has_refused_when_the_sender_is_served_next() {
    let mut stage = with_inspection();
    stage.bed.announce(&HIGHS);
    for _ in 0..3 {
        stage.bed.tick();
    }
    let dropped = |stage: &Stage| stage.actors[usize::from(HIGH)].memory.to_client.dropped.get();
    assert_eq!(dropped(&stage), 0);
    stage.bed.announce(&[LOW]);
    assert_eq!(dropped(&stage), 1);
    // Its verdict comes too late.
    pass(&mut stage);
    stage.bed.announce(&[GUARD]);
    assert_eq!(stage.taken(HIGH), 0);
}
