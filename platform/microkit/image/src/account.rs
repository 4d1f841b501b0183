//! Accounts for every page and every capability of the protection domains (PDs) in a finished specification,
//! and compares them with the description. It follows capabilities from each thread, as the kernel does, and
//! takes frames for the same only if they are the same object. A defect of the library or of this package
//! that gives one PD's memory to another is found here, before there is an image.
//!
//! What Microkit gives to every PD is known by its slot; anything else is named. Programs, stacks and message
//! buffers are frames of their own, each of one PD. Ferry's supervisor and Microkit's monitor, which have
//! power over all, are not in the description and are not looked at.

use std::collections::HashMap;

use ferry_description::{
    CENTRAL, Compared, Description, Difference, Found, FoundDomain, FoundFrame, FoundPage, FoundSegment,
    FoundSignal, Frame, HeldKind, Permissions, Placement,
};
use microkit_tool::sel4::Config;
use sel4_capdl_initializer_types::{Cap, CapTableEntry, FrameInit, Object, ObjectId, cap, object};

use crate::error::Error;
use crate::objects::{self, Named};
use crate::program_pages::{self, ProgramPage};
use crate::sdk::Target;
use crate::supervision::SUPERVISOR;

/// Slots of the `CNode` that Microkit fills, and the first of those for channels and children.
const INPUT: u32 = 1;
const VSPACE: u32 = 3;
const REPLY: u32 = 4;
const MONITOR: u32 = 5;
const THREAD: u32 = 6;
const FIRMWARE: u32 = 7;
const SIGNALS: u32 = 10;
const CALLS: u32 = SIGNALS + 64;
const INTERRUPTS: u32 = CALLS + 64;
const CHILDREN: u32 = INTERRUPTS + 64;
const PORTS: u32 = CHILDREN + 4 * 64;
/// Bits of a PD's root `CNode`: where its slots begin in a capability pointer.
const ROOT_SHIFT: u32 = 64 - 6;
/// The bit of a badge that says it is a call.
const CALL: u64 = 1 << 63;

/// What the kernel decides about capabilities.
pub(crate) struct Kernel {
    /// The index bits of the tables of an address space, from the root on.
    pub(crate) levels: Vec<u64>,
    /// Whether PDs get their own threads, as for benchmarks.
    benchmark: bool,
}

impl From<&Target> for Kernel {
    fn from(target: &Target) -> Self {
        let config: &Config = &target.kernel;
        let levels = config.vspace_root_level()..config.num_page_table_levels();
        let levels = levels.map(|level| config.vspace_level_index_bits(level)).collect();
        Self { levels, benchmark: config.benchmark }
    }
}

/// Compares a specification with its description. `contents` is what fills regions, `program` gives the
/// program of a domain.
pub(crate) fn differences(
    objects: &[Named],
    kernel: &Kernel,
    description: &Description,
    placement: &Placement,
    contents: &[(usize, Vec<u8>)],
    program: &dyn Fn(usize) -> Vec<FoundSegment>,
) -> Result<(Vec<Difference>, Compared), Error> {
    let account = Account::new(objects, kernel, description);
    let found = account.found()?;
    description.differences(&found, placement, contents, &|number| Ok(program(number)))
}

struct Account<'a> {
    objects: &'a [Named],
    kernel: &'a Kernel,
    description: &'a Description,
    by_name: HashMap<&'a str, ObjectId>,
}

/// Everything of one PD, by object.
struct Domain<'a> {
    thread: &'a object::Tcb,
    vspace: ObjectId,
    slots: &'a [CapTableEntry],
    root: &'a [CapTableEntry],
}

impl<'a> Account<'a> {
    fn new(objects: &'a [Named], kernel: &'a Kernel, description: &'a Description) -> Self {
        let named = objects.iter().enumerate();
        let by_name =
            named.filter_map(|(id, object)| Some((object.name.as_deref()?, ObjectId::from(id)))).collect();
        Self { objects, kernel, description, by_name }
    }

    fn object(&self, id: ObjectId) -> &'a Object<FrameInit> {
        &self.objects[usize::from(id)].object
    }

    fn find(&self, name: &str) -> Result<ObjectId, Error> {
        self.by_name.get(name).copied().ok_or_else(|| Error::NoObject(name.into()))
    }

    fn domain(&self, name: &str) -> Result<Domain<'a>, Error> {
        let missing = |what: &str| Error::NoObject(format!("{what}_{name}"));
        let Object::Tcb(thread) = self.object(self.find(&format!("tcb_{name}"))?) else {
            return Err(missing("tcb"));
        };
        let of_thread =
            |pick: &dyn Fn(&Cap) -> Option<ObjectId>| thread.slots.iter().find_map(|entry| pick(&entry.cap));
        let vspace = of_thread(&|cap| if let Cap::PageTable(cap) = cap { Some(cap.object) } else { None });
        let root = of_thread(&|cap| if let Cap::CNode(cap) = cap { Some(cap.object) } else { None });
        let root = root.and_then(|root| self.object(root).slots()).ok_or_else(|| missing("cnode"))?;
        let own = root.iter().find(|entry| entry.slot.0 == 0);
        let own = own.and_then(|entry| self.object(entry.cap.obj()).slots());
        let slots = own.ok_or_else(|| missing("cnode"))?;
        Ok(Domain { thread, vspace: vspace.ok_or_else(|| missing("vspace"))?, slots, root })
    }

    fn found(&self) -> Result<Found, Error> {
        let names: Vec<&str> =
            self.description.system.domains.iter().map(|domain| domain.name.as_str()).collect();
        let parts = names.iter().map(|name| self.domain(name)).collect::<Result<Vec<_>, _>>()?;
        let pages: Vec<_> = parts.iter().map(|part| self.pages(part.vspace)).collect();
        let mut holders: HashMap<ObjectId, usize> = HashMap::new();
        for page in pages.iter().flatten() {
            *holders.entry(page.1).or_default() += 1;
        }
        let mut domains = Vec::new();
        for ((name, part), pages) in names.iter().zip(&parts).zip(pages) {
            let (mut shown, mut others, mut program) = (Vec::new(), Vec::new(), Vec::new());
            for (page, object) in pages {
                if self.is_named(object, "frame_mr_") {
                    shown.push(page);
                } else if holders[&object] > 1 {
                    others.push(format!("a page of another program at {:#x}", page.address));
                } else if self.is_named(object, "frame_elf_") {
                    let (address, permissions) = (page.address, page.permissions);
                    program.push(ProgramPage { address, permissions, bytes: self.contents(object) });
                }
            }
            let mut domain = FoundDomain {
                name: (*name).to_owned(),
                priority: part.thread.extra.prio,
                pages: shown,
                program: program_pages::runs(program),
                others,
                ..FoundDomain::default()
            };
            self.capabilities(part, &parts, &names, &mut domain);
            domains.push(domain);
        }
        Ok(Found { domains, fills: self.fills() })
    }

    /// Whether a frame is of a memory region, or of a program. All others are of one PD: its stack and
    /// its buffer.
    fn is_named(&self, id: ObjectId, kind: &str) -> bool {
        self.objects[usize::from(id)].name.as_deref().unwrap_or_default().starts_with(kind)
    }

    /// What fills a frame.
    fn contents(&self, id: ObjectId) -> &'a [u8] {
        if let Object::Frame(frame) = self.object(id) { objects::contents(frame) } else { &[] }
    }

    fn frame(&self, id: ObjectId) -> Frame {
        let bits = if let Object::Frame(frame) = self.object(id) { frame.size_bits } else { 0 };
        Frame { number: usize::from(id) as u64, bits }
    }

    /// Every page of an address space.
    fn pages(&self, vspace: ObjectId) -> Vec<(FoundPage, ObjectId)> {
        let mut pages = Vec::new();
        self.table(vspace, &self.kernel.levels, 0, &mut pages);
        pages
    }

    fn table(&self, id: ObjectId, levels: &[u64], base: u64, pages: &mut Vec<(FoundPage, ObjectId)>) {
        let Some((_, below)) = levels.split_first() else { return };
        let shift = 12 + below.iter().sum::<u64>();
        for entry in self.object(id).slots().unwrap_or_default() {
            let address = base.wrapping_add(u64::from(entry.slot.0) << shift);
            match &entry.cap {
                Cap::PageTable(table) => self.table(table.object, below, address, pages),
                Cap::Frame(frame) => {
                    let permissions = Permissions { execute: frame.executable, ..rights(frame) };
                    // What can be used at all can be read.
                    let permissions = Permissions { read: true, ..permissions };
                    let page = FoundPage { address, frame: self.frame(frame.object), permissions };
                    pages.push((page, frame.object));
                }
                _ => {}
            }
        }
    }

    /// Sorts the capabilities of a PD: signals, frames, and what nothing explains.
    fn capabilities(
        &self,
        part: &Domain<'_>,
        parts: &[Domain<'_>],
        names: &[&str],
        domain: &mut FoundDomain,
    ) {
        for CapTableEntry { slot, cap } in part.slots {
            let slot = slot.0;
            if let Some(signal) = Self::signal(slot, cap, parts, names) {
                if signal.target != SUPERVISOR {
                    domain.signals.push(signal);
                }
            } else if !self.is_microkits(slot, cap, part, &domain.name) {
                domain.others.push(format!("{} in slot {slot}", words(cap)));
            }
        }
        let own = self.description.system.domains.iter().find(|one| one.name == domain.name);
        let held: Vec<_> = own.map(|own| own.holds.iter().collect()).unwrap_or_default();
        for CapTableEntry { slot, cap } in part.root.iter().filter(|entry| entry.slot.0 != 0) {
            let is_held = held.iter().any(|held| {
                let thread = names.iter().position(|name| *name == held.domain).map(|at| &parts[at]);
                u64::from(slot.0) == held.slot
                    && match (held.kind, cap) {
                        (HeldKind::Thread, Cap::Tcb(cap)) => {
                            matches!(self.object(cap.object), Object::Tcb(found)
                                if thread.is_some_and(|part| std::ptr::eq(part.thread, found)))
                        }
                        (HeldKind::AddressSpace, Cap::PageTable(cap)) => {
                            thread.is_some_and(|part| part.vspace == cap.object)
                        }
                        (HeldKind::SchedulingContext, Cap::SchedContext(cap)) => thread.is_some_and(|part| {
                            part.thread.slots.iter().any(|entry| entry.cap.obj() == cap.object)
                        }),
                        _ => false,
                    }
            });
            match cap {
                _ if is_held => {}
                Cap::CNode(frames) if domain.name == CENTRAL => self.frames(slot.0, frames, domain),
                other => domain.others.push(format!("{} in slot {} of its root", words(other), slot.0)),
            }
        }
    }

    /// The frames of a `CNode` in a slot of the root `CNode`.
    fn frames(&self, slot: u32, cnode: &cap::CNode, domain: &mut FoundDomain) {
        for entry in self.object(cnode.object).slots().unwrap_or_default() {
            let capability = u64::from(slot) << ROOT_SHIFT | u64::from(entry.slot.0);
            match &entry.cap {
                Cap::Frame(held) => domain.frames.push(FoundFrame {
                    capability,
                    frame: self.frame(held.object),
                    permissions: Permissions { execute: held.executable, ..rights(held) },
                }),
                other => domain.others.push(format!("{} at {capability:#x}", words(other))),
            }
        }
    }

    /// A capability to signal or to call: only with the rights that this needs.
    fn signal(slot: u32, cap: &Cap, parts: &[Domain<'_>], names: &[&str]) -> Option<FoundSignal> {
        let (object, badge, is_call, first) = match cap {
            Cap::Notification(cap) if (SIGNALS..CALLS).contains(&slot) && !cap.rights.read => {
                (cap.object, cap.badge.0, false, SIGNALS)
            }
            Cap::Endpoint(cap) if (CALLS..INTERRUPTS).contains(&slot) && !cap.rights.read => {
                (cap.object, cap.badge.0, true, CALLS)
            }
            _ => return None,
        };
        // A thread's endpoint is the one that its faults go to, which is another's.
        let receives = |part: &Domain<'_>| {
            let bound = part.thread.slots.iter().map(|entry| &entry.cap);
            let bound = bound.filter(|cap| matches!(cap, Cap::Notification(_)));
            let input = part.slots.iter().filter(|entry| entry.slot.0 == INPUT).map(|entry| &entry.cap);
            bound.chain(input).any(|cap| cap.obj() == object)
        };
        let known = parts.iter().position(receives).map(|at| names[at].to_owned());
        let target_id = if is_call { badge & !CALL } else { u64::from(badge.trailing_zeros()) };
        Some(FoundSignal {
            id: u8::try_from(slot - first).ok()?,
            target: known.unwrap_or_else(|| SUPERVISOR.to_owned()),
            target_id: u8::try_from(target_id).ok()?,
            is_call,
        })
    }

    /// Whether Microkit gives this capability to the PD because of what it is.
    fn is_microkits(&self, slot: u32, cap: &Cap, part: &Domain<'_>, name: &str) -> bool {
        let system = &self.description.system;
        let number = system.domain(name);
        let Some(own) = number.map(|number| &system.domains[number]) else { return false };
        let has_interrupt = |id: u32| own.interrupts.iter().any(|one| u32::from(one.id) == id);
        let has_child = |id: u32| {
            let parents = system.domains.iter().filter_map(|child| child.parent.as_ref());
            parents.into_iter().any(|parent| Some(parent.domain) == number && u32::from(parent.id) == id)
        };
        match (slot, cap) {
            (INPUT, Cap::Notification(cap)) => !cap.rights.write,
            (INPUT, Cap::Endpoint(_)) | (REPLY, Cap::Reply(_)) => true,
            (VSPACE, Cap::PageTable(cap)) => cap.object == part.vspace,
            (MONITOR, Cap::Endpoint(cap)) => !cap.rights.read,
            (THREAD, Cap::Tcb(cap)) => {
                self.kernel.benchmark
                    && matches!(self.object(cap.object), Object::Tcb(found) if std::ptr::eq(found, part.thread))
            }
            (FIRMWARE, Cap::ArmSmc(_)) => own.calls_firmware,
            (INTERRUPTS..CHILDREN, cap) => has_interrupt(slot - INTERRUPTS) && is_interrupt(cap),
            (CHILDREN.., Cap::Tcb(_)) if slot < CHILDREN + 64 => has_child(slot - CHILDREN),
            (PORTS.., Cap::IOPorts(_)) => own.ports.iter().any(|ports| u32::from(ports.id) == slot - PORTS),
            (_, Cap::VCpu(_) | Cap::Tcb(_)) => {
                slot >= CHILDREN + 64 && system.machines.iter().any(|machine| Some(machine.domain) == number)
            }
            _ => false,
        }
    }

    /// What fills the frames of regions.
    fn fills(&self) -> Vec<(Frame, Vec<u8>)> {
        let ids = (0..self.objects.len()).map(ObjectId::from);
        let filled = ids.filter(|id| self.is_named(*id, "frame_mr_") && !self.contents(*id).is_empty());
        filled.map(|id| (self.frame(id), self.contents(id).to_vec())).collect()
    }
}

const fn rights(frame: &cap::Frame) -> Permissions {
    Permissions { read: frame.rights.read, write: frame.rights.write, execute: false }
}

fn is_interrupt(cap: &Cap) -> bool {
    matches!(
        cap,
        Cap::IrqHandler(_)
            | Cap::ArmIrqHandler(_)
            | Cap::IrqMsiHandler(_)
            | Cap::IrqIOApicHandler(_)
            | Cap::RiscvIrqHandler(_)
    )
}

/// What a capability is called.
fn words(cap: &Cap) -> &'static str {
    match cap {
        Cap::Untyped(_) => "a capability of untyped memory",
        Cap::Endpoint(_) => "a capability of an endpoint",
        Cap::Notification(_) => "a capability of a notification",
        Cap::CNode(_) => "a capability of a CNode",
        Cap::Tcb(_) => "a capability of a thread",
        Cap::Frame(_) => "a capability of a frame",
        Cap::PageTable(_) => "a capability of a page table",
        Cap::SchedContext(_) => "a capability of a scheduling context",
        Cap::Reply(_) => "a capability of a reply object",
        _ => "a capability of a device",
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
pub(crate) mod tests;
