//! Central restarts while messages of one-way flows are with guards. What was with guards is lost, and the
//! receiver sees a gap. Everything else must hold: what arrives was passed, arrives once, and has the number
//! that it was sent with; each send ends with `Done`, at a tick.

use ferry_layout::Status;
use ferry_layout::config::Mapping;
use ferry_testbed::Topology;

use super::Scenario;
use super::stops::{Meanwhile, Seen, Stops};
use super::world::World;

/// Plays a scenario with a one-way flow from client 0 to client 1 through these guards. Returns central's
/// steps, and how many messages have arrived.
fn play(stages: &[(&[u16], u32)], mapping: Mapping, scenario: Scenario, stops: Stops) -> (u32, usize) {
    let mut topology = Topology::guarded(stages, mapping, 30);
    topology.flows[0].one_way = 1;
    let mut world = World::new(&topology, 2048, stops);
    scenario(&mut world);
    world.finish();
    let dropped = usize::try_from(world.bed.clients[1].to_client.dropped.get()).unwrap();
    let (with_guards, untold) = (world.with_guards, world.untold);
    let Seen { books, steps, stopped, .. } = world.outcome();
    let when = format!("stopped {stopped} times, {stops:?}, {mapping:?}");
    let sent = &books[0].0.reaped;
    assert!(sent.values().all(|ends| *ends == [Status::Done]), "{sent:?}; {when}");
    let arrived: usize = books[1].0.received.values().map(Vec::len).sum();
    let missing = sent.len() - arrived;
    // What was with guards is lost, and not counted. What had no status is taken again, and perhaps counted
    // again.
    let counts = missing.saturating_sub(with_guards)..=missing + untold;
    assert!(counts.contains(&dropped), "{dropped} count as dropped, and {missing} are missing; {when}");
    (steps, arrived)
}

#[track_caller]
fn survives_every_stop(stages: &[(&[u16], u32)], scenario: Scenario, arrives: usize) {
    for mapping in [Mapping::Each, Mapping::Keep] {
        let (steps, arrived) = play(stages, mapping, scenario, Stops::NONE);
        assert_eq!(arrived, arrives, "the scenario has gaps");
        for step in 1..=steps {
            play(stages, mapping, scenario, Stops::after(step, Meanwhile::in_turn(step)));
            if step % 5 == 0 {
                let stops = Stops::after(step, Meanwhile::in_turn(step / 5)).and_after(1 + step % 97);
                play(stages, mapping, scenario, stops);
            }
        }
    }
}

/// Messages are dropped for every reason: the first guard has no buffer, the second one has none, the target
/// has none, a guard refuses, a guard is silent.
fn every_gap(world: &mut World) {
    world.allow(2, 0, 6);
    world.allow(3, 0, 2);
    world.post(1, None);
    for (refused_by, silent) in
        [(&[][..], &[][..]), (&[2], &[]), (&[], &[]), (&[], &[2]), (&[], &[]), (&[], &[]), (&[], &[])]
    {
        world.send_to_guards(0, 1, 20, refused_by, silent);
    }
    world.run();
    // The third one finds no buffer at the second guard.
    world.allow(2, 4, 0);
    world.run();
    world.tick();
    world.allow(3, 1, 1);
    world.run();
    world.send(0, 1, 50);
    // The target has no buffer for this one.
    world.allow(3, 1, 1);
    world.run();
    world.tick();
    world.post(1, None);
    world.post(1, None);
    world.allow(2, 2, 2);
    world.run();
    world.allow(3, 2, 1);
    world.run();
    world.tick();
    // In the end nothing is in the way.
    world.post(1, None);
    world.send(0, 1, 60);
    world.allow(2, 4, 4);
    world.allow(3, 4, 4);
    (0..3).for_each(|_| world.run());
    world.tick();
}

#[test]
fn one_way_messages_with_guards_survive_a_stop_after_every_store() {
    survives_every_stop(&[(&[2], 1), (&[3], 1)], every_gap, 3);
}

/// A quorum in a chain.
fn three_stages(world: &mut World) {
    for guard in 2..7 {
        world.allow(guard, 0, 4);
    }
    for refused_by in [&[][..], &[4], &[3, 5], &[6]] {
        world.send_to_guards(0, 1, 300, refused_by, &[]);
    }
    world.run();
    (0..4).for_each(|_| {
        world.post(1, None);
    });
    world.allow(2, 4, 0);
    world.run();
    for guard in [5, 3, 4, 6] {
        world.allow(guard, 4, 0);
        world.run();
        world.tick();
    }
}

#[test]
fn one_way_messages_with_a_quorum_survive_a_stop_after_every_store() {
    survives_every_stop(&[(&[2], 1), (&[3, 4, 5], 2), (&[6], 1)], three_stages, 2);
}
