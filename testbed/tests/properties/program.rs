//! The parts of a random program: the topology of the system and the operations of its clients.

use ferry_layout::config::{FlowRecord, Mapping, StageRecord};
use ferry_layout::geometry::MAX_ONE_WAY;
use ferry_testbed::{Topology, buffer_bytes};
use proptest::collection::vec;
use proptest::prelude::*;

/// Longest message of a flow with guards.
const MAX_GUARDED: u32 = 65_536;

/// The topology of a system under test, and the size of its buffers.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) topology: Topology,
    /// Bytes of each buffer into which clients split their regions.
    pub(crate) buffer: u32,
    /// How many of the clients, the last ones, are guards.
    pub(crate) guards: u16,
}

/// One thing that a client does, or that happens to the system. Client numbers are taken modulo the number of
/// clients.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Send {
        source: u16,
        target: u16,
        length: u32,
        urgent: bool,
        quiet: bool,
        ticks: u32,
    },
    Chain {
        source: u16,
        target: u16,
        parts: u8,
        length: u32,
    },
    Place {
        source: u16,
        target: u16,
        skip: u64,
        length: u32,
    },
    Post {
        client: u16,
        from: Option<u16>,
    },
    Window {
        client: u16,
        from: u16,
    },
    /// Withdraws the `which`-th of the newest requests.
    Withdraw {
        client: u16,
        which: usize,
    },
    Receive {
        client: u16,
        most: u8,
    },
    Reap {
        client: u16,
        most: u8,
    },
    Publish {
        client: u16,
    },
    /// Every client publishes and has signalled.
    Run,
    /// One client publishes and has signalled.
    RunFor {
        client: u16,
    },
    Tick,
    Restart {
        client: u16,
    },
    /// Central is stopped while it sleeps, and a new one starts from the pages.
    RestartCentral,
    /// In the next run the kernel refuses every mapping after this many.
    RefuseMaps {
        after: u32,
    },
}

/// `count` clients that may all send to each other.
pub(crate) fn mesh(count: u16, frames: usize, buffer: u32, mapping: Mapping) -> Shape {
    Shape { topology: Topology::mesh(count, frames, mapping), buffer, guards: 0 }
}

/// Two to four clients, and up to three guards. Random flows are missing, limited or one-way, or have guards.
pub(crate) fn topology(frames: usize, largest: u32) -> impl Strategy<Value = Shape> {
    let longest = prop_oneof![3 => Just(u32::MAX), 1 => 1..largest];
    let flow = (0..8_u8, any::<bool>(), any::<bool>(), longest, prop::bool::weighted(0.25), 0..6_u8);
    let quotas = (prop_oneof![Just(1500_u32), 3000..20_000_u32, Just(65_536)], 1..40_u32);
    (2..5_u16, vec(flow, 16), quotas, 0..3_u8, largest / 4..=largest, 0..4_u16).prop_map(
        move |(count, limits, quotas, policy, buffer, guards)| {
            let pairs = (0..count).flat_map(|source| (0..count).map(move |target| (source, target)));
            let flows = pairs.zip(limits).filter_map(
                |((source, target), (missing, urgent, keep, longest, one_way, way))| {
                    let mapping = match policy {
                        0 => Mapping::Each,
                        1 => Mapping::Keep,
                        _ if keep => Mapping::Keep,
                        _ => Mapping::Each,
                    };
                    let record = FlowRecord {
                        urgent: urgent.into(),
                        max_message: if one_way { longest.min(MAX_ONE_WAY) } else { longest },
                        // Some flows have all their messages in an audit log, which nobody may notice.
                        audit: u32::from(missing % 2 != 0 && !one_way),
                        one_way: one_way.into(),
                        ..Topology::flow(source, target, mapping)
                    };
                    (source != target && missing != 0).then_some((record, way))
                },
            );
            let (flows, ways): (Vec<FlowRecord>, Vec<u8>) = flows.unzip();
            let mut topology = Topology {
                clients: vec![buffer_bytes(frames); usize::from(count + guards)],
                flows,
                bytes_per_round: quotas.0,
                messages_per_round: quotas.1,
                frame_bits: 12,
                stages: Vec::new(),
                audit_bytes: 4096,
                partitions: Vec::new(),
            };
            for (flow, way) in topology.flows.iter_mut().zip(ways) {
                let guard = |number: u16| 1_u32 << (count + number);
                // One guard, two of them one after the other, or two of three.
                let stages = match (way, guards) {
                    (1, 1..) => vec![(guard(0), 1)],
                    (2, 2..) => vec![(guard(0), 1), (guard(1), 1)],
                    (3, 3) => vec![(guard(0) | guard(1) | guard(2), 2)],
                    _ => continue,
                };
                flow.first_stage = u32::try_from(topology.stages.len()).expect("few stages");
                flow.stages = u16::try_from(stages.len()).expect("few stages");
                (flow.verdict_within, flow.max_message) = (100_000, flow.max_message.min(MAX_GUARDED));
                let records = stages.into_iter().map(|(members, quorum)| StageRecord { members, quorum });
                topology.stages.extend(records);
            }
            // A guard without a flow would be a client like others.
            let used = topology.stages.iter().fold(0, |all, stage| all | stage.members);
            let guards = (0..guards).filter(|number| used >> (count + number) & 1 != 0).count();
            topology.clients.truncate(usize::from(count) + guards);
            let guards = u16::try_from(guards).expect("few guards");
            Shape { topology, buffer, guards }
        },
    )
}

/// A program of up to `most` operations.
pub(crate) fn operations(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    vec(operation(), 1..most)
}

fn operation() -> impl Strategy<Value = Operation> {
    let client = || 0..4_u16;
    // Sometimes a number that no client has.
    let target = prop_oneof![12 => 0..4_u16, 1 => Just(31_u16), 1 => Just(u16::MAX)];
    let length = || prop_oneof![1 => Just(0_u32), 4 => 1..300_u32, 4 => any::<u32>()];
    let ticks = prop_oneof![4 => Just(0_u32), 1 => 1..4_u32];
    let urgent = prop::bool::weighted(0.2);
    prop_oneof![
        12 => (client(), target, length(), urgent, any::<bool>(), ticks).prop_map(
            |(source, target, length, urgent, quiet, ticks)| {
                Operation::Send { source, target, length, urgent, quiet, ticks }
            }
        ),
        3 => (client(), client(), 1..=16_u8, length())
            .prop_map(|(source, target, parts, length)| Operation::Chain { source, target, parts, length }),
        4 => (client(), client(), any::<u64>(), length())
            .prop_map(|(source, target, skip, length)| Operation::Place { source, target, skip, length }),
        10 => (client(), prop::option::weighted(0.4, client()))
            .prop_map(|(client, from)| Operation::Post { client, from }),
        2 => (client(), client()).prop_map(|(client, from)| Operation::Window { client, from }),
        2 => (client(), any::<usize>()).prop_map(|(client, which)| Operation::Withdraw { client, which }),
        6 => (client(), 1..12_u8).prop_map(|(client, most)| Operation::Receive { client, most }),
        6 => (client(), 1..12_u8).prop_map(|(client, most)| Operation::Reap { client, most }),
        3 => client().prop_map(|client| Operation::Publish { client }),
        6 => Just(Operation::Run),
        6 => client().prop_map(|client| Operation::RunFor { client }),
        4 => Just(Operation::Tick),
        1 => client().prop_map(|client| Operation::Restart { client }),
        1 => Just(Operation::RestartCentral),
        1 => (0..40_u32).prop_map(|after| Operation::RefuseMaps { after }),
    ]
}
