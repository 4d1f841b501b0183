//! The clients of the test system, by name and number.

/// A client of the test system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Client 0, the sender in most scenarios.
    Alpha,
    /// Client 1, the receiver in most scenarios.
    Beta,
    /// Client 2. It is the umpire, and the attacker in most scenarios about threats.
    Gamma,
    /// Client 3. It plays no script, but strikes when it is woken.
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
