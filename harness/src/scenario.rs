//! The parts of a scenario.

use crate::actor::{Script, Strike};
use crate::role::Role;

/// One test inside seL4.
pub struct Scenario {
    /// The name. It begins with the requirement's id (`r07_…`) or the threat's (`t03_…`).
    pub name: &'static str,
    /// What alpha does.
    pub alpha: Option<Script>,
    /// What beta does.
    pub beta: Option<Script>,
    /// What gamma does before it becomes the umpire.
    pub gamma: Option<Script>,
    /// What mallory does whenever it is woken: at every tick and around every act of central. Mallory has a
    /// higher priority than central, so it runs in the middle of central's work. Without a strike mallory
    /// never asks to be let in.
    pub mallory: Option<Strike>,
    /// Roles that a program of `harness/c` plays, with its name. Their scripts are not used.
    pub in_c: &'static [(Role, &'static str)],
    /// What the witness in central does beside its trace.
    pub witness: WitnessAct,
    /// What the trace of the witness must show.
    pub trace: Trace,
    /// The fault that must happen. If it is `None`, no fault may happen.
    pub fault: Option<Fault>,
    /// How often the fault must happen.
    pub faults: u8,
    /// How often the platform restarts a domain that has faulted: `[restarts]` of the scenario's flows.
    pub restarts: &'static [(&'static str, u8)],
    /// All other differences from `harness/flows.toml`.
    pub flows: &'static [Change],
    /// Features of the platform that the scenario needs. A platform without them does not play it.
    pub needs: &'static [Feature],
    /// Further lines that the console must show. Each text is the beginning of a line.
    pub console: &'static [&'static str],
    /// Which role ends the machine.
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
    /// A flow is one-way, although other flows lead back.
    OneWay {
        /// The sender.
        from: Role,
        /// The receiver.
        to: Role,
    },
    /// A flow may use the urgent class.
    Urgent {
        /// The sender.
        from: Role,
        /// The receiver.
        to: Role,
    },
}

/// What the witness does between engine and kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WitnessAct {
    /// Nothing.
    Nothing,
    /// Reads the window address of alpha's first transmit frame before any client has asked for anything.
    BeforeAnyRequest,
    /// Reads the window address of the last unmapped frame, when central has come to rest.
    AfterTransfer,
    /// Writes to the sender's frame while it is mapped.
    WriteToSource,
    /// Maps the sender's frame for writing, through the capability that central has for it, and writes.
    WriteByCapability,
    /// Walks over central's whole `CSpace`, then waits on a capability that can only signal.
    Overreach,
    /// When central has come to rest, asks the kernel whether any frame of any client is still mapped.
    Census,
    /// As [`Census`](Self::Census), but the witness prints no trace, which would take most of the scenario's
    /// time.
    SilentCensus,
    /// Nothing, and the witness prints no trace.
    Silent,
    /// Checks that central comes to rest after at most this many rounds, whenever it runs. Prints the largest
    /// number so far.
    Rounds(u32),
    /// Central faults at this moment. After its restart the witness asks the kernel as in
    /// [`Census`](Self::Census), before central serves any client.
    Crash(Moment),
    /// As [`Crash`](Self::Crash), but central panics.
    Panic(Moment),
    /// Central faults at this moment after each start.
    CrashAlways(Moment),
}

/// A feature that not every platform has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feature {
    /// Only the PD with the highest priority runs, and it runs at once. So mallory strikes exactly at the
    /// moments of central's work at which it is woken, and never beside central.
    Priorities,
    /// Domains that have faulted are restarted.
    Restarts,
    /// The rights of a domain are what its `CSpace` holds, and a program can walk over that.
    Capabilities,
    /// Several processors: clients run while central runs, whatever their priorities are. Hosted has this,
    /// and Microkit with several cores.
    Processors,
    /// A client can read a clock that keeps step with the timer of the tick. In an emulator it does so while
    /// QEMU counts instructions, as it does for a scenario that needs this.
    Clock,
}

/// A moment of central's work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// After this many maps.
    Mapped(u32),
    /// After this many copies, before the copied messages are unmapped and published.
    Copied(u32),
    /// After this many unmaps, before anything is published.
    Unmapped(u32),
    /// After this many turns have published deliveries, before central publishes their statuses.
    Delivered(u32),
    /// After at least this many copies, when they are published and central is about to signal a client.
    Signalling(u32),
}

/// What the trace must show. The texts are lines of the witness without the prefix `witness: `.
#[derive(Clone, Copy, Debug)]
pub enum Trace {
    /// These lines in this order; other lines may come between.
    Contains(&'static [&'static str]),
    /// These lines, each directly after the one before.
    Run(&'static [&'static str]),
    /// Exactly these lines, at the beginning.
    Begins(&'static [&'static str]),
    /// No line that begins with one of these.
    Without(&'static [&'static str]),
}

/// A fault that the kernel must report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The protection domain that faults.
    pub domain: &'static str,
    /// The kind, as [`ferry_platform::FaultKind`] names it: `read`, `write`, `capability`, `panic`…
    pub kind: &'static str,
}

/// Which role ends the machine, with success, when its own script has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Gamma, when alpha and beta have sent it the message that they have passed.
    Umpire,
    /// This role, whatever the others do. For scenarios in which central or a client is stopped for good.
    By(Role),
    /// This role, with this code instead of success.
    WithCode(Role, u8),
    /// No role can. The host ends the machine when it has seen the fault.
    ByFault,
}

impl Scenario {
    /// A scenario in which no role does anything. Each scenario fills in what differs.
    pub(crate) const IDLE: Self = Self {
        name: "",
        alpha: None,
        beta: None,
        gamma: None,
        mallory: None,
        in_c: &[],
        witness: WitnessAct::Nothing,
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

    /// Whether the host must see `<role> | harness: pass`.
    #[must_use]
    pub fn must_pass(&self, role: Role) -> bool {
        if role == Role::Mallory {
            return self.mallory.is_some();
        }
        match self.ending {
            Ending::Umpire => true,
            Ending::By(last) | Ending::WithCode(last, _) => role == last,
            Ending::ByFault => false,
        }
    }
}
