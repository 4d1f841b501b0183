//! The capDL specification that Microkit's library builds, as something to add to.
//!
//! Objects are found by the names that Microkit 2.3.0 gives them. New objects are appended and brought into
//! order at the end ([`Specification::finish`]), because the initialiser allocates in the order of the list.

use std::cmp::Ordering;
use std::collections::HashMap;

use microkit_tool::capdl::spec::capdl_obj_physical_size_bits;
use microkit_tool::capdl::{CapDLNamedObject, CapDLSpecContainer, FrameFill};
use microkit_tool::sel4::Config;
use sel4_capdl_initializer_types::{Cap, CapSlot, CapTableEntry, Object, ObjectId, Rights, cap};

use crate::error::Error;

/// A specification under construction.
pub(crate) struct Specification<'a> {
    container: CapDLSpecContainer,
    by_name: HashMap<String, ObjectId>,
    /// The kernel that it is for.
    pub(crate) kernel: &'a Config,
}

impl<'a> Specification<'a> {
    pub(crate) fn new(container: CapDLSpecContainer, kernel: &'a Config) -> Self {
        let names = container.spec.objects.iter().enumerate();
        let by_name = names.filter_map(|(id, object)| Some((object.name.clone()?, id.into()))).collect();
        Self { container, by_name, kernel }
    }

    /// The object of this name.
    pub(crate) fn find(&self, name: &str) -> Result<ObjectId, Error> {
        self.by_name.get(name).copied().ok_or_else(|| Error::NoObject(name.into()))
    }

    /// A frame of a memory region.
    pub(crate) fn frame(&self, region: &str, number: u64) -> Result<ObjectId, Error> {
        self.find(&format!("frame_mr_{region}_{number:09}"))
    }

    pub(crate) fn object_mut(&mut self, id: ObjectId) -> &mut Object<FrameFill> {
        &mut self.container.spec.objects[usize::from(id)].object
    }

    /// Number of objects.
    pub(crate) fn objects(&self) -> usize {
        self.container.spec.objects.len()
    }

    /// Number of frames that are mapped from the start. The initialiser maps a copy of each one's capability.
    pub(crate) fn mapped_frames(&self) -> usize {
        let tables = self.container.spec.objects.iter().filter_map(|named| match &named.object {
            Object::PageTable(table) => Some(&table.slots),
            _ => None,
        });
        tables.flatten().filter(|entry| matches!(entry.cap, Cap::Frame(_))).count()
    }

    /// Adds an object, whose name must be new.
    pub(crate) fn add(&mut self, name: String, object: Object<FrameFill>) -> ObjectId {
        let id = self.container.add_root_object(CapDLNamedObject { name: Some(name.clone()), object });
        self.by_name.insert(name, id);
        id
    }

    /// The capability in a slot of a table or `CNode`.
    pub(crate) fn slot(&self, id: ObjectId, slot: u32) -> Option<&Cap> {
        let entries = self.container.spec.objects[usize::from(id)].object.slots()?;
        entries.iter().find(|entry| entry.slot.0 == slot).map(|entry| &entry.cap)
    }

    /// Puts a capability into a free slot.
    pub(crate) fn insert(&mut self, id: ObjectId, slot: u32, cap: Cap) -> Result<(), Error> {
        let named = &mut self.container.spec.objects[usize::from(id)];
        let name = named.name.clone().unwrap_or_default();
        match named.object.slots_mut() {
            Some(entries) if entries.iter().all(|entry| entry.slot.0 != slot) => {
                entries.push(CapTableEntry { slot: CapSlot(slot), cap });
                Ok(())
            }
            Some(_) => Err(Error::SlotTaken { object: name, slot }),
            None => Err(Error::NoObject(name)),
        }
    }

    /// The finished specification: physical addresses first and ascending, then large objects before small
    /// ones, then by name, as Microkit orders its own.
    pub(crate) fn finish(mut self) -> CapDLSpecContainer {
        let objects = &self.container.spec.objects;
        let mut order: Vec<usize> = (0..objects.len()).collect();
        let rank = |id: usize| {
            let object = &objects[id].object;
            (
                object.paddr().map(u64::from),
                capdl_obj_physical_size_bits(object, self.kernel),
                &objects[id].name,
            )
        };
        order.sort_by(|first, second| {
            let ((first_address, first_bits, first_name), (second_address, second_bits, second_name)) =
                (rank(*first), rank(*second));
            let by_address = match (first_address, second_address) {
                (Some(first), Some(second)) => first.cmp(&second),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            };
            by_address.then(second_bits.cmp(&first_bits)).then(first_name.cmp(second_name))
        });
        let mut new_ids = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            new_ids[*old] = new;
        }
        let mut objects: Vec<_> =
            std::mem::take(&mut self.container.spec.objects).into_iter().zip(new_ids.clone()).collect();
        objects.sort_by_key(|(_, new)| *new);
        self.container.spec.objects = objects.into_iter().map(|(object, _)| object).collect();
        for named in &mut self.container.spec.objects {
            let is_cnode = matches!(named.object, Object::CNode(_));
            if let Some(entries) = named.object.slots_mut() {
                for entry in entries.iter_mut() {
                    entry.cap.set_obj(new_ids[usize::from(entry.cap.obj())].into());
                }
                if is_cnode {
                    entries.sort_by_key(|entry| entry.slot.0);
                }
            }
        }
        for irq in &mut self.container.spec.irqs {
            irq.handler = new_ids[usize::from(irq.handler)].into();
        }
        self.container
    }
}

/// A capability for a frame of memory: to read or to read and write, never to execute or to hand on.
pub(crate) fn frame_capability(object: ObjectId, write: bool) -> Cap {
    let rights = Rights { read: true, write, grant: false, grant_reply: false };
    Cap::Frame(cap::Frame { object, rights, cached: true, executable: false })
}
