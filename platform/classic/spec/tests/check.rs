//! The initialiser's check of a compiled system: one system that it accepts, and for each rule one change
//! that it refuses, with the message of the refusal.

use ferry_classic_spec::addresses::{MAXIMUM_STACK_BYTES, PRIVATE_START};
use ferry_classic_spec::{
    Blob, Channel, End, Grant, Map, MemoryRegion, ProtectionDomain, Rights, Segment, System, Tick, Window,
    check,
};

const PAGE: u64 = 4096;
const LARGE: u64 = 1 << 21;
const WINDOW: u64 = 0x10_0000_0000;
const PAYLOAD: [u8; 3 * 4096] = [0; 3 * 4096];

/// Two domains with a channel, one of them with a window that two grants fill but for its last 2 MiB.
fn system() -> System {
    let region =
        |name: &str| MemoryRegion { name: name.to_owned(), frames: 4, frame_bits: 12, prefill: None };
    let prefill = Some(Blob { offset: PAGE, bytes: 2 * PAGE });
    let grant = |region: u32, writable| Grant {
        region,
        address: WINDOW + u64::from(region) * LARGE,
        first_capability: 128 + u64::from(region) * 4,
        writable,
    };
    let domain = |name: &str| ProtectionDomain {
        name: name.to_owned(),
        priority: 100,
        entry: 0x20_0000,
        stack_bytes: PAGE,
        segments: vec![Segment {
            address: 0x20_0010,
            memory_bytes: PAGE,
            rights: Rights::ReadExecute,
            data: Blob { offset: 0, bytes: PAGE },
        }],
        maps: vec![Map { region: 2, address: 0x4000_0000, rights: Rights::Read }],
        grants: Vec::new(),
        window: None,
        restarts: 0,
    };
    let mut central = domain("central");
    central.grants = vec![grant(0, false), grant(1, true)];
    central.window = Some(Window { address: WINDOW, bytes: 3 * LARGE });
    System {
        domains: vec![central, domain("alpha")],
        regions: vec![region("alpha_tx"), region("alpha_rx"), MemoryRegion { prefill, ..region("alpha_in") }],
        channels: vec![Channel { ends: [End { domain: 0, id: 1 }, End { domain: 1, id: 0 }] }],
        tick: Some(Tick { domain: 1, period_us: 5_000 }),
    }
}

#[test]
fn a_system_in_order_is_taken() {
    assert_eq!(check(&system(), &PAYLOAD), Ok(()));
    let mut to_the_edge = system();
    to_the_edge.domains[0].grants[1].address = WINDOW + 2 * LARGE;
    assert_eq!(check(&to_the_edge, &PAYLOAD), Ok(()), "the end of the window is in it");
}

/// How a range is refused that ends above [`PRIVATE_START`].
const TOO_HIGH: &str = "alpha: a segment, map or window ends above 0x7fff00000000, the limit for programs";

/// A change to the system above, and how it is refused.
type Refusal = (fn(&mut System), &'static str);

fn expect_refused(refusals: &[Refusal]) {
    for (number, (change, expected)) in refusals.iter().enumerate() {
        let mut system = system();
        change(&mut system);
        let refused = check(&system, &PAYLOAD).map_err(|found| format!("{}: {}", found.place, found.problem));
        assert_eq!(refused, Err((*expected).to_owned()), "change {number}");
    }
}

#[test]
fn grants_lie_in_the_window_and_apart() {
    const OUTSIDE: &str = "central: a grant is outside the window";
    expect_refused(&[
        (|system| system.domains[0].grants[0].address = WINDOW - LARGE, OUTSIDE),
        (|system| system.domains[0].grants[1].address = WINDOW + 3 * LARGE, OUTSIDE),
        (|system| system.domains[0].grants[1].address = 0x4000_0000, OUTSIDE),
        (|system| system.domains[0].grants[1].address = u64::MAX - LARGE + 1, OUTSIDE),
        // It begins inside the window, and ends behind it.
        (
            |system| {
                system.regions[1].frames = 513;
                system.domains[0].grants[1].address = WINDOW + 2 * LARGE;
            },
            OUTSIDE,
        ),
        (|system| system.domains[0].window = None, "central: a grant without a window"),
        (
            |system| system.domains[1].grants = system.domains[0].grants.clone(),
            "alpha: a grant without a window",
        ),
        (
            |system| system.domains[0].grants[0].address = WINDOW + PAGE,
            "central: a grant is not aligned to 2 MiB",
        ),
        (|system| system.domains[0].grants[1].address = WINDOW, "central: the addresses of grants overlap"),
        (|system| system.domains[0].grants[0].region = 3, "central: a memory region does not exist"),
    ]);
}

#[test]
fn grants_have_slots_of_their_own() {
    expect_refused(&[
        (|system| system.domains[0].grants[0].first_capability = 4, "central: a grant uses a fixed slot"),
        (|system| system.domains[0].grants[1].first_capability = 131, "central: the slots of grants overlap"),
        (
            |system| system.domains[0].grants[1].first_capability = (1 << 24) - 3,
            "central: the slots of a grant end above 2^24",
        ),
        (
            |system| system.domains[0].grants[1].first_capability = u64::MAX,
            "central: the slots of a grant end above 2^24",
        ),
    ]);
}

#[test]
fn nothing_is_mapped_over_anything() {
    const OVERLAP: &str = "alpha: segments, maps, window and stack overlap";
    expect_refused(&[
        (|system| system.domains[1].maps[0].address = 0x20_1000, OVERLAP),
        (
            |system| {
                let segment = system.domains[1].segments[0].clone();
                system.domains[1].segments.push(segment);
            },
            OVERLAP,
        ),
        (|system| system.domains[1].window = Some(Window { address: 0x4000_0000, bytes: LARGE }), OVERLAP),
        // The stack and the IPC buffer lie from `PRIVATE_START` on.
        (|system| system.domains[1].maps[0].address = PRIVATE_START - 3 * PAGE, TOO_HIGH),
        (
            |system| system.domains[1].maps[0].address = 0x4000_0800,
            "alpha: a map is not aligned to its frames",
        ),
        (|system| system.domains[1].maps[0].region = 3, "alpha: a memory region does not exist"),
        (
            |system| system.domains[0].window = Some(Window { address: WINDOW + PAGE, bytes: LARGE }),
            "central: the window is not aligned to 2 MiB",
        ),
        (
            |system| system.domains[0].window = Some(Window { address: WINDOW, bytes: 0 }),
            "central: the window is empty",
        ),
    ]);
}

#[test]
fn domains_can_be_made() {
    expect_refused(&[
        (|system| system.domains[1].priority = 254, "alpha: the priority is above 253"),
        (|system| system.domains[1].stack_bytes = 0, "alpha: there is no stack"),
        (|system| system.domains[1].stack_bytes = MAXIMUM_STACK_BYTES + 1, "alpha: the stack is too large"),
        (
            |system| system.domains[1].segments[0].data.offset = 2 * PAGE + 1,
            "alpha: a segment is not in the payload",
        ),
        (
            |system| system.domains[1].segments[0].data.offset = u64::MAX,
            "alpha: a segment is not in the payload",
        ),
        (|system| system.domains[1].segments[0].memory_bytes = 0, "alpha: a segment is empty"),
        (
            |system| system.domains[1].segments[0].memory_bytes = PAGE - 1,
            "alpha: a segment has more data than memory",
        ),
        (|system| system.domains[1].segments[0].memory_bytes = u64::MAX, TOO_HIGH),
    ]);
}

#[test]
fn regions_can_be_made() {
    expect_refused(&[
        (|system| system.regions[2].frame_bits = 30, "alpha_in: frame size must be 4 KiB or 2 MiB"),
        (|system| system.regions[2].frames = 0, "alpha_in: the region has no frames"),
        (|system| system.regions[2].frames = 1, "alpha_in: the prefill is larger than the region"),
        (
            |system| system.regions[2].prefill = Some(Blob { offset: 2 * PAGE, bytes: PAGE + 1 }),
            "alpha_in: the prefill is not in the payload",
        ),
        (
            |system| system.regions[2].prefill = Some(Blob { offset: 8, bytes: 8 }),
            "alpha_in: the prefill does not begin on a page",
        ),
    ]);
}

#[test]
fn channels_and_tick_have_their_domains() {
    expect_refused(&[
        (|system| system.channels[0].ends[1].domain = 2, "channel: a protection domain does not exist"),
        (|system| system.channels[0].ends[1].id = 62, "alpha: a channel's id is above 61"),
        (|system| system.channels.push(system.channels[0]), "central: two channels have the same id"),
        (
            |system| system.tick = Some(Tick { domain: 2, period_us: 5_000 }),
            "tick: the protection domain that it wakes does not exist",
        ),
        (
            |system| system.tick = Some(Tick { domain: 1, period_us: 54_001 }),
            "tick: the period is not within 1 and 54 milliseconds",
        ),
        (
            |system| system.tick = Some(Tick { domain: 1, period_us: 999 }),
            "tick: the period is not within 1 and 54 milliseconds",
        ),
    ]);
}
