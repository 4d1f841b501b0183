//! What a protection domain (PD) holds, and what it tries with it: the words in which scenarios about rights
//! speak.
//!
//! On seL4 a PD can do what its capabilities let it do, so a walk over its whole `CSpace` shows all of it.
//! How a slot is tried is the platform's business (the crate `probe` of each); what must be found is the same
//! on all, and is said here and in the scenarios.

/// What a slot of a `CSpace` turned out to be good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holding {
    /// It can neither be sent to nor changed. It may still be what the PD waits on.
    Nothing,
    /// It signals, and is in the place of the channel of this number.
    Signal(u8),
    /// What the platform gives every PD in this place, to wait for its own signals and to call whoever prints
    /// for it.
    Life,
    /// An address space, in the place of the PD's own.
    AddressSpace,
    /// A frame of memory.
    Frame,
    /// Anything else.
    Stranger,
}

/// What a walk has found.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Holdings {
    /// Bit `n`: it signals through channel `n`.
    pub channels: u64,
    /// Address spaces.
    pub address_spaces: u32,
    /// Frames of memory.
    pub frames: u64,
    /// Capability pointer of the first thing that is none of these.
    pub stranger: Option<u64>,
    /// Slots that were looked at.
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

/// What a PD does with capabilities that must not let it: each must fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overreach {
    /// Waits by the capability that signals through this channel.
    WaitByChannel(u8),
    /// Waits by the capability through which it has its lines printed: it would get what others ask for.
    WaitForRequests,
    /// Waits by the capability through which its faults are reported: it would get the faults of others.
    WaitForFaults,
    /// Invokes what lies behind the last slot.
    InvokeBeyond,
}
