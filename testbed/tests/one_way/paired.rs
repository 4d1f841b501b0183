//! Paired runs (`shared/paired.rs`) with one-way flows. The high clients, to which the low ones have one-way
//! flows, and the guard of one of these flows do different things in the two systems.

use ferry_layout::config::Mapping;
use ferry_testbed::Topology;
use proptest::prelude::*;

use crate::driver::{first_difference, steps};
use crate::stage::one_way;

/// Clients below this are low, the others are high.
const LOW: u16 = 3;
const CLIENTS: u16 = 6;
/// The last one guards the flow from client 0 to the first high client.
const GUARD: u16 = CLIENTS - 1;

fn topology(mapping: Mapping, urgent: bool, bytes: u32, messages: u32) -> Topology {
    let mut topology = Topology::mesh(CLIENTS, 16, mapping);
    (topology.bytes_per_round, topology.messages_per_round) = (bytes, messages);
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

/// Shapes of the system.
fn shape() -> impl Strategy<Value = Topology> {
    // Mostly less than a message takes.
    let bytes = prop_oneof![1 => 64..2500_u32, 1 => Just(64 * 1024)];
    (any::<bool>(), any::<bool>(), bytes, 1..4_u32).prop_map(|(keep, urgent, bytes, messages)| {
        topology(if keep { Mapping::Keep } else { Mapping::Each }, urgent, bytes, messages)
    })
}

fn cases(count: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(count), max_shrink_iters: 4000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn senders_see_nothing_of_their_receivers(topology in shape(), program in steps()) {
        let low: Vec<u16> = (0..LOW).collect();
        let leak = first_difference(&topology, &low, &program);
        prop_assert!(leak.is_none(), "the receivers show: {}", leak.unwrap_or_default());
    }
}

proptest! {
    #![proptest_config(cases(200))]

    /// Nor if they are served in time slots of their own, and a long run of the others is cut off.
    #[test]
    fn partitions_see_nothing_of_their_receivers(topology in shape(), program in steps()) {
        let partitions = (0..CLIENTS).map(|client| u32::from(client >= LOW) + u32::from(client == GUARD));
        let topology = Topology { partitions: partitions.collect(), ..topology };
        let low: Vec<u16> = (0..LOW).collect();
        let leak = first_difference(&topology, &low, &program);
        prop_assert!(leak.is_none(), "the receivers show: {}", leak.unwrap_or_default());
    }
}

proptest! {
    #![proptest_config(cases(200))]

    /// Nor do the guards of one-way flows.
    #[test]
    fn guards_see_nothing_of_the_receivers(topology in shape(), program in steps()) {
        let watched: Vec<u16> = (0..LOW).chain([GUARD]).collect();
        let leak = first_difference(&topology, &watched, &program);
        prop_assert!(leak.is_none(), "the receivers show: {}", leak.unwrap_or_default());
    }
}
