//! Reads interrupts and I/O ports. Microkit reads most of their numbers as decimal ones without underscores,
//! so this does too.

use super::element::{Element, Log};
use crate::device::{Interrupt, Line, PciDevice, Ports};
use crate::limits::{IO_PORTS, MAX_CHANNEL, MAX_VECTOR};
use crate::problem::Problem;

/// What a number out of the channels' numbers may be.
const CHANNEL_NUMBERS: &str = "0 to 61, decimal";
const DECIMAL: &str = "a decimal number";
/// The kernel keeps the number of a message in 32 bits.
const HANDLES: &str = "0 to 4294967295, decimal";
const VECTORS: &str = "0 to 107, decimal";

/// Reads an interrupt. Its kind follows from its attributes.
pub(super) fn interrupt(element: Element<'_>, log: &mut Log<'_>) -> Option<Interrupt> {
    let id = channel_number(element, log);
    let line = if element.attribute("irq").is_some() {
        element.check_attributes(&["irq", "id", "setvar_id", "trigger"], log);
        one_of(element, "trigger", &["level", "edge"], "level or edge", log);
        decimal(element, "irq", DECIMAL, u64::MAX, log).map(Line::Number)
    } else if element.attribute("pin").is_some() {
        const ATTRIBUTES: [&str; 7] = ["id", "setvar_id", "ioapic", "pin", "trigger", "polarity", "vector"];
        element.check_attributes(&ATTRIBUTES, log);
        one_of(element, "trigger", &["level", "edge"], "level or edge", log);
        one_of(element, "polarity", &["low", "high"], "low or high", log);
        let ioapic = match element.attribute("ioapic") {
            None => Some(0),
            Some(_) => signed(element, "ioapic", log),
        };
        let (pin, vector) = (signed(element, "pin", log), vector(element, log));
        line_of_pin(ioapic, pin, vector)
    } else if element.attribute("pcidev").is_some() {
        element.check_attributes(&["id", "setvar_id", "pcidev", "handle", "vector"], log);
        let device = pci_device(element, "pcidev", log);
        let handle = element.required("handle", log);
        let handle = handle.and_then(|_| decimal(element, "handle", HANDLES, u64::from(u32::MAX), log));
        let vector = vector(element, log);
        line_of_message(device, handle, vector)
    } else {
        log.report(element.span(), Problem::InterruptWithoutSource);
        None
    };
    Some(Interrupt { id: id?, line: line?, place: log.place(element) })
}

fn line_of_pin(ioapic: Option<u64>, pin: Option<u64>, vector: Option<u64>) -> Option<Line> {
    Some(Line::Pin { ioapic: ioapic?, pin: pin?, vector: vector? })
}

fn line_of_message(device: Option<PciDevice>, handle: Option<u64>, vector: Option<u64>) -> Option<Line> {
    Some(Line::Message { device: device?, handle: handle?, vector: vector? })
}

/// Reads I/O ports.
pub(super) fn ports(element: Element<'_>, log: &mut Log<'_>) -> Option<Ports> {
    element.check_attributes(&["id", "setvar_id", "setvar_addr", "addr", "size"], log);
    let id = channel_number(element, log);
    let first = element.required_number("addr", log);
    let count = element.required("size", log).and_then(|_| signed(element, "size", log));
    let (first, count) = (first?, count?);
    if count == 0 {
        log.bad_value(element, "size", "at least 1");
    } else if first.checked_add(count).is_none_or(|end| end > IO_PORTS) {
        log.bad_value(element, "addr", "ports below 0x10000");
    }
    Some(Ports { id: id?, first, count, place: log.place(element) })
}

/// Reads the attribute `id` as Microkit reads that of an interrupt.
pub(super) fn channel_number(element: Element<'_>, log: &mut Log<'_>) -> Option<u8> {
    element.required("id", log)?;
    let number = decimal(element, "id", CHANNEL_NUMBERS, u64::from(MAX_CHANNEL), log)?;
    u8::try_from(number).ok()
}

fn vector(element: Element<'_>, log: &mut Log<'_>) -> Option<u64> {
    element.required("vector", log)?;
    decimal(element, "vector", VECTORS, MAX_VECTOR, log)
}

/// Reads a number that Microkit keeps with a sign.
fn signed(element: Element<'_>, attribute: &'static str, log: &mut Log<'_>) -> Option<u64> {
    decimal(element, attribute, DECIMAL, i64::MAX.cast_unsigned(), log)
}

fn decimal(
    element: Element<'_>,
    attribute: &'static str,
    expected: &'static str,
    largest: u64,
    log: &mut Log<'_>,
) -> Option<u64> {
    let number = element.attribute(attribute)?.parse().ok().filter(|number| *number <= largest);
    if number.is_none() {
        log.bad_value(element, attribute, expected);
    }
    number
}

fn one_of(
    element: Element<'_>,
    attribute: &'static str,
    words: &[&str],
    expected: &'static str,
    log: &mut Log<'_>,
) {
    if element.attribute(attribute).is_some_and(|word| !words.contains(&word)) {
        log.bad_value(element, attribute, expected);
    }
}

/// Reads a device of the PCI bus, as in `00:1f.2`. All three numbers are hexadecimal.
pub(super) fn pci_device(
    element: Element<'_>,
    attribute: &'static str,
    log: &mut Log<'_>,
) -> Option<PciDevice> {
    const EXPECTED: &str = "bus:device.function in hexadecimal, as in 00:1f.2, up to ff:1f.7";
    let device = parse_device(element.attribute(attribute)?);
    if device.is_none() {
        log.bad_value(element, attribute, EXPECTED);
    }
    device
}

fn parse_device(text: &str) -> Option<PciDevice> {
    let (bus, rest) = text.split_once(':')?;
    let (device, function) = rest.split_once('.')?;
    let number = |digits: &str, largest: u8| {
        u8::from_str_radix(digits.trim(), 16).ok().filter(|number| *number <= largest)
    };
    Some(PciDevice(number(bus, 255)?, number(device, 31)?, number(function, 7)?))
}
