//! The filter for Modbus/TCP against a second statement of its list: every request that is allowed, written
//! out. Only those that write several registers are too many, and are looked at value by value.

mod variations;

use std::collections::HashSet;
use std::sync::LazyLock;

use ferry_example_filters::corpus::MODBUS;
use ferry_example_filters::modbus::{PLANT, Reason};
use proptest::prelude::*;

/// A request, from the protocol on.
fn request(unit: u8, function: u8, numbers: &[u16], bytes: &[u8]) -> Vec<u8> {
    let numbers: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    let length = u16::try_from(2 + numbers.len() + bytes.len()).unwrap();
    [&[0, 0], length.to_be_bytes().as_slice(), &[unit, function], &numbers, bytes].concat()
}

/// All requests that are allowed, but for those of function 16.
static ALLOWED: LazyLock<HashSet<Vec<u8>>> = LazyLock::new(|| {
    let mut all = HashSet::new();
    for (unit, function, last, most) in [(1, 3, 0x1f, 16), (1, 4, 0x3f, 64), (2, 1, 15, 16), (2, 2, 7, 8)] {
        for first in 0..=last {
            all.extend(
                (1..=most)
                    .filter(|count| first + count - 1 <= last)
                    .map(|count| request(unit, function, &[first, count], &[])),
            );
        }
    }
    for register in 0x10..=0x13 {
        all.extend((200..=900).map(|value| request(1, 6, &[register, value], &[])));
    }
    all.extend([0, 0xff00].map(|value| request(1, 5, &[0, value], &[])));
    for first in 8..=15_u16 {
        for count in 1..=16 - first {
            let states = 0..=u8::MAX >> (8 - count);
            all.extend(states.map(|states| request(2, 15, &[first, count], &[1, states])));
        }
    }
    all
});

/// Whether a request may pass, said in another way.
fn may_pass(bytes: &[u8]) -> bool {
    let Some(bytes) = bytes.get(2..) else { return false };
    let (first, values) = match bytes {
        [0, 0, 0, length, 1, 16, 0, first, 0, count, size, values @ ..]
            if usize::from(*length) == values.len() + 7
                && usize::from(*size) == values.len()
                && usize::from(*size) == 2 * usize::from(*count)
                && *count > 0 =>
        {
            (usize::from(*first), values)
        }
        _ => return ALLOWED.contains(bytes),
    };
    let values: Vec<u16> =
        values.chunks(2).map(|pair| u16::from(pair[0]) * 256 + u16::from(pair[1])).collect();
    (0..values.len()).all(|place| [0x10, 0x11, 0x12, 0x13].contains(&(first + place)))
        && values.iter().all(|value| *value >= 200 && *value <= 900)
}

#[test]
fn all_that_is_allowed_passes() {
    assert!(ALLOWED.len() > 5000, "{}", ALLOWED.len());
    for request in &*ALLOWED {
        let bytes = [&[0x12, 0x34], request.as_slice()].concat();
        assert_eq!(PLANT.judge(&bytes), Ok(()), "{bytes:x?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_passes_is_what_may_pass(bytes in variations::of(&MODBUS)) {
        prop_assert_eq!(PLANT.judge(&bytes).is_ok(), may_pass(&bytes), "{:?}", PLANT.judge(&bytes));
    }

    /// Requests of the right form, whatever they ask for.
    #[test]
    fn what_is_not_on_the_list_does_not_pass(
        unit in 0..4_u8, function in 0..24_u8, first in 0..80_u16, second in 0..1000_u16,
    ) {
        let bytes = [&[0, 0], request(unit, function, &[first, second], &[]).as_slice()].concat();
        prop_assert_eq!(PLANT.judge(&bytes).is_ok(), may_pass(&bytes));
    }

    #[test]
    fn set_points_pass_one_by_one(first in 0x0e..0x15_u16, values in proptest::collection::vec(198..903_u16, 0..7)) {
        let count = u16::try_from(values.len()).unwrap();
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
        let bytes = [&[u8::try_from(data.len()).unwrap()], data.as_slice()].concat();
        let bytes = [&[0, 0], request(1, 16, &[first, count], &bytes).as_slice()].concat();
        prop_assert_eq!(PLANT.judge(&bytes).is_ok(), may_pass(&bytes), "{:?}", PLANT.judge(&bytes));
    }
}

/// A function of one unit is not one of the other.
#[test]
fn the_reason_is_that_of_the_nearest_rule() {
    for (unit, function, reason) in [(9, 3, Reason::Unit), (2, 3, Reason::Function), (1, 1, Reason::Function)]
    {
        let bytes = [&[0, 0], request(unit, function, &[0, 1], &[]).as_slice()].concat();
        assert_eq!(PLANT.judge(&bytes), Err(reason));
    }
}
