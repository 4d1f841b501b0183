//! The filter for CBOR against a second statement of what it is to pass: another decoder reads the message,
//! the fields of what it reads are looked at one by one, and what it writes again are the same bytes.

mod variations;

use std::collections::BTreeSet;

use ciborium::Value;
use ferry_example_filters::corpus::SCHEMA;
use ferry_example_filters::schema::{Field, Kind, Reason, Schema, TELEMETRY};
use proptest::prelude::*;

/// Whether a message may pass, said in another way.
fn may_pass(bytes: &[u8]) -> bool {
    let Ok(value) = ciborium::from_reader::<Value, _>(bytes) else { return false };
    let mut written = Vec::new();
    ciborium::into_writer(&value, &mut written).unwrap();
    let is_in = |value: &Value, least: i128, most: i128| {
        value.as_integer().is_some_and(|number| (least..=most).contains(&i128::from(number)))
    };
    let is_temperature = |value: &Value| is_in(value, -400, 1250);
    let fields = |value: &Value| -> Option<Vec<(String, Value)>> {
        let entries = value.as_map()?.iter();
        entries.map(|(name, value)| Some((name.as_text()?.to_owned(), value.clone()))).collect()
    };
    let has = |fields: &[(String, Value)], required: &[&str]| {
        let names: BTreeSet<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.len() == fields.len() && required.iter().all(|name| names.contains(name))
    };
    let is_site = |value: &Value| {
        fields(value).is_some_and(|fields| {
            has(&fields, &["lat", "lon"])
                && fields.iter().all(|(name, value)| match name.as_str() {
                    "lat" => is_in(value, -90_000_000, 90_000_000),
                    "lon" => is_in(value, -180_000_000, 180_000_000),
                    _ => false,
                })
        })
    };
    let is_right = |(name, value): &(String, Value)| match name.as_str() {
        "sensor" => value.as_text().is_some_and(|text| ["boiler-1", "boiler-2", "intake"].contains(&text)),
        "seq" => is_in(value, 0, 0xffff_ffff),
        "at" => is_in(value, 1_577_836_800, 4_102_444_799),
        "temp" => is_temperature(value),
        "alarm" => value.is_bool(),
        "note" => {
            value.as_text().is_some_and(|text| text.len() <= 40 && !text.contains(|c: char| c.is_control()))
        }
        "trend" => value
            .as_array()
            .is_some_and(|list| (1..=8).contains(&list.len()) && list.iter().all(is_temperature)),
        "digest" => value.as_bytes().is_some_and(|bytes| bytes.len() == 32),
        "site" => is_site(value),
        _ => false,
    };
    written == bytes
        && fields(&value).is_some_and(|fields| {
            has(&fields, &["sensor", "seq", "at", "temp"]) && fields.iter().all(is_right)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_passes_is_what_may_pass(bytes in variations::of(&SCHEMA)) {
        prop_assert_eq!(TELEMETRY.judge(&bytes).is_ok(), may_pass(&bytes), "{:?}", TELEMETRY.judge(&bytes));
    }

    #[test]
    fn every_number_in_the_range_passes_and_no_other(temperature in -70_000..70_000_i32) {
        let reading = Value::Map(vec![
            ("sensor".into(), "intake".into()),
            ("seq".into(), 1.into()),
            ("at".into(), 1_772_352_904.into()),
            ("temp".into(), temperature.into()),
        ]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&reading, &mut bytes).unwrap();
        let expected = if (-400..=1250).contains(&temperature) { Ok(()) } else { Err(Reason::NotAllowed) };
        prop_assert_eq!(TELEMETRY.judge(&bytes), expected);
    }
}

/// Numbers at which the length of a number changes, in their shortest form and in each longer one.
#[test]
fn a_number_has_one_form() {
    static ANY: Schema =
        Schema::new(&[Field::required("n", Kind::Integer { least: i64::MIN, most: i64::MAX })]);
    let forms = |number: u64, sign: u8| -> Vec<Vec<u8>> {
        let mut forms = Vec::new();
        if let Ok(byte @ 0..24) = u8::try_from(number) {
            forms.push(vec![sign | byte]);
        }
        for (code, bytes) in [(24, 1), (25, 2), (26, 4), (27, 8)] {
            if bytes == 8 || number >> (8 * bytes) == 0 {
                forms.push([&[sign | code], &number.to_be_bytes()[8 - bytes..]].concat());
            }
        }
        forms
    };
    for number in [0, 23, 24, 255, 256, 65_535, 65_536, u64::from(u32::MAX), 1 << 32, i64::MAX as u64] {
        for sign in [0x00, 0x20] {
            for (place, form) in forms(number, sign).iter().enumerate() {
                let bytes = [b"\xa1\x61n", form.as_slice()].concat();
                let expected = if place == 0 { Ok(()) } else { Err(Reason::NotShortest) };
                assert_eq!(ANY.judge(&bytes), expected, "{number} {sign} {form:?}");
            }
        }
    }
}

/// A table of lists as deep as it may be: the message is as deep as the table, or it is refused.
#[test]
fn a_message_is_as_deep_as_its_table() {
    static NUMBER: Kind = Kind::Integer { least: 0, most: 0 };
    static ONE: Kind = Kind::List { of: &NUMBER, least: 0, most: 1 };
    static TWO: Kind = Kind::List { of: &ONE, least: 0, most: 1 };
    static DEEP: Schema = Schema::new(&[Field::required("l", Kind::List { of: &TWO, least: 1, most: 1 })]);
    let nested = |depth: usize| [b"\xa1\x61l".as_slice(), &vec![0x81; depth], b"\x00"].concat();
    assert_eq!(DEEP.judge(&nested(3)), Ok(()));
    for depth in [0, 1, 2, 4, 100_000] {
        assert_eq!(DEEP.judge(&nested(depth)), Err(Reason::WrongType), "{depth}");
    }
}
