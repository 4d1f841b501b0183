//! What a scenario is.

use crate::actor::{Script, Strike};
use crate::role::Role;

/// One test inside seL4.
pub struct Scenario {
    /// Its name, which begins with the requirement's id (`r07_…`) or the threat's (`t03_…`).
    pub name: &'static str,
    /// What alpha does.
    pub alpha: Option<Script>,
    /// What beta does.
    pub beta: Option<Script>,
    /// What gamma does before it becomes the umpire.
    pub gamma: Option<Script>,
    /// What mallory does whenever she is woken, which is at every tick and around every act of central's: she
    /// has a higher priority than central then, so she runs in the middle of its work. Without a strike she
    /// never comes in.
    pub mallory: Option<Strike>,
    /// What the witness in central tries.
    pub touch: Touch,
    /// What the witness must have seen.
    pub trace: Trace,
    /// The fault that must happen. Without one, none may.
    pub fault: Option<Fault>,
    /// How often it must happen.
    pub faults: u8,
    /// How often the platform starts a domain again when it has faulted: `[restarts]` of the scenario's
    /// flows.
    pub restarts: &'static [(&'static str, u8)],
    /// What differs from `harness/flows.toml` otherwise.
    pub flows: &'static [Change],
    /// What it needs of the platform; where that is not to be had, it is not played.
    pub needs: &'static [Feature],
    /// What the console must show beyond that, as beginnings of lines.
    pub console: &'static [&'static str],
    /// Who ends the machine.
    pub ending: Ending,
}

/// How the flows of a scenario differ from `harness/flows.toml`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// A client has another share of each round.
    Share {
        /// The client.
        of: Role,
        /// Its `bytes_per_round`.
        bytes: u32,
        /// Its `messages_per_round`.
        messages: u32,
    },
    /// A flow may use the urgent class.
    Urgent {
        /// The sender.
        from: Role,
        /// The receiver.
        to: Role,
    },
}

/// What the witness tries between engine and kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Touch {
    /// Nothing.
    Nothing,
    /// Reads the home of alpha's first transmit frame before anybody asked for anything.
    BeforeAnyRequest,
    /// Reads the home of the last frame that was unmapped, after central has come to rest.
    AfterTransfer,
    /// Writes to the sender's frame while it is mapped.
    WriteToSource,
    /// Has the sender's frame mapped as one to write, through the capability that central has for it, and
    /// writes.
    WriteByCapability,
    /// Walks over central's whole `CSpace`, then waits by a capability that only signals.
    Overreach,
    /// Asks the kernel, after central has come to rest, whether any frame of any client is still mapped.
    Census,
    /// The same, and the witness says nothing of what central does, which would take most of a scenario's
    /// time.
    SilentCensus,
    /// Nothing, and it says nothing either.
    Silent,
    /// Central comes to rest after so many rounds at most, whenever it runs. The most there were so far are
    /// printed.
    Rounds(u32),
    /// Central faults at this moment, and having been restarted asks the kernel the same, before it serves
    /// anybody.
    Crash(Moment),
    /// Likewise, but central panics.
    Panic(Moment),
    /// Central faults at this moment in each of its lives.
    CrashAlways(Moment),
}

/// What not every platform has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feature {
    /// Whoever has the highest priority runs, at once and alone: mallory's strikes happen at the moments of
    /// central's work for which she is woken, and not beside it.
    Priorities,
    /// Domains that have faulted are started again.
    Restarts,
    /// What a domain may do is what its `CSpace` holds, and that can be walked.
    Capabilities,
    /// Two processors: clients run while central does, and nobody has a priority. Only hosted has that.
    Processors,
}

/// A moment of central's work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// After so many maps.
    Mapped(u32),
    /// After so many copies, before what they are about is unmapped and published.
    Copied(u32),
    /// After so many unmaps, before anything is published.
    Unmapped(u32),
    /// After so many turns have published deliveries, before it publishes what they have come to.
    Delivered(u32),
    /// After at least so many copies, when they are published and a client is about to be signalled.
    Signalling(u32),
}

/// What the witness must have seen, as its lines without the prefix `witness: `.
#[derive(Clone, Copy, Debug)]
pub enum Trace {
    /// These lines, in this order, with anything between.
    Contains(&'static [&'static str]),
    /// These lines, each directly after the one before it.
    Run(&'static [&'static str]),
    /// Exactly these, at the beginning.
    Begins(&'static [&'static str]),
    /// None that begins so.
    Without(&'static [&'static str]),
}

/// A fault that the kernel must report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The protection domain that faults.
    pub domain: &'static str,
    /// As [`ferry_platform::FaultKind`] names it: `read`, `write`, `capability`, `panic`…
    pub kind: &'static str,
}

/// Who ends the machine, with success, once its own script has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Gamma, when alpha and beta have told it by a message that they have passed.
    Umpire,
    /// This role, whatever the others do: for scenarios in which central or a client comes to its end.
    By(Role),
    /// Nobody can: the host does, when it has seen the fault.
    ByFault,
}

impl Scenario {
    /// A scenario in which nobody does anything; the table fills in what differs.
    pub(crate) const IDLE: Self = Self {
        name: "",
        alpha: None,
        beta: None,
        gamma: None,
        mallory: None,
        touch: Touch::Nothing,
        trace: Trace::Contains(&[]),
        fault: None,
        faults: 1,
        restarts: &[("central", 0)],
        flows: &[],
        needs: &[],
        console: &[],
        ending: Ending::Umpire,
    };

    /// The script of a role.
    #[must_use]
    pub const fn script(&self, role: Role) -> Option<Script> {
        match role {
            Role::Alpha => self.alpha,
            Role::Beta => self.beta,
            Role::Gamma => self.gamma,
            Role::Mallory => None,
        }
    }

    /// Whether the host must see `harness: pass <role>`.
    #[must_use]
    pub fn must_pass(&self, role: Role) -> bool {
        if role == Role::Mallory {
            return self.mallory.is_some();
        }
        match self.ending {
            Ending::Umpire => true,
            Ending::By(last) => role == last,
            Ending::ByFault => false,
        }
    }
}
