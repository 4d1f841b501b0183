//! One crate: `cargo mutants` runs once for each stage of tests, and each stage gets what is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ferry_faults::at;
use serde::Deserialize;

use crate::Error;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "crate")]
    crates: Vec<Crate>,
}

/// A crate that is mutated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Crate {
    pub(crate) package: String,
    /// Only these files, or all if there are none.
    #[serde(default)]
    pub(crate) files: Vec<String>,
    pub(crate) stages: Vec<Stage>,
}

/// Tests that run together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stage {
    packages: Vec<String>,
    arguments: Vec<String>,
}

/// Which mutants are tried.
pub(crate) struct Scope {
    /// A file with the change that is looked at.
    change: Option<PathBuf>,
    shard: Option<String>,
}

/// What became of the mutants of a crate.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) noticed: usize,
    pub(crate) unviable: usize,
    /// With their places, as `cargo mutants` prints them.
    pub(crate) survivors: Vec<String>,
}

/// Reads the table of crates.
pub(crate) fn read(path: &Path) -> Result<Vec<Crate>, Error> {
    let table: Table = ferry_faults::table(path)?;
    Ok(table.crates)
}

/// Where everything is built, so that what the crates depend on is built once.
fn build(root: &Path) -> PathBuf {
    root.join("target/mutants/build")
}

fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.arg("mutants").stdin(Stdio::null());
    cargo
}

/// Makes sure that `cargo mutants` is installed.
pub(crate) fn find_tool() -> Result<(), Error> {
    let status = cargo().arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.ok().filter(std::process::ExitStatus::success).map(drop).ok_or(Error::NoTool)
}

impl Scope {
    /// All mutants.
    pub(crate) const ALL: Self = Self { change: None, shard: None };

    pub(crate) fn of(root: &Path, since: Option<&str>, shard: Option<String>) -> Result<Self, Error> {
        let mut scope = Self { change: None, shard };
        if let Some(commit) = since {
            let mut git = Command::new("git");
            let output = git.current_dir(root).args(["diff", commit, "--"]).output().map_err(at(root))?;
            if !output.status.success() {
                return Err(Error::NoChange(commit.to_owned()));
            }
            let path = root.join("target/mutants/change.diff");
            fs::create_dir_all(root.join("target/mutants")).map_err(at(&path))?;
            fs::write(&path, output.stdout).map_err(at(&path))?;
            scope.change = Some(path);
        }
        Ok(scope)
    }

    /// Tries one mutant in `parts` only. Which one depends on the commit, so that in time all have their
    /// turn.
    pub(crate) fn take_one_in(&mut self, root: &Path, parts: usize) -> Result<(), Error> {
        if parts > 1 {
            let mut git = Command::new("git");
            let output = git.current_dir(root).args(["rev-parse", "--short=7", "HEAD"]).output();
            let name = output.map_err(at(root))?.stdout;
            let number = usize::from_str_radix(String::from_utf8_lossy(&name).trim(), 16);
            let part = number.map_err(|_| Error::NoCommit)? % parts;
            self.shard = Some(format!("{part}/{parts}"));
        }
        Ok(())
    }

    fn narrow(&self, cargo: &mut Command) {
        if let Some(change) = &self.change {
            cargo.arg("--in-diff").arg(change);
        }
        if let Some(shard) = &self.shard {
            cargo.args(["--sharding", "round-robin", "--shard", shard]);
        }
    }

    /// Whether all mutants are tried.
    pub(crate) fn is_whole(&self) -> bool {
        self.change.is_none() && self.shard.is_none()
    }
}

impl Crate {
    fn command(&self, root: &Path) -> Command {
        let mut cargo = cargo();
        cargo.current_dir(root).args(["--package", &self.package]);
        for file in &self.files {
            cargo.args(["--file", file]);
        }
        cargo
    }

    /// The mutants of the crate that are in `scope`.
    pub(crate) fn mutants(&self, root: &Path, scope: &Scope) -> Result<Vec<String>, Error> {
        let mut cargo = self.command(root);
        scope.narrow(&mut cargo);
        let output = cargo.arg("--list").output().map_err(at(root))?;
        if !output.status.success() {
            return Err(self.failed(root));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// Tries the mutants, stage by stage.
    pub(crate) fn try_mutants(&self, root: &Path, scope: &Scope) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        for (number, stage) in self.stages.iter().enumerate() {
            if number > 0 && tally.survivors.is_empty() {
                break;
            }
            let out = self.directory(root).join(number.to_string());
            let left = core::mem::take(&mut tally.survivors);
            let timeout = self.run_unchanged(root, stage)?;
            self.run_stage(root, scope, stage, (number > 0).then_some(&left), &out, timeout)?;
            tally.noticed += lines(&out, "caught")?.len() + lines(&out, "timeout")?.len();
            tally.unviable += lines(&out, "unviable")?.len();
            tally.survivors = lines(&out, "missed")?;
        }
        Ok(tally)
    }

    fn directory(&self, root: &Path) -> PathBuf {
        root.join("target/mutants").join(&self.package)
    }

    fn failed(&self, root: &Path) -> Error {
        Error::Failed { package: self.package.clone(), logs: self.directory(root) }
    }

    /// Runs the tests of one stage on the crate as it is. If they failed, every mutant would seem noticed.
    /// Returns how long they may take with a mutant: several times as long as building and running takes now.
    fn run_unchanged(&self, root: &Path, stage: &Stage) -> Result<Duration, Error> {
        let begun = Instant::now();
        // What was built last has a mutant in it, and Cargo would take it to be up to date.
        let mut clean = Command::new(env!("CARGO"));
        clean.current_dir(root).args(["clean", "--quiet", "--workspace", "--profile", "mutants"]);
        let cleaned = clean.env("CARGO_TARGET_DIR", build(root)).status().map_err(at(root))?;
        if !cleaned.success() {
            return Err(self.failed(root));
        }
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(root).args(["test", "--quiet", "--profile", "mutants"]);
        cargo.env("CARGO_TARGET_DIR", build(root));
        for package in &stage.packages {
            cargo.args(["--package", package]);
        }
        let output = cargo.args(&stage.arguments).output().map_err(at(root))?;
        let said = || String::from_utf8_lossy(&output.stdout).into_owned();
        output
            .status
            .success()
            .then(|| Duration::from_secs(30) + 3 * begun.elapsed())
            .ok_or_else(|| Error::Unchanged { package: self.package.clone(), output: said() })
    }

    /// Runs the tests of one stage, on all mutants of the scope or on those in `only`.
    fn run_stage(
        &self,
        root: &Path,
        scope: &Scope,
        stage: &Stage,
        only: Option<&Vec<String>>,
        out: &Path,
        timeout: Duration,
    ) -> Result<(), Error> {
        let _ = fs::remove_dir_all(out);
        fs::create_dir_all(out).map_err(at(out))?;
        let mut cargo = self.command(root);
        cargo.env("CARGO_TARGET_DIR", build(root));
        cargo.args(["--jobs", "1", "--no-shuffle", "--colors", "never", "--output"]).arg(out);
        if let Some(mutants) = only {
            for mutant in mutants {
                cargo.args(["--re", &format!("^{}$", escaped(mutant))]);
            }
        } else {
            scope.narrow(&mut cargo);
        }
        for package in &stage.packages {
            cargo.args(["--test-package", package]);
        }
        // As arguments of all commands, so that only these tests are built.
        cargo.args(stage.arguments.iter().map(|argument| format!("--cargo-arg={argument}")));
        // Its own first run would only test the crate itself.
        cargo.args(["--baseline", "skip", "--timeout", &timeout.as_secs().to_string()]);
        let status = cargo.stdout(Stdio::null()).status().map_err(at(root))?;
        // 0: all are noticed. 2: some are not. 3: some run for ever, which is noticed by their time.
        match status.code() {
            Some(0 | 2 | 3) => Ok(()),
            _ => Err(self.failed(root)),
        }
    }
}

/// The lines of one of the lists that `cargo mutants` writes. It writes none if there is nothing to try.
fn lines(out: &Path, name: &str) -> Result<Vec<String>, Error> {
    let path = out.join("mutants.out").join(format!("{name}.txt"));
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).map_err(at(&path))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// A regular expression that matches exactly this text.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

/// `part` of `whole` in percent.
pub(crate) fn percent(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "there are some thousands at most")]
    {
        part as f64 * 100.0 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_its_text_only() {
        assert_eq!(escaped("a.rs:1:2: f -> T with +"), r"a\.rs:1:2: f -> T with \+");
    }

    /// A part is one of as many as were asked for. All mutants are one part.
    #[test]
    fn one_part_of_several_is_taken() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut scope = Scope::ALL;
        assert!(scope.take_one_in(root, 1).is_ok() && scope.is_whole());
        assert!(scope.take_one_in(root, 7).is_ok());
        let shard = scope.shard.unwrap();
        let (part, parts) = shard.split_once('/').unwrap();
        assert!(part.parse::<usize>().is_ok_and(|part| part < 7) && parts == "7", "{shard}");
    }

    #[test]
    fn the_table_of_crates_can_be_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants/crates.toml");
        assert!(read(&path).is_ok_and(|crates| crates.iter().all(|it| !it.stages.is_empty())));
    }
}
