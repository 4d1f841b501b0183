//! The measured system with clients in C (`bench/c`). They do what those in Rust do, so the difference is
//! what the interface of `ferry.h` costs.

use crate::c;
use crate::target::Target;
use ferry_rows::case::{Busy, Case, PAYLOADS, Policy};

/// What is replaced in `bench/system.xml`.
const REPLACED: [(&str, &str); 2] =
    [("\"producer.elf\"", "\"c_producer.elf\""), ("\"consumer.elf\"", "\"c_consumer.elf\"")];

/// The name of the carrier whose clients are in C, beside one whose clients are in Rust.
pub(super) fn carrier_of(carrier: &str) -> String {
    format!("{carrier} in C")
}

/// The description of the pair, with programs in C.
pub(super) fn describe(system: &str, target: Target) -> String {
    let described = REPLACED.iter().fold(system.to_owned(), |text, (rust, c)| text.replace(rust, c));
    c::with_registers(&described, target)
}

/// Whether there are clients in C for the case.
pub(super) fn is_possible(case: &Case) -> bool {
    case.clients == 2 && case.busy == Busy::One && case.frames.are_small() && case.way.is_plain()
}

/// Whether the case is measured with clients in C unless the caller asks for others: the smallest messages,
/// of which the client is the largest part, in all batches.
pub(super) fn is_compared(case: Case) -> bool {
    is_possible(&case) && case.payload == PAYLOADS[0] && case.policy == Policy::Keep
}

#[cfg(test)]
mod tests {
    use crate::target::{Config, Platform, Target};
    use ferry_description::{Description, Source};

    #[test]
    fn the_system_with_clients_in_c_is_valid_and_has_no_other_clients() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../bench"));
        let read = |name: &str| Source::read(&root.join(name)).unwrap();
        for target in Target::all(Config::Release).filter(|target| target.platform != Platform::Hosted) {
            let source = Source::new("system.xml", super::describe(read("system.xml").text(), target));
            let description = Description::check(&source, &read("flows-keep.toml"), &[]);
            let description = description.map_err(|mistakes| mistakes.render(false)).unwrap();
            let domains = &description.system.domains;
            let programs: Vec<(&str, bool)> =
                domains.iter().map(|domain| (domain.binary(), domain.fpu)).collect();
            let is_microkit = target.platform == Platform::Microkit;
            let has_fpu = is_microkit && target.board.architecture.c_needs_fpu;
            let expected = [("central", true), ("c_producer", has_fpu), ("c_consumer", has_fpu)];
            assert_eq!(programs, expected, "{}", target.name());
        }
    }
}
