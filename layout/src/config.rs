//! The compiled configuration. `ferry image` makes it of `system.xml` and `flows.toml`, and central reads it.
//!
//! It is one read-only blob, so a change of topology recompiles no protection domain:
//!
//! ```text
//!  Header │ ClientRecord × clients │ FlowRecord × flows │ StageRecord × stages
//! ```
//!
//! All numbers are little-endian, and all offsets follow from the counts. The blob comes from the trusted
//! image builder. [`Config::parse`] checks it completely once all the same, because a damaged image must end
//! in a message and not in a panic.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::audit::MIN_AUDIT_BYTES;
use crate::directory::DomainName;
use crate::geometry::{
    CHANNELS, DomainId, FRAME_BYTES, MAX_BUFFER_BYTES, MAX_BUFFER_FRAMES, MAX_CLIENTS, MAX_GUARDS,
    MAX_INSPECTED, MAX_ONE_WAY, MAX_STAGES,
};

/// First word of the blob, `"FERRYCFG"` read as a little-endian number.
pub const CONFIG_MAGIC: u64 = u64::from_le_bytes(*b"FERRYCFG");

/// Version of the blob's format.
pub const CONFIG_VERSION: u32 = 4;

/// Beginning of the blob.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Header {
    /// [`CONFIG_MAGIC`].
    pub magic: u64,
    /// [`CONFIG_VERSION`].
    pub version: u32,
    /// Client records that follow, at most [`MAX_CLIENTS`].
    pub clients: u32,
    /// Flow records that follow the clients.
    pub flows: u32,
    /// Number of central's channel to the ticker, or [`Header::NO_TICK`].
    pub tick_channel: u32,
    /// Period of the tick, in microseconds.
    pub tick_period: u32,
    /// Stage records that follow the flows, at most [`MAX_STAGES`].
    pub stages: u32,
    /// The audit log.
    pub audit: AuditPlace,
}

/// Where central keeps the audit log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct AuditPlace {
    /// Address of the region in central, read-write; 0 if the system has no audit log.
    pub address: u64,
    /// Size of the region in bytes, a multiple of the frame size; 0 if the system has no audit log.
    pub bytes: u64,
    /// Number of central's channel to the reader, or [`AuditPlace::NO_CHANNEL`].
    pub channel: u32,
    /// Zero.
    pub reserved: u32,
}

impl AuditPlace {
    /// No audit log.
    pub const NONE: Self = Self { address: 0, bytes: 0, channel: Self::NO_CHANNEL, reserved: 0 };

    /// In [`AuditPlace::channel`]: central does not signal the reader.
    pub const NO_CHANNEL: u32 = u32::MAX;

    fn is_in_range(&self) -> bool {
        let page = u64::from(FRAME_BYTES);
        let has_channel = self.channel != Self::NO_CHANNEL;
        if self.address == 0 {
            return self.bytes == 0 && !has_channel;
        }
        self.bytes >= MIN_AUDIT_BYTES as u64
            && self.bytes.is_multiple_of(page)
            && self.address.is_multiple_of(page)
            && self.address.checked_add(self.bytes).is_some()
            && (!has_channel || self.channel < u32::from(CHANNELS))
    }
}

impl Header {
    /// In [`Header::tick_channel`]: the system has no ticker.
    pub const NO_TICK: u32 = u32::MAX;
}

/// A transmit or receive buffer, and how central reaches it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct BufferRecord {
    /// The address in central's window at which central maps the first frame. The other frames follow it, so
    /// each frame has one fixed address.
    pub window_address: u64,
    /// Capability pointer, in central's `CSpace`, of the first frame. Those of the other frames follow one by
    /// one.
    pub first_capability: u64,
    /// Size in bytes, a multiple of the frame size; 0 if the client has no such buffer.
    pub bytes: u64,
    /// Binary logarithm of the size of its frames: 12 or 21.
    pub frame_bits: u32,
    /// Zero.
    pub reserved: u32,
}

/// One client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ClientRecord {
    /// Name of the protection domain.
    pub name: DomainName,
    /// Address of `<client>_out` in central, read-only.
    pub out_address: u64,
    /// Address of `<client>_in` in central, read-write.
    pub in_address: u64,
    /// `<client>_tx`, read-only frames.
    pub transmit: BufferRecord,
    /// `<client>_rx`, read-write frames.
    pub receive: BufferRecord,
    /// Of a guard: `<client>_rx` once more, read-only frames. A message goes on from there. Its size is 0 for
    /// a client that is no guard.
    pub snapshot: BufferRecord,
    /// Bytes that central copies for this client in one round before it turns to the next; at least 1.
    pub bytes_per_round: u32,
    /// Descriptors that central takes from this client in one round; at least 1.
    pub messages_per_round: u32,
    /// Number of central's channel to this client.
    pub channel: u32,
    /// 1 if it is a guard: it inspects messages of others, and has no flow of its own.
    pub guard: u32,
    /// Number of central's channel to the announcer of its partition, or [`ClientRecord::NO_PARTITION`].
    /// Clients with the same announcer are one partition. All clients have one, or none.
    pub announcer: u32,
    /// Zero.
    pub reserved: u32,
}

/// One flow: who may send to whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct FlowRecord {
    /// Number of the sender: its place among the client records.
    pub source: u16,
    /// Number of the receiver.
    pub target: u16,
    /// 1 if the flow may use the urgent class.
    pub urgent: u8,
    /// One of [`Mapping`].
    pub mapping: u8,
    /// Number of stages of guards that each message passes through, one after the other; 0 for a flow without
    /// guards.
    pub stages: u16,
    /// Longest message, in bytes; at least 1, at most [`MAX_INSPECTED`] for a flow with guards, and at most
    /// [`MAX_ONE_WAY`] for a one-way flow.
    pub max_message: u32,
    /// Number of the first stage record.
    pub first_stage: u32,
    /// Ticks in which the guards of a stage have to answer, below 2^31. 0 only for a flow without guards.
    pub verdict_within: u32,
    /// 1 if the flow is one-way: nothing about the receiver, and nothing about guards, comes back.
    pub one_way: u32,
    /// 1 if the audit log gets every message that is delivered, and not only what is refused. 0 for a one-way
    /// flow.
    pub audit: u32,
}

/// One stage of guards: of its members, `quorum` have to pass a message before it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct StageRecord {
    /// The guards: bit `n` for the client of number `n`. At least one.
    pub members: u32,
    /// How many of them have to pass a message; at least 1, at most all.
    pub quorum: u32,
}

/// How long central keeps the frames of a flow mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Mapping {
    /// Map, copy, unmap, before the sender sees `Done` (r19, r28).
    #[default]
    Each = 0,
    /// Frames stay mapped until a round without work, a quarantine or a restart. This is faster, but while
    /// they are mapped a fault in central could reach them.
    Keep = 1,
}

impl Mapping {
    /// The policy of this number, if there is one.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Each),
            1 => Some(Self::Keep),
            _ => None,
        }
    }
}

/// What is wrong with a blob.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// The blob does not begin with [`CONFIG_MAGIC`]: the image was not built by `ferry image`.
    NotAConfig,
    /// The blob has another version than [`CONFIG_VERSION`].
    Version(u32),
    /// The blob ends before its last record.
    Truncated,
    /// The blob has more clients than [`MAX_CLIENTS`].
    TooManyClients(u32),
    /// The blob has more stages of guards than [`MAX_STAGES`].
    TooManyStages(u32),
    /// The ticker's channel has a number that no channel has.
    TickChannel(u32),
    /// The audit log has a place or a channel that it cannot have, or the ticker's channel.
    Audit,
    /// The client record of this number has a value outside its range, or the channel of an earlier client,
    /// of the ticker or of the audit log. Or its announcer has a channel of somebody else, or it has none
    /// where others have one.
    Client(u32),
    /// The flow record of this number names an unknown client or a guard, or one client as both source and
    /// target, or has a value or a stage of guards outside its range, or connects two partitions.
    Flow(u32),
    /// This flow record repeats the pair of an earlier one.
    FlowTwice(u32),
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotAConfig => {
                write!(f, "the configuration region is not filled in; build the image with `ferry image`")
            }
            Self::Version(found) => {
                write!(f, "configuration version {found}, central reads {CONFIG_VERSION}; rebuild the image")
            }
            Self::Truncated => write!(f, "the configuration ends before its last record; rebuild the image"),
            Self::TooManyClients(count) => write!(f, "{count} clients, at most {MAX_CLIENTS} are supported"),
            Self::TooManyStages(count) => {
                write!(f, "{count} stages of guards, at most {MAX_STAGES} are supported")
            }
            Self::TickChannel(channel) => {
                write!(f, "the ticker has channel {channel}, channels are numbered below {CHANNELS}")
            }
            Self::Audit => write!(f, "the audit log has a place or a channel that it cannot have"),
            Self::Client(number) => write!(f, "client record {number} has a value outside its range"),
            Self::Flow(number) => write!(f, "flow record {number} has a value outside its range"),
            Self::FlowTwice(number) => write!(f, "flow record {number} repeats an earlier pair"),
        }
    }
}

impl core::error::Error for ConfigError {}

/// A blob that was checked. Holding one proves that every number in it is in the range that the field's
/// documentation gives.
#[derive(Clone, Copy, Debug)]
pub struct Config<'a> {
    header: &'a Header,
    clients: &'a [ClientRecord],
    flows: &'a [FlowRecord],
    stages: &'a [StageRecord],
}

impl<'a> Config<'a> {
    /// Checks a blob. Bytes that follow it are ignored. `bytes` must be aligned to 8; otherwise the result is
    /// [`ConfigError::NotAConfig`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ConfigError> {
        let (header, rest) = Header::ref_from_prefix(bytes).map_err(|_| ConfigError::NotAConfig)?;
        if header.magic != CONFIG_MAGIC {
            return Err(ConfigError::NotAConfig);
        }
        if header.version != CONFIG_VERSION {
            return Err(ConfigError::Version(header.version));
        }
        if header.clients as usize > MAX_CLIENTS {
            return Err(ConfigError::TooManyClients(header.clients));
        }
        if header.stages as usize > MAX_STAGES {
            return Err(ConfigError::TooManyStages(header.stages));
        }
        let (clients, rest) = <[ClientRecord]>::ref_from_prefix_with_elems(rest, header.clients as usize)
            .map_err(|_| ConfigError::Truncated)?;
        let (flows, rest) = <[FlowRecord]>::ref_from_prefix_with_elems(rest, header.flows as usize)
            .map_err(|_| ConfigError::Truncated)?;
        let (stages, _) = <[StageRecord]>::ref_from_prefix_with_elems(rest, header.stages as usize)
            .map_err(|_| ConfigError::Truncated)?;

        let tick_channel = header.tick_channel;
        if tick_channel != Header::NO_TICK && tick_channel >= u32::from(CHANNELS) {
            return Err(ConfigError::TickChannel(tick_channel));
        }
        let audit = header.audit;
        let is_taken = audit.channel != AuditPlace::NO_CHANNEL && audit.channel == tick_channel;
        if is_taken || !audit.is_in_range() {
            return Err(ConfigError::Audit);
        }
        for (client, number) in clients.iter().zip(0..) {
            let earlier = clients.iter().take(number as usize).map(|earlier| earlier.channel);
            let is_taken =
                earlier.chain([tick_channel, audit.channel]).any(|channel| channel == client.channel);
            if is_taken || !client.is_in_range() {
                return Err(ConfigError::Client(number));
            }
            if !client.has_good_announcer(header, clients) {
                return Err(ConfigError::Client(number));
            }
        }
        let guards = clients.iter().zip(0..).filter(|(client, _)| client.guard != 0);
        let guards = guards.fold(0, |guards, (_, number)| guards | 1_u32 << number);
        for (flow, number) in flows.iter().zip(0..) {
            if !flow.is_in_range(header.clients, guards) || !flow.has_good_stages(stages, guards) {
                return Err(ConfigError::Flow(number));
            }
            if !flow.stays_in_partition(clients, stages) {
                return Err(ConfigError::Flow(number));
            }
            let pair = |other: &&FlowRecord| (other.source, other.target) == (flow.source, flow.target);
            if flows.iter().take(number as usize).any(|other| pair(&other)) {
                return Err(ConfigError::FlowTwice(number));
            }
        }
        Ok(Self { header, clients, flows, stages })
    }

    /// Number of central's channel to the ticker, if the system has one.
    #[must_use]
    pub fn tick_channel(&self) -> Option<u32> {
        (self.header.tick_channel != Header::NO_TICK).then_some(self.header.tick_channel)
    }

    /// Period of the tick in microseconds.
    #[must_use]
    pub fn tick_period(&self) -> u32 {
        self.header.tick_period
    }

    /// Where central keeps the audit log, if the system has one.
    #[must_use]
    pub fn audit(&self) -> Option<&'a AuditPlace> {
        Some(&self.header.audit).filter(|audit| audit.address != 0)
    }

    /// The clients, each with its number.
    pub fn clients(&self) -> impl Iterator<Item = (DomainId, &'a ClientRecord)> + use<'a> {
        self.clients.iter().zip(0..).filter_map(|(client, number)| Some((DomainId::new(number)?, client)))
    }

    /// The flows.
    #[must_use]
    pub fn flows(&self) -> &'a [FlowRecord] {
        self.flows
    }

    /// The stages of guards that messages of `flow` pass through, in order.
    #[must_use]
    pub fn stages(&self, flow: &FlowRecord) -> &'a [StageRecord] {
        flow.stages_of(self.stages).unwrap_or_default()
    }
}

impl ClientRecord {
    /// In [`ClientRecord::announcer`]: central serves the client whenever it runs.
    pub const NO_PARTITION: u32 = u32::MAX;

    /// Whether the announcer has a channel of its own, and all clients have one or none has.
    fn has_good_announcer(&self, header: &Header, all: &[Self]) -> bool {
        let has_none = self.announcer == Self::NO_PARTITION;
        let channels = all.iter().map(|client| client.channel);
        let is_taken =
            channels.chain([header.tick_channel, header.audit.channel]).any(|of| of == self.announcer);
        all.iter().all(|other| (other.announcer == Self::NO_PARTITION) == has_none)
            && (has_none || (self.announcer < u32::from(CHANNELS) && !is_taken))
    }

    fn is_in_range(&self) -> bool {
        let page = u64::from(FRAME_BYTES);
        !self.name.as_str().is_empty()
            && self.out_address != 0
            && self.out_address.is_multiple_of(page)
            && self.in_address != 0
            && self.in_address.is_multiple_of(page)
            && self.transmit.is_in_range()
            && self.receive.is_in_range()
            && self.bytes_per_round > 0
            && self.messages_per_round > 0
            && self.channel < u32::from(CHANNELS)
            && self.snapshot.is_in_range()
            && self.has_right_snapshot()
    }
}

impl ClientRecord {
    /// Everything of the client that central can map: all buffers that it has.
    pub fn buffers(&self) -> impl Iterator<Item = &BufferRecord> {
        [&self.transmit, &self.receive, &self.snapshot].into_iter().filter(|buffer| buffer.bytes != 0)
    }

    /// Whether `snapshot` is the same region as `receive` for a guard, and nothing for any other client.
    const fn has_right_snapshot(&self) -> bool {
        match self.guard {
            0 => self.snapshot.bytes == 0,
            1 => {
                self.snapshot.bytes == self.receive.bytes
                    && self.snapshot.frame_bits == self.receive.frame_bits
            }
            _ => false,
        }
    }
}

impl BufferRecord {
    /// No buffer.
    pub const NONE: Self =
        Self { window_address: 0, first_capability: 0, bytes: 0, frame_bits: 12, reserved: 0 };

    /// Bytes of one of its frames.
    #[must_use]
    pub fn frame_bytes(&self) -> u64 {
        1 << self.frame_bits
    }

    fn is_in_range(&self) -> bool {
        matches!(self.frame_bits, 12 | 21)
            && self.bytes <= MAX_BUFFER_BYTES
            && self.bytes.is_multiple_of(self.frame_bytes())
            && self.bytes / self.frame_bytes() <= MAX_BUFFER_FRAMES as u64
            && self.window_address.is_multiple_of(self.frame_bytes())
            && self.window_address.checked_add(self.bytes).is_some()
    }
}

impl FlowRecord {
    /// A flow without guards.
    #[must_use]
    pub const fn plain(source: u16, target: u16, urgent: bool, mapping: Mapping, max_message: u32) -> Self {
        Self {
            source,
            target,
            urgent: urgent as u8,
            mapping: mapping as u8,
            stages: 0,
            max_message,
            first_stage: 0,
            verdict_within: 0,
            one_way: 0,
            audit: 0,
        }
    }

    /// `guards` has a bit for each guard.
    fn is_in_range(&self, clients: u32, guards: u32) -> bool {
        let is_peer = |number: u16| u32::from(number) < clients && guards >> number & 1 == 0;
        is_peer(self.source)
            && is_peer(self.target)
            && self.source != self.target
            && self.urgent <= 1
            && Mapping::from_number(self.mapping).is_some()
            && self.max_message > 0
            && self.one_way <= 1
            && (self.one_way == 0 || self.max_message <= MAX_ONE_WAY)
            && self.audit <= 1
            && self.audit & self.one_way == 0
    }

    fn stages_of<'a>(&self, all: &'a [StageRecord]) -> Option<&'a [StageRecord]> {
        all.get(self.first_stage as usize..)?.get(..usize::from(self.stages))
    }

    /// Whether the stages consist of guards, each of them in one stage only, and the numbers that belong to
    /// them are in their ranges. `guards` has a bit for each guard.
    fn has_good_stages(&self, all: &[StageRecord], guards: u32) -> bool {
        let Some(stages) = self.stages_of(all) else { return false };
        let mut earlier = 0;
        for StageRecord { members, quorum } in stages {
            if *members & (!guards | earlier) != 0 || *quorum == 0 || *quorum > members.count_ones() {
                return false;
            }
            earlier |= *members;
        }
        let limits = if stages.is_empty() {
            self.verdict_within == 0
        } else {
            (1..1 << 31).contains(&self.verdict_within) && self.max_message <= MAX_INSPECTED
        };
        limits && earlier.count_ones() as usize <= MAX_GUARDS
    }

    /// Whether those that notice each other by this flow are in one partition: all its guards, and its ends
    /// too, unless it is one-way.
    fn stays_in_partition(&self, clients: &[ClientRecord], all: &[StageRecord]) -> bool {
        let ends = if self.one_way == 0 { 1_u32 << self.source | 1 << self.target } else { 0 };
        let parties =
            self.stages_of(all).unwrap_or_default().iter().fold(ends, |all, stage| all | stage.members);
        let mut announcers = clients.iter().zip(0..).filter(|(_, number)| parties >> number & 1 != 0);
        let first = announcers.next().map(|(first, _)| first.announcer);
        announcers.all(|(client, _)| Some(client.announcer) == first)
    }

    /// How long the flow's frames stay mapped.
    #[must_use]
    pub fn mapping(&self) -> Mapping {
        Mapping::from_number(self.mapping).unwrap_or_default()
    }
}
