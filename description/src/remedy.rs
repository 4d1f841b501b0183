//! What to do about each broken rule: a match for each group of rules, which leaves all other rules to the
//! next one. The last ones are in `influence.rs`.

mod influence;

use crate::limits::{
    CENTRAL, LARGE_PAGE_BYTES, MAX_DOMAINS, MAX_SHOWN_NAME, PAGE_BYTES, SCHEDULE_DOMAINS, SCHEDULE_ENTRIES,
    WINDOW_ADDRESS,
};
use crate::problem::Problem;
use ferry_layout::geometry::{MAX_CLIENTS, MAX_GUARDS, MAX_INSPECTED, MAX_NAME, MAX_STAGES};

impl Problem {
    /// What to do about it. A phrase without a capital letter or a full stop.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::UnknownElement { meant: Some(meant), .. }
            | Self::UnknownAttribute { meant: Some(meant), .. }
            | Self::UnknownRegion { meant: Some(meant), .. }
            | Self::UnknownDomain { meant: Some(meant), .. }
            | Self::UnknownClient { meant: Some(meant), .. }
            | Self::UnknownScheduleDomain { meant: Some(meant), .. }
            | Self::UnknownProgram { meant: Some(meant), .. }
            | Self::OrphanRegion { meant: Some(meant), .. } => format!("did you mean `{meant}`?"),
            Self::NotXml { .. } => "write a Microkit 2.3 system description".into(),
            Self::NotToml { .. } => "docs/flows.md lists every key and its values".into(),
            Self::UnknownElement { .. } => "remove it, or check the spelling in Microkit's manual".into(),
            Self::UnknownAttribute { known, .. } if known.is_empty() => "remove it".into(),
            Self::UnknownAttribute { known, .. } => format!("known attributes: {known}"),
            Self::MissingAttribute { attribute, free: Some(free), .. } => {
                format!("add {attribute}=\"{free}\", which is free")
            }
            Self::MissingAttribute { attribute, .. } => format!("add {attribute}=\"…\""),
            Self::BadValue { expected, .. } => format!("write {expected}"),
            Self::DuplicateName { .. } => "give one of the two another name".into(),
            Self::UnknownRegion { name, .. } => {
                format!("add <memory_region name=\"{name}\" size=\"…\" /> or correct the name")
            }
            Self::UnknownDomain { name, .. } => {
                format!("add <protection_domain name=\"{name}\">…</protection_domain> or correct the name")
            }
            Self::ChannelEnds { .. } => "write two <end pd=\"…\" id=\"…\" /> elements".into(),
            Self::ProgramImages { .. } => "write one <program_image path=\"…\" />".into(),
            _ => self.remedy_of_rule(),
        }
    }

    /// The remedies of the rules about participants, memory, signals and time.
    fn remedy_of_rule(&self) -> String {
        match self {
            Self::NoCentral => {
                "add <protection_domain name=\"central\"> with Ferry's central.elf as its program".into()
            }
            Self::TooManyClients { .. } => {
                format!(
                    "keep to {MAX_CLIENTS}, or give some of them a central of their own in another system"
                )
            }
            Self::NameTooLong { .. } => format!("shorten it to {MAX_NAME} bytes"),
            Self::CutName { .. } => format!("shorten it to {MAX_SHOWN_NAME} bytes"),
            Self::UnknownClient { name, .. } => {
                format!("add the protection domain `{name}` to the system description or correct the name")
            }
            Self::NotAClient { .. } => "name protection domains that send or receive".into(),
            Self::FlowToSelf { .. } => "remove it; a client reaches its own memory without central".into(),
            Self::DuplicateFlow { .. } => "remove one of the two".into(),
            Self::TickerPriority { priority, .. } => {
                format!("give the ticker a priority above {priority}, so that nobody can starve the tick")
            }
            Self::CentralPriority { priority, .. } => {
                format!(
                    "give central a priority above {priority}, so that a signal to it takes effect at once"
                )
            }
            Self::TickWithoutTicker => "add the protection domain `ticker`, or remove [tick]".into(),
            Self::TickerWithoutTick => "add [tick] with period_us to flows.toml, or remove the ticker".into(),
            Self::TickPeriod { tick, .. } => format!("write period=\"{tick}\" there, or change period_us"),
            Self::TickerBudget { period, .. } => format!(
                "write a budget below {period}, such as budget=\"{}\"; a ticker that is never out of budget never waits for the next period",
                (period / 10).max(1)
            ),
            Self::MissingChannel { domain, ids: [central, own] } => format!(
                "add <channel><end pd=\"{CENTRAL}\" id=\"{central}\" /><end pd=\"{domain}\" id=\"{own}\" setvar_id=\"ferry_central\" /></channel>"
            ),
            Self::SilentChannel { .. } => "remove notify=\"false\"".into(),
            Self::ProtectedCall { .. } => "remove pp=\"true\"; central serves signals alone".into(),
            Self::ConnectedClients { first, second } => {
                format!("remove it and list a flow from `{first}` to `{second}`; central does the signalling")
            }
            Self::DuplicateChannel { free: Some(free), .. } => format!("write id=\"{free}\", which is free"),
            Self::DuplicateChannel { .. } => "give one of the two another id".into(),
            Self::MissingSetvar { attribute, symbol, .. } => format!("add {attribute}=\"{symbol}\" here"),
            Self::DuplicateSymbol { .. } => "remove one of the two, or name another symbol".into(),
            _ => self.remedy_of_memory(),
        }
    }

    fn remedy_of_memory(&self) -> String {
        match self {
            Self::MissingRegion { region, bytes, .. } => {
                // Only a buffer of large frames is so large.
                let page = if bytes.is_multiple_of(LARGE_PAGE_BYTES) { LARGE_PAGE_BYTES } else { PAGE_BYTES };
                format!("add <memory_region name=\"{region}\" size=\"{bytes:#x}\" page_size=\"{page:#x}\" />")
            }
            Self::MissingMap { region, permissions, address, .. } => {
                format!("add <map mr=\"{region}\" vaddr=\"{address:#x}\" perms=\"{permissions}\" /> to it")
            }
            Self::WrongPermission { wanted, .. } => format!("write perms=\"{wanted}\""),
            Self::Executable { .. } => {
                "remove `x`; nothing that can be written or received is ever code".into()
            }
            Self::ForeignMap { owner, .. } => {
                format!(
                    "remove the mapping; only `{owner}` and `{CENTRAL}` may reach it, data goes by a flow"
                )
            }
            Self::StaticBuffer { .. } => {
                "remove the mapping; central maps frames of it for each transfer".into()
            }
            Self::SharedMemory { first, second, .. } => {
                format!("give each a region of its own and list a flow from `{first}` to `{second}`")
            }
            Self::WrongSize { wanted, .. } => format!("write size=\"{wanted:#x}\""),
            Self::BufferTooLarge { largest, .. } => {
                format!("keep to {largest:#x} bytes, or set large_frames = true for up to 0x40000000")
            }
            Self::FrameSize { client, wanted, .. } => format!(
                "write page_size=\"{wanted:#x}\" and a size that is a multiple of it, or change large_frames in [client.{client}]"
            ),
            Self::BufferSize { client, found, frame, .. } => format!(
                "write size=\"{:#x}\", or remove large_frames from [client.{client}]",
                found.checked_next_multiple_of(*frame).unwrap_or(*frame)
            ),
            Self::MisalignedMap { page: PAGE_BYTES, .. } => {
                format!("move it to a multiple of {PAGE_BYTES:#x}")
            }
            Self::MisalignedMap { page, .. } => {
                format!("move it to a multiple of {page:#x}, or state page_size=\"0x1000\" for the region")
            }
            Self::OverlappingMaps { .. } => "move one of the two".into(),
            Self::MapInWindow { .. } => format!("map it below {WINDOW_ADDRESS:#x}"),
            Self::PhysicalOverlap { .. } => "move one of the two, or leave the address to the tool".into(),
            Self::HeldCapability { held, .. } => {
                format!("remove the capability; with it the holder could read what `{held}` reads")
            }
            Self::ConfigTooSmall { needed, .. } => {
                format!("write size=\"{:#x}\"", needed.next_multiple_of(PAGE_BYTES))
            }
            _ => of(self),
        }
    }
}

/// The remedies of the rules that Microkit's tool, its kernels and the programs impose: names, limits,
/// contents, schedules. Empty for the rules that a method of [`Problem`] answers.
fn of(problem: &Problem) -> String {
    match problem {
        Problem::DocumentType => "remove <!DOCTYPE …>; a system description has none".into(),
        Problem::TooDeep { .. } => "write child domains side by side where they need no parent".into(),
        Problem::StrayText => "remove it, or make it a comment: <!-- … -->".into(),
        Problem::BadName { .. } => {
            "write letters (a-z, A-Z), digits, `_`, `-` and `.`, and no two dots in a row".into()
        }
        Problem::BadPath { .. } => {
            "write a path without control characters, and without blanks at its ends".into()
        }
        Problem::BadSymbol { .. } => "write the name of a global variable, as in ferry_out".into(),
        Problem::ReservedName { .. } => "choose another name".into(),
        Problem::TooManyDomains { .. } => {
            format!("keep to {MAX_DOMAINS}: Microkit has numbers for 63, and one is Ferry's supervisor")
        }
        Problem::NoFlows => "list who may send to whom: [[flow]] with from = \"…\" and to = \"…\"".into(),
        Problem::LongMessage { bytes, .. } => {
            format!("write max_message = {bytes} or less, or make the region larger")
        }
        Problem::GuardInFlow { .. } => {
            "guard the flow with another protection domain; a guard has no flow".into()
        }
        Problem::NoGuards => "name a guard, or remove the key".into(),
        Problem::GuardTwice { .. } => "name each guard once; a second look would be the same".into(),
        Problem::Quorum { .. } => "write a quorum of 1 up to the number of names in `of`".into(),
        Problem::TooManyGuards { .. } => format!("keep to {MAX_GUARDS}"),
        Problem::TooManyStages { .. } => format!("keep to {MAX_STAGES}"),
        Problem::LongInspection { .. } => {
            format!("write max_message = {MAX_INSPECTED} or less; a guard looks at a whole message at once")
        }
        Problem::VerdictWithoutGuards => "remove it, or name guards".into(),
        Problem::GuardsWithoutTick => {
            "add a ticker, as docs/system.md says; without it, a guard that never answers would stop the flow"
                .into()
        }
        Problem::GuardConnected { .. } => {
            "remove it; a guard has no device, reaches central alone, and is reached by central alone".into()
        }
        Problem::GuardTooSmall { region, bytes, .. } => format!(
            "make `{region}` {bytes} bytes or larger, so that it holds the longest message of each flow, or \
             write a smaller max_message in these flows"
        ),
        Problem::OrphanRegion { client, .. } => {
            format!("add the protection domain `{client}`, or end the name differently")
        }
        Problem::MapAtZero { .. } => "map it at a higher address; a program takes 0 for no address".into(),
        Problem::MapTooHigh { limit, .. } => format!("map it so that it ends at {limit:#x} or below"),
        Problem::Uncached { .. } => {
            "remove cached=\"false\"; central and its clients share cached memory".into()
        }
        Problem::CachedDiffers { .. } => {
            "write the same `cached` in all maps of the region; the processor keeps only one of them true"
                .into()
        }
        Problem::CallsBothWays => "remove pp=\"true\" at the end with the higher priority".into(),
        Problem::CallPriority { callee, priority, .. } => {
            format!("give `{callee}` a priority above {priority}; who answers calls runs above its callers")
        }
        Problem::ReservedSymbol { .. } => "name another symbol".into(),
        Problem::NotOnPlatform { .. } => "remove it, or choose another platform or board".into(),
        Problem::RegionAddress { platform, .. } => {
            format!(
                "add phys_addr=\"…\" to the region; for {platform} nobody can choose an address before it boots"
            )
        }
        Problem::PlatformInterrupt { most: 0, .. } => "write 0".into(),
        Problem::PlatformInterrupt { most, .. } => format!("write 0 to {most}"),
        Problem::KernelInterrupt { .. } => "remove it; no program can receive it".into(),
        Problem::PlatformPriority { highest, .. } => format!("keep to {highest}"),
        Problem::PlatformCore { cores: 1, .. } => {
            "write 0; on Microkit the configurations for several cores have more (--config smp-debug)".into()
        }
        Problem::PlatformCore { cores, .. } => format!("keep to cores below {cores}"),
        Problem::PlatformPeriod { least, most, .. } => {
            format!("write {least} to {most}, here and as the ticker's period")
        }
        Problem::PlatformAddress { least, most, .. } => {
            format!("map it from {least:#x} on, so that it ends at {most:#x} or below")
        }
        Problem::PlatformPhysical { ranges, .. } => {
            format!("correct phys_addr; a region can lie within one of these: {ranges}")
        }
        Problem::PlatformMemory { most, .. } => {
            format!("keep to {most:#x} bytes; this is the largest region")
        }
        Problem::PlatformFrames { most, .. } => {
            format!(
                "keep to {most}; this is the largest region: write page_size=\"0x200000\", or make it smaller"
            )
        }
        Problem::UnknownProgram { known, .. } => {
            format!(
                "add it to the project as src/bin/NAME.rs, as c/NAME.c or as an ELF file, name its directory with \
                 --programs, or name one of these: {known}"
            )
        }
        Problem::MapOverProgram { end, .. } => format!("map it above {end:#x}"),
        Problem::WritableCode { .. } => "remove `w` or `x`".into(),
        _ => of_audit(problem),
    }
}

fn of_audit(problem: &Problem) -> String {
    match problem {
        Problem::AuditReader { .. } => {
            "let one protection domain beside central map it, with perms=\"r\"; it can pass on what it reads"
                .into()
        }
        Problem::AuditParticipant { .. } => {
            "let another protection domain read it; a client would learn of all the others past the flows"
                .into()
        }
        Problem::AuditWithoutLog => "add [audit] with region = \"…\", or remove the key".into(),
        Problem::AuditWithoutTick => {
            "add a ticker, as docs/system.md says, or remove the channel between central and the reader"
                .into()
        }
        _ => of_contents_and_schedules(problem),
    }
}

fn of_contents_and_schedules(problem: &Problem) -> String {
    match problem {
        Problem::MissingFile { .. } => {
            "correct the path; it is relative to the system description, or to the current directory".into()
        }
        Problem::EmptyFile { .. } => "write something into it, or leave the region without a file".into(),
        Problem::TwoPrefills => "remove prefill_path or prefill_bootinfo".into(),
        Problem::PrefillTooLong { page, .. } => {
            format!("leave out `size`, or write size=\"{page:#x}\"")
        }
        Problem::PrefillTooShort { page, .. } => {
            format!("leave out `size`, or write size=\"{page:#x}\"; Microkit fills no region in part")
        }
        Problem::PrefillSize { .. } => "add prefill_path to the region, or remove setvar_prefill_size".into(),
        Problem::FilledRegion { .. } => {
            "remove prefill_path and prefill_bootinfo; Ferry and the client write what is in it".into()
        }
        Problem::DomainWithoutSchedule { .. } => {
            "remove `domain`, or write <domains> before the first protection domain".into()
        }
        Problem::NoScheduleDomain { .. } => "add domain=\"…\", one of <domains>".into(),
        Problem::UnknownScheduleDomain { name, .. } => {
            format!("add <domain name=\"{name}\" /> to <domains>, or correct the name")
        }
        Problem::NoSchedule { .. } => "write one <domain_schedule> in it".into(),
        Problem::LateSchedule { .. } => "move <domains> above all protection domains".into(),
        Problem::EmptySchedule => "add <schedule_entry domain=\"…\" duration=\"1000 us\" /> to it".into(),
        Problem::LongSchedule { .. } => format!("keep to {}", SCHEDULE_ENTRIES - 1),
        Problem::SchedulesTwice { .. } => "put both into one".into(),
        Problem::TooManyScheduleDomains { .. } => format!("keep to {SCHEDULE_DOMAINS}"),
        Problem::Unscheduled { domain, .. } => {
            format!("add <schedule_entry domain=\"{domain}\" duration=\"1000 us\" /> to the schedule")
        }
        _ => of_partitions(problem),
    }
}

fn of_partitions(problem: &Problem) -> String {
    match problem {
        Problem::PartitionWithoutSchedule => "add <domains> to the system description, or remove it".into(),
        Problem::AnnouncerParticipant { .. } => {
            "let a protection domain announce it that does nothing else, with Ferry's ticker.elf as its program"
                .into()
        }
        Problem::PartitionTwice { .. } => "remove one of the two".into(),
        Problem::AnnouncerPriority { others, .. } => {
            format!("give the announcer a priority above {others}, so that nobody can delay it")
        }
        Problem::AnnouncerPeriod { distance, .. } => format!(
            "write period=\"{}\" or less, so that it runs again at the beginning of the next one",
            distance / 2
        ),
        Problem::SlotInTicks { .. } => {
            "write all durations in microseconds, such as \"1000 us\"; the period of an announcer has to fit, and how \
             long a tick is depends on the board"
                .into()
        }
        Problem::InCentralsDomain { .. } => {
            "put it into another one; what runs in central's time slots delays it for all partitions".into()
        }
        Problem::NoAnnouncer { domain, .. } => format!(
            "add [[partition]] with announcer = \"…\", a protection domain of `{domain}` that has Ferry's \
             ticker.elf as its program"
        ),
        Problem::NoExchange { central, .. } => {
            format!("add <schedule_entry domain=\"{central}\" duration=\"1000 us\" /> after this one")
        }
        Problem::FlowBetweenPartitions { .. } => {
            "make the flow one-way and put its guards into one scheduling domain, or put them all into one, or \
             remove [[partition]]"
                .into()
        }
        _ => influence::of(problem),
    }
}
