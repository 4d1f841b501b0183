//! No influence (guarantee 9): a client that no chain of flows connects with another learns nothing of it.
//!
//! Paired runs (`shared/paired.rs`). The watched clients are one component, in which everything is scarce:
//! shares, buffers and turns. The others are a component of their own, and keep central awake for a number of
//! rounds that differs between the two systems.

#[path = "shared/paired.rs"]
mod paired;

use ferry_layout::config::{FlowRecord, Mapping};
use ferry_testbed::Topology;
use proptest::prelude::*;

use paired::{Act, Step, Wake, first_difference, steps};

/// The watched clients. The last one is a guard.
const WATCHED: [u16; 4] = [2, 3, 5, 6];
/// All others. They lie around the watched ones, so that any order of numbers has both. The last one is a
/// guard.
const OTHERS: [u16; 4] = [0, 1, 4, 7];

/// In each of the two groups, everybody may send to everybody. From the first to the second member, a guard
/// has to pass each message.
fn topology(mapping: Mapping, urgent: bool, one_way: bool, bytes: u32, messages: u32) -> Topology {
    let mut topology = Topology::mesh(8, 16, mapping);
    (topology.bytes_per_round, topology.messages_per_round) = (bytes, messages);
    topology.flows.retain(|flow| {
        let is_within = |group: &[u16; 4]| {
            let ends = &group[..3];
            let is_guarded = (flow.source, flow.target) == (group[0], group[1]);
            ends.contains(&flow.source) && ends.contains(&flow.target) && !is_guarded
        };
        is_within(&WATCHED) || is_within(&OTHERS)
    });
    for flow in &mut topology.flows {
        flow.urgent = urgent.into();
    }
    for [source, target, _, guard] in [WATCHED, OTHERS] {
        topology.add_guarded(source, target, &[(&[guard], 1)], mapping, 2);
    }
    if one_way {
        // Then the three are two components, and the guard is a third one. All must be free of the others.
        let [_, _, receiver, _] = WATCHED;
        for flow in topology.flows.iter_mut().filter(|flow| flow.target == receiver) {
            *flow = FlowRecord { one_way: 1, max_message: 60_000, ..*flow };
        }
        topology.flows.retain(|flow| flow.source != receiver);
    }
    topology
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(500),
        max_shrink_iters: 4000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn strangers_have_no_influence(
        (keep, urgent, one_way) in any::<(bool, bool, bool)>(),
        // Mostly less than a message takes.
        bytes_per_round in prop_oneof![3 => 64..2500_u32, 1 => Just(64 * 1024)],
        messages_per_round in 1..4_u32,
        program in steps(),
    ) {
        let mapping = if keep { Mapping::Keep } else { Mapping::Each };
        let topology = topology(mapping, urgent, one_way, bytes_per_round, messages_per_round);
        let leak = first_difference(&topology, &WATCHED, &program);
        prop_assert!(leak.is_none(), "{} tells of strangers", leak.unwrap_or_default());
    }
}

/// Someone of a group sends this many messages to the third member. `who` is 0 or 1.
const fn send(who: u16, count: u8, length: u16) -> Act {
    // The peers of the first two members are each other and the third one.
    Act::Send { who, peer: 1, count, length, urgent: false, no_signal: false, ticks: 0 }
}

/// The third member of a group posts this many buffers.
const fn post(count: u8) -> Act {
    Act::Post { who: 2, peer: None, count }
}

/// In one of the systems, strangers have work for many rounds: one message in each.
const fn idle_and_busy(messages: u8) -> [[Act; 2]; 2] {
    [[post(0), send(0, 0, 0)], [post(messages), send(0, messages, 0)]]
}

/// A client cannot afford its message for twenty rounds, which are passed over, whatever strangers do
/// meanwhile. The order of service afterwards tells how many rounds there were.
#[test]
fn rounds_in_which_strangers_work_do_not_count() {
    let topology = topology(Mapping::Each, false, false, 100, 1);
    for messages in 0..=7 {
        let program = [
            Step {
                others: idle_and_busy(messages).map(Vec::from),
                watched: vec![post(1), send(0, 1, 2000)],
                wake: Wake::SignalAmid { who: 0b1, other: 0, round: 0 },
            },
            Step {
                others: [vec![], vec![]],
                watched: vec![post(1), send(0, 1, 4), send(1, 1, 5)],
                wake: Wake::Tick,
            },
        ];
        assert_eq!(first_difference(&topology, &WATCHED, &program), None, "{messages} rounds of strangers");
    }
}

/// What is left of a client's share is still there after rounds in which only strangers had work. So the
/// client can afford a message at once, and gets the only buffer.
#[test]
fn savings_outlast_the_rounds_of_strangers() {
    let topology = topology(Mapping::Each, false, false, 1000, 2);
    let program = [
        Step {
            others: [vec![], vec![]],
            watched: vec![post(1), send(0, 1, 64)],
            wake: Wake::Signal { who: 0b1 },
        },
        // A round for the guard, after which the first client is the next to be served.
        Step { others: [vec![], vec![]], watched: vec![], wake: Wake::Signal { who: 0b1000 } },
        Step {
            others: [vec![], vec![post(7), send(0, 7, 0), Act::Signal { who: 0 }]],
            watched: vec![post(1), send(0, 1, 1500), send(1, 1, 64)],
            wake: Wake::Signal { who: 0b11 },
        },
    ];
    assert_eq!(first_difference(&topology, &WATCHED, &program), None);
}
