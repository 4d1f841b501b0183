//! Central restarts while messages are with guards, wherever they are: before the first guard, with it, with
//! a verdict that central has not taken, between two stages, refused, passed and waiting for the target, and
//! delivered without a status.
//!
//! A new central begins each inspection anew, so the guards see more than without a stop. The books of the
//! senders and of the receiver must read as if nothing had happened. What else must hold is in `watch.rs`.

use std::collections::BTreeSet;

use ferry_layout::config::Mapping;
use ferry_testbed::{Topology, buffer_bytes};

use super::Scenario;
use super::stops::{Meanwhile, Seen, Stops};
use super::watch::Place;
use super::world::World;

/// The guards of a flow, by stages.
type Stages = &'static [(&'static [u16], u32)];

/// Ticks that a stage has. No scenario lasts so long, but guards that are silent are waited for.
const WITHIN: u32 = 30;

/// Two guards, one after the other; two of three; and these as the second of three stages.
const CHAIN: Stages = &[(&[2], 1), (&[3], 1)];
const QUORUM: Stages = &[(&[2, 3, 4], 2)];
const BOTH: Stages = &[(&[2], 1), (&[3, 4, 5], 2), (&[6], 1)];

/// A system, and what happens in it.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// The guards of the flow from client 0 to client 1.
    stages: Stages,
    /// Another sender with the same guards and the same target, and one whose messages no guard sees.
    others: Option<(u16, u16)>,
    /// Bytes of a buffer, and of the longest message.
    pub(crate) buffer: u32,
    longest: u32,
    scenario: Scenario,
}

impl Case {
    const fn of(stages: Stages, scenario: Scenario) -> Self {
        Self { stages, others: None, buffer: 2048, longest: Topology::GUARDED_BYTES, scenario }
    }

    pub(crate) fn topology(&self, mapping: Mapping) -> Topology {
        let mut topology = Topology::guarded(self.stages, mapping, WITHIN);
        if let Some((guarded, plain)) = self.others {
            topology.clients.resize(usize::from(plain) + 1, topology.clients[0]);
            topology.add_guarded(guarded, 1, self.stages, mapping, WITHIN);
            topology.flows.push(Topology::flow(plain, 1, mapping));
        }
        let frames = 16 * self.buffer.div_ceil(4096) as usize;
        topology.clients.fill(buffer_bytes(frames));
        for flow in topology.flows.iter_mut().filter(|flow| flow.stages != 0) {
            flow.max_message = self.longest;
        }
        topology
    }

    pub(crate) fn play(&self, world: &mut World) {
        (self.scenario)(world);
    }
}

pub(crate) const EVERYWHERE: Case = Case::of(CHAIN, everywhere);
pub(crate) const DISAGREEMENT: Case = Case::of(QUORUM, a_quorum_disagrees);
const THREE_STAGES: Case = Case::of(BOTH, three_stages);
const PIECES: Case = Case::of(CHAIN, pieces_and_a_place);
const LARGE_ONES: Case = Case { buffer: super::LARGE, longest: 65_536, ..Case::of(CHAIN, large) };
const THREE_SENDERS: Case = Case { others: Some((4, 5)), ..Case::of(CHAIN, three_senders) };
pub(crate) const MANY: Case = Case::of(CHAIN, many_at_once);
const MANY_FOR_A_QUORUM: Case = Case::of(QUORUM, many_for_a_quorum);

fn play(case: Case, mapping: Mapping, stops: Stops) -> Seen {
    let mut world = World::new(&case.topology(mapping), case.buffer, stops);
    case.play(&mut world);
    world.outcome()
}

/// Stops central after every step of a case. Returns where messages were at all these stops.
#[track_caller]
fn survives_every_stop(case: Case) -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    for mapping in [Mapping::Each, Mapping::Keep] {
        let expected = play(case, mapping, Stops::NONE);
        assert!(expected.steps > 100, "the scenario does something");
        for step in 1..=expected.steps {
            let stops = Stops::after(step, Meanwhile::in_turn(step));
            let seen = play(case, mapping, stops);
            assert_eq!(seen.books, expected.books, "{mapping:?}, {stops:?} of {}", expected.steps);
            assert_eq!(seen.stopped, 1, "{mapping:?}, {stops:?}");
            places.extend(seen.places);
        }
    }
    places
}

/// Messages are at every place at once when central runs for the last time.
fn everywhere(world: &mut World) {
    const EACH_ONCE: [Place; 6] = [
        Place::BeforeGuards,
        Place::Inspected,
        Place::Judged,
        Place::BetweenStages,
        Place::Passed,
        Place::Refused,
    ];
    world.allow(2, 0, 6);
    world.allow(3, 0, 2);
    world.send(0, 1, 10);
    world.send_to_guards(0, 1, 300, &[2], &[]);
    for length in [5, 1024, 30, 1, 64] {
        world.send(0, 1, length);
    }
    world.run();
    world.allow(2, 4, 0);
    world.run();
    world.allow(3, 1, 0);
    world.run();
    world.allow(2, 1, 0);
    if world.stopped == 0 {
        assert_eq!(world.watch.borrow().census(), BTreeSet::from(EACH_ONCE));
    }
    world.post(1, None);
    world.run();
    world.allow(3, 1, 1);
    world.run();
}

#[test]
fn messages_at_every_place_survive_a_stop_after_every_store() {
    let places = survives_every_stop(EVERYWHERE);
    assert_eq!(places.len(), 7, "{places:?}");
}

/// The members of a quorum disagree, and one is silent.
fn a_quorum_disagrees(world: &mut World) {
    (2..5).for_each(|guard| world.allow(guard, 0, 4));
    world.send(0, 1, 100);
    world.send_to_guards(0, 1, 200, &[3], &[]);
    world.send_to_guards(0, 1, 64, &[2, 4], &[]);
    world.send_to_guards(0, 1, 65, &[], &[2]);
    // Nobody can pass this one in time. It waits for buffers first.
    world.send_to_guards(0, 1, 66, &[3], &[2]);
    world.send(0, 1, 70);
    world.run();
    for (guard, answers) in [(4, 3), (2, 2), (3, 1), (3, 2), (2, 1), (4, 1)] {
        world.allow(guard, answers, 1);
        world.run();
        if guard == 3 {
            world.post(1, None);
        }
    }
    world.run();
}

#[test]
fn a_quorum_that_disagrees_survives_a_stop_after_every_store() {
    survives_every_stop(DISAGREEMENT);
}

/// A quorum between two guards.
fn three_stages(world: &mut World) {
    for (guard, buffers) in [(2, 5), (3, 4), (4, 3), (5, 4), (6, 2)] {
        world.allow(guard, 0, buffers);
    }
    for (length, refused_by) in [(9, &[][..]), (20, &[3]), (30, &[3, 5]), (40, &[6]), (50, &[2]), (60, &[])] {
        world.send_to_guards(0, 1, length, refused_by, &[]);
    }
    world.run();
    world.allow(2, 4, 0);
    world.run();
    for (guard, answers) in [(5, 3), (3, 2), (4, 2), (3, 1)] {
        world.allow(guard, answers, 0);
        world.run();
    }
    world.allow(6, 1, 0);
    world.post(1, None);
    world.run();
}

#[test]
fn a_quorum_in_a_chain_survives_a_stop_after_every_store() {
    survives_every_stop(THREE_STAGES);
}

/// Messages in several pieces, and one that is placed in a window.
fn pieces_and_a_place(world: &mut World) {
    world.open_window(1, 0);
    world.allow(2, 0, 4);
    world.allow(3, 0, 2);
    world.run();
    world.chain(0, 1, 3, 200);
    world.place(0, 1, 0, 500);
    world.chain_to_guards(0, 1, 2, 300, &[3]);
    world.chain(0, 1, 16, 20);
    world.run();
    world.allow(2, 3, 1);
    world.run();
    world.allow(3, 1, 1);
    world.run();
    world.post(1, None);
    world.allow(3, 1, 1);
    world.run();
}

#[test]
fn pieces_and_a_place_survive_a_stop_after_every_store() {
    survives_every_stop(PIECES);
}

/// Messages of many frames.
fn large(world: &mut World) {
    world.allow(2, 0, 3);
    world.allow(3, 0, 1);
    world.send(0, 1, 65_536);
    world.chain_to_guards(0, 1, 2, 30_000, &[2]);
    world.chain(0, 1, 3, 20_000);
    world.run();
    world.allow(2, 2, 0);
    world.run();
    world.allow(3, 1, 1);
    world.post(1, None);
    world.run();
}

#[test]
fn large_messages_with_guards_survive_a_stop_after_every_store() {
    survives_every_stop(LARGE_ONES);
}

/// Two senders have the same guards and the same target, and a third one has no guards. One run carries
/// messages of all three.
fn three_senders(world: &mut World) {
    world.allow(2, 0, 6);
    world.allow(3, 0, 6);
    for length in [10, 20] {
        for source in [0, 4, 5] {
            world.send(source, 1, length + u32::try_from(source).unwrap());
        }
    }
    world.send_to_guards(4, 1, 33, &[2], &[]);
    world.run();
    world.allow(2, 5, 0);
    world.run();
    world.allow(3, 4, 0);
    (0..4).for_each(|_| {
        world.post(1, None);
    });
    world.run();
    world.send(0, 1, 99);
    world.run();
}

#[test]
fn senders_that_share_guards_survive_a_stop_after_every_store() {
    survives_every_stop(THREE_SENDERS);
}

/// Many plain messages at once, which the express lane carries in runs, with a refusal among them.
fn many_at_once(world: &mut World) {
    world.allow(2, 0, 10);
    world.allow(3, 0, 10);
    (0..9).for_each(|_| {
        world.post(1, None);
    });
    for number in 0..9 {
        world.send_to_guards(0, 1, 40 + number, if number == 5 { &[3] } else { &[] }, &[]);
    }
    world.run();
    world.allow(2, 9, 0);
    world.run();
    world.allow(3, 9, 0);
    world.run();
}

#[test]
fn many_messages_with_guards_survive_a_stop_after_every_store() {
    survives_every_stop(MANY);
}

/// The same with two of three.
fn many_for_a_quorum(world: &mut World) {
    (2..5).for_each(|guard| world.allow(guard, 0, 10));
    (0..7).for_each(|_| {
        world.post(1, None);
    });
    for number in 0..7 {
        world.send_to_guards(0, 1, 40 + number, if number == 3 { &[2] } else { &[] }, &[]);
    }
    world.run();
    for guard in [3, 2, 4] {
        world.allow(guard, 7, 0);
        world.run();
    }
}

#[test]
fn many_messages_with_a_quorum_survive_a_stop_after_every_store() {
    survives_every_stop(MANY_FOR_A_QUORUM);
}

/// All cases.
const ALL: [Case; 8] =
    [EVERYWHERE, DISAGREEMENT, THREE_STAGES, PIECES, LARGE_ONES, THREE_SENDERS, MANY, MANY_FOR_A_QUORUM];

/// Stops central after some steps, and the next central soon after.
#[track_caller]
fn survives_stops_of_the_restart(firsts: usize, seconds: usize) {
    for case in ALL {
        for mapping in [Mapping::Each, Mapping::Keep] {
            let expected = play(case, mapping, Stops::NONE);
            for step in (1..=expected.steps).step_by(firsts) {
                for second in (1..100).step_by(seconds) {
                    let second = second + step % u32::try_from(seconds).unwrap();
                    let stops = Stops::after(step, Meanwhile::in_turn(step / 7)).and_after(second);
                    let seen = play(case, mapping, stops);
                    assert_eq!(seen.books, expected.books, "{mapping:?}, {stops:?} of {}", expected.steps);
                }
            }
        }
    }
}

#[test]
fn a_restart_among_guards_can_be_stopped_too() {
    survives_stops_of_the_restart(31, 23);
}

/// Whatever clients do while central is down or begins, after every store.
#[test]
#[ignore = "minutes; `make small-scope`"]
fn all_that_clients_do_meanwhile() {
    for case in ALL {
        for mapping in [Mapping::Each, Mapping::Keep] {
            let expected = play(case, mapping, Stops::NONE);
            for step in 1..=expected.steps {
                let amid = (0..40).step_by(5).map(|more| Meanwhile::Amid(1 + more + step % 5));
                for meanwhile in amid.chain([Meanwhile::Wait, Meanwhile::Down]) {
                    let stops = Stops::after(step, meanwhile);
                    let seen = play(case, mapping, stops);
                    assert_eq!(seen.books, expected.books, "{mapping:?}, {stops:?} of {}", expected.steps);
                }
            }
        }
    }
    survives_stops_of_the_restart(5, 7);
}
