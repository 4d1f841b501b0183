//! The tests. Their names say what they show, and have the requirement ids of Ferry's list.

use sel4::{CapRights, Error};

use crate::objects::{LARGE, LARGE_LEVEL, SMALL, SMALL_LEVEL, area, copy, large_frame, map, small_frame};
use crate::probe::{Access, Prober};

fn read_fault(address: usize) -> Access {
    Access::Fault { address, write: false }
}

fn write_fault(address: usize) -> Access {
    Access::Fault { address, write: true }
}

fn store(address: usize, value: u64) {
    // SAFETY: the test has mapped a frame there, aligned and writable.
    unsafe { core::ptr::with_exposed_provenance_mut::<u64>(address).write_volatile(value) }
}

fn load(address: usize) -> u64 {
    // SAFETY: the test has mapped a frame there, aligned.
    unsafe { core::ptr::with_exposed_provenance::<u64>(address).read_volatile() }
}

/// Why the image builder provides every table of the window.
#[test]
fn without_a_table_nothing_is_mapped() {
    let window = area(LARGE_LEVEL);
    assert_eq!(map(small_frame(), window, CapRights::read_only()), Err(Error::FailedLookup));
}

/// r01: central maps a frame that its client has mapped already, through a capability of its own.
#[test]
fn r01_each_capability_maps_a_frame_once_and_both_see_the_same_memory() {
    let window = area(SMALL_LEVEL);
    let frame = small_frame();
    map(frame, window, CapRights::read_write()).unwrap();
    assert_eq!(map(frame, window + SMALL, CapRights::read_write()), Err(Error::InvalidArgument));
    let second = copy(frame, CapRights::read_only());
    map(second, window + SMALL, CapRights::read_only()).unwrap();
    store(window + 8, 0x1234_5678);
    assert_eq!(load(window + SMALL + 8), 0x1234_5678);
    frame.frame_unmap().unwrap();
    assert_eq!(load(window + SMALL + 8), 0x1234_5678, "the other mapping stays");
}

/// r05: the capability decides, not what the mapping asks for.
#[test]
fn r05_a_write_through_a_read_only_capability_faults() {
    let window = area(SMALL_LEVEL);
    let prober = Prober::new();
    let frame = copy(small_frame(), CapRights::read_only());
    map(frame, window, CapRights::read_write()).unwrap();
    assert_eq!(prober.read(window), Access::Done);
    assert_eq!(prober.write(window), write_fault(window));
    assert_eq!(prober.read(window + SMALL), read_fault(window + SMALL), "the next page");
}

/// r06: a receive frame can be written, and a read-only mapping of it cannot.
#[test]
fn r06_rights_of_the_mapping_hold_too() {
    let window = area(SMALL_LEVEL);
    let prober = Prober::new();
    let frame = small_frame();
    map(frame, window, CapRights::read_only()).unwrap();
    assert_eq!(prober.write(window), write_fault(window));
    frame.frame_unmap().unwrap();
    map(frame, window, CapRights::read_write()).unwrap();
    assert_eq!(prober.write(window), Access::Done);
}

/// r19: after unmapping, reads and writes fault; r28: for every frame of many.
#[test]
fn r19_after_unmap_a_touch_faults() {
    let window = area(SMALL_LEVEL);
    let prober = Prober::new();
    let frames: [_; 16] = core::array::from_fn(|_| small_frame());
    let addresses = || (window..).step_by(SMALL).take(frames.len());
    for (frame, address) in frames.iter().zip(addresses()) {
        assert_eq!(prober.read(address), read_fault(address), "before");
        map(*frame, address, CapRights::read_write()).unwrap();
        assert_eq!(prober.write(address), Access::Done, "mapped");
    }
    for (frame, address) in frames.iter().zip(addresses()) {
        frame.frame_unmap().unwrap();
        assert_eq!(prober.read(address), read_fault(address), "after");
        assert_eq!(prober.write(address), write_fault(address), "after");
    }
}

/// The next transfer uses the same frames at the same homes.
#[test]
fn a_frame_can_be_mapped_again_after_unmap_and_keeps_its_contents() {
    let window = area(SMALL_LEVEL);
    let prober = Prober::new();
    let frame = small_frame();
    for (round, address) in [(0_u64, window), (1, window), (2, window + 3 * SMALL)] {
        map(frame, address, CapRights::read_write()).unwrap();
        assert_eq!(load(address), round);
        store(address, round + 1);
        frame.frame_unmap().unwrap();
        assert_eq!(prober.read(address), read_fault(address));
        frame.frame_unmap().unwrap();
    }
}

/// Why every frame has a home of its own in the window: the kernel does not guard an occupied place.
#[cfg(not(target_arch = "riscv64"))]
#[test]
fn another_frame_replaces_what_is_mapped() {
    let window = area(SMALL_LEVEL);
    let (first, second) = (small_frame(), small_frame());
    map(first, window, CapRights::read_write()).unwrap();
    store(window, 1);
    map(second, window, CapRights::read_write()).unwrap();
    assert_eq!(load(window), 0);
    first.frame_unmap().unwrap();
    assert_eq!(load(window), 0, "unmapping the one that was replaced changes nothing");
}

/// Where the kernel does guard an occupied place, a frame with a home of its own still finds it free.
#[cfg(target_arch = "riscv64")]
#[test]
fn another_frame_is_refused_where_one_is_mapped() {
    let window = area(SMALL_LEVEL);
    let (first, second) = (small_frame(), small_frame());
    map(first, window, CapRights::read_write()).unwrap();
    store(window, 1);
    assert_eq!(map(second, window, CapRights::read_write()), Err(Error::DeleteFirst));
    assert_eq!(map(first, window, CapRights::read_write()), Ok(()), "the same one again");
    assert_eq!(load(window), 1);
    first.frame_unmap().unwrap();
    map(second, window, CapRights::read_write()).unwrap();
    assert_eq!(load(window), 0);
}

/// Large frames: one capability for 2 MiB, with the same rights, faults and rules.
#[test]
fn large_frames_are_mapped_protected_and_unmapped_as_a_whole() {
    let window = area(LARGE_LEVEL);
    let prober = Prober::new();
    let frame = large_frame();
    let last = window + LARGE - SMALL;
    map(frame, window, CapRights::read_write()).unwrap();
    store(last, 7);
    let read_only = copy(frame, CapRights::read_only());
    map(read_only, window + LARGE, CapRights::read_write()).unwrap();
    assert_eq!(load(last + LARGE), 7);
    assert_eq!(prober.write(last + LARGE), write_fault(last + LARGE));
    frame.frame_unmap().unwrap();
    for address in [window, last] {
        assert_eq!(prober.read(address), read_fault(address));
    }
    assert_eq!(load(last + LARGE), 7);
    map(frame, window, CapRights::read_only()).unwrap();
    assert_eq!(load(last), 7);
}

/// Why the window has no page tables where large frames go.
#[test]
fn a_large_frame_is_refused_where_a_page_table_hangs() {
    let window = area(SMALL_LEVEL);
    let refused = map(large_frame(), window, CapRights::read_only());
    assert!(matches!(refused, Err(Error::DeleteFirst | Error::FailedLookup)), "{refused:?}");
}
