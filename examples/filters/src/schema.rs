//! Passes messages in CBOR (RFC 8949) that are one map with the fields of a table. The table is data:
//!
//! ```
//! use ferry_example_filters::schema::{Field, Kind, Reason, Schema};
//!
//! static PUMP: Schema = Schema::new(&[
//!     Field::required("pump", Kind::Word(&["north", "south"])),
//!     Field::required("rpm", Kind::Integer { least: 0, most: 3000 }),
//!     Field::optional("alarm", Kind::Flag),
//! ]);
//!
//! assert_eq!(PUMP.judge(b"\xa2\x64pump\x65north\x63rpm\x19\x05\xdc"), Ok(()));
//! assert_eq!(PUMP.judge(b"\xa1\x64pump\x65north"), Err(Reason::Missing));
//! ```
//!
//! A field that the table does not list, a field that is there twice, bytes after the map, a length that is
//! not stated, and a number that could be written shorter are refused: two readers could understand them in
//! two ways, or they could carry what nobody looks at. The decoder is the crate `minicbor`.

use ferry_guard::{Filter, Message, Verdict};
use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::decode::Error;

/// Why a message is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Reason {
    /// It is no CBOR, or it ends in the middle.
    NotCbor = 1,
    /// A text, bytes, list or map does not state its length at its beginning.
    Indefinite = 2,
    /// A number or a length could be written in fewer bytes.
    NotShortest = 3,
    /// A value is of another type than the table says.
    WrongType = 4,
    /// The table has no field of this name.
    UnknownField = 5,
    /// A field is there twice.
    Duplicate = 6,
    /// A field that must be there is not.
    Missing = 7,
    /// A number or a word is not among those that the table allows.
    NotAllowed = 8,
    /// A text, bytes or list is shorter or longer than the table allows.
    WrongLength = 9,
    /// A text has control characters.
    Control = 10,
    /// There are bytes after the map.
    Trailing = 11,
}

impl From<Reason> for u32 {
    fn from(reason: Reason) -> Self {
        reason as Self
    }
}

/// A field of a map.
#[derive(Debug)]
pub struct Field {
    name: &'static str,
    kind: Kind,
    is_required: bool,
}

impl Field {
    /// A field that must be there.
    #[must_use]
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_required: true }
    }

    /// A field that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_required: false }
    }
}

/// What a value may be. Lengths are in bytes, of lists in elements.
#[derive(Debug)]
pub enum Kind {
    /// A whole number.
    Integer {
        /// The smallest.
        least: i64,
        /// The largest.
        most: i64,
    },
    /// `true` or `false`.
    Flag,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// A text in UTF-8 without control characters.
    Text {
        /// The longest.
        most: usize,
    },
    /// Bytes that nobody interprets.
    Bytes {
        /// The shortest.
        least: usize,
        /// The longest.
        most: usize,
    },
    /// A list, all of whose elements are of one kind.
    List {
        /// What an element may be.
        of: &'static Kind,
        /// The shortest.
        least: u64,
        /// The longest.
        most: u64,
    },
    /// A map with these fields.
    Map(&'static [Field]),
}

/// The most fields of one map: a set of them is one word.
const MOST_FIELDS: usize = 64;

/// How deep lists and maps of a table may lie in each other, with the outermost map.
const MOST_DEPTH: usize = 8;

/// A filter that knows one kind of message by its fields.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    fields: &'static [Field],
}

impl Schema {
    /// The filter for messages with these fields.
    ///
    /// # Panics
    /// If a map has more than 64 fields, or maps and lists lie in each other more than 8 deep. Call it in a
    /// `static`, then such a table does not compile.
    #[must_use]
    pub const fn new(fields: &'static [Field]) -> Self {
        check(fields, MOST_DEPTH);
        Self { fields }
    }

    /// Judges the bytes of a message.
    pub fn judge(&self, bytes: &[u8]) -> Result<(), Reason> {
        let mut decoder = Decoder::new(bytes);
        map(&mut decoder, self.fields)?;
        if decoder.position() == bytes.len() { Ok(()) } else { Err(Reason::Trailing) }
    }
}

impl Filter for Schema {
    fn inspect(&mut self, message: &Message<'_>) -> Verdict {
        crate::verdict(self.judge(message.bytes))
    }
}

/// Refuses tables over whose fields or depth a filter would lose count. The depth of a message is that of the
/// table, so this also bounds the filter's stack.
const fn check(fields: &'static [Field], depth: usize) {
    assert!(fields.len() <= MOST_FIELDS, "a map of a schema has at most 64 fields");
    let mut rest = fields;
    while let [field, others @ ..] = rest {
        check_kind(&field.kind, depth);
        rest = others;
    }
}

const fn check_kind(kind: &'static Kind, depth: usize) {
    assert!(depth > 0, "the maps and lists of a schema are at most 8 deep");
    match kind {
        Kind::Map(fields) => check(fields, depth.saturating_sub(1)),
        Kind::List { of, .. } => check_kind(of, depth.saturating_sub(1)),
        _ => {}
    }
}

/// Reads a map with these fields.
fn map(decoder: &mut Decoder<'_>, fields: &'static [Field]) -> Result<(), Reason> {
    let count = count(decoder, Type::Map, Type::MapIndef, Decoder::map)?;
    // Each turn finds a field that was not seen before, or is the last one.
    let mut seen = 0_u64;
    for _ in 0..count {
        let name = text(decoder)?;
        let (bit, field) =
            numbered(fields).find(|(_, field)| field.name == name).ok_or(Reason::UnknownField)?;
        ensure(seen & bit == 0, Reason::Duplicate)?;
        seen |= bit;
        value(decoder, &field.kind)?;
    }
    let is_there = |(bit, field): (u64, &Field)| !field.is_required || seen & bit != 0;
    ensure(numbered(fields).all(is_there), Reason::Missing)
}

/// The fields, each with a bit of its own.
fn numbered(fields: &'static [Field]) -> impl Iterator<Item = (u64, &'static Field)> {
    (0..).zip(fields).map(|(number, field)| (1_u64.wrapping_shl(number), field))
}

/// Reads a value of this kind.
fn value(decoder: &mut Decoder<'_>, kind: &'static Kind) -> Result<(), Reason> {
    match *kind {
        Kind::Integer { least, most } => {
            let is_between = (i128::from(least)..=i128::from(most)).contains(&integer(decoder)?);
            ensure(is_between, Reason::NotAllowed)
        }
        Kind::Flag => {
            expect(decoder, Type::Bool, Type::Bool)?;
            decoder.bool().map(drop).map_err(|_| Reason::NotCbor)
        }
        Kind::Word(words) => {
            let word = text(decoder)?;
            ensure(words.contains(&word), Reason::NotAllowed)
        }
        Kind::Text { most } => {
            let text = text(decoder)?;
            ensure(text.len() <= most, Reason::WrongLength)?;
            ensure(!text.chars().any(char::is_control), Reason::Control)
        }
        Kind::Bytes { least, most } => {
            let start = expect(decoder, Type::Bytes, Type::BytesIndef)?;
            let bytes = decoder.bytes().map_err(|_| Reason::NotCbor)?;
            shortest(decoder, start, bytes.len() as u64, bytes.len())?;
            ensure((least..=most).contains(&bytes.len()), Reason::WrongLength)
        }
        Kind::List { of, least, most } => {
            let count = count(decoder, Type::Array, Type::ArrayIndef, Decoder::array)?;
            ensure((least..=most).contains(&count), Reason::WrongLength)?;
            (0..count).try_for_each(|_| value(decoder, of))
        }
        Kind::Map(fields) => map(decoder, fields),
    }
}

/// Reads a text.
fn text<'b>(decoder: &mut Decoder<'b>) -> Result<&'b str, Reason> {
    let start = expect(decoder, Type::String, Type::StringIndef)?;
    let text = decoder.str().map_err(|_| Reason::NotCbor)?;
    shortest(decoder, start, text.len() as u64, text.len())?;
    Ok(text)
}

/// Reads the beginning of a map or a list: how many follow.
fn count<'b>(
    decoder: &mut Decoder<'b>,
    definite: Type,
    indefinite: Type,
    read: impl FnOnce(&mut Decoder<'b>) -> Result<Option<u64>, Error>,
) -> Result<u64, Reason> {
    let start = expect(decoder, definite, indefinite)?;
    let count = read(decoder).map_err(|_| Reason::NotCbor)?.ok_or(Reason::Indefinite)?;
    shortest(decoder, start, count, 0)?;
    Ok(count)
}

/// Reads a whole number.
fn integer(decoder: &mut Decoder<'_>) -> Result<i128, Reason> {
    let start = decoder.position();
    if !matches!(first_byte(decoder)?, 0x00..=0x3b) {
        return Err(Reason::WrongType);
    }
    let number = decoder.int().map(i128::from).map_err(|_| Reason::NotCbor)?;
    // A negative number is written as its distance from -1, which has the same bits but the sign.
    let written = u64::try_from(if number < 0 { !number } else { number }).map_err(|_| Reason::NotCbor)?;
    shortest(decoder, start, written, 0)?;
    Ok(number)
}

/// The byte that says of which type the next value is.
fn first_byte(decoder: &Decoder<'_>) -> Result<u8, Reason> {
    decoder.input().get(decoder.position()).copied().ok_or(Reason::NotCbor)
}

/// Where the next value begins, if it is of this type.
fn expect(decoder: &Decoder<'_>, definite: Type, indefinite: Type) -> Result<usize, Reason> {
    match decoder.datatype().map_err(|_| Reason::NotCbor)? {
        found if found == definite => Ok(decoder.position()),
        found if found == indefinite => Err(Reason::Indefinite),
        _ => Err(Reason::WrongType),
    }
}

/// Refuses a value with a number or a length that could be written shorter. The value begins at `start`, and
/// `contents` bytes follow the number.
fn shortest(decoder: &Decoder<'_>, start: usize, number: u64, contents: usize) -> Result<(), Reason> {
    let least = minicbor::len(number).saturating_add(contents);
    ensure(decoder.position() == start.saturating_add(least), Reason::NotShortest)
}

fn ensure(holds: bool, or: Reason) -> Result<(), Reason> {
    if holds { Ok(()) } else { Err(or) }
}

/// The table of this example's telemetry. A reading names its sensor, and says when it measured what.
pub static TELEMETRY: Schema = Schema::new(&[
    Field::required("sensor", Kind::Word(&["boiler-1", "boiler-2", "intake"])),
    Field::required("seq", Kind::Integer { least: 0, most: u32::MAX as i64 }),
    // Seconds since 1970, from 2020 to 2099.
    Field::required("at", Kind::Integer { least: 1_577_836_800, most: 4_102_444_799 }),
    // Tenths of a degree Celsius.
    Field::required("temp", Kind::Integer { least: -400, most: 1250 }),
    Field::optional("alarm", Kind::Flag),
    Field::optional("note", Kind::Text { most: 40 }),
    Field::optional(
        "trend",
        Kind::List { of: &Kind::Integer { least: -400, most: 1250 }, least: 1, most: 8 },
    ),
    Field::optional("digest", Kind::Bytes { least: 32, most: 32 }),
    Field::optional(
        "site",
        Kind::Map(&[
            // Millionths of a degree.
            Field::required("lat", Kind::Integer { least: -90_000_000, most: 90_000_000 }),
            Field::required("lon", Kind::Integer { least: -180_000_000, most: 180_000_000 }),
        ]),
    ),
]);
