//! What a protection domain (PD) holds and what it tries with it, in the terms of the scenarios about rights.
//!
//! On seL4 a PD can do exactly what its capabilities let it do, so a walk over its whole `CSpace` shows all
//! of it. The crate `probe` of each platform knows how to try a slot. What must be found is the same on all
//! platforms; this file and the scenarios say it.

/// What a slot of a `CSpace` can be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holding {
    /// The slot can neither be sent to nor changed. The PD may still wait on it.
    Nothing,
    /// The slot signals, and is the slot of the channel of this number.
    Signal(u8),
    /// What the platform gives every PD in this slot: to wait for its own signals, or to call whoever prints
    /// for it.
    Life,
    /// An address space, in the slot of the PD's own.
    AddressSpace,
    /// A frame of memory.
    Frame,
    /// Anything else.
    Stranger,
}

/// What a walk over a `CSpace` has found.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Holdings {
    /// Bit `n` is set if a slot signals through channel `n`.
    pub channels: u64,
    /// Number of address spaces.
    pub address_spaces: u32,
    /// Number of frames of memory.
    pub frames: u64,
    /// Capability pointer of the first slot that holds anything else.
    pub stranger: Option<u64>,
    /// Number of slots that were tried.
    pub slots: u32,
}

impl Holdings {
    /// Adds what a slot holds.
    pub fn add(&mut self, pointer: u64, holding: Holding) {
        self.slots += 1;
        match holding {
            Holding::Nothing | Holding::Life => {}
            Holding::Signal(channel) => self.channels |= 1 << channel,
            Holding::AddressSpace => self.address_spaces += 1,
            Holding::Frame => self.frames += 1,
            Holding::Stranger => self.stranger = self.stranger.or(Some(pointer)),
        }
    }
}

/// What a PD tries with capabilities that must not allow it. Each try must fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overreach {
    /// Waits on the capability that signals through this channel.
    WaitByChannel(u8),
    /// Waits on the capability through which its lines are printed. It would get the requests of other PDs.
    WaitForRequests,
    /// Waits on the capability through which its faults are reported. It would get the faults of other PDs.
    WaitForFaults,
    /// Invokes a capability pointer past the last slot.
    InvokeBeyond,
    /// Prints the beginning of a line, and claims that the message holds more bytes than any message can.
    /// Then it says that it has panicked, in a way that lets it go on, and goes on.
    Pretend,
}
