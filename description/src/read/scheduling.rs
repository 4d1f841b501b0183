//! Reads the attributes by which the kernel schedules what runs: a protection domain, a virtual machine, or
//! one of its processors.

use super::element::{Element, Log};
use crate::limits::{DEFAULT_BUDGET_US, MAX_PERIOD_US, MIN_BUDGET_US};

/// Reads the budget and the period in microseconds, of a protection domain or of a virtual machine.
pub(super) fn budget_and_period(element: Element<'_>, log: &mut Log<'_>) -> (u64, u64) {
    let budget_us = element.number("budget", log).unwrap_or(DEFAULT_BUDGET_US);
    let period_us = element.number("period", log).unwrap_or(budget_us);
    if budget_us > period_us {
        log.bad_value(element, "budget", "at most the period");
    } else if budget_us < MIN_BUDGET_US {
        log.bad_value(element, "budget", "at least 20, the least that the kernel can measure");
    } else if period_us > MAX_PERIOD_US {
        log.bad_value(element, "period", "at most 10_000_000_000_000, which the kernel can count");
    }
    (budget_us, period_us)
}

/// Reads the number of a processor core.
pub(super) fn core(element: Element<'_>, log: &mut Log<'_>) -> u8 {
    let core = element.number("cpu", log).unwrap_or(0);
    if core > u64::from(u8::MAX) {
        log.bad_value(element, "cpu", "0 to 255, the number of a processor core");
    }
    u8::try_from(core).unwrap_or(0)
}
