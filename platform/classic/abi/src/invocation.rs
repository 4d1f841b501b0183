//! Invocations of kernel objects. The initialiser builds a system with them, and central maps frames with
//! them.
//!
//! All capabilities, and the words beyond the fourth, travel in the IPC buffer. So an invocation needs a
//! [`Kernel`], which stands for the IPC buffer of one thread.

use crate::message::{Message, MessageInfo, Rights};
use crate::number::{constant, label};
use crate::refusal::Refusal;
use crate::syscall;

const MAXIMUM_WORDS: usize = constant::seL4_MsgMaxLength as usize;
const WORDS_IN_REGISTERS: usize = 4;
/// Index of a message's first word in the IPC buffer, in words. The information word comes before it.
const WORDS: usize = 1;
/// Index of a message's first capability. Its words come before it, and one word that the kernel leaves to
/// the program.
const CAPABILITIES: usize = WORDS + MAXIMUM_WORDS + 1;
/// Ordinary caching. The other attributes are for devices.
const WRITE_BACK: u64 = 0;

/// The right to make invocations: one thread's IPC buffer, the page through which the kernel and the thread
/// pass what does not fit in registers.
pub struct Kernel {
    buffer: *mut u64,
}

/// The three levels of x86-64 page tables below the root, in the order in which they must be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PagingLevel {
    /// Covers 512 GiB.
    DirectoryPointerTable,
    /// Covers 1 GiB.
    Directory,
    /// Covers 2 MiB.
    Table,
}

impl PagingLevel {
    /// All levels, in the order in which they must be mapped.
    pub const ALL: [Self; 3] = [Self::DirectoryPointerTable, Self::Directory, Self::Table];

    /// log2 of the bytes that one object of this level covers.
    #[must_use]
    pub const fn coverage_bits(self) -> u64 {
        match self {
            Self::DirectoryPointerTable => 39,
            Self::Directory => 30,
            Self::Table => 21,
        }
    }

    /// The object type to retype to.
    #[must_use]
    pub const fn object_type(self) -> u64 {
        match self {
            Self::DirectoryPointerTable => constant::seL4_X86_PDPTObject,
            Self::Directory => constant::seL4_X86_PageDirectoryObject,
            Self::Table => constant::seL4_X86_PageTableObject,
        }
    }

    const fn map_label(self) -> u64 {
        match self {
            Self::DirectoryPointerTable => label::X86PDPTMap,
            Self::Directory => label::X86PageDirectoryMap,
            Self::Table => label::X86PageTableMap,
        }
    }
}

/// The registers that a thread starts with; all others are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserContext {
    /// Address of the first instruction.
    pub instruction_pointer: u64,
    /// Initial stack pointer.
    pub stack_pointer: u64,
}

impl Kernel {
    /// Takes over an IPC buffer.
    ///
    /// # Safety
    ///
    /// `address` is where the current thread's IPC buffer is mapped, for as long as the value lives, and no
    /// other `Kernel` for it is used from another thread.
    #[must_use]
    pub const unsafe fn new(address: u64) -> Self {
        Self { buffer: core::ptr::with_exposed_provenance_mut(address as usize) }
    }

    /// Word `index` of a message, zero if it has none there. `message` must be the one that was received
    /// last: its first four words came in registers, the others are still in the IPC buffer.
    #[must_use]
    pub fn word_of(&self, message: &Message, index: usize) -> u64 {
        if index as u64 >= message.info.length() || index >= MAXIMUM_WORDS {
            return 0;
        }
        match message.words.get(index) {
            Some(word) => *word,
            // SAFETY: the buffer is mapped (contract of `new`), and the index is in range (checked above).
            // The read is volatile, because the kernel writes the buffer between two reads.
            None => unsafe { self.buffer.wrapping_add(WORDS + index).read_volatile() },
        }
    }

    /// Writes word `index` of the IPC buffer.
    fn set_word(&mut self, index: usize, word: u64) {
        debug_assert!(index < CAPABILITIES + 3, "the invocations below stay within the buffer");
        // SAFETY: the buffer is mapped (contract of `new`), and the index is within it: the functions below
        // pass at most `MAXIMUM_WORDS` words and three capabilities. The write is volatile, because the
        // kernel reads what the compiler takes for unused.
        unsafe { self.buffer.wrapping_add(index).write_volatile(word) }
    }

    /// Sends a message of any length to an endpoint, and waits until somebody receives it. Words beyond the
    /// 120th are not sent.
    pub fn send(&mut self, endpoint: u64, label: u64, words: impl IntoIterator<Item = u64>) {
        let mut registers = [0; WORDS_IN_REGISTERS];
        let mut length = 0;
        for (index, word) in words.into_iter().take(MAXIMUM_WORDS).enumerate() {
            match registers.get_mut(index) {
                Some(register) => *register = word,
                None => self.set_word(WORDS + index, word),
            }
            length += 1;
        }
        syscall::send(endpoint, MessageInfo::new(label, 0, length), registers);
    }

    fn invoke(
        &mut self,
        label: u64,
        target: u64,
        capabilities: &[u64],
        words: &[u64],
    ) -> Result<[u64; 4], Refusal> {
        let mut registers = [0; WORDS_IN_REGISTERS];
        for (index, word) in words.iter().enumerate() {
            match registers.get_mut(index) {
                Some(register) => *register = *word,
                None => self.set_word(WORDS + index, *word),
            }
        }
        for (index, capability) in capabilities.iter().enumerate() {
            self.set_word(CAPABILITIES + index, *capability);
        }
        let info = MessageInfo::new(label, capabilities.len() as u64, words.len() as u64);
        let answer = syscall::call(target, info, registers);
        match answer.info.label() {
            constant::seL4_NoError => Ok(answer.words),
            code => Err(Refusal(code)),
        }
    }

    /// Makes `count` objects from an untyped, in consecutive slots of the CNode `node` from `first_slot` on.
    /// `size_bits` matters only for a CNode (log2 of the slots) and for an untyped (log2 of the bytes).
    pub fn retype(
        &mut self,
        untyped: u64,
        object_type: u64,
        size_bits: u64,
        node: u64,
        first_slot: u64,
        count: u64,
    ) -> Result<(), Refusal> {
        let words = [object_type, size_bits, 0, 0, first_slot, count];
        self.invoke(label::UntypedRetype, untyped, &[node], &words).map(drop)
    }

    /// Copies a capability with no more than `rights` and, if `badge` is not zero, with that badge. `to` and
    /// `from` are a CNode, a slot in it, and the number of bits of the slot's address there.
    pub fn mint(
        &mut self,
        to: (u64, u64, u64),
        from: (u64, u64, u64),
        rights: Rights,
        badge: u64,
    ) -> Result<(), Refusal> {
        let words = [to.1, to.2, from.1, from.2, rights.word(), badge];
        // With a badge of zero, Mint would set the badge to zero, which is not allowed on frames.
        let (label, words) =
            if badge == 0 { (label::CNodeCopy, &words[..5]) } else { (label::CNodeMint, &words[..]) };
        self.invoke(label, to.0, &[from.0], words).map(drop)
    }

    /// Moves a capability; see [`mint`](Self::mint) for the arguments.
    pub fn move_capability(&mut self, to: (u64, u64, u64), from: (u64, u64, u64)) -> Result<(), Refusal> {
        self.invoke(label::CNodeMove, to.0, &[from.0], &[to.1, to.2, from.1, from.2]).map(drop)
    }

    /// Deletes a capability. Unmap a frame first: if the frame has other capabilities, this kernel leaves it
    /// mapped.
    pub fn delete(&mut self, node: u64, slot: u64, depth: u64) -> Result<(), Refusal> {
        self.invoke(label::CNodeDelete, node, &[], &[slot, depth]).map(drop)
    }

    /// Gives a new `VSpace` root its place in the kernel's table of address spaces.
    pub fn assign_asid(&mut self, pool: u64, vspace: u64) -> Result<(), Refusal> {
        self.invoke(label::X86ASIDPoolAssign, pool, &[vspace], &[]).map(drop)
    }

    /// Maps a paging structure so that it covers `address`.
    pub fn map_paging(
        &mut self,
        level: PagingLevel,
        object: u64,
        vspace: u64,
        address: u64,
    ) -> Result<(), Refusal> {
        self.invoke(level.map_label(), object, &[vspace], &[address, WRITE_BACK]).map(drop)
    }

    /// Maps a frame.
    ///
    /// # Safety
    ///
    /// If `vspace` is the caller's own: no Rust object lies at `address`, and no reference to what appears
    /// there outlives the mapping.
    pub unsafe fn map_frame(
        &mut self,
        frame: u64,
        vspace: u64,
        address: u64,
        rights: Rights,
    ) -> Result<(), Refusal> {
        self.invoke(label::X86PageMap, frame, &[vspace], &[address, rights.word(), WRITE_BACK]).map(drop)
    }

    /// Removes the mapping that was made through this capability, if there is one.
    pub fn unmap_frame(&mut self, frame: u64) -> Result<(), Refusal> {
        self.invoke(label::X86PageUnmap, frame, &[], &[]).map(drop)
    }

    /// The physical address of a frame. Nothing but a frame has one.
    pub fn address_of_frame(&mut self, frame: u64) -> Result<u64, Refusal> {
        self.invoke(label::X86PageGetAddress, frame, &[], &[]).map(|[address, ..]| address)
    }

    /// Sets everything that a thread needs before its registers: where it reports faults (a slot of its own
    /// `CSpace`), its priority, its `CSpace` with the guard word, its `VSpace` and its IPC buffer. The thread
    /// may raise no priority, not even its own.
    pub fn configure_thread(
        &mut self,
        thread: u64,
        fault: u64,
        priority: u8,
        cspace: (u64, u64),
        vspace: u64,
        buffer: (u64, u64),
    ) -> Result<(), Refusal> {
        // The word's other field, the maximum priority that the thread controls, stays zero.
        let priority = u64::from(priority) << crate::number::priority::prio_shift;
        let words = [fault, priority, cspace.1, 0, buffer.0];
        self.invoke(label::TCBConfigure, thread, &[cspace.0, vspace, buffer.1], &words).map(drop)
    }

    /// Sets all registers of a thread that does not run.
    pub fn write_registers(&mut self, thread: u64, context: UserContext) -> Result<(), Refusal> {
        /// As in `seL4_UserContext`, up to `r15`.
        const REGISTERS: u64 = 18;
        // The bit that is always set, and interrupts enabled. Every other flag is clear, above all the
        // direction flag.
        const FLAGS: u64 = 0x202;
        // A word of flags, the count of registers, then the registers.
        let mut words = [0; 2 + REGISTERS as usize];
        words[1] = REGISTERS;
        [words[2], words[3], words[4]] = [context.instruction_pointer, context.stack_pointer, FLAGS];
        self.invoke(label::TCBWriteRegisters, thread, &[], &words).map(drop)
    }

    /// Lets signals to a notification wake a thread that waits on an endpoint.
    pub fn bind_notification(&mut self, thread: u64, notification: u64) -> Result<(), Refusal> {
        self.invoke(label::TCBBindNotification, thread, &[notification], &[]).map(drop)
    }

    /// Starts a thread or lets it go on.
    pub fn resume(&mut self, thread: u64) -> Result<(), Refusal> {
        self.invoke(label::TCBResume, thread, &[], &[]).map(drop)
    }

    /// Stops a thread.
    pub fn suspend(&mut self, thread: u64) -> Result<(), Refusal> {
        self.invoke(label::TCBSuspend, thread, &[], &[]).map(drop)
    }

    /// Makes the handler of a line of I/O APIC 0 that signals on a rising edge. See [`mint`](Self::mint) for
    /// `to`.
    pub fn interrupt_handler(
        &mut self,
        control: u64,
        to: (u64, u64, u64),
        pin: u64,
        vector: u64,
    ) -> Result<(), Refusal> {
        let words = [to.1, to.2, 0, pin, 0, 0, vector];
        self.invoke(label::X86IRQIssueIRQHandlerIOAPIC, control, &[to.0], &words).map(drop)
    }

    /// Lets an interrupt signal a notification.
    pub fn set_interrupt_notification(&mut self, handler: u64, notification: u64) -> Result<(), Refusal> {
        self.invoke(label::IRQSetIRQHandler, handler, &[notification], &[]).map(drop)
    }

    /// Lets the interrupt come again. Needed once after setting its notification, too.
    pub fn acknowledge_interrupt(&mut self, handler: u64) -> Result<(), Refusal> {
        self.invoke(label::IRQAckIRQ, handler, &[], &[]).map(drop)
    }

    /// Writes a byte to an I/O port.
    pub fn write_port(&mut self, ports: u64, port: u16, byte: u8) -> Result<(), Refusal> {
        self.invoke(label::X86IOPortOut8, ports, &[], &[u64::from(port), u64::from(byte)]).map(drop)
    }
}
