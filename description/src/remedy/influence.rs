//! What to do about the rules that concern devices, virtual machines and capabilities, and about paths past
//! the flows.

use crate::problem::Problem;
use ferry_layout::geometry::MAX_ONE_WAY;

/// The remedies of the rules about devices, virtual machines and capabilities.
pub(super) fn of(problem: &Problem) -> String {
    match problem {
        Problem::RepeatedElement { .. } => "put the contents of both into one".into(),
        Problem::InterruptWithoutSource => {
            "add irq=\"…\" on ARM and RISC-V, pin=\"…\" or pcidev=\"…\" on x86".into()
        }
        Problem::MachineWithoutDomain => "put it into the protection domain that gets its exits".into(),
        Problem::MachineWithoutProcessor { .. } => "add <vcpu id=\"0\" /> to it".into(),
        Problem::SharedInterrupt { .. } => "give it to one of them".into(),
        Problem::SharedPin { .. } => "remove one of the two; a pin raises one vector alone".into(),
        Problem::InterruptNumber { .. } | Problem::PortNumber { .. } => {
            "give one of the two another id".into()
        }
        Problem::OverlappingPorts { .. } => "give each port to one protection domain, once".into(),
        Problem::RepeatedSlot { .. } => "give one of the two another slot".into(),
        Problem::LargeIoMap { .. } => {
            "remove page_size from the region, or write page_size=\"0x1000\"".into()
        }
        Problem::MapOutOfReach { end, .. } => format!("move it, so that it ends at {end:#x} or below"),
        Problem::MixedProcessors { .. } => "remove one of the two; no board has both".into(),
        _ => of_reach(problem),
    }
}

/// The remedies of the rules about who can influence whom.
fn of_reach(problem: &Problem) -> String {
    match problem {
        Problem::ParentOfAnother { child, .. } => {
            format!("take `{child}` out of it; a parent can stop its child and read its registers")
        }
        Problem::HiddenPath { remedy, .. } => remedy.clone(),
        Problem::UnknownTrusted { what, .. } => {
            format!("name a {what} of the system description, or remove the entry")
        }
        Problem::TrustedParticipant { .. } => {
            "remove the entry; only who is neither central nor a client can be trusted".into()
        }
        Problem::NeedlessTrust { .. } => "remove the entry, so that the list stays short".into(),
        Problem::TrustedTwice { .. } => "remove one of the two".into(),
        Problem::TrustedWithoutReason { .. } => "add reason = \"…\"; it is printed in the report".into(),
        Problem::TrustedNames { .. } => "write either domain = \"…\" or device = \"…\"".into(),
        Problem::OneWayAudited => {
            "write audit = \"refusals\"; it has the verdicts of the flow's guards, and the receiver sees the gaps"
                .into()
        }
        Problem::OneWayWithoutTick => "add a ticker, as docs/system.md says".into(),
        Problem::LongOneWay { .. } => {
            format!("write max_message = {MAX_ONE_WAY} or less; a message is delivered at once or dropped")
        }
        Problem::ReturnPath { .. } => {
            "make these flows one-way or remove one, or say why it is right: return_path = \"…\"".into()
        }
        Problem::NeedlessReturnPath { .. } => "remove it".into(),
        _ => String::new(),
    }
}
