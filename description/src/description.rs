//! A description that was checked: what image builders work from. [`Description::check`] makes one.

use crate::source::Place;
use crate::system::System;
use ferry_layout::config::Mapping;

/// A system with its flows, without a mistake. Holding one proves every rule of [`Problem`](crate::Problem).
#[derive(Clone, Debug)]
pub struct Description {
    /// The system.
    pub system: System,
    /// Number of central in [`System::domains`].
    pub central: usize,
    /// Number of the configuration's region in [`System::regions`].
    pub config_region: usize,
    /// The clients, in the order of the file. A position is the client's number in the shared memory.
    pub clients: Vec<Client>,
    /// Who may send to whom.
    pub flows: Vec<Flow>,
    /// The periodic wake-up of central.
    pub tick: Option<Tick>,
    /// How often the platform starts each of [`System::domains`] again when it has faulted.
    pub restarts: Vec<u8>,
}

/// A client, complete and isolated.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Number of its protection domain in [`System::domains`].
    pub domain: usize,
    /// Number of the region `<client>_out`.
    pub out: usize,
    /// Number of the region `<client>_in`.
    pub into: usize,
    /// Address of `<client>_out` in central.
    pub out_address: u64,
    /// Address of `<client>_in` in central.
    pub in_address: u64,
    /// The region `<client>_tx`.
    pub transmit: Buffer,
    /// The region `<client>_rx`.
    pub receive: Buffer,
    /// Number of the channel to it, in central.
    pub channel: u8,
    /// Bytes that central copies for it in one round; at least 1.
    pub bytes_per_round: u32,
    /// Descriptors that central takes from it in one round; at least 1.
    pub messages_per_round: u32,
}

/// A transmit or receive buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buffer {
    /// Number of the region.
    pub region: usize,
    /// Its size in bytes, a multiple of the frame size.
    pub bytes: u64,
    /// Binary logarithm of the bytes of a frame: 12 or 21.
    pub frame_bits: u8,
}

impl Buffer {
    /// Number of its frames.
    #[must_use]
    pub const fn frames(self) -> u64 {
        self.bytes >> self.frame_bits
    }
}

/// A flow. Source and target are positions in [`Description::clients`].
#[derive(Clone, Debug)]
pub struct Flow {
    /// Who sends.
    pub source: u16,
    /// Who receives.
    pub target: u16,
    /// Whether it may use the urgent class.
    pub urgent: bool,
    /// How long frames stay mapped.
    pub mapping: Mapping,
    /// Longest message in bytes; at least 1.
    pub max_message: u32,
}

/// The tick.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Number of the ticker in [`System::domains`].
    pub domain: usize,
    /// Number of the channel to it, in central.
    pub channel: u8,
    /// Period in microseconds.
    pub period_us: u32,
    /// Where `flows.toml` sets the period.
    pub place: Place,
}
