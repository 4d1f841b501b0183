//! What a system is built for: a platform, and on Microkit also a board and a configuration of the kernel.

use crate::board::BoardParser;
use clap::{Args, ValueEnum};
use ferry_boards::{Board, MICROKIT, PC99};
use ferry_description::{Description, Platform as Rules};
use serde::Deserialize;
use std::num::NonZeroUsize;

/// What protection domains run on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Platform {
    /// The seL4 5.0.0 kernel inside the crate sel4-sys, on an x86-64 PC.
    Classic,
    /// seL4 16 and Microkit 2.3, from an SDK.
    Microkit,
    /// Linux processes on this machine: no seL4, no emulator, no image.
    Hosted,
}

impl Platform {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Microkit => "microkit",
            Self::Hosted => "hosted",
        }
    }
}

/// What to build for, as the command line takes it.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct TargetArguments {
    /// The platform.
    #[arg(long, value_enum, default_value = "classic")]
    platform: Platform,
    /// The board, on Microkit. By default `qemu_virt_aarch64`.
    #[arg(long, value_parser = BoardParser)]
    board: Option<&'static Board>,
    /// The kernel's configuration, on Microkit. By default debug.
    #[arg(long, value_enum)]
    config: Option<Config>,
    /// Number of processors that a system may use on the hosted platform. By default all. With 1, protection
    /// domains are also scheduled by priority, if Linux allows that for this user.
    #[arg(long, value_name = "NUMBER")]
    processors: Option<NonZeroUsize>,
}

/// What to build for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) platform: Platform,
    /// The board, on Microkit.
    pub(crate) board: &'static Board,
    /// The kernel's configuration, on Microkit.
    pub(crate) config: Config,
    /// Number of processors that a system may use on the hosted platform. By default all.
    pub(crate) processors: Option<NonZeroUsize>,
}

/// The targets that a caller wants: of one platform, of one board, or all.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    platform: Option<Platform>,
    board: Option<&'static Board>,
}

impl Wanted {
    /// Those that the caller names. Only Microkit has boards and configurations to choose from, so one of
    /// these implies Microkit, and is refused beside another platform, which would ignore it.
    pub(crate) fn new(
        platform: Option<Platform>,
        board: Option<&'static Board>,
        config: Option<Config>,
    ) -> Result<Self, IgnoredOption> {
        let given = [("--board", board.is_some()), ("--config", config.is_some())];
        let given = given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option);
        match (platform, given) {
            (Some(platform), Some(option)) if platform != Platform::Microkit => {
                Err(IgnoredOption { option, only: Platform::Microkit.name(), platform: platform.name() })
            }
            _ => Ok(Self { platform: platform.or(given.map(|_| Platform::Microkit)), board }),
        }
    }

    /// The one platform, if the caller wants no other.
    pub(crate) const fn platform(self) -> Option<Platform> {
        self.platform
    }

    /// Whether targets of this platform can be among them.
    pub(crate) fn includes_some_of(self, platform: Platform) -> bool {
        self.platform.is_none_or(|only| only == platform)
    }

    /// Whether this one is among them.
    pub(crate) fn includes(self, target: &Target) -> bool {
        let has_boards = target.platform == Platform::Microkit;
        self.includes_some_of(target.platform)
            && (!has_boards || self.board.is_none_or(|only| only == target.board))
    }
}

/// An option that the platform would ignore.
#[derive(Debug, thiserror::Error)]
#[error(
    "{option} is for {only} only, and the platform is {platform}; leave it out, or add --platform {only}"
)]
pub(crate) struct IgnoredOption {
    option: &'static str,
    only: &'static str,
    platform: &'static str,
}

impl TargetArguments {
    /// The target. Options that it would ignore are refused.
    pub(crate) fn target(&self) -> Result<Target, IgnoredOption> {
        let given = [
            ("--board", Platform::Microkit, self.board.is_some()),
            ("--config", Platform::Microkit, self.config.is_some()),
            ("--processors", Platform::Hosted, self.processors.is_some()),
        ];
        if let Some((option, only, _)) =
            given.into_iter().find(|(_, only, is_given)| *is_given && *only != self.platform)
        {
            return Err(IgnoredOption { option, only: only.name(), platform: self.platform.name() });
        }
        Ok(Target {
            platform: self.platform,
            board: self.board.unwrap_or(&MICROKIT[0]),
            config: self.config.unwrap_or(Config::Debug),
            processors: self.processors,
        })
    }
}

/// Which programs of a platform are built, and with which features.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Selection {
    /// Central and the clients.
    System,
    /// The programs of the tests and the benchmarks too.
    Tests,
    /// The same, with a central that has no express lane.
    TestsWithoutExpress,
}

impl Selection {
    /// Cargo's arguments. `domains` is the package of the protection domains.
    pub(crate) fn arguments(self, domains: &str) -> Vec<String> {
        let mut arguments = Vec::new();
        if self == Self::TestsWithoutExpress {
            // No other package that is built together with these has default features.
            arguments.push("--no-default-features".to_owned());
        }
        if self != Self::System {
            arguments.extend(["--features".to_owned(), format!("{domains}/harness")]);
        }
        arguments
    }

    /// The directory for these programs, which have the names that those of another selection have.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Tests => "tests",
            Self::TestsWithoutExpress => "tests-without-express",
        }
    }

    /// The directory below Cargo's own for what is built for Microkit, if it is not the usual one.
    pub(crate) fn directory(self) -> Option<&'static str> {
        match self {
            Self::System | Self::Tests => None,
            Self::TestsWithoutExpress => Some("without-express"),
        }
    }
}

/// A configuration of Microkit's kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Config {
    /// The kernel prints, and checks its own invariants.
    Debug,
    /// The kernel as it is shipped.
    Release,
    /// The kernel counts events and keeps a log of them.
    Benchmark,
    /// As debug, on several cores.
    SmpDebug,
    /// As release, on several cores.
    SmpRelease,
    /// As benchmark, on several cores.
    SmpBenchmark,
}

impl Config {
    /// The name of the configuration in the SDK.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
            Self::Benchmark => "benchmark",
            Self::SmpDebug => "smp-debug",
            Self::SmpRelease => "smp-release",
            Self::SmpBenchmark => "smp-benchmark",
        }
    }

    /// The debug configuration for a system: that with several cores, if the system needs them.
    pub(crate) fn debug_for(description: &Description) -> Self {
        if description.system.highest_core() > 0 { Self::SmpDebug } else { Self::Debug }
    }

    /// Whether the kernel runs on several cores.
    pub(crate) fn has_several_cores(self) -> bool {
        matches!(self, Self::SmpDebug | Self::SmpRelease | Self::SmpBenchmark)
    }

    /// Whether the kernel prints while it boots, and for protection domains.
    pub(crate) fn talks(self) -> bool {
        matches!(self, Self::Debug | Self::SmpDebug)
    }
}

impl Target {
    /// All targets with this configuration: every platform, and for Microkit every board of the table.
    pub(crate) fn all(config: Config) -> impl Iterator<Item = Self> {
        Self::all_with(config, None)
    }

    /// The same, and `more`, which may be a board that only the SDK has.
    pub(crate) fn all_with(config: Config, more: Option<&'static Board>) -> impl Iterator<Item = Self> {
        // Only Microkit has boards to choose from.
        let without_board = [Platform::Classic, Platform::Hosted].map(|platform| (platform, &MICROKIT[0]));
        let more = more.filter(|more| Board::of_microkit(more.name).is_none());
        let boards = MICROKIT.iter().chain(more).map(|board| (Platform::Microkit, board));
        let places = without_board.into_iter().chain(boards);
        places.map(move |(platform, board)| Self { platform, board, config, processors: None })
    }

    /// The board to emulate: on classic always the PC, on Microkit the chosen board, on hosted none.
    pub(crate) fn emulated_board(&self) -> Option<&'static Board> {
        match self.platform {
            Platform::Classic => Some(&PC99),
            Platform::Microkit => Some(self.board),
            Platform::Hosted => None,
        }
    }

    /// Whether its kernel runs on several cores.
    pub(crate) fn has_several_cores(&self) -> bool {
        self.platform == Platform::Microkit && self.config.has_several_cores()
    }

    /// What a system description for it may say.
    pub(crate) fn rules(&self) -> Rules {
        match self.platform {
            Platform::Classic => Rules::CLASSIC,
            Platform::Microkit => self.board.rules(self.config.has_several_cores()),
            Platform::Hosted => Rules::HOSTED,
        }
    }

    /// The name under which results and files of this target are kept.
    pub(crate) fn name(&self) -> &'static str {
        match self.platform {
            Platform::Microkit => self.board.name,
            platform => platform.name(),
        }
    }
}
