//! A checked description, from which image builders work. [`Description::check`] makes one.

use crate::reach::Reach;
use crate::source::Place;
use crate::system::System;
use ferry_layout::config::Mapping;
use std::path::PathBuf;

/// A system with its flows, without a mistake. Holding one proves that it breaks no rule of
/// [`Problem`](crate::Problem).
#[derive(Clone, Debug)]
pub struct Description {
    /// The system.
    pub system: System,
    /// Number of central in [`System::domains`].
    pub central: usize,
    /// Number of the configuration region in [`System::regions`].
    pub config_region: usize,
    /// The clients, in the order of the file. The position of a client is its number in the shared memory.
    pub clients: Vec<Client>,
    /// Who may send to whom.
    pub flows: Vec<Flow>,
    /// The tick, which wakes central periodically.
    pub tick: Option<Tick>,
    /// The audit log, if there is one.
    pub audit: Option<Audit>,
    /// The partitions. There are none if central serves everybody whenever it runs.
    pub partitions: Vec<Partition>,
    /// For each of [`System::domains`], how often the platform starts it again after a fault.
    pub restarts: Vec<u8>,
    /// The file of the flows, as it was named.
    pub(crate) flows_path: PathBuf,
    /// Every way of influence beside Ferry's own, and who is trusted with it.
    pub(crate) reach: Reach,
}

/// A complete and isolated client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Number of its protection domain in [`System::domains`].
    pub domain: usize,
    /// Number of the region `<client>_out`.
    pub out_region: usize,
    /// Number of the region `<client>_in`.
    pub in_region: usize,
    /// Address of `<client>_out` in central.
    pub out_address: u64,
    /// Address of `<client>_in` in central.
    pub in_address: u64,
    /// The region `<client>_tx`.
    pub transmit: Buffer,
    /// The region `<client>_rx`.
    pub receive: Buffer,
    /// Number of the channel between central and this client, in central.
    pub channel: u8,
    /// Bytes that central copies for this client in one round; at least 1.
    pub bytes_per_round: u32,
    /// Descriptors that central takes from this client in one round; at least 1.
    pub messages_per_round: u32,
    /// Whether it is a guard: it inspects messages of others, and has no flow of its own.
    pub is_guard: bool,
}

/// A transmit or receive buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Buffer {
    /// Number of the region.
    pub region: usize,
    /// Size in bytes, a multiple of the frame size.
    pub bytes: u64,
    /// Binary logarithm of the frame size in bytes: 12 or 21.
    pub frame_bits: u8,
}

impl Buffer {
    /// Number of frames.
    #[must_use]
    pub const fn frames(self) -> u64 {
        self.bytes >> self.frame_bits
    }
}

/// A flow. Source and target are positions in [`Description::clients`].
#[derive(Clone, Debug)]
pub struct Flow {
    /// The client that sends.
    pub source: u16,
    /// The client that receives.
    pub target: u16,
    /// Whether messages may use the urgent class.
    pub urgent: bool,
    /// How long frames stay mapped.
    pub mapping: Mapping,
    /// Longest message in bytes; at least 1.
    pub max_message: u32,
    /// The stages of guards that each message passes through.
    pub stages: Vec<Stage>,
    /// Ticks in which the guards of a stage have to answer; 0 without guards.
    pub verdict_within: u32,
    /// Whether the sender learns nothing of the receiver and the guards.
    pub one_way: bool,
    /// For a one-way flow whose sender can learn of the receiver in another way: why that is right.
    pub return_path: Option<String>,
    /// Whether the audit log gets every message that is delivered.
    pub audits_all: bool,
    /// Where `flows.toml` lists it.
    pub(crate) place: Place,
}

/// The audit log: central writes it, and one protection domain reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Audit {
    /// Number of the region.
    pub region: usize,
    /// Number of the reader in [`System::domains`]. It is no client.
    pub reader: usize,
    /// Address of the region in central.
    pub address: u64,
    /// Size of the region in bytes.
    pub bytes: u64,
    /// Number of the channel between central and the reader, in central, if they have one.
    pub channel: Option<u8>,
}

/// A partition: the clients of one scheduling domain, which central serves only after its time slots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Partition {
    /// The scheduling domain.
    pub domain: String,
    /// Number in [`System::domains`] of who announces its time slots.
    pub announcer: usize,
    /// Number of the channel between central and the announcer, in central.
    pub channel: u8,
}

/// One stage of guards. Its members are positions in [`Description::clients`].
#[derive(Clone, Debug)]
pub struct Stage {
    /// The guards.
    pub members: Vec<u16>,
    /// How many of them have to pass a message; at least 1.
    pub quorum: u32,
}

/// The tick.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Number of the ticker in [`System::domains`].
    pub domain: usize,
    /// Number of the channel between central and the ticker, in central.
    pub channel: u8,
    /// Period in microseconds.
    pub period_us: u32,
    /// Where `flows.toml` sets the period.
    pub place: Place,
}
