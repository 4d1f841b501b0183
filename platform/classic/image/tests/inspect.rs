//! An image is compared with its description. As it was built, it has no difference. Each test changes one
//! thing in it, as somebody who tampers with it would, and finds that named.

mod elf;

use ferry_classic_image::{ImageError, InspectError, ProgramError, image, inspect, pack};
use ferry_classic_spec::{Blob, End, Map, Payload, Rights, System, decode, encode};
use ferry_description::{Compared, Description, Domain, Source};

fn initialiser() -> Vec<u8> {
    elf::program(&[ferry_classic_spec::SYSTEM_SYMBOL], 0)
}

/// The program of every domain: it has all symbols.
#[allow(clippy::unnecessary_wraps, reason = "the builder takes a function that can fail")]
fn program(_: &Domain) -> Result<Vec<u8>, ProgramError> {
    const SYMBOLS: [&str; 11] = [
        "ferry_out",
        "ferry_out_size",
        "ferry_in",
        "ferry_in_size",
        "ferry_tx",
        "ferry_tx_size",
        "ferry_rx",
        "ferry_rx_size",
        "ferry_central",
        "ferry_config",
        "ferry_config_size",
    ];
    Ok(elf::program(&SYMBOLS, 0))
}

fn description() -> Description {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../description/tests/fixtures/valid");
    let source = |name: &str| Source::read(&std::path::Path::new(root).join(name)).unwrap();
    Description::check(&source("system.xml"), &source("flows.toml"), &[]).unwrap()
}

fn built() -> Vec<u8> {
    image(&description(), &initialiser(), &program, &[]).unwrap()
}

fn compare(image: &[u8]) -> Result<(Vec<String>, Compared), InspectError> {
    let (differences, compared) = inspect(&description(), image, &initialiser(), &program, &[])?;
    Ok((differences.iter().map(ToString::to_string).collect(), compared))
}

/// The image with a change, and what is found then.
fn tampered(change: impl FnOnce(&mut System, &mut Vec<u8>)) -> Vec<String> {
    let image = built();
    let at = image.windows(8).position(|bytes| bytes == b"FERRYSYS").unwrap();
    let (mut system, payload) = decode(&image[at..]).unwrap();
    let mut payload = payload.to_vec();
    change(&mut system, &mut payload);
    let mut rebuilt = Payload::new();
    rebuilt.push(&payload);
    compare(&pack(&initialiser(), &encode(&system, &rebuilt)).unwrap()).unwrap().0
}

fn domain(system: &System, name: &str) -> usize {
    system.domains.iter().position(|domain| domain.name == name).unwrap()
}

fn region(system: &System, name: &str) -> u32 {
    let position = system.regions.iter().position(|region| region.name == name).unwrap();
    u32::try_from(position).unwrap()
}

#[test]
fn an_image_is_what_its_description_says() {
    let (differences, compared) = compare(&built()).unwrap();
    assert_eq!(differences, Vec::<String>::new());
    assert_eq!(compared, Compared { domains: 4, pages: 85, frames: 64, signals: 6 });
}

#[test]
fn two_builds_give_the_same_bytes() {
    assert_eq!(built(), built());
}

#[test]
fn a_swapped_capability_is_found() {
    let found = tampered(|system, _| {
        let (central, bob) = (domain(system, "central"), region(system, "bob_tx"));
        system.domains[central].grants[0].region = bob;
    });
    assert_eq!(found.len(), 16);
    assert_eq!(
        found[0],
        "`central` has a capability of page 0 of `bob_tx` at 0x80 in the image instead of page 0 of `alice_tx`"
    );
}

#[test]
fn a_wider_right_is_found() {
    let found = tampered(|system, _| {
        let central = domain(system, "central");
        system.domains[central].grants[0].writable = true;
    });
    assert_eq!(
        found[0],
        "the capability of page 0 of `alice_tx` at 0x80 of `central` has the rights `rw` in the image instead \
         of `r`"
    );
    let found = tampered(|system, _| {
        let (bob, region) = (domain(system, "bob"), region(system, "bob_in"));
        let map = system.domains[bob].maps.iter_mut().find(|map| map.region == region).unwrap();
        map.rights = Rights::ReadWrite;
    });
    assert_eq!(
        found,
        [
            "`bob` may `rw` at 0x10010000 of `bob_in` in the image, `r` in the description",
            "`bob` may `rw` at 0x10011000 of `bob_in` in the image, `r` in the description"
        ]
    );
}

#[test]
fn a_mapping_that_was_added_is_found() {
    let found = tampered(|system, _| {
        let (bob, region) = (domain(system, "bob"), region(system, "ferry_config"));
        system.domains[bob].maps.push(Map { region, address: 0x3000_0000, rights: Rights::ReadWrite });
    });
    assert_eq!(
        found,
        ["`bob` maps page 0 of `ferry_config` at 0x30000000 in the image (rw), the description nothing"]
    );
}

#[test]
fn a_mapping_of_other_memory_is_found() {
    let found = tampered(|system, _| {
        let (bob, alice) = (domain(system, "bob"), region(system, "alice_out"));
        let bob_out = region(system, "bob_out");
        let map = system.domains[bob].maps.iter_mut().find(|map| map.region == bob_out).unwrap();
        map.region = alice;
    });
    assert!(
        found.contains(&"`alice_out` and `bob_out` are the same memory in the image".to_owned()),
        "{found:?}"
    );
}

#[test]
fn a_changed_program_is_found() {
    let found = tampered(|system, payload| {
        let segment = &system.domains[domain(system, "bob")].segments[0];
        let Blob { offset, .. } = segment.data;
        payload[usize::try_from(offset).unwrap() + 9] ^= 1;
    });
    assert_eq!(
        found,
        ["the program of `bob` in the image is not the one that was built: it differs at 0x200009"]
    );
    let found = tampered(|system, _| {
        let bob = domain(system, "bob");
        system.domains[bob].entry += 4;
    });
    let what = "the program of `bob` in the image is not the one that was built: it begins at 0x200004";
    assert_eq!(found, [what]);
}

#[test]
fn other_flows_are_found() {
    let found = tampered(|system, payload| {
        let number = region(system, "ferry_config");
        let prefill = system.regions[number as usize].prefill.unwrap();
        payload[usize::try_from(prefill.offset).unwrap() + 24] ^= 1;
    });
    assert_eq!(found, ["the contents of `ferry_config` in the image differ at byte 24 from what fills it"]);
}

#[test]
fn another_channel_priority_or_window_is_found() {
    let found = tampered(|system, _| {
        let ends = [("alice", 7), ("bob", 7)].map(|(name, id)| {
            let domain = u32::try_from(domain(system, name)).unwrap();
            End { domain, id }
        });
        system.channels.push(ferry_classic_spec::Channel { ends });
        let bob = domain(system, "bob");
        system.domains[bob].priority = 201;
        let central = domain(system, "central");
        system.domains[bob].window = system.domains[central].window;
        system.tick.as_mut().unwrap().domain = u32::try_from(bob).unwrap();
    });
    assert_eq!(
        found,
        [
            "`alice` can signal `bob` by its channel 7 in the image, the description has none",
            "`bob` has priority 201 in the image, and 100 in the description",
            "`bob` can signal `alice` by its channel 7 in the image, the description has none",
            "`bob` has the timer's interrupt, each 10000 us in the image, which the description does not give to it",
            "`bob` has page tables at 0x1000000000 for 0x800000 bytes in the image, which the description does \
             not give to it",
        ]
    );
}

#[test]
fn another_initialiser_is_found() {
    let mut image = built();
    // A byte of the ELF file's header that nobody reads.
    image[15] = 1;
    let (differences, _) = compare(&image).unwrap();
    let what =
        "the program of `the initialiser` in the image is not the one that was built: a byte of it differs";
    assert_eq!(differences, [what]);
}

#[test]
fn what_is_no_image_is_an_error() {
    assert!(matches!(compare(b"nothing"), Err(InspectError::Elf(_))));
    assert!(matches!(compare(&initialiser()), Err(InspectError::Decode(_))));
    let mut image = built();
    let length = image.len();
    image.truncate(length / 2);
    assert!(compare(&image).is_err());
    let no_program = |_: &Domain| Err(ProgramError::from("no program"));
    let failed = inspect(&description(), &built(), &initialiser(), &no_program, &[]);
    assert!(matches!(failed, Err(InspectError::Image(ImageError::Program(_)))));
}
