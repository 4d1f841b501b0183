//! Reads `flows.toml`. An unknown key is a mistake, because a misspelt limit would silently not apply. What
//! is wrong is said in words of TOML, not in words of Rust. `docs/flows.md` lists every key.
//!
//! ```toml
//! [tick]
//! period_us = 10_000
//!
//! [[flow]]
//! from = "sender"
//! to = "receiver"
//! class = "normal"          # or "urgent"
//! mapping = "each"          # or "keep"
//! max_message = "64 KiB"
//! guards = ["schema", { quorum = 2, of = ["range-a", "range-b", "range-c"] }]
//! verdict_within = 50       # ticks
//! one_way = false
//! return_path = "…"         # of a one-way flow that something leads back from: why that is right
//!
//! audit = "all"             # or "refusals", where there is an audit log
//!
//! [audit]
//! region = "audit_log"
//! records = "refusals"      # or "all"
//!
//! [client.sender]
//! bytes_per_round = "256 KiB"
//! messages_per_round = 128
//! large_frames = false
//!
//! [restarts]
//! central = 3
//!
//! [[partition]]             # under a domain schedule
//! announcer = "low-begins"
//!
//! [[trusted]]
//! domain = "display"        # or: device = "uart"
//! reason = "it draws what it gets, and sends nothing"
//! ```

use crate::mistake::Mistake;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::source::Source;
use ferry_layout::config::Mapping;
use ferry_layout::geometry::{MAX_GUARDS, TRANSMIT_SLOTS};
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use toml::Spanned;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(crate) struct FlowsFile {
    pub(crate) tick: Option<Spanned<TickTable>>,
    pub(crate) audit: Option<AuditTable>,
    #[serde(default, deserialize_with = "tables_of_flows")]
    pub(crate) flow: Vec<Spanned<FlowTable>>,
    #[serde(default)]
    pub(crate) client: BTreeMap<Spanned<String>, ClientTable>,
    /// `[restarts]`: for each named protection domain, how often it is started again after a fault.
    #[serde(default)]
    pub(crate) restarts: BTreeMap<Spanned<String>, Number<0, 255>>,
    #[serde(default, deserialize_with = "tables_of_trust")]
    pub(crate) trusted: Vec<Spanned<TrustedTable>>,
    #[serde(default, deserialize_with = "tables_of_partitions")]
    pub(crate) partition: Vec<Spanned<PartitionTable>>,
}

/// `[[partition]]`: central serves the clients of one scheduling domain only after its time slots.
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(crate) struct PartitionTable {
    /// The protection domain that tells central of them. It is in that scheduling domain.
    pub(crate) announcer: Spanned<String>,
}

/// `[[trusted]]`: who may stand between two clients, or what may reach memory, and why that is right.
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(crate) struct TrustedTable {
    /// A protection domain that is not a client.
    pub(crate) domain: Option<Spanned<String>>,
    /// A device: the region of its registers, its I/O ports, its address space, or the firmware.
    pub(crate) device: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) reason: String,
}

/// `[tick]`
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(crate) struct TickTable {
    /// Microseconds between two ticks. At each tick central also looks at clients that have not signalled.
    pub(crate) period_us: Spanned<Number<1, { u32::MAX }>>,
}

/// `[audit]`: what central has refused and judged goes into a region that one protection domain reads.
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(crate) struct AuditTable {
    pub(crate) region: Spanned<String>,
    /// Of flows that do not state it themselves.
    #[serde(default)]
    pub(crate) records: RecordsWord,
}

/// `[[flow]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub(crate) struct FlowTable {
    pub(crate) from: Spanned<String>,
    pub(crate) to: Spanned<String>,
    #[serde(default)]
    pub(crate) class: Class,
    #[serde(default)]
    pub(crate) mapping: MappingWord,
    /// Longest message in bytes. If it is not stated, [`DEFAULT_MAX_MESSAGE`], or as much as guards can
    /// inspect.
    pub(crate) max_message: Option<Spanned<Size>>,
    /// Who has to pass each message, one stage after the other.
    pub(crate) guards: Option<Spanned<Vec<Spanned<StageValue>>>>,
    /// Ticks in which the guards of a stage have to answer; [`DEFAULT_VERDICT_WITHIN`] if it is not stated.
    pub(crate) verdict_within: Option<Spanned<Number<1, { i32::MAX as u32 }>>>,
    /// Nothing about the receiver comes back.
    pub(crate) one_way: Option<Spanned<bool>>,
    /// Why it is right that something leads back from the receiver of a one-way flow.
    pub(crate) return_path: Option<Spanned<String>>,
    /// What the audit log gets of this flow. If it is not stated, what `[audit]` states.
    pub(crate) audit: Option<Spanned<RecordsWord>>,
}

impl FlowTable {
    /// The stages of guards.
    pub(crate) fn stages(&self) -> &[Spanned<StageValue>] {
        self.guards.as_ref().map_or(&[], |guards| guards.get_ref())
    }

    /// The names of all guards.
    pub(crate) fn guards(&self) -> impl Iterator<Item = &str> {
        self.stages().iter().flat_map(|stage| &stage.get_ref().members).map(String::as_str)
    }
}

/// One stage of guards: the name of a guard, or `{ quorum = 2, of = ["a", "b", "c"] }`.
#[derive(Clone, Debug)]
pub(crate) struct StageValue {
    /// How many have to pass a message.
    pub(crate) quorum: u32,
    pub(crate) members: Vec<String>,
}

/// `{ quorum = 2, of = ["a", "b", "c"] }`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuorumTable {
    quorum: Number<1, GUARDS>,
    of: Vec<String>,
}

/// As many guards as a flow can have.
#[expect(clippy::cast_possible_truncation, reason = "a flow has some guards")]
const GUARDS: u32 = MAX_GUARDS as u32;

impl<'de> Deserialize<'de> for StageValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = StageValue;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(
                    "the name of a guard, or a table like { quorum = 2, of = [\"a\", \"b\", \"c\"] }",
                )
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<StageValue, E> {
                Ok(StageValue { quorum: 1, members: vec![name.to_owned()] })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<StageValue, A::Error> {
                let QuorumTable { quorum, of } =
                    QuorumTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(StageValue { quorum: quorum.0, members: of })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Ticks in which guards have to answer, of a flow that states none.
pub(crate) const DEFAULT_VERDICT_WITHIN: u32 = 50;

/// `[client.NAME]`
#[derive(Clone, Debug, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, default)]
pub(crate) struct ClientTable {
    pub(crate) bytes_per_round: Size,
    pub(crate) messages_per_round: Number<1, MESSAGES>,
    pub(crate) large_frames: bool,
}

impl Default for ClientTable {
    fn default() -> Self {
        Self { bytes_per_round: Size(256 * 1024), messages_per_round: Number(MESSAGES), large_frames: false }
    }
}

/// Longest message in bytes of a flow that states none.
pub(crate) const DEFAULT_MAX_MESSAGE: u32 = 16 * 1024 * 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "lowercase")]
pub(crate) enum Class {
    #[default]
    Normal,
    Urgent,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(remote = "Self", rename_all = "lowercase")]
pub(crate) enum MappingWord {
    #[default]
    Each,
    Keep,
}

/// What the audit log gets of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "lowercase")]
pub(crate) enum RecordsWord {
    /// What is refused or judged.
    #[default]
    Refusals,
    /// Every message that is delivered, too.
    All,
}

impl From<MappingWord> for Mapping {
    fn from(word: MappingWord) -> Self {
        match word {
            MappingWord::Each => Self::Each,
            MappingWord::Keep => Self::Keep,
        }
    }
}

/// As many descriptors as a transmit queue has.
#[expect(clippy::cast_possible_truncation, reason = "a queue has some hundred slots")]
const MESSAGES: u32 = TRANSMIT_SLOTS as u32;

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<const MIN: u32, const MAX: u32>(pub(crate) u32);

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Number<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self(MIN))
    }
}

impl<const MIN: u32, const MAX: u32> de::Visitor<'_> for Number<MIN, MAX> {
    type Value = Self;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "a whole number from {MIN} to {MAX}")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self, E> {
        let found = u32::try_from(number).ok().filter(|found| (MIN..=MAX).contains(found));
        found.map(Self).ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
    }
}

/// Reads types from a table or from a word, and from nothing else. What `serde` derives would also take the
/// values of a table in an array, without their keys, and a word as the only key of a table.
macro_rules! only_from {
    ($($kind:ident $type:ident $expected:literal)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> de::Visitor<'de> for Visitor {
                    type Value = $type;

                    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        formatter.write_str($expected)
                    }

                    only_from!(@$kind $type);
                }
                deserializer.deserialize_any(Visitor)
            }
        }
    )*};
    (@table $type:ident) => {
        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
            // The function that is derived, not the one of the trait.
            $type::deserialize(de::value::MapAccessDeserializer::new(map))
        }
    };
    (@word $type:ident) => {
        fn visit_str<E: de::Error>(self, word: &str) -> Result<$type, E> {
            $type::deserialize(de::value::StrDeserializer::new(word))
        }
    };
}

only_from! {
    table FlowsFile "a table"
    table TickTable "a table, [tick] with `period_us` in it"
    table AuditTable "a table, [audit] with `region` in it"
    table FlowTable "a table, [[flow]] with `from` and `to` in it"
    table ClientTable "a table, [client.NAME]"
    table TrustedTable "a table, [[trusted]] with `reason` in it"
    table PartitionTable "a table, [[partition]] with `announcer` in it"
    word Class "`normal` or `urgent`"
    word MappingWord "`each` or `keep`"
    word RecordsWord "`refusals` or `all`"
}

/// Reads `[[flow]]`.
fn tables_of_flows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Spanned<FlowTable>>, D::Error> {
    deserializer.deserialize_any(Tables("flow", PhantomData))
}

/// Reads `[[trusted]]`.
fn tables_of_trust<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Spanned<TrustedTable>>, D::Error> {
    deserializer.deserialize_any(Tables("trusted", PhantomData))
}

/// Reads `[[partition]]`.
fn tables_of_partitions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Spanned<PartitionTable>>, D::Error> {
    deserializer.deserialize_any(Tables("partition", PhantomData))
}

/// Reads tables of this name. One pair of brackets instead of two is a common mistake, and has words of its
/// own.
struct Tables<T>(&'static str, PhantomData<T>);

impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Tables<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "tables, each headed [[{}]]", self.0)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut tables: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(table) = tables.next_element()? {
            all.push(table);
        }
        Ok(all)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(de::Error::custom(two_pairs(self.0)))
    }
}

/// A number of bytes, at least 1, written as a number or as in `"64 KiB"`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size(pub(crate) u32);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl de::Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("1 byte to 4 GiB - 1, as a number or like \"64 KiB\" or \"16 MiB\"")
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Size, E> {
        let size = u32::try_from(bytes).ok().filter(|bytes| *bytes > 0);
        size.map(Size).ok_or_else(|| E::invalid_value(de::Unexpected::Signed(bytes), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
        let size = parse_size(text).and_then(|bytes| u32::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
        size.map(Size).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// Reads a number of bytes, at least 1, as `flows.toml` has them: `4096` or `64 KiB`.
#[must_use]
pub fn parse_bytes(text: &str) -> Option<u32> {
    let bytes = text
        .replace('_', "")
        .parse()
        .ok()
        .or_else(|| parse_size(text).and_then(|bytes| u32::try_from(bytes).ok()));
    bytes.filter(|bytes| *bytes > 0)
}

fn parse_size(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit() && letter != '_')?);
    let factor = match unit.trim() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    digits.replace('_', "").parse::<u64>().ok()?.checked_mul(factor)
}

pub(crate) fn read(source: &Source) -> Result<FlowsFile, Box<Mistake>> {
    toml::from_str(source.text()).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        // The second of two tables with one pair of brackets is no table any more.
        let name = source.text().get(span.clone()).filter(|_| error.message() == "duplicate key");
        let error = match name {
            Some(name @ ("flow" | "trusted" | "partition")) => two_pairs(name),
            _ => in_words(error.message()),
        };
        Box::new(Mistake { place: source.place(span), problem: Problem::NotToml { error } })
    })
}

/// What is wrong with one pair of brackets.
fn two_pairs(name: &str) -> String {
    format!("there can be several of them, so [{name}] needs two pairs of brackets: [[{name}]]")
}

/// The message of the parser without the words of its programming language, in one line.
fn in_words(message: &str) -> String {
    const WORDS: [(&str, &str); 9] = [
        ("unknown field", "unknown key"),
        ("missing field", "missing key"),
        ("unknown variant", "unknown word"),
        ("unknown key `$__toml_private_datetime`", "this is a date"),
        ("invalid type: map", "this is a table or a date"),
        ("invalid type: sequence", "this is an array"),
        ("invalid type: ", "this is the "),
        ("invalid value: ", "this is the "),
        ("` as i128", "`"),
    ];
    let mut words = message.lines().collect::<Vec<_>>().join("; ");
    for (rust, toml) in WORDS {
        words = words.replacen(rust, toml, 1);
    }
    // "unknown key `clas`, expected one of `from`, `to`, …"
    let mut quoted = words.split('`').skip(1).step_by(2);
    let found = if words.starts_with("unknown") { quoted.next() } else { None };
    match found.and_then(|found| nearest(found, quoted)) {
        Some(meant) => format!("{words}; did you mean `{meant}`?"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_bytes, parse_size};

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(parse_size("16 MiB"), Some(16 << 20));
        assert_eq!(parse_size("64KiB"), Some(64 << 10));
        assert_eq!(parse_size("1_024 B"), Some(1024));
        assert_eq!(parse_size("64"), None);
        assert_eq!(parse_size("64 kB"), None);
        assert_eq!(
            [parse_bytes("64"), parse_bytes("4_096"), parse_bytes("4 KiB")],
            [Some(64), Some(4096), Some(4096)]
        );
        assert_eq!([parse_bytes("0"), parse_bytes("-1"), parse_bytes("4 GiB")], [None; 3]);
        assert_eq!(parse_size("99999999999999 GiB"), None);
    }
}
