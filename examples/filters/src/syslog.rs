//! Passes lines of a log as RFC 5424 defines them, without the line end:
//!
//! ```text
//! <165>1 2026-03-01T08:15:04.120Z gate7 pump 4711 ID47 [origin@32473 ip="192.0.2.1"] pump started
//! └PRI┘ └ timestamp            ┘ host  app  pid  msgid └ structured data           ┘ └ text ┘
//! ```
//!
//! It is stricter than the RFC where a reader could be misled: structured data and text are UTF-8 without
//! control characters, a backslash only escapes what has to be escaped, and an element occurs once. The
//! grammar is written with the parsers of the crate `winnow`.

use ferry_guard::{Filter, Message, Verdict};
use heapless::Vec;
use winnow::Parser;
use winnow::combinator::{alt, delimited, opt, peek, preceded, repeat, terminated};
use winnow::error::EmptyError;
use winnow::stream::{ContainsToken, Range};
use winnow::token::one_of;

/// The longest line, in bytes. RFC 5424 asks every reader to take as many.
pub const MOST_BYTES: usize = 2048;

/// The most elements of structured data in a line.
pub const MOST_ELEMENTS: usize = 16;

/// Why a line is refused: the first part of it that is not as it has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Reason {
    /// It is longer than [`MOST_BYTES`].
    TooLong = 1,
    /// It does not begin with `<`, a number from 0 to 191 without leading zeros, and `>`.
    Priority = 2,
    /// The version is not 1.
    Version = 3,
    /// The time is neither `-` nor a point in time.
    Timestamp = 4,
    /// The name of the host is not 1 to 255 visible ASCII characters.
    Host = 5,
    /// The name of the application is not 1 to 48 visible ASCII characters.
    Application = 6,
    /// The process is not 1 to 128 visible ASCII characters.
    Process = 7,
    /// The kind of message is not 1 to 32 visible ASCII characters.
    MessageId = 8,
    /// The structured data is neither `-` nor a row of elements, or the text does not follow it.
    StructuredData = 9,
    /// Two elements have the same name.
    Duplicate = 10,
    /// There are more than [`MOST_ELEMENTS`] elements.
    TooManyElements = 11,
    /// The text is not UTF-8, or has control characters.
    Text = 12,
}

impl From<Reason> for u32 {
    fn from(reason: Reason) -> Self {
        reason as Self
    }
}

/// The filter.
#[derive(Clone, Copy, Default, Debug)]
pub struct Syslog;

impl Filter for Syslog {
    fn inspect(&mut self, message: &Message<'_>) -> Verdict {
        crate::verdict(judge(message.bytes))
    }
}

/// Judges a line.
pub fn judge(line: &[u8]) -> Result<(), Reason> {
    if line.len() > MOST_BYTES {
        return Err(Reason::TooLong);
    }
    let mut rest = line;
    let rest = &mut rest;
    priority.parse_next(rest).map_err(|_| Reason::Priority)?;
    (b'1', b' ').parse_next(rest).map_err(|_: EmptyError| Reason::Version)?;
    terminated(alt((nil, timestamp)), b' ').parse_next(rest).map_err(|_| Reason::Timestamp)?;
    header(255, rest).map_err(|_| Reason::Host)?;
    header(48, rest).map_err(|_| Reason::Application)?;
    header(128, rest).map_err(|_| Reason::Process)?;
    header(32, rest).map_err(|_| Reason::MessageId)?;
    structured_data(rest)?;
    match **rest {
        [] => Ok(()),
        // A byte order mark at its beginning is allowed, and says what has to hold without one too.
        [b' ', ref text @ ..] if is_plain(text) => Ok(()),
        [b' ', ..] => Err(Reason::Text),
        _ => Err(Reason::StructuredData),
    }
}

/// What a part of the grammar finds.
type Found<T> = Result<T, EmptyError>;

/// So many bytes of a set.
fn some<'l>(count: impl Into<Range>, of: impl ContainsToken<u8>) -> impl Parser<&'l [u8], (), EmptyError> {
    repeat(count, one_of(of))
}

/// What stands for a field that is not there.
fn nil(rest: &mut &[u8]) -> Found<()> {
    b'-'.void().parse_next(rest)
}

/// `<0>` to `<191>`.
fn priority(rest: &mut &[u8]) -> Found<()> {
    let without_zeros = preceded(peek(one_of(b'1'..=b'9')), number(1..=3));
    let number = alt((b'0'.value(0), without_zeros)).verify(|number| *number <= 191);
    delimited(b'<', number, b'>').void().parse_next(rest)
}

/// A point in time, as in `2026-03-01T08:15:04.120+01:00`. A minute has 60 seconds.
fn timestamp(rest: &mut &[u8]) -> Found<()> {
    let (year, month) = (terminated(number(4), b'-'), terminated(number(2), b'-'));
    (year, month, number(2))
        .verify(|(year, month, day)| (1..=days(*year, *month)).contains(day))
        .parse_next(rest)?;
    (b'T', clock, b':', below(60)).parse_next(rest)?;
    opt((b'.', some(1..=6, b'0'..=b'9'))).parse_next(rest)?;
    alt((b'Z'.void(), (one_of([b'+', b'-']), clock).void())).parse_next(rest)
}

/// Hours and minutes.
fn clock(rest: &mut &[u8]) -> Found<()> {
    (below(24), b':', below(60)).void().parse_next(rest)
}

/// A number of two digits that is below `limit`.
fn below<'l>(limit: u16) -> impl Parser<&'l [u8], u16, EmptyError> {
    number(2).verify(move |number| *number < limit)
}

/// A number of so many digits, at most 4.
fn number<'l>(digits: impl Into<Range>) -> impl Parser<&'l [u8], u16, EmptyError> {
    let next = |number: u16, digit: u8| number.wrapping_mul(10).wrapping_add(u16::from(digit & 0xf));
    repeat(digits, one_of(b'0'..=b'9')).fold(|| 0, next)
}

/// The number of days of a month. None if there is no such month.
fn days(year: u16, month: u16) -> u16 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// A field of the header, with the blank after it. `-`, for a field that is not there, is one too.
fn header(most: usize, rest: &mut &[u8]) -> Found<()> {
    terminated(some(1..=most, b'!'..=b'~'), b' ').parse_next(rest)
}

/// `-`, or a row of elements with different names.
fn structured_data(rest: &mut &[u8]) -> Result<(), Reason> {
    if nil.parse_next(rest).is_ok() {
        return Ok(());
    }
    let mut names: Vec<&[u8], MOST_ELEMENTS> = Vec::new();
    loop {
        let name = element.parse_next(rest).map_err(|_| Reason::StructuredData)?;
        if names.contains(&name) {
            return Err(Reason::Duplicate);
        }
        names.push(name).map_err(|_| Reason::TooManyElements)?;
        if !rest.starts_with(b"[") {
            return Ok(());
        }
    }
}

/// `[name parameter="value" …]`. Returns the name.
fn element<'l>(rest: &mut &'l [u8]) -> Found<&'l [u8]> {
    let parameters = repeat::<_, _, (), _, _>(0.., preceded(b' ', parameter));
    delimited(b'[', terminated(name, parameters), b']').parse_next(rest)
}

fn parameter(rest: &mut &[u8]) -> Found<()> {
    (name, b'=', b'"', value, b'"').void().parse_next(rest)
}

/// The name of an element or a parameter.
fn name<'l>(rest: &mut &'l [u8]) -> Found<&'l [u8]> {
    let before = *rest;
    some(1..=32, |byte: u8| matches!(byte, b'!'..=b'~') && !b"=]\"".contains(&byte)).parse_next(rest)?;
    Ok(until(before, rest))
}

/// The value of a parameter, between its quotation marks.
fn value(rest: &mut &[u8]) -> Found<()> {
    let before = *rest;
    let plain = one_of(|byte: u8| !b"\"\\]".contains(&byte)).void();
    let escaped = (b'\\', one_of(b"\"\\]")).void();
    repeat::<_, _, (), _, _>(0.., alt((plain, escaped))).parse_next(rest)?;
    if is_plain(until(before, rest)) { Ok(()) } else { Err(EmptyError) }
}

/// What was read of `before`, of which `rest` is left. It has no panic, other than winnow's own `take`.
fn until<'l>(before: &'l [u8], rest: &[u8]) -> &'l [u8] {
    before.get(..before.len().saturating_sub(rest.len())).unwrap_or_default()
}

/// Whether these bytes are UTF-8 without control characters.
fn is_plain(text: &[u8]) -> bool {
    core::str::from_utf8(text).is_ok_and(|text| !text.chars().any(char::is_control))
}
