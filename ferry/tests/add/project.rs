//! A directory with a system, and the command line run in it.

use ferry_description::{Description, Source};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub(crate) struct Project(TempDir);

/// Runs the command line in a directory.
pub(crate) fn ferry(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
    command.current_dir(directory).args(arguments).output().unwrap()
}

/// A file of the repository.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

impl Project {
    pub(crate) fn new(system: &str, flows: &str) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        fs::write(project.path("system.xml"), system).unwrap();
        fs::write(project.path("flows.toml"), flows).unwrap();
        // The demo names this file.
        fs::write(project.path("message.txt"), "hello").unwrap();
        project
    }

    pub(crate) fn demo() -> Self {
        Self::new(&read("demo/system.xml"), &read("demo/flows.toml"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The texts of `system.xml` and `flows.toml`.
    pub(crate) fn files(&self) -> [String; 2] {
        ["system.xml", "flows.toml"].map(|name| fs::read_to_string(self.path(name)).unwrap())
    }

    /// The first client that a flow names.
    pub(crate) fn first_client(&self) -> String {
        let [_, flows] = self.files();
        let flows: toml::Table = flows.parse().unwrap();
        flows["flow"][0]["from"].as_str().unwrap().to_owned()
    }

    /// Checks both files, in less time than `ferry check` takes.
    pub(crate) fn check(&self) -> Description {
        let [system, flows] =
            ["system.xml", "flows.toml"].map(|name| Source::read(&self.path(name)).unwrap());
        Description::check(&system, &flows, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// Runs a command that succeeds. Returns what it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = ferry(self.0.path(), arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}\n{}", self.files().join("\n"));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that fails and changes nothing. Returns why.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let before = self.listing();
        let output = ferry(self.0.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        assert_eq!(self.listing(), before, "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// All files and directories, with their contents.
    fn listing(&self) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let mut found = Vec::new();
        let mut waiting = vec![self.0.path().to_owned()];
        while let Some(path) = waiting.pop() {
            if path.is_dir() {
                waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            found.push((path.clone(), fs::read(&path).ok()));
        }
        found.sort();
        found
    }
}
