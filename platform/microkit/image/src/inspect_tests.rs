//! Images with one thing changed each, and what is found in their files: a capability swapped, a right
//! widened, a mapping added, a program changed. Each is packed as any image, into the initialiser and behind
//! the loader of the SDK, for every board. `ferry self-test` names the SDK; without one there is nothing to
//! pack into.

use std::path::PathBuf;

use ferry_boards::MICROKIT;
use ferry_description::Permissions;
use microkit_tool::capdl::FrameFill;
use microkit_tool::capdl::spec::{ElfContent, FillContent};
use microkit_tool::elf::{ElfFile, ElfSegmentData};
use sel4_capdl_initializer_types::{
    Cap, CapSlot, CapTableEntry, FillEntry, FillEntryContent, Object, object,
};

use super::file;
use crate::account::Kernel;
use crate::account::tests::{Image, image};
use crate::build::Specified;
use crate::error::Error;
use crate::objects;
use crate::pack::{self, IMAGE};
use crate::sdk::Target;
use crate::specification::Specification;

/// Where alice's program is, and its only bytes.
const PROGRAM: u64 = 0x40_0000;
const TEXT: &[u8] = b"alice's program, which nothing else in an image resembles";

fn targets() -> Vec<Target> {
    let Some(sdk) = std::env::var_os("MICROKIT_SDK").map(PathBuf::from) else {
        eprintln!("without MICROKIT_SDK there are no images to read back; `ferry self-test` names it");
        return Vec::new();
    };
    MICROKIT.iter().map(|board| Target::find(Some(&sdk), board.name, "release").unwrap()).collect()
}

fn program(text: &[u8]) -> ElfFile {
    let mut program = ElfFile::new("alice".into(), 64, PROGRAM, 0);
    program.add_segment(true, false, true, PROGRAM, ElfSegmentData::RealData(text.to_vec()), None);
    program
}

/// A system in which alice has a program.
fn system(target: &Target) -> Image {
    let mut image = image(&Kernel::from(target).levels);
    let content = ElfContent { elf_id: 0, elf_seg_idx: 0, elf_seg_data_range: 0..TEXT.len() };
    let content = FillEntryContent::Data(FillContent::ElfContent(content));
    let init = FrameFill { entries: vec![FillEntry { range: 0..TEXT.len() as u64, content }] };
    let frame = Object::Frame(object::Frame { size_bits: 12, paddr: None, init });
    let frame = image.add("frame_elf_alice_000000000".into(), frame);
    let vspace = image.id("vspace_alice");
    let permissions = Permissions { read: true, write: false, execute: true };
    image.map(vspace, PROGRAM, frame, permissions);
    image
}

/// What an image of the unchanged system is made of.
fn specified(target: &Target) -> Specified {
    let Image { container, description, placement, .. } = system(target);
    let programs = vec![program(TEXT)];
    let container = Specification::new(container, &target.kernel).finish();
    let objects = objects::of(&container, &programs).unwrap();
    let filled = vec![(description.config_region, placement.config.clone())];
    let programs = std::iter::once("alice".to_owned()).chain(["bob", "central", "ticker"].map(String::from));
    let none = || ElfFile::new("none".into(), 64, 0, 0);
    let programs = programs.map(|name| if name == "alice" { (name, program(TEXT)) } else { (name, none()) });
    Specified { description, placement, filled, programs: programs.collect(), objects }
}

/// What is found on every board in an image of a changed system, whose bytes are then changed too.
fn found(
    name: &str,
    text: &[u8],
    change: impl Fn(&mut Image),
    change_bytes: impl Fn(&mut Vec<u8>),
) -> Vec<Result<Vec<String>, Error>> {
    let mut all = Vec::new();
    for target in targets() {
        let process = std::process::id();
        let directory = std::env::temp_dir().join(format!("ferry-{process}-{name}-{}", target.board.name));
        std::fs::create_dir_all(&directory).unwrap();
        let mut image = system(&target);
        change(&mut image);
        let container = Specification::new(image.container, &target.kernel).finish();
        pack::system(&target, container, &[program(text)], &mut [], &directory).unwrap();
        let path = directory.join(IMAGE);
        let mut bytes = std::fs::read(&path).unwrap();
        change_bytes(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        let found = file(&target, &specified(&target), &path, None);
        all.push(found.map(|compared| compared.err().unwrap_or_default()));
        std::fs::remove_dir_all(&directory).unwrap();
    }
    all
}

fn assert_found(name: &str, text: &[u8], change: impl Fn(&mut Image), expected: &[&str]) {
    for found in found(name, text, change, |_| {}) {
        assert_eq!(found.unwrap(), expected);
    }
}

#[test]
fn an_image_as_it_should_be_has_no_difference() {
    assert_found("same", TEXT, |_| {}, &[]);
}

#[test]
fn a_swapped_frame_capability_is_found_in_the_file() {
    let swap = |image: &mut Image| {
        let (frames, other) = (image.id("cnode_central_frames"), image.frame("bob_tx", 3));
        image.slots(frames)[2].cap.set_obj(other);
    };
    let expected = "`central` has a capability of page 3 of `bob_tx` at 0xfc00000000000002 in the image \
                    instead of page 2 of `alice_tx`";
    assert_found("swapped", TEXT, swap, &[expected]);
}

#[test]
fn a_widened_right_is_found_in_the_file() {
    let widen = |image: &mut Image| {
        let frames = image.id("cnode_central_frames");
        let Cap::Frame(frame) = &mut image.slots(frames)[0].cap else { panic!() };
        frame.rights.write = true;
    };
    let expected = "the capability of page 0 of `alice_tx` at 0xfc00000000000000 of `central` has the rights \
                    `rw` in the image instead of `r`";
    assert_found("widened", TEXT, widen, &[expected]);
}

#[test]
fn an_added_mapping_is_found_in_the_file() {
    let add = |image: &mut Image| {
        let (vspace, frame) = (image.id("vspace_alice"), image.frame("bob_tx", 1));
        // Beside the program, so the tables are there.
        image.map(vspace, PROGRAM + 0x1000, frame, Permissions::READ);
    };
    let expected = "`alice` maps page 1 of `bob_tx` at 0x401000 in the image (r), the description nothing";
    assert_found("mapped", TEXT, add, &[expected]);
}

#[test]
fn a_changed_program_is_found_in_the_file() {
    let expected =
        "the program of `alice` in the image is not the one that was built: it differs at 0x400000";
    let other = TEXT.to_ascii_uppercase();
    assert_found("other_program", &other, |_| {}, &[expected]);
    // In the bytes of a finished image too.
    let change = |bytes: &mut Vec<u8>| {
        let at = bytes.windows(TEXT.len()).position(|window| window == TEXT).unwrap();
        bytes[at] ^= 1;
    };
    for found in found("program_bytes", TEXT, |_| {}, change) {
        assert_eq!(found.unwrap(), [expected]);
    }
}

#[test]
fn what_no_description_shows_is_compared_with_a_build() {
    let change = |image: &mut Image| {
        let endpoint = image.id("endpoint_ferry_supervisor");
        let thread = image.id("tcb_bob");
        let slots = image.slots(thread);
        slots.retain(|entry| entry.cap.obj() != endpoint);
        let own = image.id("cnode_bob_root");
        let guard = CapTableEntry {
            slot: CapSlot(5),
            cap: Cap::CNode(sel4_capdl_initializer_types::cap::CNode {
                object: own,
                guard: 0.into(),
                guard_size: 1,
            }),
        };
        image.slots(thread).push(guard);
    };
    assert_found("thread", TEXT, change, &["the object `tcb_bob` in the image is not that of a build"]);
}

#[test]
fn a_truncated_file_is_no_image() {
    for part in 0..8 {
        let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 8 * part);
        for found in found(&format!("cut_{part}"), TEXT, |_| {}, cut) {
            assert!(matches!(found, Err(Error::Unreadable(_))), "{found:?}");
        }
    }
}
