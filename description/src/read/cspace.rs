//! Reads `<cspace>`: capabilities of one domain that another gets. Each capability names its domain and the
//! slot that it is put into.

use super::element::{Element, Log};
use crate::device::{Held, HeldKind};
use crate::limits::HELD_SLOTS;

/// Reads the capabilities.
pub(super) fn cspace(element: Element<'_>, log: &mut Log<'_>) -> Vec<Held> {
    element.check_attributes(&[], log);
    element.children().filter_map(|child| held(child, log)).collect()
}

fn held(element: Element<'_>, log: &mut Log<'_>) -> Option<Held> {
    let kind = match element.name() {
        "cap_tcb" => HeldKind::Thread,
        "cap_sc" => HeldKind::SchedulingContext,
        "cap_vspace" => HeldKind::AddressSpace,
        _ => {
            log.unknown_element(element, "cspace");
            return None;
        }
    };
    element.check_attributes(&["slot", "pd"], log);
    let domain = element.required("pd", log);
    let slot = element.required_number("slot", log)?;
    if !(1..HELD_SLOTS).contains(&slot) {
        log.bad_value(element, "slot", "1 to 127");
    }
    Some(Held { kind, domain: domain?.into(), slot, place: log.place(element) })
}
