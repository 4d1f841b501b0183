//! The objects of a specification as an image has them, in rkyv's archived form, as the types that the rest
//! of this program works with. The types can only be archived, so each kind is written out here.
//!
//! Nothing in an image is trusted: what names an object that is not there, or says more bytes than there
//! are, is an error. `objects` is the only caller.

use rkyv::option::ArchivedOption;
use rkyv::util::AlignedVec;
use sel4_capdl_initializer_types::{
    ArchivedCap, ArchivedCapTableEntry, ArchivedContent, ArchivedFillEntryContent,
    ArchivedFillEntryContentBootInfoId, ArchivedFrameInit, ArchivedObject, ArchivedObjectId, ArchivedRights,
    ArchivedWord, BytesContent, Cap, CapSlot, CapTableEntry, Content, FillEntry, FillEntryContent,
    FillEntryContentBootInfo, FillEntryContentBootInfoId, FrameInit, NamedObject, Object, ObjectId, Rights,
    SpecForInitializer, Word, cap, object,
};

use crate::error::Error;
use crate::objects;

/// Bytes of a frame whose contents are embedded.
const EMBEDDED: usize = 4096;

/// The objects of a specification. `frames` is what embedded frames contain, one after the other.
pub(crate) fn objects(specification: &[u8], frames: &[u8]) -> Result<Vec<NamedObject<FrameInit>>, Error> {
    let mut aligned: AlignedVec = AlignedVec::new();
    aligned.extend_from_slice(specification);
    let archived = SpecForInitializer::access(&aligned)
        .map_err(|cause| Error::Unreadable(format!("its specification is damaged ({cause})")))?;
    let mut all = Vec::with_capacity(archived.objects.len());
    for named in archived.objects.iter() {
        let object = object(&named.object, frames)?;
        for entry in object.slots().unwrap_or_default() {
            if usize::from(entry.cap.obj()) >= archived.objects.len() {
                return Err(unreadable("a capability in it is of an object that it has not"));
            }
        }
        all.push(NamedObject { name: named.name.as_ref().map(|name| name.as_str().into()), object });
    }
    Ok(all)
}

fn unreadable(what: &str) -> Error {
    Error::Unreadable(what.into())
}

fn object(archived: &ArchivedObject<FrameInit>, frames: &[u8]) -> Result<Object<FrameInit>, Error> {
    Ok(match archived {
        ArchivedObject::Untyped(untyped) => Object::Untyped(object::Untyped {
            size_bits: untyped.size_bits,
            paddr: optional(&untyped.paddr, word),
        }),
        ArchivedObject::Endpoint => Object::Endpoint,
        ArchivedObject::Notification => Object::Notification,
        ArchivedObject::CNode(cnode) => {
            Object::CNode(object::CNode { size_bits: cnode.size_bits, slots: slots(&cnode.slots) })
        }
        ArchivedObject::Tcb(thread) => Object::Tcb(tcb(thread)),
        ArchivedObject::Irq(irq) => Object::Irq(object::Irq { slots: slots(&irq.slots) }),
        ArchivedObject::VCpu => Object::VCpu,
        ArchivedObject::Frame(frame) => Object::Frame(object::Frame {
            size_bits: frame.size_bits,
            paddr: optional(&frame.paddr, word),
            init: frame_init(frame.size_bits, &frame.init, frames)?,
        }),
        ArchivedObject::PageTable(table) => Object::PageTable(object::PageTable {
            x86_ept: table.x86_ept,
            is_root: table.is_root,
            level: optional(&table.level, |level| *level),
            slots: slots(&table.slots),
        }),
        ArchivedObject::AsidPool(pool) => Object::AsidPool(object::AsidPool { high: word(&pool.high) }),
        ArchivedObject::IOSpace(space) => Object::IOSpace(object::IOSpace {
            slots: slots(&space.slots),
            domain_id: word(&space.domain_id),
            pci_device: object::PCIDevice {
                bus: space.pci_device.bus,
                device: space.pci_device.device,
                function: space.pci_device.function,
            },
        }),
        ArchivedObject::IOPageTable(table) => {
            Object::IOPageTable(object::IOPageTable { slots: slots(&table.slots), level: word(&table.level) })
        }
        ArchivedObject::IOPorts(ports) => Object::IOPorts(object::IOPorts {
            start_port: word(&ports.start_port),
            end_port: word(&ports.end_port),
        }),
        ArchivedObject::SchedContext(context) => Object::SchedContext(object::SchedContext {
            size_bits: context.size_bits,
            extra: object::SchedContextExtraInfo {
                period: context.extra.period.to_native(),
                budget: context.extra.budget.to_native(),
                badge: word(&context.extra.badge),
            },
        }),
        ArchivedObject::Reply => Object::Reply,
        ArchivedObject::ArmSmc => Object::ArmSmc,
        ArchivedObject::DomainSet => Object::DomainSet,
        interrupt => self::interrupt(interrupt)?,
    })
}

fn interrupt(archived: &ArchivedObject<FrameInit>) -> Result<Object<FrameInit>, Error> {
    Ok(match archived {
        ArchivedObject::ArmIrq(irq) => Object::ArmIrq(object::ArmIrq {
            slots: slots(&irq.slots),
            extra: Box::new(object::ArmIrqExtraInfo {
                trigger: irq.extra.trigger,
                target: word(&irq.extra.target),
            }),
        }),
        ArchivedObject::IrqMsi(irq) => Object::IrqMsi(object::IrqMsi {
            slots: slots(&irq.slots),
            extra: Box::new(object::IrqMsiExtraInfo {
                handle: word(&irq.extra.handle),
                pci_bus: word(&irq.extra.pci_bus),
                pci_dev: word(&irq.extra.pci_dev),
                pci_func: word(&irq.extra.pci_func),
            }),
        }),
        ArchivedObject::IrqIOApic(irq) => Object::IrqIOApic(object::IrqIOApic {
            slots: slots(&irq.slots),
            extra: Box::new(object::IrqIOApicExtraInfo {
                ioapic: word(&irq.extra.ioapic),
                pin: word(&irq.extra.pin),
                level: word(&irq.extra.level),
                polarity: word(&irq.extra.polarity),
            }),
        }),
        ArchivedObject::RiscvIrq(irq) => Object::RiscvIrq(object::RiscvIrq {
            slots: slots(&irq.slots),
            extra: object::RiscvIrqExtraInfo { trigger: irq.extra.trigger },
        }),
        _ => return Err(unreadable("it has an object of an unknown kind")),
    })
}

fn tcb(archived: &object::ArchivedTcb) -> object::Tcb {
    let extra = &archived.extra;
    let extra = object::TcbExtraInfo {
        ipc_buffer_addr: word(&extra.ipc_buffer_addr),
        affinity: word(&extra.affinity),
        prio: extra.prio,
        max_prio: extra.max_prio,
        fpu_disabled: extra.fpu_disabled,
        resume: extra.resume,
        domain: optional(&extra.domain, |domain| *domain),
        ip: word(&extra.ip),
        sp: word(&extra.sp),
        gprs: extra.gprs.iter().map(word).collect(),
        master_fault_ep: optional(&extra.master_fault_ep, word),
    };
    object::Tcb { slots: slots(&archived.slots), extra: Box::new(extra) }
}

fn slots(archived: &[ArchivedCapTableEntry]) -> Vec<CapTableEntry> {
    let entry = |entry: &ArchivedCapTableEntry| CapTableEntry {
        slot: CapSlot(entry.slot.0.to_native()),
        cap: capability(&entry.cap),
    };
    archived.iter().map(entry).collect()
}

/// A capability. Those of the kinds that are listed have nothing but their object.
macro_rules! convert {
    ($archived:expr, $($kind:ident)*) => {
        match $archived {
            $(ArchivedCap::$kind(archived) => Cap::$kind(cap::$kind { object: id(archived.object) }),)*
            ArchivedCap::Endpoint(archived) => Cap::Endpoint(cap::Endpoint {
                object: id(archived.object),
                badge: word(&archived.badge),
                rights: rights(&archived.rights),
            }),
            ArchivedCap::Notification(archived) => Cap::Notification(cap::Notification {
                object: id(archived.object),
                badge: word(&archived.badge),
                rights: rights(&archived.rights),
            }),
            ArchivedCap::CNode(archived) => Cap::CNode(cap::CNode {
                object: id(archived.object),
                guard: word(&archived.guard),
                guard_size: archived.guard_size,
            }),
            ArchivedCap::Frame(archived) => Cap::Frame(cap::Frame {
                object: id(archived.object),
                rights: rights(&archived.rights),
                cached: archived.cached,
                executable: archived.executable,
            }),
        }
    };
}

fn capability(archived: &ArchivedCap) -> Cap {
    convert!(archived, Untyped Tcb IrqHandler VCpu PageTable AsidPool IOSpace IOPageTable ArmIrqHandler
        IrqMsiHandler IrqIOApicHandler RiscvIrqHandler IOPorts SchedContext Reply ArmSmc DomainSet)
}

fn frame_init(bits: u8, archived: &ArchivedFrameInit, frames: &[u8]) -> Result<FrameInit, Error> {
    let bytes = 1_u64.checked_shl(bits.into()).unwrap_or(0);
    let mut entries = Vec::new();
    let outside = || unreadable("what fills a frame is not in it");
    match archived {
        ArchivedFrameInit::Embedded(embedded) => {
            let start = usize::try_from(embedded.index.to_native()).ok();
            let start = start.and_then(|index| index.checked_mul(EMBEDDED)).ok_or_else(outside)?;
            let end = start.checked_add(EMBEDDED).ok_or_else(outside)?;
            let bytes = frames.get(start..end).ok_or_else(outside)?;
            let content = Content::Bytes(BytesContent { bytes: bytes.to_vec() });
            entries.push(FillEntry { range: 0..EMBEDDED as u64, content: FillEntryContent::Data(content) });
        }
        ArchivedFrameInit::Fill(fill) => {
            for entry in fill.entries.iter() {
                let range = entry.range.start.to_native()..entry.range.end.to_native();
                if range.start > range.end || range.end > bytes {
                    return Err(outside());
                }
                let content = match &entry.content {
                    ArchivedFillEntryContent::Data(content) => {
                        let length = usize::try_from(range.end - range.start).map_err(|_| outside())?;
                        FillEntryContent::Data(data(content, length)?)
                    }
                    ArchivedFillEntryContent::BootInfo(info) => {
                        let (id, offset) = (boot_information(&info.id), info.offset.to_native());
                        FillEntryContent::BootInfo(FillEntryContentBootInfo { id, offset })
                    }
                };
                entries.push(FillEntry { range, content });
            }
        }
    }
    objects::canonical(entries)
}

/// The bytes of a piece of contents. The library's own reader stops the program when they are damaged.
fn data(archived: &ArchivedContent, length: usize) -> Result<Content, Error> {
    let bytes = match archived {
        ArchivedContent::Bytes(content) => content.bytes.to_vec(),
        ArchivedContent::DeflatedBytes(content) => {
            miniz_oxide::inflate::decompress_to_vec_with_limit(&content.deflated_bytes, length)
                .map_err(|_| unreadable("compressed contents of a frame are damaged"))?
        }
    };
    if bytes.len() != length {
        return Err(unreadable("what fills a frame has another length than it says"));
    }
    Ok(Content::Bytes(BytesContent { bytes }))
}

fn boot_information(archived: &ArchivedFillEntryContentBootInfoId) -> FillEntryContentBootInfoId {
    match archived {
        ArchivedFillEntryContentBootInfoId::Padding => FillEntryContentBootInfoId::Padding,
        ArchivedFillEntryContentBootInfoId::X86Vbe => FillEntryContentBootInfoId::X86Vbe,
        ArchivedFillEntryContentBootInfoId::X86Mbmmap => FillEntryContentBootInfoId::X86Mbmmap,
        ArchivedFillEntryContentBootInfoId::X86AcpiRsdp => FillEntryContentBootInfoId::X86AcpiRsdp,
        ArchivedFillEntryContentBootInfoId::X86FrameBuffer => FillEntryContentBootInfoId::X86FrameBuffer,
        ArchivedFillEntryContentBootInfoId::X86TscFreq => FillEntryContentBootInfoId::X86TscFreq,
        ArchivedFillEntryContentBootInfoId::Fdt => FillEntryContentBootInfoId::Fdt,
    }
}

fn optional<A, T>(archived: &ArchivedOption<A>, convert: impl FnOnce(&A) -> T) -> Option<T> {
    archived.as_ref().map(convert)
}

fn id(archived: ArchivedObjectId) -> ObjectId {
    ObjectId(archived.0.to_native())
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the fields of archived types are read by reference")]
fn word(archived: &ArchivedWord) -> Word {
    Word(archived.0.to_native())
}

fn rights(archived: &ArchivedRights) -> Rights {
    let ArchivedRights { read, write, grant, grant_reply, .. } = archived;
    Rights { read: *read, write: *write, grant: *grant, grant_reply: *grant_reply }
}
