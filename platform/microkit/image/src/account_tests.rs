//! A specification as it should be, made of the description alone, and what is found when one thing in it is
//! changed: a capability swapped, a right widened, a mapping or a capability added.

use ferry_description::{CENTRAL, Description, Permissions, Placement, Source, sequential};
use microkit_tool::capdl::spec::{BytesContent, FillContent};
use microkit_tool::capdl::{CapDLNamedObject, CapDLSpecContainer, FrameFill};
use sel4_capdl_initializer_types::{
    Cap, CapSlot, CapTableEntry, FillEntry, FillEntryContent, Object, ObjectId, Rights, Word, cap, object,
};

use super::{CALL, CALLS, INPUT, Kernel, ROOT_SHIFT, SIGNALS, VSPACE, differences};
use crate::objects;

/// The slot of central's root `CNode` that has the frames.
const FRAMES: u32 = 63;

const READ: Rights = Rights { read: true, write: false, grant: false, grant_reply: false };
const WRITE: Rights = Rights { read: false, write: true, grant: false, grant_reply: false };

/// A specification under construction.
pub(crate) struct Image {
    pub(crate) container: CapDLSpecContainer,
    pub(crate) description: Description,
    pub(crate) placement: Placement,
    /// The index bits of the tables of an address space.
    levels: Vec<u64>,
}

impl Image {
    pub(crate) fn add(&mut self, name: String, object: Object<FrameFill>) -> ObjectId {
        self.container.add_root_object(CapDLNamedObject { name: Some(name), object })
    }

    pub(crate) fn id(&self, name: &str) -> ObjectId {
        let named = self.container.spec.objects.iter();
        ObjectId::from(named.into_iter().position(|object| object.name.as_deref() == Some(name)).unwrap())
    }

    pub(crate) fn slots(&mut self, id: ObjectId) -> &mut Vec<CapTableEntry> {
        self.container.spec.objects[usize::from(id)].object.slots_mut().unwrap()
    }

    fn put(&mut self, id: ObjectId, slot: u32, cap: Cap) {
        self.slots(id).push(CapTableEntry { slot: CapSlot(slot), cap });
    }

    fn cnode(&mut self, name: &str) -> ObjectId {
        self.add(name.to_owned(), Object::CNode(object::CNode { size_bits: 9, slots: Vec::new() }))
    }

    fn table(&mut self, name: String) -> ObjectId {
        let table = object::PageTable { x86_ept: false, is_root: false, level: None, slots: Vec::new() };
        self.add(name, Object::PageTable(table))
    }

    /// Maps a frame, with the tables that this needs.
    pub(crate) fn map(&mut self, vspace: ObjectId, address: u64, frame: ObjectId, permissions: Permissions) {
        let mut table = vspace;
        for level in 0..self.levels.len() - 1 {
            let shift = 12 + self.levels[level + 1..].iter().sum::<u64>();
            let slot = u32::try_from((address >> shift) & ((1 << self.levels[level]) - 1)).unwrap();
            let found = self.slots(table).iter().find(|entry| entry.slot.0 == slot).map(|one| one.cap.obj());
            table = found.unwrap_or_else(|| {
                let next = self.table(format!("table_{address:x}_{shift}_{}", usize::from(table)));
                self.put(table, slot, Cap::PageTable(cap::PageTable { object: next }));
                next
            });
        }
        let slot = u32::try_from((address >> 12) & 511).unwrap();
        self.put(table, slot, frame_cap(frame, permissions));
    }

    fn regions(&mut self) {
        for number in 0..self.description.system.regions.len() {
            let region = self.description.system.regions[number].clone();
            let config = (number == self.description.config_region).then(|| self.placement.config.clone());
            for page in 0..region.bytes >> 12 {
                let bytes = config.clone().filter(|_| page == 0);
                let entries = bytes.map(|bytes| FillEntry {
                    range: 0..bytes.len() as u64,
                    content: FillEntryContent::Data(FillContent::BytesContent(BytesContent { bytes })),
                });
                let init = FrameFill { entries: entries.into_iter().collect() };
                let frame = object::Frame { size_bits: 12, paddr: None, init };
                self.add(format!("frame_mr_{}_{page:09}", region.name), Object::Frame(frame));
            }
        }
    }

    pub(crate) fn frame(&self, region: &str, page: u64) -> ObjectId {
        self.id(&format!("frame_mr_{region}_{page:09}"))
    }

    fn domain(&mut self, number: usize) {
        let domain = self.description.system.domains[number].clone();
        let name = &domain.name;
        let vspace = self.table(format!("vspace_{name}"));
        for map in &domain.maps {
            let region = self.description.system.regions[map.region].clone();
            for page in 0..region.bytes >> 12 {
                let frame = self.frame(&region.name, page);
                self.map(vspace, map.address + (page << 12), frame, map.permissions);
            }
        }
        let (own, root) = (self.cnode(&format!("cnode_{name}")), self.cnode(&format!("cnode_{name}_root")));
        self.put(root, 0, cnode_cap(own));
        let input = self.id(&format!("notification_{name}"));
        self.put(own, INPUT, signal_cap(input, 0, READ));
        self.put(own, VSPACE, Cap::PageTable(cap::PageTable { object: vspace }));
        for channel in self.description.system.channels.clone() {
            let [a, b] = &channel.ends;
            for (end, other) in [(a, b), (b, a)].into_iter().filter(|(end, _)| end.domain == number) {
                let target = self.description.system.domains[other.domain].name.clone();
                let target = self.id(&format!("notification_{target}"));
                self.put(own, SIGNALS + u32::from(end.id), signal_cap(target, 1 << other.id, WRITE));
            }
        }
        let extra = object::TcbExtraInfo {
            ipc_buffer_addr: Word(0),
            affinity: Word(0),
            prio: domain.priority,
            max_prio: domain.priority,
            fpu_disabled: false,
            resume: true,
            domain: None,
            ip: Word(0),
            sp: Word(0),
            gprs: Vec::new(),
            master_fault_ep: None,
        };
        let thread = object::Tcb { slots: Vec::new(), extra: Box::new(extra) };
        let thread = self.add(format!("tcb_{name}"), Object::Tcb(thread));
        self.put(thread, 0, cnode_cap(root));
        self.put(thread, 1, Cap::PageTable(cap::PageTable { object: vspace }));
        self.put(thread, 8, signal_cap(input, 0, READ));
        // As Ferry's supervisor gets all faults, and calls of whoever has a channel to it.
        let supervisor = self.id("endpoint_ferry_supervisor");
        let endpoint = |badge, rights| Cap::Endpoint(cap::Endpoint { object: supervisor, badge, rights });
        let all = Rights { read: true, write: true, grant: true, grant_reply: true };
        self.put(thread, 5, endpoint(Word(1), all));
        let call = Rights { grant_reply: true, ..WRITE };
        self.put(own, CALLS + 61, endpoint(Word(CALL | 3), call));
    }

    fn grants(&mut self) {
        let frames = self.cnode("cnode_central_frames");
        let mut slot = 0;
        for grant in self.placement.grants.clone() {
            let region = self.description.system.regions[grant.region].name.clone();
            let permissions = if grant.writable { Permissions::READ_WRITE } else { Permissions::READ };
            for page in 0..grant.buffer.frames() {
                let frame = self.frame(&region, page);
                self.put(frames, slot, frame_cap(frame, permissions));
                slot += 1;
            }
        }
        let root = self.id("cnode_central_root");
        self.put(root, FRAMES, cnode_cap(frames));
    }
}

fn frame_cap(object: ObjectId, permissions: Permissions) -> Cap {
    let Permissions { read, write, execute } = permissions;
    let rights = Rights { read, write, grant: false, grant_reply: false };
    Cap::Frame(cap::Frame { object, rights, cached: true, executable: execute })
}

fn cnode_cap(object: ObjectId) -> Cap {
    Cap::CNode(cap::CNode { object, guard: Word(0), guard_size: 0 })
}

fn signal_cap(object: ObjectId, badge: u64, rights: Rights) -> Cap {
    Cap::Notification(cap::Notification { object, badge: Word(badge), rights })
}

/// A specification without a difference.
pub(crate) fn image(levels: &[u64]) -> Image {
    let root =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../description/tests/fixtures/valid");
    let source = |name: &str| Source::read(&root.join(name)).unwrap();
    let description = Description::check(&source("system.xml"), &source("flows.toml"), &[]).unwrap();
    let placement = description.place(&mut sequential(u64::from(FRAMES) << ROOT_SHIFT));
    let levels = levels.to_vec();
    let mut image = Image { container: CapDLSpecContainer::new(), description, placement, levels };
    image.regions();
    image.add("endpoint_ferry_supervisor".into(), Object::Endpoint);
    for number in 0..image.description.system.domains.len() {
        let name = image.description.system.domains[number].name.clone();
        image.add(format!("notification_{name}"), Object::Notification);
    }
    for number in 0..image.description.system.domains.len() {
        image.domain(number);
    }
    image.grants();
    image
}

/// What is found after a change.
fn changed(change: impl FnOnce(&mut Image)) -> Vec<String> {
    let kernel = Kernel { levels: vec![9; 4], benchmark: false };
    let mut image = image(&kernel.levels);
    change(&mut image);
    let contents = [(image.description.config_region, image.placement.config.clone())];
    let objects = objects::of(&image.container, &[]).unwrap();
    // These domains have no programs.
    let found =
        differences(&objects, &kernel, &image.description, &image.placement, &contents, &|_| Vec::new());
    found.unwrap().0.iter().map(ToString::to_string).collect()
}

#[test]
fn a_specification_as_it_should_be_has_no_difference() {
    assert_eq!(changed(|_| {}), Vec::<String>::new());
}

#[test]
fn a_swapped_capability_is_found() {
    let found = changed(|image| {
        let (frames, other) = (image.id("cnode_central_frames"), image.frame("bob_tx", 3));
        image.slots(frames)[2].cap.set_obj(other);
    });
    let expected = "`central` has a capability of page 3 of `bob_tx` at 0xfc00000000000002 in the image \
                    instead of page 2 of `alice_tx`";
    assert_eq!(found, [expected]);
}

#[test]
fn a_wider_right_is_found() {
    let found = changed(|image| {
        let frames = image.id("cnode_central_frames");
        let Cap::Frame(frame) = &mut image.slots(frames)[0].cap else { panic!() };
        frame.rights.write = true;
    });
    let expected = "the capability of page 0 of `alice_tx` at 0xfc00000000000000 of `central` has the rights \
                    `rw` in the image instead of `r`";
    assert_eq!(found, [expected]);
    let found = changed(|image| {
        let own = image.id("cnode_bob");
        let signal = image.slots(own).iter_mut().find(|entry| entry.slot.0 == SIGNALS).unwrap();
        let Cap::Notification(signal) = &mut signal.cap else { panic!() };
        signal.rights.read = true;
    });
    let gives = "in the image, which the description does not give to it";
    assert_eq!(
        found,
        [
            "`bob` cannot signal `central` by its channel 0 in the image, the description says so".to_owned(),
            format!("`bob` has a capability of a notification in slot 10 {gives}"),
        ]
    );
}

#[test]
fn a_mapping_that_was_added_is_found() {
    let found = changed(|image| {
        let (vspace, frame) = (image.id("vspace_bob"), image.frame("alice_tx", 1));
        image.map(vspace, 0x3000_0000, frame, Permissions::READ);
    });
    assert_eq!(
        found,
        ["`bob` maps page 1 of `alice_tx` at 0x30000000 in the image (r), the description nothing"]
    );
}

#[test]
fn the_memory_of_another_program_is_found() {
    let found = changed(|image| {
        let init = FrameFill { entries: Vec::new() };
        let frame = Object::Frame(object::Frame { size_bits: 12, paddr: None, init });
        let frame = image.add("frame_elf_alice_000000000".into(), frame);
        for name in ["alice", "bob"] {
            let vspace = image.id(&format!("vspace_{name}"));
            image.map(vspace, 0x40_0000, frame, Permissions::READ_WRITE);
        }
    });
    let gives = "in the image, which the description does not give to it";
    assert_eq!(
        found,
        ["alice", "bob"].map(|name| format!("`{name}` has a page of another program at 0x400000 {gives}"))
    );
}

#[test]
fn a_capability_that_was_added_is_found() {
    let found = changed(|image| {
        let (own, thread, root) = (image.id("cnode_bob"), image.id("tcb_alice"), image.id("cnode_bob_root"));
        image.put(own, 200, Cap::Tcb(cap::Tcb { object: thread }));
        image.put(root, 1, Cap::Tcb(cap::Tcb { object: thread }));
    });
    let gives = "in the image, which the description does not give to it";
    assert_eq!(
        found,
        [
            format!("`bob` has a capability of a thread in slot 200 {gives}"),
            format!("`bob` has a capability of a thread in slot 1 of its root {gives}"),
        ]
    );
}

#[test]
fn other_flows_and_priorities_are_found() {
    let found = changed(|image| {
        let frame = image.frame("ferry_config", 0);
        let Object::Frame(frame) = &mut image.container.spec.objects[usize::from(frame)].object else {
            panic!()
        };
        frame.init.entries.clear();
        let thread = image.id(&format!("tcb_{CENTRAL}"));
        let Object::Tcb(thread) = &mut image.container.spec.objects[usize::from(thread)].object else {
            panic!()
        };
        thread.extra.prio = 1;
    });
    assert_eq!(
        found,
        [
            "`central` has priority 1 in the image, and 200 in the description",
            "the contents of `ferry_config` in the image differ at byte 0 from what fills it",
        ]
    );
}
