//! The files that describe the measured systems. `bench/system.xml` has a producer and a consumer,
//! `bench/guarded.xml` also guards, and `bench/one-way.xml` a tick. The others are made from the first: with
//! more clients, with clients in C, and with large frames.

use super::{in_c, more_clients};
use crate::description_files::{DescriptionError, DescriptionFiles};
use crate::error::Error;
use crate::file;
use crate::target::Target;
use crate::templates::Language;
use ferry_description::{LARGE_PAGE_BYTES, Source};
use ferry_rows::case::{Case, Frames, Policy, Way};
use std::fmt::Write as _;
use std::path::Path;

/// The directory of the files, in Ferry's sources.
const DIRECTORY: &str = "bench";
/// The system with two clients, the one with guards, and the one for one-way flows.
pub(super) const PAIR: &str = "system.xml";
const GUARDED: &str = "guarded.xml";
const ONE_WAY: &str = "one-way.xml";
/// The two clients.
const CLIENTS: [&str; 2] = ["producer", "consumer"];
/// The pages of the clients' regions in the files.
const SMALL_PAGES: &str = "page_size=\"0x1_000\"";

/// What all cases that are measured in one boot have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Setting {
    pub(super) policy: Policy,
    /// The domains split their buffers once, so all cases of one boot have the same distance between buffers.
    pub(super) stride: u32,
    clients: u16,
    frames: Frames,
    pub(super) way: Way,
}

impl Setting {
    pub(super) const fn of(case: &Case) -> Self {
        let Case { policy, clients, frames, way, .. } = *case;
        Self { policy, stride: case.stride(), clients, frames, way }
    }

    /// The files with this setting. `root` is the directory of Ferry's sources, and `directory` takes the
    /// files that have to be made.
    pub(super) fn files(
        self,
        target: Target,
        language: Language,
        root: &Path,
        directory: &Path,
    ) -> Result<DescriptionFiles, Error> {
        let here = root.join(DIRECTORY);
        let policy = self.policy.to_string();
        let (system, flows) = match self.way {
            Way::Plain => (PAIR, policy.as_str()),
            Way::OneWay => (ONE_WAY, Way::OneWay.word()),
            way => (GUARDED, way.word()),
        };
        let (system, flows) = (here.join(system), here.join(format!("flows-{flows}.toml")));
        let read = |path: &Path| Source::read(path).map_err(DescriptionError::from);
        let (system_source, flows_source) = (read(&system)?, read(&flows)?);
        let mut text = match language {
            Language::Rust if self.clients == 2 => system_source.text().to_owned(),
            Language::Rust => more_clients::describe(&system_source, &flows_source, self.clients)?,
            Language::C => in_c::describe(system_source.text(), target),
        };
        let mut files = DescriptionFiles { system, flows };
        if self.frames == Frames::Large {
            text = with_large_frames(&text);
            files.flows = directory.join("flows.toml");
            file::write(&files.flows, ask_for_large_frames(flows_source.text()))?;
        }
        if text != system_source.text() {
            files.system = directory.join(PAIR);
            file::write(&files.system, text)?;
        }
        Ok(files)
    }
}

/// The system, with the clients' buffers in pages of 2 MiB. Each region has at least one.
fn with_large_frames(system: &str) -> String {
    let large = format!("page_size=\"{LARGE_PAGE_BYTES:#x}\"");
    let is_buffer = |line: &str| {
        CLIENTS.iter().any(|client| {
            line.contains(&format!("name=\"{client}_tx\"")) || line.contains(&format!("name=\"{client}_rx\""))
        })
    };
    let mut text = String::new();
    for line in system.lines() {
        if is_buffer(line) {
            let line = line.replace(SMALL_PAGES, &large);
            let line = line.replace(" size=\"0x1_000\"", &format!(" size=\"{LARGE_PAGE_BYTES:#x}\""));
            let _ = writeln!(text, "{line}");
        } else {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// The flows, with the clients' wish for large frames.
fn ask_for_large_frames(flows: &str) -> String {
    CLIENTS
        .iter()
        .fold(flows.to_owned(), |text, client| format!("{text}\n[client.{client}]\nlarge_frames = true\n"))
}

#[cfg(test)]
mod tests {
    use super::Setting;
    use crate::target::{Config, Target};
    use crate::templates::Language;
    use ferry_description::Description;
    use ferry_rows::case::{Case, Frames, Policy, Way};
    use std::path::Path;

    fn describe(case: &Case) -> Description {
        let directory = tempfile::tempdir().unwrap();
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        // Only clients in C are described differently for each target.
        let target = Target::all(Config::Release).next().unwrap();
        let files = Setting::of(case).files(target, Language::Rust, root, directory.path()).unwrap();
        files.load(&[]).unwrap()
    }

    #[test]
    fn every_measured_system_is_valid_and_as_its_cases_say() {
        let cases = Case::pairs().into_iter().chain(Case::in_large_frames()).chain(Case::other_ways());
        for case in cases {
            let description = describe(&case);
            let [flow] = &description.flows[..] else { panic!("{case}: {:?}", description.flows) };
            assert_eq!(Policy::of(flow.mapping), case.policy, "{case}");
            assert!(flow.max_message >= case.payload, "{case}");
            let bits = if case.frames == Frames::Large { 21 } else { 12 };
            for client in [flow.source, flow.target].map(|client| &description.clients[usize::from(client)]) {
                assert_eq!(
                    [client.transmit, client.receive].map(|buffer| buffer.frame_bits),
                    [bits; 2],
                    "{case}"
                );
            }
            let guards: Vec<(usize, u32)> =
                flow.stages.iter().map(|stage| (stage.members.len(), stage.quorum)).collect();
            let expected: &[(usize, u32)] = match case.way {
                Way::Plain | Way::OneWay => &[],
                Way::OneGuard => &[(1, 1)],
                Way::TwoGuards => &[(1, 1), (1, 1)],
                Way::Quorum => &[(3, 2)],
            };
            assert_eq!((guards.as_slice(), flow.one_way), (expected, case.way == Way::OneWay), "{case}");
        }
    }
}
