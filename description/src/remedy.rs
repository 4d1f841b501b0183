//! What to do about the rules that Microkit's tool, its kernels and the programs impose: names, limits,
//! contents, schedules.

mod influence;

use crate::limits::{MAX_DOMAINS, SCHEDULE_DOMAINS, SCHEDULE_ENTRIES};
use crate::problem::Problem;
use ferry_layout::geometry::{MAX_GUARDS, MAX_INSPECTED, MAX_STAGES};

/// What to do about a broken rule. Empty for the rules that another function of [`Problem`] answers.
pub(crate) fn of(problem: &Problem) -> String {
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
