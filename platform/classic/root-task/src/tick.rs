//! The periodic tick: channel 0 of the PC's interval timer (PIT), which reaches pin 2 of the I/O APIC. The
//! kernel keeps time with the processor's own timer, so the PIT is free.

use crate::failure::Failure;
use crate::objects::Objects;
use ferry_classic_abi::number::constant;

const HERTZ: u64 = 1_193_182;
const COMMAND_PORT: u16 = 0x43;
const CHANNEL_PORT: u16 = 0x40;
/// Channel 0, both bytes of the divisor, mode 2: one edge each time the divisor has been counted down.
const PERIODIC: u8 = 0x34;
/// The PIT's line, according to the ACPI tables of every PC that QEMU emulates.
const PIN: u64 = 2;
/// Any free vector; the PIT is the only interrupt.
const VECTOR: u64 = 0;

/// Starts the tick and returns its interrupt handler and the notification that it signals. `check` has made
/// sure that the period fits the PIT's 16 bits.
pub(crate) fn make(period_us: u32, objects: &mut Objects) -> Result<(u64, u64), Failure> {
    let refused = |operation| move |refusal| Failure::refused(operation, "tick", refusal);
    let handler = objects.make_interrupt_handler(PIN, VECTOR)?;
    let notification = objects.make(constant::seL4_NotificationObject, 0)?;

    let kernel = objects.kernel();
    let set = kernel.set_interrupt_notification(handler, notification);
    set.map_err(refused("set the notification of an interrupt"))?;
    // The line is masked until the interrupt is acknowledged, even though none has come yet.
    kernel.acknowledge_interrupt(handler).map_err(refused("acknowledge an interrupt"))?;

    let [low, high, ..] = (u64::from(period_us) * HERTZ / 1_000_000).to_le_bytes();
    for (port, byte) in [(COMMAND_PORT, PERIODIC), (CHANNEL_PORT, low), (CHANNEL_PORT, high)] {
        let written = kernel.write_port(constant::seL4_CapIOPort, port, byte);
        written.map_err(refused("write to an I/O port"))?;
    }
    Ok((handler, notification))
}
