//! Boots the classic platform in QEMU and checks what it promises: mapping by capability, rights,
//! notifications, the tick, fault reports, exit codes, large prefilled regions.

mod machine;

use ferry_classic_spec::{
    Channel, End, Grant, Map, MemoryRegion, Payload, ProtectionDomain, Rights, System, Tick, Window,
};
use machine::{Outcome, boot, subject};

/// The subject's own constants: where it expects a grant.
const HOME: u64 = 0x10_0000_0000;
const FIRST_FRAME: u64 = 128;
const REGION_ADDRESS: u64 = 0x4000_0000;
const PAGE: usize = 4096;

/// QEMU's exit status for an exit code of the system.
const fn status_of(code: i32) -> i32 {
    code * 2 + 1
}

fn expect_line(outcome: &Outcome, line: &str) {
    // The kernel sends a line feed, then a carriage return, so the latter begins the next line.
    let found = outcome.console.lines().any(|printed| printed.trim().starts_with(line));
    assert!(found, "no line `{line}` in:\n{}", outcome.console);
}

fn part(name: &str, priority: u8, number: u64, payload: &mut Payload) -> ProtectionDomain {
    subject(name, priority, &[("smoke_part", number)], payload)
}

fn with_region(
    name: &str,
    priority: u8,
    number: u64,
    bytes: u64,
    rights: Rights,
    payload: &mut Payload,
) -> ProtectionDomain {
    let words = [("smoke_part", number), ("smoke_region", REGION_ADDRESS), ("smoke_region_size", bytes)];
    let mut domain = subject(name, priority, &words, payload);
    domain.maps.push(Map { region: 0, address: REGION_ADDRESS, rights });
    domain
}

fn with_grant(mut domain: ProtectionDomain, writable: bool) -> ProtectionDomain {
    domain.grants.push(Grant { region: 0, address: HOME, first_capability: FIRST_FRAME, writable });
    domain.window = Some(Window { address: HOME, bytes: 0x20_0000 });
    domain
}

fn channel(one: (u32, u8), other: (u32, u8)) -> Channel {
    let end = |(domain, id)| End { domain, id };
    Channel { ends: [end(one), end(other)] }
}

/// All parts of the subject in one system. The intruders have the highest priority, so they run first. The
/// prober ends the machine after everybody else has shown what it should.
fn everything() -> (System, Payload) {
    let mut payload = Payload::new();
    let mut contents = vec![0; PAGE + 8];
    contents[..8].copy_from_slice(&0xabcd_u64.to_le_bytes());
    contents[PAGE..].copy_from_slice(&0x1234_u64.to_le_bytes());
    let prefill = Some(payload.push_pages(&contents));
    let bytes = 2 * PAGE as u64;
    let domains = vec![
        with_grant(part("prober", 100, 0, &mut payload), true),
        with_region("peer", 50, 1, bytes, Rights::ReadWrite, &mut payload),
        part("ticker", 150, 2, &mut payload),
        with_grant(part("intruder", 200, 3, &mut payload), false),
        with_grant(part("late", 200, 4, &mut payload), true),
        part("deep", 200, 5, &mut payload),
        part("patcher", 200, 6, &mut payload),
        part("lost", 200, 7, &mut payload),
        with_region("vandal", 200, 9, bytes, Rights::Read, &mut payload),
        part("divider", 200, 10, &mut payload),
    ];
    let system = System {
        domains,
        regions: vec![MemoryRegion { name: "shared".to_owned(), frames: 2, frame_bits: 12, prefill }],
        channels: vec![channel((0, 0), (1, 0)), channel((0, 1), (2, 0))],
        tick: Some(Tick { domain: 2, period_us: 10_000 }),
    };
    (system, payload)
}

fn check_everything(outcome: &Outcome) {
    for line in [
        "smoke: the intruder reads 0xabcd",
        "ferry: fault domain=intruder kind=write address=0x1000000000 instruction=0x",
        "ferry: fault domain=late kind=read address=0x1000000000 instruction=0x",
        "ferry: fault domain=deep kind=write address=0x7fff801e",
        "ferry: fault domain=patcher kind=write address=0x",
        "ferry: fault domain=lost kind=execute address=0x1000 instruction=0x1000",
        "smoke: the region holds 0xabcd",
        "ferry: fault domain=vandal kind=write address=0x40000000 instruction=0x",
        "ferry: fault domain=divider kind=user-exception address=0x0 instruction=0x",
        "smoke: the prober reads 0xabcd",
        "smoke: the prober reads 0x1234",
        "smoke: the peer was notified and reads 0xfe11",
        "smoke: the peer answered",
        "smoke: tick 3",
        "ferry: exit domain=prober code=0",
    ] {
        expect_line(outcome, line);
    }
    assert!(!outcome.console.contains("subject.rs"), "{}", outcome.console);
    assert_eq!(outcome.status, Some(status_of(0)), "{}", outcome.console);
}

#[test]
fn capabilities_rights_notifications_tick_and_faults() {
    let (system, payload) = everything();
    let outcome = boot("everything", &system, &payload, &[]);
    eprintln!("booted and ended in {:?}", outcome.duration);
    check_everything(&outcome);
}

#[test]
fn counting_instructions_changes_nothing() {
    let (system, payload) = everything();
    check_everything(&boot("icount", &system, &payload, &["-icount", "shift=0,sleep=off"]));
}

/// A region of 64 MiB with contents. Small frames come out of the packed image. Large frames get a copy of
/// the contents.
fn large_prefill(frame_bits: u8) -> Outcome {
    const PAGES: usize = 64 << 20 >> 12;
    let mut payload = Payload::new();
    let mut contents = vec![0_u8; PAGES * PAGE];
    for (number, page) in (1_u64..).zip(contents.chunks_mut(PAGE)) {
        page[..8].copy_from_slice(&number.to_le_bytes());
    }
    let prefill = Some(payload.push_pages(&contents));
    let bytes = contents.len() as u64;
    let domains = vec![with_region("reader", 100, 8, bytes, Rights::Read, &mut payload)];
    let frames = u32::try_from(bytes >> frame_bits).expect("64 MiB are few frames");
    let regions = vec![MemoryRegion { name: "input".to_owned(), frames, frame_bits, prefill }];
    let system = System { domains, regions, channels: Vec::new(), tick: None };
    let outcome = boot(&format!("prefill-{frame_bits}"), &system, &payload, &[]);
    eprintln!("64 MiB in frames of 2^{frame_bits} bytes: booted and ended in {:?}", outcome.duration);
    let sum: u64 = (1..=PAGES as u64).sum();
    expect_line(&outcome, &format!("smoke: {PAGES} pages with the sum {sum:#x}"));
    assert_eq!(outcome.status, Some(status_of(7)));
    outcome
}

#[test]
fn prefill_of_64_mebibytes_in_small_frames() {
    large_prefill(12);
}

#[test]
fn prefill_of_64_mebibytes_in_large_frames() {
    large_prefill(21);
}

#[test]
fn a_system_that_contradicts_itself_is_refused() {
    let mut payload = Payload::new();
    let mut domain = part("overlapping", 100, 1, &mut payload);
    let address = domain.segments[0].address & !0xfff;
    domain.maps.push(Map { region: 0, address, rights: Rights::Read });
    let regions = vec![MemoryRegion { name: "shared".to_owned(), frames: 1, frame_bits: 12, prefill: None }];
    let system = System { domains: vec![domain], regions, channels: Vec::new(), tick: None };
    let outcome = boot("overlapping", &system, &payload, &[]);
    expect_line(&outcome, "ferry: initialiser: overlapping: segments, maps, window and stack overlap");
    assert_eq!(outcome.status, Some(status_of(126)));
}

#[test]
fn too_little_memory_is_reported() {
    let mut payload = Payload::new();
    let domains = vec![part("large", 100, 1, &mut payload)];
    let regions = vec![MemoryRegion { name: "huge".to_owned(), frames: 512, frame_bits: 21, prefill: None }];
    let system = System { domains, regions, channels: Vec::new(), tick: None };
    let outcome = boot("memory", &system, &payload, &[]);
    expect_line(&outcome, "ferry: initialiser: no memory left for an object of 2^21 bytes");
    assert_eq!(outcome.status, Some(status_of(126)));
}
