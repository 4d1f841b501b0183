//! The cases to measure: sizes, batches, policies, frames, kinds of flows and numbers of clients.

use ferry_layout::config::Mapping;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Sizes of messages, in bytes.
pub const PAYLOADS: [u32; 5] = [64, 512, 1472, 4096, 65536];
/// Sizes of batches: messages for each signal.
pub const BATCHES: [u32; 4] = [1, 8, 32, 128];
/// Numbers of clients in the scaling series.
pub const CLIENTS: [u16; 5] = [2, 4, 8, 16, 32];
/// Sizes of messages in flows that are not plain, in bytes.
pub const SIFTED: [u32; 2] = [64, 1472];

/// One thing to measure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Case {
    /// Bytes of each message.
    pub payload: u32,
    /// Messages that are sent before central runs.
    pub batch: u32,
    /// How long the flow's frames stay mapped.
    pub policy: Policy,
    /// Number of clients in the system.
    pub clients: u16,
    /// Who sends.
    pub busy: Busy,
    /// The pages of the buffers.
    #[serde(default, skip_serializing_if = "Frames::are_small")]
    pub frames: Frames,
    /// What the flow demands.
    #[serde(default, skip_serializing_if = "Way::is_plain")]
    pub way: Way,
}

/// How long frames stay mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Frames are unmapped before the sender sees `Done`.
    Each,
    /// Frames stay mapped as long as there is traffic.
    Keep,
}

/// Who sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Busy {
    /// The first client sends to the second.
    One,
    /// Every client sends to the next one.
    All,
}

/// The size of the frames that buffers consist of.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frames {
    /// 4 KiB.
    #[default]
    Small,
    /// 2 MiB: `large_frames` in `flows.toml`.
    Large,
}

/// What a flow demands of its messages.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Nothing.
    #[default]
    Plain,
    /// A guard has to pass each of them.
    OneGuard,
    /// Two guards have to, one after the other.
    TwoGuards,
    /// Two of three guards have to.
    Quorum,
    /// The flow is one-way: the sender learns nothing of the receiver. A tick comes after each full ring.
    OneWay,
}

impl Frames {
    /// Whether they are those of 4 KiB.
    #[must_use]
    pub const fn are_small(&self) -> bool {
        matches!(self, Self::Small)
    }
}

impl Way {
    /// All ways but the plain one.
    pub const OTHERS: [Self; 4] = [Self::OneGuard, Self::TwoGuards, Self::Quorum, Self::OneWay];

    /// The word for it, as in the names of files.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::OneGuard => "one-guard",
            Self::TwoGuards => "two-guards",
            Self::Quorum => "quorum",
            Self::OneWay => "one-way",
        }
    }

    /// Whether it demands nothing.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}

impl Policy {
    /// Both policies.
    pub const ALL: [Self; 2] = [Self::Each, Self::Keep];

    /// The policy of a flow with this number in the configuration.
    #[must_use]
    pub const fn of(mapping: Mapping) -> Self {
        match mapping {
            Mapping::Each => Self::Each,
            Mapping::Keep => Self::Keep,
        }
    }

    /// The policy as a number of the configuration.
    #[must_use]
    pub const fn mapping(self) -> Mapping {
        match self {
            Self::Each => Mapping::Each,
            Self::Keep => Mapping::Keep,
        }
    }
}

impl Case {
    /// A case with two clients, of which the first sends to the second.
    #[must_use]
    pub const fn pair(payload: u32, batch: u32, policy: Policy) -> Self {
        Self { payload, batch, policy, clients: 2, busy: Busy::One, frames: Frames::Small, way: Way::Plain }
    }

    /// Every payload with every batch and policy, between two clients.
    #[must_use]
    pub fn pairs() -> Vec<Self> {
        let mut cases = Vec::new();
        for policy in Policy::ALL {
            for payload in PAYLOADS {
                cases.extend(BATCHES.map(|batch| Self::pair(payload, batch, policy)));
            }
        }
        cases
    }

    /// Every payload with every batch, in large frames, between two clients, with the policy for which the
    /// size of frames matters.
    #[must_use]
    pub fn in_large_frames() -> Vec<Self> {
        let pairs = Self::pairs().into_iter().filter(|case| case.policy == Policy::Each);
        pairs.map(|case| Self { frames: Frames::Large, ..case }).collect()
    }

    /// Flows with guards, and one-way flows.
    #[must_use]
    pub fn other_ways() -> Vec<Self> {
        let mut cases = Vec::new();
        for way in Way::OTHERS {
            for payload in SIFTED {
                cases.extend(BATCHES.map(|batch| Self { way, ..Self::pair(payload, batch, Policy::Keep) }));
            }
        }
        cases
    }

    /// Growing numbers of clients: once with one client that sends, and once with all sending.
    #[must_use]
    pub fn scaling() -> Vec<Self> {
        let mut cases = Vec::new();
        for busy in [Busy::One, Busy::All] {
            cases.extend(CLIENTS.map(|clients| Self { clients, busy, ..Self::pair(64, 32, Policy::Keep) }));
        }
        cases
    }

    /// The number of clients that send.
    #[must_use]
    pub const fn senders(self) -> u16 {
        match self.busy {
            Busy::One => 1,
            Busy::All => self.clients,
        }
    }

    /// Distance between the buffers of two messages, in bytes. Buffers of up to 2 KiB share frames, as those
    /// of a network card do. Larger ones have frames of their own.
    #[must_use]
    pub const fn stride(self) -> u32 {
        if self.payload <= 2048 { 2048 } else { self.payload.next_multiple_of(4096) }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Each => "each",
            Self::Keep => "keep",
        })
    }
}

impl fmt::Display for Way {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Plain => "plain",
            Self::OneGuard => "one guard",
            Self::TwoGuards => "two guards",
            Self::Quorum => "two guards of three",
            Self::OneWay => "one-way",
        })
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::One => "one",
            Self::All => "all",
        })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { payload, batch, policy, clients, busy, frames, way } = self;
        write!(formatter, "{payload} bytes, batch {batch}, {policy}")?;
        if !frames.are_small() {
            formatter.write_str(", large frames")?;
        }
        if !way.is_plain() {
            write!(formatter, ", {way}")?;
        }
        if *clients == 2 && *busy == Busy::One {
            return Ok(());
        }
        write!(formatter, ", {clients} clients, {busy} busy")
    }
}
