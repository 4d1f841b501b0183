//! What a scenario is.

use crate::actor::Script;

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
    /// What the witness in central tries.
    pub touch: Touch,
    /// What the witness must have seen.
    pub trace: Trace,
    /// The fault that must happen. Without one, none may.
    pub fault: Option<Fault>,
    /// Who ends the machine.
    pub ending: Ending,
}

/// Who plays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Client 0, the sender in most scenarios.
    Alpha,
    /// Client 1, the receiver in most scenarios.
    Beta,
    /// Client 2; the umpire.
    Gamma,
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
    /// Asks the kernel, after central has come to rest, whether any frame of any client is still mapped.
    Census,
}

/// What the witness must have seen, as its lines without the prefix `witness: `.
#[derive(Clone, Copy, Debug)]
pub enum Trace {
    /// These lines, in this order, with anything between.
    Contains(&'static [&'static str]),
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
    /// `read` or `write`.
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

impl Role {
    /// All roles, by client number.
    pub const ALL: [Self; 3] = [Self::Alpha, Self::Beta, Self::Gamma];

    /// Name of the protection domain.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Gamma => "gamma",
        }
    }

    /// Number of the client.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }
}

impl Scenario {
    /// A scenario in which nobody does anything; the table fills in what differs.
    pub(crate) const IDLE: Self = Self {
        name: "",
        alpha: None,
        beta: None,
        gamma: None,
        touch: Touch::Nothing,
        trace: Trace::Contains(&[]),
        fault: None,
        ending: Ending::Umpire,
    };

    /// The script of a role.
    #[must_use]
    pub const fn script(&self, role: Role) -> Option<Script> {
        match role {
            Role::Alpha => self.alpha,
            Role::Beta => self.beta,
            Role::Gamma => self.gamma,
        }
    }

    /// Whether the host must see `harness: pass <role>`.
    #[must_use]
    pub fn must_pass(&self, role: Role) -> bool {
        match self.ending {
            Ending::Umpire => true,
            Ending::By(last) => role == last,
            Ending::ByFault => false,
        }
    }
}
