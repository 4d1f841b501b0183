//! Central restarts. It is stopped after each single store to shared memory, and after each map, copy, unmap
//! and signal. A new central that has only the pages replaces it. The clients' books must read as if nothing
//! had happened: nothing is lost and nothing comes twice; statuses, order and numbers of each flow are the
//! same. `watch.rs` says what else must hold, after every store.

mod actor;
mod audit;
mod fuse;
mod guarded;
mod guards;
mod message;
mod one_way;
mod relays;
mod stops;
mod watch;
mod world;

use ferry_layout::config::Mapping;
use ferry_testbed::Topology;
use stops::{Meanwhile, Seen, Stops};
use world::World;

/// Bytes of a buffer that holds more than one step copies, so that a large message takes two steps.
const LARGE: u32 = 18 * 4096;

/// Bytes of a buffer so small that a client has as many buffers as a queue has slots.
const SMALL: u32 = 4096;

type Scenario = fn(&mut World);

fn play(scenario: Scenario, buffer_bytes: u32, stops: Stops) -> Seen {
    let mut topology = Topology::mesh(3, 20 * 18, Mapping::Each);
    for flow in &mut topology.flows {
        // One flow keeps its mappings, and one does not allow long messages.
        match (flow.source, flow.target) {
            (2, 1) => flow.mapping = Mapping::Keep as u8,
            (2, 0) => flow.max_message = 100,
            _ => {}
        }
    }
    if buffer_bytes == SMALL {
        // A client with only one peer may use all its slots for that peer, so that it can fill a queue.
        topology.flows.retain(|flow| flow.target == 1);
    }
    topology.bytes_per_round = 64 * 1024;
    topology.messages_per_round = 128;
    let mut world = World::new(&topology, buffer_bytes, stops);
    scenario(&mut world);
    world.outcome()
}

/// Stops central after every step of a scenario, once with clients that wait meanwhile and once with clients
/// that go on.
#[track_caller]
fn survives_every_stop(scenario: Scenario) {
    survives_stops(scenario, LARGE, 1);
}

/// As [`survives_every_stop`], for every `stride`-th step.
#[track_caller]
fn survives_stops(scenario: Scenario, buffer_bytes: u32, stride: usize) {
    let expected = play(scenario, buffer_bytes, Stops::NONE);
    assert!(expected.steps > 20, "the scenario does something");
    for clients_go_on in [false, true] {
        for step in (1..=expected.steps).step_by(stride) {
            let stops = Stops::after(step, Meanwhile::down_if(clients_go_on));
            let seen = play(scenario, buffer_bytes, stops);
            assert_eq!(seen.books, expected.books, "{stops:?} of {}", expected.steps);
            assert_eq!(seen.stopped, 1);
        }
    }
}

/// Stops central after every fifth step, and the next central soon after.
#[track_caller]
fn survives_stops_of_the_restart(scenario: Scenario) {
    let expected = play(scenario, LARGE, Stops::NONE);
    for step in (1..=expected.steps).step_by(5) {
        for second in (1..200).step_by(37) {
            let stops = Stops::after(step, Meanwhile::down_if(step % 2 == 0)).and_after(second + step % 37);
            let seen = play(scenario, LARGE, stops);
            assert_eq!(seen.books, expected.books, "{stops:?} of {}", expected.steps);
        }
    }
}

fn messages_in_and_out_of_order(world: &mut World) {
    // Client 2 sends nothing to client 1 until the end, so that requests end out of order.
    world.post(1, Some(2));
    for _ in 0..3 {
        world.post(1, None);
    }
    for length in [10, 5000, 0, 4097] {
        world.send(0, 1, length);
    }
    world.run();
    world.post(1, Some(0));
    world.post(0, None);
    world.send(1, 0, 9);
    world.send(0, 1, 77);
    world.run();
    world.send(2, 1, 4000);
    world.send(0, 1, 78);
    world.run();
    world.post(1, None);
    world.send(2, 1, 1);
    world.run();
}

fn every_way_to_be_refused(world: &mut World) {
    world.post(0, None);
    world.send(2, 0, 101);
    world.chain(2, 0, 3, 50);
    world.chain(2, 0, 2, 50);
    world.send(2, 0, 99);
    world.post(0, Some(2));
    world.run();
    world.chain(0, 1, 3, 25_000);
    world.post(1, None);
    world.run();
    world.send(0, 1, 5);
    world.run();
}

/// In a flow that keeps its mappings, plain messages become visible in the middle of a turn. What was refused
/// before them must not get their `Done` at a restart.
fn a_refusal_before_plain_messages(world: &mut World) {
    for _ in 0..3 {
        world.post(1, Some(2));
    }
    // Longer than any buffer that is posted.
    world.chain(2, 1, 3, 30_000);
    world.send(2, 1, 10);
    world.send(2, 1, 20);
    world.run();
    // And one that waited before.
    world.chain(2, 1, 2, 40_000);
    world.send(2, 1, 30);
    world.run();
    world.send(2, 1, 40);
    world.post(1, Some(2));
    world.run();
}

fn chains(world: &mut World) {
    for _ in 0..2 {
        world.post(1, None);
    }
    world.chain(0, 1, 3, 700);
    world.send(0, 1, 3);
    world.chain(0, 1, 2, 9000);
    world.chain(2, 1, 16, 30);
    world.run();
    world.post(1, None);
    world.post(1, None);
    world.run();
}

fn windows_opened_filled_and_withdrawn(world: &mut World) {
    world.post(1, Some(2));
    world.open_window(1, 0);
    world.run();
    world.place(0, 1, 0, 100);
    world.place(0, 1, 1, 5000);
    world.run();
    world.place(0, 1, 15, 4097);
    let posted = world.post(1, Some(2));
    world.run();
    world.withdraw_window(1);
    world.withdraw(1, posted);
    world.run();
    world.place_again(0, 1, 100);
    world.withdraw(1, posted);
    world.run();
    world.send(2, 1, 12);
    world.run();
}

fn large_messages_in_steps(world: &mut World) {
    world.post(1, None);
    world.send(0, 1, 70_000);
    world.post(2, None);
    world.send(0, 2, 6);
    world.send(1, 2, 66_000);
    world.post(2, None);
    world.run();
    world.chain(2, 1, 2, 36_000);
    world.post(1, Some(2));
    world.run();
}

fn sends_that_end_out_of_order(world: &mut World) {
    world.post(2, None);
    world.post(2, None);
    world.send(0, 1, 100);
    world.send(0, 2, 200);
    world.chain(0, 1, 2, 300);
    world.run();
    world.send(0, 2, 400);
    world.chain(0, 2, 3, 24_000);
    world.send(0, 1, 500);
    world.run();
    world.post(1, None);
    world.run();
    world.post(2, None);
    world.post(1, None);
    world.post(1, None);
    world.send(0, 2, 600);
    world.run();
}

fn a_client_restarts_meanwhile(world: &mut World) {
    world.send(0, 1, 5);
    world.send(2, 1, 6);
    world.send(1, 0, 7);
    world.post(1, Some(2));
    world.run();
    world.restart_client(1);
    world.post(1, None);
    world.post(1, None);
    world.send(0, 1, 8);
    world.send(1, 0, 9);
    world.run();
}

/// Turns that fill the whole receive queue, so that their deliveries overwrite the newest earlier delivery.
fn a_full_receive_queue(world: &mut World) {
    let fill = |world: &mut World, source: usize| {
        for _ in 0..128 {
            world.post(1, None);
            world.send(source, 1, 64);
        }
        world.run();
    };
    // The newest delivery is from a turn that unmaps, then from one in the express lane, then an answer.
    for source in [0, 2] {
        for _ in 0..3 {
            world.post(1, None);
            world.send(source, 1, 8);
        }
        world.run();
        fill(world, 0);
    }
    let posted = world.post(1, Some(2));
    world.run();
    world.withdraw(1, posted);
    world.run();
    fill(world, 0);
    fill(world, 2);
}

/// One turn in which messages that keep their mappings, and could be shown at once, follow others that could
/// not.
fn both_paths_in_one_turn(world: &mut World) {
    for _ in 0..7 {
        world.post(1, None);
    }
    world.chain(2, 1, 2, 30);
    world.send(2, 1, 5);
    world.send(2, 1, 6);
    world.chain(2, 1, 3, 40);
    world.send(2, 1, 7);
    world.run();
    world.send(2, 1, 8);
    world.chain(2, 1, 2, 50);
    world.run();
}

/// One turn in which all slots of the ring of sends come to their end, and all requests are used at once.
fn a_whole_ring_in_one_turn(world: &mut World) {
    for _ in 0..128 {
        world.post(1, None);
        world.send(0, 1, 8);
    }
    world.unstopped_before(128);
    world.run();
}

/// In the middle of a turn whose deliveries to it are not visible yet, a receiver publishes a withdrawal, a
/// request that is refused, and buffers that the turn then uses. The answers wait until the turn's deliveries
/// are visible.
fn requests_found_in_a_turn(world: &mut World) {
    world.post(1, None);
    world.open_window(1, 2);
    for _ in 0..7 {
        world.open_window_beside(1, 2);
    }
    world.run();
    for _ in 0..3 {
        world.chain(0, 1, 2, 3000);
    }
    world.send(0, 1, 5);
    world.in_the_next_run(1, |world| {
        world.withdraw_window(1);
        world.post(1, None);
        world.open_window_beside(1, 2);
        world.post(1, None);
        world.post(1, Some(0));
    });
    world.run();
    world.send(0, 1, 6);
    world.run();
}

#[test]
fn requests_found_in_a_turn_survive_a_stop_after_every_store() {
    survives_every_stop(requests_found_in_a_turn);
}

/// The ring of sends and the ring of requests come round to slots that are in use.
fn a_lap_beside_silent_peers(world: &mut World) {
    let exchange = |world: &mut World, count: usize| {
        for _ in 0..count {
            world.post(1, None);
            world.send(0, 1, 64);
        }
        world.run();
    };
    world.unstopped(|world| {
        world.post(1, Some(2));
        world.send(0, 2, 100);
        world.chain(0, 2, 2, 300);
        (0..8).for_each(|_| exchange(world, 15));
    });
    // The slots in use lie in the middle of this turn's slots.
    exchange(world, 8);
    world.post(2, None);
    world.post(2, None);
    world.send(2, 1, 5);
    world.run();
    exchange(world, 3);
}

#[test]
fn a_lap_beside_silent_peers_survives_a_stop_after_every_store() {
    survives_every_stop(a_lap_beside_silent_peers);
}

/// The slot of a send that waits is passed over in the next lap. Then the send and the next one end in one
/// turn. What still stands in the slot is no message of this lap, although the slot is no longer held.
fn a_slot_that_was_passed_over_is_free_again(world: &mut World) {
    world.unstopped(|world| {
        world.send(0, 2, 100);
        for _ in 0..127 {
            world.post(1, None);
            world.send(0, 1, 8);
            world.run();
        }
        // A turn takes new sends before those that wait, and the next turn takes them after those.
        world.post(2, Some(1));
        world.run();
    });
    world.post(2, None);
    world.post(2, None);
    world.send(0, 2, 200);
    world.run();
}

#[test]
fn a_slot_that_was_passed_over_is_free_again_after_a_stop_after_every_store() {
    survives_every_stop(a_slot_that_was_passed_over_is_free_again);
}

#[test]
fn a_full_receive_queue_survives_stops() {
    // The stride is a prime, so that over all messages a stop meets every store.
    survives_stops(a_full_receive_queue, SMALL, 61);
}

#[test]
fn a_whole_ring_in_one_turn_survives_stops() {
    survives_stops(a_whole_ring_in_one_turn, SMALL, 3);
}

#[test]
fn both_paths_in_one_turn_survive_a_stop_after_every_store() {
    survives_every_stop(both_paths_in_one_turn);
}

#[test]
fn r26_messages_survive_a_stop_after_every_store() {
    survives_every_stop(messages_in_and_out_of_order);
}

#[test]
fn refusals_survive_a_stop_after_every_store() {
    survives_every_stop(every_way_to_be_refused);
}

#[test]
fn chains_survive_a_stop_after_every_store() {
    survives_every_stop(chains);
}

#[test]
fn a_refusal_before_plain_messages_survives_a_stop_after_every_store() {
    survives_every_stop(a_refusal_before_plain_messages);
}

#[test]
fn windows_survive_a_stop_after_every_store() {
    survives_every_stop(windows_opened_filled_and_withdrawn);
}

#[test]
fn large_messages_survive_a_stop_after_every_store() {
    survives_every_stop(large_messages_in_steps);
}

#[test]
fn sends_that_end_out_of_order_survive_a_stop_after_every_store() {
    survives_every_stop(sends_that_end_out_of_order);
}

#[test]
fn a_client_restart_survives_a_stop_after_every_store() {
    survives_every_stop(a_client_restarts_meanwhile);
}

#[test]
fn a_restart_can_be_stopped_too() {
    survives_stops_of_the_restart(messages_in_and_out_of_order);
    survives_stops_of_the_restart(windows_opened_filled_and_withdrawn);
    survives_stops_of_the_restart(chains);
    survives_stops_of_the_restart(requests_found_in_a_turn);
    survives_stops_of_the_restart(a_lap_beside_silent_peers);
}
