//! Takes from the capabilities that Microkit gives every protection domain (PD) the rights that Microkit's
//! own interface does not use.
//!
//! Microkit 2.3 gives all rights to the endpoint that a PD calls, and to the one through which its faults are
//! reported, which it puts into the PD's `CSpace` too. Whoever may receive there takes what was meant for the
//! PD at the other end: the calls of all its callers, the faults of all its children. The PDs call Ferry's
//! supervisor and are its children. So any client could read what any other prints, answer its calls, and
//! hide or undo the faults of all, with or without a flow between them.
//!
//! ```text
//! slot          what                         Microkit gives        left
//! 1             own notification             read, write           read
//! 1             own endpoint                 all                   all: whoever it serves has called it
//! 2             own faults                   all                   nothing; the kernel has a capability of its own
//! 5             the monitor, if passive      all                   write, and to be answered
//! 10 + channel  another's notification       read, write           write
//! 74 + channel  another's endpoint           all                   write, and to be answered
//! ```
//!
//! What `<cspace>` gives stays as the description says. A PD's own address space, in slot 3, stays too:
//! programs clean caches with it, and without frames there is nothing to map.

use microkit_tool::sdf::SystemDescription;
use sel4_capdl_initializer_types::{Cap, Rights};

use crate::error::Error;
use crate::specification::Specification;

/// Slots of the `CNode` that Microkit fills.
const INPUT: u32 = 1;
const FAULT: u32 = 2;

const READ: Rights = Rights { read: true, write: false, grant: false, grant_reply: false };
const WRITE: Rights = Rights { read: false, write: true, grant: false, grant_reply: false };
const CALL: Rights = Rights { read: false, write: true, grant: false, grant_reply: true };

/// Narrows the capabilities of all PDs.
pub(crate) fn all(specification: &mut Specification<'_>, system: &SystemDescription) -> Result<(), Error> {
    for domain in &system.protection_domains {
        let name = format!("cnode_{}", domain.name);
        let cnode = specification.find(&name)?;
        let slots = specification.object_mut(cnode).slots_mut().ok_or(Error::NoObject(name))?;
        slots.retain_mut(|entry| narrow(entry.slot.0, &mut entry.cap));
    }
    Ok(())
}

/// Reduces a capability to the rights that are used. Returns whether any is used.
fn narrow(slot: u32, capability: &mut Cap) -> bool {
    match capability {
        Cap::Notification(notification) => notification.rights = if slot == INPUT { READ } else { WRITE },
        Cap::Endpoint(_) if slot == FAULT => return false,
        Cap::Endpoint(endpoint) if slot != INPUT => endpoint.rights = CALL,
        _ => {}
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{CALL, READ, Rights, WRITE, narrow};
    use sel4_capdl_initializer_types::{Cap, ObjectId, Word, cap};

    const ALL: Rights = Rights { read: true, write: true, grant: true, grant_reply: false };

    fn endpoint(rights: Rights) -> Cap {
        Cap::Endpoint(cap::Endpoint { object: ObjectId::from(7), badge: Word(3), rights })
    }

    fn notification(rights: Rights) -> Cap {
        Cap::Notification(cap::Notification { object: ObjectId::from(7), badge: Word(3), rights })
    }

    /// What is left of a capability.
    fn left(slot: u32, mut capability: Cap) -> Option<Cap> {
        narrow(slot, &mut capability).then_some(capability)
    }

    #[test]
    fn call_and_signal_capabilities_cannot_receive() {
        assert_eq!(left(74 + 61, endpoint(ALL)), Some(endpoint(CALL)));
        assert_eq!(left(10, notification(ALL)), Some(notification(WRITE)));
        assert_eq!(left(5, endpoint(ALL)), Some(endpoint(CALL)));
    }

    #[test]
    fn own_input_keeps_read() {
        assert_eq!(left(1, notification(ALL)), Some(notification(READ)));
        assert_eq!(left(1, endpoint(ALL)), Some(endpoint(ALL)));
    }

    #[test]
    fn the_fault_endpoint_is_removed() {
        assert_eq!(left(2, endpoint(ALL)), None);
    }

    #[test]
    fn an_address_space_stays() {
        let table = Cap::PageTable(cap::PageTable { object: ObjectId::from(7) });
        assert_eq!(left(3, table.clone()), Some(table));
    }
}
