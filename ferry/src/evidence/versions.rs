//! `versions.json`: of what the evidence is, and with which tools it was made. What a machine cannot say is
//! null.

use super::git::{self, State};
use super::subject::{FORMAT, Subject};
use crate::microkit::Sdk;
use crate::target::Platform;
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// All versions.
#[derive(Serialize)]
pub(super) struct Versions {
    /// The version of the evidence's own format.
    evidence: u32,
    ferry: Ferry,
    pub(super) project: Project,
    pub(super) target: Target,
    /// The kernel that the image boots, or on the hosted platform Linux.
    pub(super) kernel: Option<String>,
    microkit_sdk: Option<String>,
    /// What boots the tests.
    emulator: Option<String>,
    /// The lines of `rustc -vV`.
    rustc: Vec<String>,
    cargo: Option<String>,
}

/// This program and the sources that it builds central from.
#[derive(Serialize)]
struct Ferry {
    version: &'static str,
    /// The version of the shared memory's layout.
    abi: u32,
    git: Option<State>,
}

#[derive(Serialize)]
pub(super) struct Project {
    pub(super) name: String,
    pub(super) git: Option<State>,
}

#[derive(Serialize)]
pub(super) struct Target {
    pub(super) platform: &'static str,
    /// The board, on Microkit.
    pub(super) board: Option<&'static str>,
    /// The kernel's configuration, on Microkit.
    pub(super) config: Option<&'static str>,
    /// Whether the image is one for use, without output of protection domains.
    pub(super) product: bool,
}

impl Versions {
    /// Asks the tools. `evidence` is the directory of the evidence, which is no part of the sources.
    pub(super) fn of(subject: &Subject<'_>, evidence: &Path) -> Self {
        let Subject { target, project, workspace, .. } = subject;
        let on_microkit = target.platform == Platform::Microkit;
        let sdk = Sdk::find().ok().filter(|_| on_microkit);
        let microkit_sdk = sdk.and_then(|sdk| fs::read_to_string(sdk.directory.join("VERSION")).ok());
        let microkit_sdk = microkit_sdk.map(|version| version.trim().to_owned());
        let kernel = match target.platform {
            Platform::Classic => Some("seL4 5.0.0 of the crate sel4-sys, for x86-64".to_owned()),
            Platform::Microkit => {
                microkit_sdk.as_ref().map(|version| format!("seL4 of the Microkit SDK {version}"))
            }
            Platform::Hosted => fs::read_to_string("/proc/sys/kernel/osrelease")
                .ok()
                .map(|release| format!("Linux {}", release.trim())),
        };
        let emulator = target.emulated_board().and_then(|board| board.emulator);
        Self {
            evidence: FORMAT,
            ferry: Ferry {
                version: env!("CARGO_PKG_VERSION"),
                abi: ferry_layout::ABI_VERSION,
                git: git::state_of_root(&workspace.root, evidence),
            },
            project: Project { name: project.name(), git: git::state(&project.directory, evidence) },
            target: Target {
                platform: target.platform.name(),
                board: on_microkit.then_some(target.board.name),
                config: on_microkit.then(|| target.config.name()),
                product: subject.product,
            },
            kernel,
            microkit_sdk,
            emulator: emulator.and_then(|emulator| lines(emulator.program, "--version").into_iter().next()),
            rustc: lines("rustc", "-vV"),
            cargo: lines("cargo", "--version").into_iter().next(),
        }
    }
}

/// What a program says of its version.
fn lines(program: &str, option: &str) -> Vec<String> {
    let output = Command::new(program).arg(option).stdin(Stdio::null()).output();
    let output = output.ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().map(ToOwned::to_owned).collect()
}

/// The target that programs for this machine are compiled for.
pub(super) fn host() -> Option<String> {
    lines("rustc", "-vV").iter().find_map(|line| line.strip_prefix("host: ").map(ToOwned::to_owned))
}
