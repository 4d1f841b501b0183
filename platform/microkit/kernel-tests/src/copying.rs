//! The copy routine of the board's processor. The host's own tests run only that of the host.

use ferry_platform::copy_opaque;
use sel4::CapRights;

use crate::objects::{SMALL, SMALL_LEVEL, area, map, small_frame};

/// Bytes on both sides of a copy that must stay as they are.
const MARGIN: usize = 16;
/// What is there before.
const CANARY: u8 = 0xa5;
/// Frames of each end, which lie one after the other.
const FRAMES: usize = 3;

/// Maps frames with an unmapped page on both sides, and gives the first address.
fn memory(window: usize) -> usize {
    let first = window + SMALL;
    for address in (first..).step_by(SMALL).take(FRAMES) {
        map(small_frame(), address, CapRights::read_write()).unwrap();
    }
    first
}

fn write(address: usize, value: u8) {
    // SAFETY: the test has mapped a frame there.
    unsafe { core::ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(value) }
}

fn read(address: usize) -> u8 {
    // SAFETY: the test has mapped a frame there.
    unsafe { core::ptr::with_exposed_provenance::<u8>(address).read_volatile() }
}

/// The byte at a place of the source.
fn byte(place: usize) -> u8 {
    u8::try_from(place * 7 % 251).unwrap_or(CANARY)
}

/// Copies every short length with every alignment of both ends, and longer ones around the sizes at which a
/// routine changes its method. Some copies begin and end at the first and last byte that is mapped.
#[test]
fn the_copy_routine_copies_exactly_the_range() {
    let window = area(SMALL_LEVEL);
    let (source, target) = (memory(window), memory(window + (FRAMES + 2) * SMALL));
    (0..FRAMES * SMALL).for_each(|place| write(source + place, byte(place)));
    let check = |skew: usize, to: usize, length: usize| {
        let end = target + FRAMES * SMALL;
        let around = (to - MARGIN.min(to - target))..(to + length + MARGIN).min(end);
        around.clone().for_each(|address| write(address, CANARY));
        let from = core::ptr::with_exposed_provenance::<u8>(source + skew);
        let place = core::ptr::with_exposed_provenance_mut::<u8>(to);
        // SAFETY: both ranges are inside of what is mapped, and there is no reference to either.
        unsafe { copy_opaque(from, place, length) };
        for address in around {
            let inside = (to..to + length).contains(&address);
            let wanted = if inside { byte(skew + address - to) } else { CANARY };
            assert_eq!(read(address), wanted, "length {length}, from {skew}, at {}", address - target);
        }
    };
    for length in (0..150).chain([511, 512, 513, 1023, 1024, 1031, 4097]) {
        for (skew_from, skew_to) in (0..8).flat_map(|from| (0..8).map(move |to| (from, to))) {
            check(skew_from, target + MARGIN + skew_to, length);
            // At the end of what is mapped.
            let last = FRAMES * SMALL - length;
            check(last - skew_from, target + last - skew_to, length);
        }
        check(0, target, length);
    }
}
