//! Which scenarios every run of the tests also plays with several cores: fewer where these take turns,
//! because this machine has too few processors. `self_test.rs` calls this. `make test-cores` plays all
//! scenarios.

use crate::cores;
use crate::error::Error;
use crate::output::line;
use crate::target::{Config, Platform, Target};
use ferry_boards::Processors;
use ferry_harness::{Feature, SCENARIOS, Scenario};

/// The same board with a kernel for several cores.
pub(crate) fn of(target: Target) -> Target {
    Target { config: Config::SmpRelease, ..target }
}

/// Whether the cores of scenarios take turns there, because this machine has too few processors.
pub(crate) fn in_turns(several: Target) -> bool {
    matches!(cores::of_tests(several, cores::ONE_OTHER), Processors::InTurns { .. })
}

/// Whether every run of the tests plays the scenario on several cores too: those in which mallory really
/// writes while central reads, restarts, and one of each kind of transfer. A few of mallory's take a minute
/// there; they run with the others, by `--config smp-release`. Where the processors take turns, all take
/// longer. Then of mallory's two run, one restart, and one between programs in C.
pub(crate) fn is_played(scenario: &Scenario, in_turns: bool) -> bool {
    const LONG: [&str; 3] = ["t38", "t63", "t66"];
    const TRANSFERS: [&str; 4] = ["r01", "r02", "r03", "r04"];
    const IN_TURNS: [&str; 4] = ["t11_", "t36_", "t81_", "r16_in_c_entries_are_removed_all_at_once"];
    let is_one_of = |names: &[&str]| names.iter().any(|name| scenario.name.starts_with(name));
    let is_hostile = || scenario.mallory.is_some() && !is_one_of(&LONG) || scenario.name.starts_with("t8");
    is_one_of(&TRANSFERS)
        || needs_processors(scenario)
        || if in_turns { is_one_of(&IN_TURNS) } else { is_hostile() }
}

/// Says how many scenarios ran on several cores that took turns.
pub(crate) fn say_who_took_turns(targets: &[Target]) -> Result<(), Error> {
    let on_microkit = targets.iter().filter(|target| target.platform == Platform::Microkit);
    let these = on_microkit.filter(|target| in_turns(of(**target)));
    let boards: Vec<&str> = these.map(|target| target.board.name).collect();
    if boards.is_empty() {
        return Ok(());
    }
    // The others are left out with several cores.
    let is_possible = |scenario: &&Scenario| {
        let one_core = [Feature::Priorities, Feature::Clock];
        !scenario.needs.iter().any(|feature| one_core.contains(feature))
    };
    let possible = SCENARIOS.iter().filter(is_possible);
    let ran = possible.clone().filter(|scenario| is_played(scenario, true)).count();
    line(format_args!(
        "several cores took turns ({}): {ran} of {} scenarios ran; `make test-cores` runs all",
        boards.join(", "),
        possible.count()
    ))?;
    Ok(())
}

/// Whether the scenario needs clients that run at the same time as central.
pub(crate) fn needs_processors(scenario: &Scenario) -> bool {
    scenario.needs.contains(&Feature::Processors)
}
