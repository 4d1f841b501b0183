//! One fault and one test.

use std::process::{Command, Stdio};

use ferry_faults::at;

use crate::fault::Fault;
use crate::tree::Tree;
use crate::{Error, Kind};

/// A test that notices faults.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) kind: Kind,
    /// Package of the test and the target of that package. Empty for a test that does not run on the host.
    package: String,
    target: String,
    /// The board of Microkit, if the test runs on one alone.
    board: Option<String>,
    /// Name of the test, or the beginning of its name.
    pub(crate) test: String,
}

/// What the test showed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The test failed.
    Noticed,
    /// The test passed.
    Unnoticed,
}

impl Place {
    /// Reads `host:PACKAGE/TARGET/TEST`, `classic:TEST`, `hosted:TEST`, `microkit:TEST` or
    /// `microkit:BOARD/TEST`. The target `lib` stands for the unit tests. With a board, the test runs on that
    /// board and on the release kernel; without one, on all boards and kernels.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let scenario = |kind, board: Option<&str>, test: &str| {
            let (package, target) = (String::new(), String::new());
            Some(Self { kind, package, target, board: board.map(str::to_owned), test: test.to_owned() })
        };
        match kind {
            "classic" => scenario(Kind::Classic, None, rest),
            "hosted" => scenario(Kind::Hosted, None, rest),
            "microkit" => match rest.split_once('/') {
                Some((board, test)) => scenario(Kind::Microkit, Some(board), test),
                None => scenario(Kind::Microkit, None, rest),
            },
            "host" => {
                let mut parts = rest.splitn(3, '/').map(str::to_owned);
                let (package, target, test) = (parts.next()?, parts.next()?, parts.next()?);
                Some(Self { kind: Kind::Host, package, target, board: None, test })
            }
            _ => None,
        }
    }

    /// The command that runs the test in the copy.
    fn command(&self) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        let scenario = |cargo: &mut Command, platform: &str| {
            cargo.args(["run", "--quiet", "--package", "ferry", "--", "self-test", "--platform", platform]);
            if let Some(board) = &self.board {
                cargo.args(["--board", board, "--config", "release"]);
            }
            cargo.arg("--").arg(&self.test);
        };
        match self.kind {
            Kind::Classic => scenario(&mut cargo, "classic"),
            Kind::Hosted => scenario(&mut cargo, "hosted"),
            Kind::Microkit => scenario(&mut cargo, "microkit"),
            Kind::Host => {
                cargo.args(["test", "--package", &self.package]);
                match self.target.as_str() {
                    "lib" => cargo.arg("--lib"),
                    target => cargo.args(["--test", target]),
                };
                cargo.args(["--", &self.test]);
            }
        }
        cargo
    }
}

/// Runs the test in the copy as it is.
pub(crate) fn run(tree: &Tree, fault: &Fault, place: &Place) -> Result<Outcome, Error> {
    let mut command = place.command();
    command.current_dir(&tree.path).env("CARGO_TARGET_DIR", &tree.build);
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    let output = command.output().map_err(at(std::path::Path::new("cargo")))?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    judge(output.status.success(), &said, &place.test)
        .ok_or_else(|| Error::Broken { what: fault.what.clone(), output: said })
}

/// What the output of a test program says about a test. `None` if the test did not run.
fn judge(passed: bool, said: &str, test: &str) -> Option<Outcome> {
    let is_of_test = |line: &&str| {
        line.strip_prefix("test ").is_some_and(|name| name.contains(test)) || line.starts_with(test)
    };
    let ran = said.lines().any(|line| is_of_test(&line));
    match passed {
        true if ran => Some(Outcome::Unnoticed),
        false if said.lines().any(|line| is_of_test(&line) && line.contains("FAILED")) => {
            Some(Outcome::Noticed)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_noticed_only_by_a_test_that_ran_and_failed() {
        let failed = "running 1 test\ntest t01_a ... FAILED\n";
        assert_eq!(judge(false, failed, "t01_a"), Some(Outcome::Noticed));
        assert_eq!(judge(false, failed, "t02_b"), None, "another one failed");
        assert_eq!(judge(false, "error: could not compile", "t01_a"), None);
        assert_eq!(judge(true, "test t01_a ... ok\n", "t01_a"), Some(Outcome::Unnoticed));
        assert_eq!(judge(true, "running 0 tests\n", "t01_a"), None, "nothing ran");
    }

    #[test]
    fn places() {
        let place = Place::parse("host:ferry-testbed/shares/t100").unwrap();
        assert_eq!((place.package.as_str(), place.target.as_str()), ("ferry-testbed", "shares"));
        assert_eq!((place.kind, place.test.as_str()), (Kind::Host, "t100"));
        assert_eq!(Place::parse("classic:t46").unwrap().kind, Kind::Classic);
        let place = Place::parse("microkit:x86_64_generic/t46").unwrap();
        assert_eq!((place.kind, place.test.as_str()), (Kind::Microkit, "t46"));
        let command = format!("{:?}", place.command());
        assert!(
            command.ends_with(r#""--board" "x86_64_generic" "--config" "release" "--" "t46""#),
            "{command}"
        );
        assert!(!format!("{:?}", Place::parse("microkit:t46").unwrap().command()).contains("--board"));
        assert!(Place::parse("host:ferry-testbed").is_none() && Place::parse("t46").is_none());
    }
}
