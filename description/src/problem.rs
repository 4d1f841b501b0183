//! Every rule that a description can break, with what is wrong. `remedy.rs` says what to do. The name of a
//! rule is its variant in snake case. `tests/fixtures/<rule>/` holds a description that breaks the rule.

use crate::limits::{CENTRAL, CONFIG_REGION, MAX_DEPTH, TICKER};
use crate::words::count;
use strum::{IntoStaticStr, VariantNames};
use thiserror::Error;

/// A broken rule. `Display` says what is wrong, [`remedy`](Self::remedy) what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the text of each variant says what it and its fields mean")]
pub enum Problem {
    // Rules about the files themselves.
    #[error("this is not XML: {error}")]
    NotXml { error: String },
    #[error("a document type declaration is not allowed here")]
    DocumentType,
    #[error("element `{element}` is nested more than {MAX_DEPTH} deep")]
    TooDeep { element: String },
    #[error("there is text between the elements")]
    StrayText,
    #[error("{error}")]
    NotToml { error: String },
    #[error("element `{element}` is not allowed in {parent}")]
    UnknownElement { element: String, parent: String, meant: Option<String> },
    #[error("element `{element}` has no attribute `{attribute}`")]
    UnknownAttribute { attribute: String, element: String, meant: Option<String>, known: String },
    #[error("element `{element}` lacks the attribute `{attribute}`")]
    MissingAttribute { attribute: &'static str, element: String, free: Option<String> },
    #[error("`{attribute}` is `{value}`")]
    BadValue { attribute: &'static str, value: String, expected: &'static str },
    #[error("the {attribute} `{name}` is no name")]
    BadName { attribute: &'static str, name: String },
    #[error("the {attribute} `{path}` is no path")]
    BadPath { attribute: &'static str, path: String },
    #[error("`{symbol}` cannot be a symbol of a program")]
    BadSymbol { symbol: String },
    #[error("the name `{name}` is taken, first in line {first}")]
    DuplicateName { name: String, first: usize },
    #[error("the name `{name}` belongs to {owner}")]
    ReservedName { name: String, owner: &'static str },
    #[error("there is no memory region `{name}`")]
    UnknownRegion { name: String, meant: Option<String> },
    #[error("there is no protection domain `{name}`")]
    UnknownDomain { name: String, meant: Option<String> },
    #[error("a channel has two ends, this one has {found}")]
    ChannelEnds { found: usize },
    #[error("`{domain}` has {}", count(*found, "program image"))]
    ProgramImages { domain: String, found: usize },
    #[error("{found} protection domains are more than a system can have")]
    TooManyDomains { found: usize },

    // Rules about the domain schedule.
    #[error("`domain` is `{name}`, but nothing before this declares scheduling domains")]
    DomainWithoutSchedule { name: String },
    #[error("there is a domain schedule, but `{name}` is in no scheduling domain")]
    NoScheduleDomain { name: String },
    #[error("there is no scheduling domain `{name}`")]
    UnknownScheduleDomain { name: String, meant: Option<String> },
    #[error("<domains> has {} called `domain_schedule`", count(*found, "element"))]
    NoSchedule { found: usize },
    #[error("<domains> comes after `{domain}`, which so is in no scheduling domain")]
    LateSchedule { domain: String },
    #[error("the schedule begins with no entry")]
    EmptySchedule,
    #[error("the schedule has {} and end markers", count(*found, "entry"))]
    LongSchedule { found: usize },
    #[error("<domains> was written before, in line {first}")]
    SchedulesTwice { first: usize },
    #[error("{found} scheduling domains are more than the kernel has")]
    TooManyScheduleDomains { found: usize },
    #[error("the scheduling domain `{domain}` of `{name}` is never scheduled")]
    Unscheduled { name: String, domain: String },

    // Rules about contents of regions.
    #[error("there is no file `{file}`")]
    MissingFile { file: String },
    #[error("the file `{file}` is empty")]
    EmptyFile { file: String },
    #[error("a file and the boot information cannot both fill a region")]
    TwoPrefills,
    #[error("the file for `{region}` has {file:#x} bytes, the region has {bytes:#x}")]
    PrefillTooLong { region: String, file: u64, bytes: u64, page: u64 },
    #[error("the file for `{region}` has {file:#x} bytes and ends before the last page of the region")]
    PrefillTooShort { region: String, file: u64, page: u64 },
    #[error("no file fills `{region}`, so there is no size of it to set")]
    PrefillSize { region: String },
    #[error("`{region}` is filled, but it belongs to `{owner}`")]
    FilledRegion { region: String, owner: String },

    #[error("a second `{element}` in one protection domain")]
    RepeatedElement { element: String },
    #[error("the interrupt says not where it comes from")]
    InterruptWithoutSource,
    #[error("this virtual machine is in no protection domain")]
    MachineWithoutDomain,
    #[error("the virtual machine `{machine}` has no virtual processor")]
    MachineWithoutProcessor { machine: String },

    // Rules about devices, virtual machines and capabilities.
    #[error("the interrupt {number} goes to `{first}` and to `{second}`")]
    SharedInterrupt { number: u64, first: String, second: String },
    #[error("pin {pin} of I/O APIC {ioapic} has two vectors, first in line {first}")]
    SharedPin { ioapic: u64, pin: u64, first: usize },
    #[error("`{domain}` has two channels or interrupts with the number {id}")]
    InterruptNumber { domain: String, id: u8 },
    #[error("`{domain}` has two sets of I/O ports with the number {id}")]
    PortNumber { domain: String, id: u8 },
    #[error("the I/O ports {first:#x} of `{one}` and {second:#x} of `{other}` overlap")]
    OverlappingPorts { one: String, first: u64, other: String, second: u64 },
    #[error("`{domain}` gets two capabilities in slot {slot}")]
    RepeatedSlot { domain: String, slot: u64 },
    #[error("the pages of `{region}` are too large for the IOMMU")]
    LargeIoMap { region: String },
    #[error("`{region}` does not fit into `{holder}` at {address:#x}")]
    MapOutOfReach { holder: String, region: String, address: u64, end: u64 },
    #[error("{one} is of ARM or RISC-V, {other} is of x86")]
    MixedProcessors { one: &'static str, other: &'static str },

    // Rules about participants.
    #[error("there is no protection domain `{CENTRAL}`")]
    NoCentral,
    #[error("{found} clients are more than central can serve")]
    TooManyClients { found: usize },
    #[error("the name `{name}` has {} bytes", name.len())]
    NameTooLong { name: String },
    #[error("the name `{name}` has {} bytes, and Microkit would cut it", name.len())]
    CutName { name: String },
    #[error("`{name}` is named here, but there is no such protection domain")]
    UnknownClient { name: String, meant: Option<String> },
    #[error("`{name}` is named here, but is not a client")]
    NotAClient { name: String },
    #[error("this flow goes from `{name}` to itself")]
    FlowToSelf { name: String },
    #[error("the flow from `{from}` to `{to}` is listed twice, first in line {first}")]
    DuplicateFlow { from: String, to: String, first: usize },
    #[error("there is no flow")]
    NoFlows,
    #[error("`{name}` is a guard, and this flow goes from it or to it")]
    GuardInFlow { name: String },
    #[error("`guards` names nobody")]
    NoGuards,
    #[error("`{name}` guards this flow twice")]
    GuardTwice { name: String },
    #[error("{quorum} of {} cannot be", count(*members, "guard"))]
    Quorum { quorum: u32, members: usize },
    #[error("this flow has {found} guards")]
    TooManyGuards { found: usize },
    #[error("all flows together have {found} stages of guards")]
    TooManyStages { found: usize },
    #[error("messages may have {found} bytes, more than a guard can inspect")]
    LongInspection { found: u32 },
    #[error("`verdict_within` is for flows with `guards`")]
    VerdictWithoutGuards,
    #[error("this flow has guards, but the system has no tick that could end their time")]
    GuardsWithoutTick,
    #[error("the audit log cannot have all messages of a one-way flow")]
    OneWayAudited,
    #[error("this flow is one-way, but the system has no tick at which its sends could end")]
    OneWayWithoutTick,
    #[error("messages may have {found} bytes, more than a one-way flow carries")]
    LongOneWay { found: u32 },
    #[error("this flow is one-way, but `{to}` can influence `{from}`: {path}")]
    ReturnPath { from: String, to: String, path: String },
    #[error("`return_path` excuses nothing: {what}")]
    NeedlessReturnPath { what: String },
    #[error("the guard `{guard}` has {what}")]
    GuardConnected { guard: String, what: String },
    #[error("the guard `{guard}` has room for {room} of the {} that go through it", count(*flows, "flow"))]
    GuardTooSmall { guard: String, region: String, room: u64, flows: usize, bytes: u64 },
    #[error("the audit log `{region}` is read by {readers}")]
    AuditReader { region: String, readers: String },
    #[error("`{name}` reads the audit log, and is {what}")]
    AuditParticipant { name: String, what: &'static str },
    #[error("`audit` is for systems with an audit log")]
    AuditWithoutLog,
    #[error("central signals the reader of the audit log at a tick, but the system has none")]
    AuditWithoutTick,
    #[error("messages may have {found} bytes, but `{region}` has {}", count(*bytes, "byte"))]
    LongMessage { region: String, found: u32, bytes: u64 },
    #[error("`{region}` is named like a region of a client, but there is no protection domain `{client}`")]
    OrphanRegion { region: String, client: String, meant: Option<String> },

    // Rules about memory.
    #[error("`{domain}` needs the memory region `{region}`, which does not exist")]
    MissingRegion { domain: String, region: String, bytes: u64 },
    #[error("`{domain}` does not map `{region}`")]
    MissingMap { domain: String, region: String, permissions: &'static str, address: u64 },
    #[error("`{domain}` maps `{region}` with perms `{found}`")]
    WrongPermission { domain: String, region: String, found: String, wanted: &'static str },
    #[error("`{domain}` may execute `{region}`")]
    Executable { domain: String, region: String },
    #[error("{holder} maps `{region}`, which is memory of `{owner}`")]
    ForeignMap { holder: String, region: String, owner: String },
    #[error("`{CENTRAL}` maps `{region}` from the start")]
    StaticBuffer { region: String },
    #[error("the clients `{first}` and `{second}` share the memory region `{region}`")]
    SharedMemory { first: String, second: String, region: String },
    #[error("`{region}` has {found:#x} bytes")]
    WrongSize { region: String, found: u64, wanted: u64 },
    #[error("`{region}` has {found:#x} bytes, more than central can address")]
    BufferTooLarge { region: String, found: u64, largest: u64 },
    #[error("`{region}` has pages of {found:#x} bytes, `large_frames` of `{client}` wants {wanted:#x}")]
    FrameSize { client: String, region: String, found: u64, wanted: u64 },
    #[error("`{region}` has {found:#x} bytes, {}", size_in_frames(*found, *frame))]
    BufferSize { client: String, region: String, found: u64, frame: u64 },
    #[error("the address {address:#x} is not a multiple of the page size {page:#x} of `{region}`")]
    MisalignedMap { region: String, address: u64, page: u64 },
    #[error("in `{domain}`, `{first}` and `{second}` overlap")]
    OverlappingMaps { domain: String, first: String, second: String },
    #[error("`{region}` lies in central's window or wraps around")]
    MapInWindow { region: String },
    #[error("`{region}` is mapped at the address 0")]
    MapAtZero { region: String },
    #[error("`{region}` ends at {end:#x}, in the stack of `{domain}` or above it")]
    MapTooHigh { domain: String, region: String, end: u64, limit: u64 },
    #[error("`{domain}` maps `{region}` uncached")]
    Uncached { domain: String, region: String },
    #[error("`{region}` is cached in one map and not in another, in line {first}")]
    CachedDiffers { region: String, first: usize },
    #[error("`{first}` and `{second}` are the same physical memory")]
    PhysicalOverlap { first: String, second: String },
    #[error("`{holder}` holds capabilities of `{held}`")]
    HeldCapability { holder: String, held: String },
    #[error("`{parent}` is the parent of `{child}`")]
    ParentOfAnother { parent: String, child: String },
    #[error("{what}")]
    HiddenPath { what: String, remedy: String },
    #[error("`{name}` is trusted, but there is no such {what}")]
    UnknownTrusted { name: String, what: &'static str },
    #[error("`{name}` is trusted, but takes part in flows itself")]
    TrustedParticipant { name: String },
    #[error("`{name}` is trusted, but nothing needs that")]
    NeedlessTrust { name: String },
    #[error("`{name}` is trusted twice")]
    TrustedTwice { name: String },
    #[error("`{name}` is trusted without a reason")]
    TrustedWithoutReason { name: String },
    #[error("this names {found} to trust")]
    TrustedNames { found: &'static str },
    #[error("the configuration needs {needed:#x} bytes, `{CONFIG_REGION}` has {found:#x}")]
    ConfigTooSmall { found: u64, needed: u64 },

    // Rules about signals.
    #[error("`{domain}` has no channel to `{CENTRAL}`")]
    MissingChannel { domain: String, ids: [u8; 2] },
    #[error("`{domain}` may not signal `{other}`")]
    SilentChannel { domain: String, other: String },
    #[error("`{domain}` may make protected procedure calls to `{other}`")]
    ProtectedCall { domain: String, other: String },
    #[error("the clients `{first}` and `{second}` have a channel of their own")]
    ConnectedClients { first: String, second: String },
    #[error("`{domain}` has the number {id} twice, first in line {first}")]
    DuplicateChannel { domain: String, id: u8, first: usize, free: Option<u8> },
    #[error("both ends may make protected procedure calls")]
    CallsBothWays,
    #[error("`{caller}` of priority {priority} may call `{callee}` of priority {other}")]
    CallPriority { caller: String, priority: u8, callee: String, other: u8 },
    #[error("`{domain}` sets the symbol `{symbol}`, which Ferry sets")]
    ReservedSymbol { domain: String, symbol: String },
    #[error("no setvar sets the symbol `{symbol}` in `{domain}`")]
    MissingSetvar { domain: String, attribute: &'static str, symbol: String },
    #[error("`{domain}` gets the symbol `{symbol}` twice")]
    DuplicateSymbol { domain: String, symbol: String },

    // Rules about time.
    #[error("`{CENTRAL}` has priority {central}, its client `{client}` has {priority}")]
    CentralPriority { client: String, priority: u8, central: u8 },
    #[error("`{TICKER}` has priority {ticker}, `{other}` has {priority}")]
    TickerPriority { other: String, priority: u8, ticker: u8 },
    #[error("there is a tick, but no protection domain `{TICKER}`")]
    TickWithoutTicker,
    #[error("there is a protection domain `{TICKER}`, but no tick")]
    TickerWithoutTick,
    #[error("the tick has a period of {tick} us, `{TICKER}` has {ticker} us")]
    TickPeriod { tick: u32, ticker: u64 },
    #[error("`{name}` has a budget of {budget} us in a period of {period} us")]
    TickerBudget { name: String, budget: u64, period: u64 },
    #[error("`[[partition]]` is for systems with a domain schedule")]
    PartitionWithoutSchedule,
    #[error("`{name}` announces a partition, and is {what}")]
    AnnouncerParticipant { name: String, what: &'static str },
    #[error("the scheduling domain `{domain}` has two announcers")]
    PartitionTwice { domain: String },
    #[error("`{name}` has priority {priority}, `{other}` of the same scheduling domain has {others}")]
    AnnouncerPriority { name: String, priority: u8, other: String, others: u8 },
    #[error("`{name}` has a period of {period} us, its time slots begin {distance} us apart")]
    AnnouncerPeriod { name: String, period: u64, distance: u64 },
    #[error("the time slot of `{domain}` is measured in ticks, in a schedule with partitions")]
    SlotInTicks { domain: String },
    #[error("`{name}` is in the scheduling domain `{domain}` of central")]
    InCentralsDomain { name: String, domain: String },
    #[error("nobody announces the scheduling domain `{domain}` of `{client}`")]
    NoAnnouncer { client: String, domain: String },
    #[error("the time slot of `{next}` comes after that of `{domain}`, and central has none between them")]
    NoExchange { domain: String, next: String, central: String },
    #[error("`{one}` and `{other}` notice each other by this flow, and are in different partitions")]
    FlowBetweenPartitions { one: String, other: String },

    // Rules about what a platform lacks.
    #[error("`{region}` of line {line} has no physical address to set")]
    RegionAddress { region: String, line: usize, platform: &'static str },
    #[error("{what} does not exist on {platform}")]
    NotOnPlatform { what: String, platform: &'static str },
    #[error("{platform} has no {what}")]
    PlatformInterrupt { what: String, most: u64, platform: &'static str },
    #[error("the kernel of {platform} keeps interrupt {number} to itself")]
    KernelInterrupt { number: u64, platform: &'static str },
    #[error("priority {priority} is above those of {platform}")]
    PlatformPriority { priority: u8, highest: u8, platform: &'static str },
    #[error("{platform} has no processor core {core}")]
    PlatformCore { core: u8, cores: u8, platform: &'static str },
    #[error("{platform} cannot count a period of {period} us")]
    PlatformPeriod { period: u32, least: u32, most: u32, platform: &'static str },
    #[error("`{region}` lies outside of what {platform} can map")]
    PlatformAddress { region: String, least: u64, most: u64, platform: &'static str },
    #[error("`{region}` has the physical addresses {start:#x} to {end:#x}, which {platform} cannot give")]
    PlatformPhysical { region: String, start: u64, end: u64, ranges: String, platform: &'static str },
    #[error("all regions, contents and stacks need {needed:#x} bytes, more than {platform} has")]
    PlatformMemory { needed: u128, most: u64, platform: &'static str },
    #[error("all regions and stacks need {needed} frames and maps, more than {platform} can make")]
    PlatformFrames { needed: u128, most: u64, platform: &'static str },
    #[error("no program of {platform} is called `{program}`")]
    UnknownProgram { program: String, platform: &'static str, meant: Option<String>, known: String },
    #[error("`{region}` is mapped over the program of `{domain}`{file}, which is at {start:#x} to {end:#x}")]
    MapOverProgram { domain: String, file: String, region: String, start: u64, end: u64 },
    #[error("`{region}` may be written and executed, which {platform} never allows")]
    WritableCode { region: String, platform: &'static str },
}

impl Problem {
    /// The names of all rules.
    pub const RULES: &'static [&'static str] = Self::VARIANTS;

    /// The rule's name.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.into()
    }
}

/// What is wrong with the size of a buffer that is made of frames of `frame` bytes.
fn size_in_frames(found: u64, frame: u64) -> String {
    if found < frame {
        format!("too few for one large frame of {frame:#x}")
    } else {
        format!("which is no multiple of its large frames of {frame:#x}")
    }
}
