//! Passes requests of Modbus/TCP that are on a list: which unit, which function, which addresses, how many,
//! and which values. Everything else is refused, and so is a request that is not exactly as long as it says.
//!
//! ```text
//!  0            2          4        6      7          8
//!  transaction  protocol   length   unit   function   data of the function
//!  any          0          bytes from the unit on
//! ```
//!
//! Numbers are read with the parsers of the crate `winnow`. The same filter in C is `c/modbus-guard-in-c/`,
//! and `tests/in_c.rs` compares the two.

use core::ops::RangeInclusive;

use ferry_guard::{Filter, Message, Verdict};
use winnow::Parser;
use winnow::binary::{be_u16, u8 as byte};
use winnow::error::EmptyError;

/// The longest request, in bytes.
pub const MOST_BYTES: usize = 260;

/// Bytes of a request before the unit.
const BEFORE_UNIT: usize = 6;

/// Why a request is refused. If several rules of the list come near, it is that of the nearest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u32)]
pub enum Reason {
    /// It is shorter than 8 bytes or longer than [`MOST_BYTES`].
    Size = 1,
    /// The protocol is not 0.
    Protocol = 2,
    /// The length that it states is not that of what follows.
    Length = 3,
    /// No rule is for this unit.
    Unit = 4,
    /// No rule lets this unit do that.
    Function = 5,
    /// The data is not what the function has.
    Form = 6,
    /// It reads or writes nothing, more than the rule allows, or past the last address.
    Quantity = 7,
    /// An address is outside those of the rule.
    Address = 8,
    /// A value is outside those of the rule.
    Value = 9,
}

impl From<Reason> for u32 {
    fn from(reason: Reason) -> Self {
        reason as Self
    }
}

/// What can be allowed, with the numbers of the Modbus specification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub enum Function {
    ReadCoils = 1,
    ReadDiscreteInputs = 2,
    ReadHoldingRegisters = 3,
    ReadInputRegisters = 4,
    WriteSingleCoil = 5,
    WriteSingleRegister = 6,
    WriteMultipleCoils = 15,
    WriteMultipleRegisters = 16,
}

impl Function {
    const ALL: [Self; 8] = [
        Self::ReadCoils,
        Self::ReadDiscreteInputs,
        Self::ReadHoldingRegisters,
        Self::ReadInputRegisters,
        Self::WriteSingleCoil,
        Self::WriteSingleRegister,
        Self::WriteMultipleCoils,
        Self::WriteMultipleRegisters,
    ];

    /// How many values one request may name, by the specification.
    const fn most(self) -> u16 {
        match self {
            Self::ReadCoils | Self::ReadDiscreteInputs => 2000,
            Self::ReadHoldingRegisters | Self::ReadInputRegisters => 125,
            Self::WriteSingleCoil | Self::WriteSingleRegister => 1,
            Self::WriteMultipleCoils => 1968,
            Self::WriteMultipleRegisters => 123,
        }
    }
}

/// What is allowed.
#[derive(Debug)]
pub struct Rule {
    /// The unit that is asked.
    pub unit: u8,
    /// What it is asked for.
    pub function: Function,
    /// The coils, inputs or registers that may be named, counted from 0.
    pub addresses: RangeInclusive<u16>,
    /// The most of them in one request.
    pub most: u16,
    /// What may be written to a register. It has no meaning for other functions.
    pub values: RangeInclusive<u16>,
}

/// A filter with a list of what is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Modbus {
    rules: &'static [Rule],
}

impl Modbus {
    /// The filter with this list.
    #[must_use]
    pub const fn new(rules: &'static [Rule]) -> Self {
        Self { rules }
    }

    /// Judges a request.
    pub fn judge(&self, bytes: &[u8]) -> Result<(), Reason> {
        let mut rest = bytes;
        ensure(bytes.len() <= MOST_BYTES, Reason::Size)?;
        let (_, protocol, length, unit, code) = (be_u16, be_u16, be_u16, byte, byte)
            .parse_next(&mut rest)
            .map_err(|_: EmptyError| Reason::Size)?;
        ensure(protocol == 0, Reason::Protocol)?;
        ensure(bytes.len().checked_sub(BEFORE_UNIT) == Some(length.into()), Reason::Length)?;
        let of_unit = || self.rules.iter().filter(|rule| rule.unit == unit);
        ensure(of_unit().next().is_some(), Reason::Unit)?;
        let function = Function::ALL.into_iter().find(|function| *function as u8 == code);
        let rules = || of_unit().filter(|rule| Some(rule.function) == function);
        let function = function.filter(|_| rules().next().is_some()).ok_or(Reason::Function)?;
        let request = Request::read(function, rest)?;
        let mut nearest = Reason::Function;
        for rule in rules() {
            match request.check(rule) {
                Ok(()) => return Ok(()),
                Err(reason) => nearest = nearest.max(reason),
            }
        }
        Err(nearest)
    }
}

impl Filter for Modbus {
    fn inspect(&mut self, message: &Message<'_>) -> Verdict {
        crate::verdict(self.judge(message.bytes))
    }
}

/// What a request names.
struct Request<'a> {
    first: u16,
    last: u16,
    count: u16,
    /// What is written to registers, two bytes for each.
    values: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads the data of a function.
    fn read(function: Function, data: &'a [u8]) -> Result<Self, Reason> {
        let form = |_: EmptyError| Reason::Form;
        let mut rest = data;
        let (first, second) = (be_u16, be_u16).parse_next(&mut rest).map_err(form)?;
        let (count, values) = match function {
            Function::ReadCoils
            | Function::ReadDiscreteInputs
            | Function::ReadHoldingRegisters
            | Function::ReadInputRegisters => (second, rest),
            // On or off.
            Function::WriteSingleCoil => {
                ensure(matches!(second, 0 | 0xff00), Reason::Form)?;
                (1, rest)
            }
            Function::WriteSingleRegister => {
                ensure(rest.is_empty(), Reason::Form)?;
                (1, data.get(2..).unwrap_or_default())
            }
            Function::WriteMultipleCoils | Function::WriteMultipleRegisters => {
                let bytes = byte.parse_next(&mut rest).map_err(form)?;
                ensure(rest.len() == usize::from(bytes), Reason::Form)?;
                (second, rest)
            }
        };
        ensure((1..=function.most()).contains(&count), Reason::Quantity)?;
        let last = first.checked_add(count.saturating_sub(1)).ok_or(Reason::Quantity)?;
        let (expected, values) = match function {
            Function::WriteMultipleCoils => {
                ensure(has_no_more_coils(values, count), Reason::Form)?;
                (usize::from(count).div_ceil(8), values)
            }
            Function::WriteSingleRegister | Function::WriteMultipleRegisters => {
                (usize::from(count).saturating_mul(2), values)
            }
            _ => (0, values),
        };
        ensure(values.len() == expected, Reason::Form)?;
        let is_of_registers =
            matches!(function, Function::WriteSingleRegister | Function::WriteMultipleRegisters);
        Ok(Self { first, last, count, values: if is_of_registers { values } else { &[] } })
    }

    /// Compares the request with a rule.
    fn check(&self, rule: &Rule) -> Result<(), Reason> {
        ensure(self.count <= rule.most, Reason::Quantity)?;
        let is_inside = rule.addresses.contains(&self.first) && rule.addresses.contains(&self.last);
        ensure(is_inside, Reason::Address)?;
        let (values, _) = self.values.as_chunks::<2>();
        let is_allowed = |value: &[u8; 2]| rule.values.contains(&u16::from_be_bytes(*value));
        ensure(values.iter().all(is_allowed), Reason::Value)
    }
}

/// Whether the bits after the last coil are 0, as the specification has it.
fn has_no_more_coils(values: &[u8], count: u16) -> bool {
    let used = u32::from(count % 8);
    let unused = if used == 0 { 0 } else { u8::MAX.wrapping_shl(used) };
    values.last().is_some_and(|last| last & unused == 0)
}

fn ensure(holds: bool, or: Reason) -> Result<(), Reason> {
    if holds { Ok(()) } else { Err(or) }
}

/// The list of this example's plant: a boiler and a valve.
pub static PLANT: Modbus = Modbus::new(&[
    // The boiler: its measurements, and its set points, in tenths of a degree.
    Rule { unit: 1, function: Function::ReadHoldingRegisters, addresses: 0..=0x1f, most: 16, values: 0..=0 },
    Rule { unit: 1, function: Function::ReadInputRegisters, addresses: 0..=0x3f, most: 64, values: 0..=0 },
    Rule {
        unit: 1,
        function: Function::WriteSingleRegister,
        addresses: 0x10..=0x13,
        most: 1,
        values: 200..=900,
    },
    Rule {
        unit: 1,
        function: Function::WriteMultipleRegisters,
        addresses: 0x10..=0x13,
        most: 4,
        values: 200..=900,
    },
    // Its burner may be switched off and on by the first coil of the operator's panel, no other.
    Rule { unit: 1, function: Function::WriteSingleCoil, addresses: 0..=0, most: 1, values: 0..=0 },
    // The valve: its state, and its drive.
    Rule { unit: 2, function: Function::ReadCoils, addresses: 0..=15, most: 16, values: 0..=0 },
    Rule { unit: 2, function: Function::ReadDiscreteInputs, addresses: 0..=7, most: 8, values: 0..=0 },
    Rule { unit: 2, function: Function::WriteMultipleCoils, addresses: 8..=15, most: 8, values: 0..=0 },
]);
