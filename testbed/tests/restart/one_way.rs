//! Central restarts while messages of one-way flows are under way. None is delivered twice, numbers go on,
//! and each send ends with `Done`, at a tick.

use ferry_layout::config::{FlowRecord, Mapping};
use ferry_layout::geometry::MAX_ONE_WAY;
use ferry_testbed::Topology;

use super::stops::{Meanwhile, Seen, Stops};
use super::world::World;

/// Bytes of a buffer.
const BUFFER: u32 = 18 * 4096;

/// What the clients do, and how the mappings of all flows are treated.
#[derive(Clone, Copy)]
struct Play {
    scenario: fn(&mut World),
    mapping: Mapping,
}

/// In flows that keep their mappings, messages become visible in the middle of a turn.
const PLAYS: [Play; 4] = [
    Play { scenario: gaps, mapping: Mapping::Each },
    Play { scenario: gaps, mapping: Mapping::Keep },
    Play { scenario: others_in_between, mapping: Mapping::Each },
    Play { scenario: others_in_between, mapping: Mapping::Keep },
];

/// Client 0 has a one-way flow to client 1, and plain flows to and from client 2, which has a flow to client
/// 1.
fn play(Play { scenario, mapping }: Play, stops: Stops) -> Seen {
    let mut topology = Topology::mesh(3, 20 * 18, mapping);
    topology.flows.retain(|flow| flow.source != 1 && flow.target + flow.source != 1);
    topology.flows.push(FlowRecord { one_way: 1, max_message: MAX_ONE_WAY, ..Topology::flow(0, 1, mapping) });
    let mut world = World::new(&topology, BUFFER, stops);
    scenario(&mut world);
    world.outcome()
}

/// Messages for which there is no buffer, between others.
fn gaps(world: &mut World) {
    world.post(1, None);
    world.post(1, None);
    world.send(0, 1, 10);
    world.send(0, 1, 5000);
    // For these there is no buffer.
    world.send(0, 1, 20);
    world.send(0, 1, 30);
    world.run();
    world.post(1, None);
    // A restart forgets how far each sender was served. So these two do not compete.
    world.post(1, Some(2));
    world.post(2, None);
    world.send(0, 2, 7);
    world.send(0, 1, 40);
    world.send(2, 1, 8);
    world.run();
    world.tick();
    world.send(0, 1, 50);
    world.post(1, None);
    world.send(0, 1, 60);
    world.run();
    world.send(0, 1, 70);
    world.run();
    world.tick();
}

/// Before others of the same turn: a message that is refused, an empty one, which takes the ordinary path,
/// and one of another flow. There are more buffers than messages, so nothing can arrive twice unnoticed.
fn others_in_between(world: &mut World) {
    for _ in 0..12 {
        world.post(1, None);
    }
    world.post(2, None);
    world.send(0, 1, 10);
    world.chain(0, 1, 2, 100);
    world.send(0, 1, 20);
    world.send(0, 1, 0);
    world.send(0, 1, 30);
    world.run();
    world.send(0, 1, 0);
    world.send(0, 1, 40);
    world.send(0, 1, 50);
    world.run();
    world.chain(0, 1, 2, 100);
    world.send(0, 2, 7);
    world.send(0, 1, 60);
    world.run();
    world.tick();
}

#[test]
fn one_way_messages_survive_a_stop_after_every_store() {
    for (number, case) in PLAYS.into_iter().enumerate() {
        let expected = play(case, Stops::NONE);
        assert!(expected.steps > 50, "play {number} does something");
        let numbers: Vec<u64> = expected.books[1].0.received[&0].iter().map(|(number, _)| *number).collect();
        assert_eq!(
            numbers,
            [&[0, 1, 4, 5][..], &[0, 1, 2, 3, 4, 5, 6, 7]][number / 2],
            "gaps of play {number}"
        );
        for clients_go_on in [false, true] {
            for step in 1..=expected.steps {
                let stops = Stops::after(step, Meanwhile::down_if(clients_go_on));
                let seen = play(case, stops);
                assert_eq!(seen.books, expected.books, "play {number}, {stops:?} of {}", expected.steps);
                assert_eq!(seen.stopped, 1, "play {number}, {stops:?}");
            }
        }
    }
}

#[test]
fn a_restart_among_one_way_messages_can_be_stopped_too() {
    for (number, case) in PLAYS.into_iter().enumerate() {
        let expected = play(case, Stops::NONE);
        for step in (1..=expected.steps).step_by(3) {
            for second in (1..120).step_by(17) {
                let meanwhile = Meanwhile::down_if(step % 2 == 0);
                let stops = Stops::after(step, meanwhile).and_after(second + step % 17);
                let seen = play(case, stops);
                assert_eq!(seen.books, expected.books, "play {number}, {stops:?} of {}", expected.steps);
            }
        }
    }
}
