//! Who plays: the clients of the test system, by name and number.

/// Who plays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Client 0, the sender in most scenarios.
    Alpha,
    /// Client 1, the receiver in most scenarios.
    Beta,
    /// Client 2; the umpire, and in most scenarios of threats the offender.
    Gamma,
    /// Client 3, who does not play a script but strikes when she is woken.
    Mallory,
}

impl Role {
    /// All roles, by client number.
    pub const ALL: [Self; 4] = [Self::Alpha, Self::Beta, Self::Gamma, Self::Mallory];

    /// Name of the protection domain.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Gamma => "gamma",
            Self::Mallory => "mallory",
        }
    }

    /// Number of the client.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }
}
