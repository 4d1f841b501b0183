//! A copy of `layout` that is a workspace of its own. One mutation at a time is made and tested in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::mutations::Mutation;

/// The copy.
pub(crate) struct Trial {
    tree: PathBuf,
    build: PathBuf,
}

/// What the tests showed about a mutation.
pub(crate) enum Outcome {
    /// A test failed.
    Found,
    /// All passed.
    Survived,
}

impl Trial {
    /// Copies manifest, lock and `layout` of the workspace at `root`.
    pub(crate) fn prepare(root: &Path) -> Result<Self, Error> {
        let place = root.join("target/mutations");
        let trial = Self { tree: place.join("tree"), build: place.join("build") };
        if trial.tree.exists() {
            fs::remove_dir_all(&trial.tree).map_err(Error::at(&trial.tree))?;
        }
        for part in ["layout/src", "layout/tests"] {
            copy_directory(&root.join(part), &trial.tree.join(part))?;
        }
        for file in ["Cargo.lock", "layout/Cargo.toml"] {
            copy_file(&root.join(file), &trial.tree.join(file))?;
        }
        let manifest = root.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).map_err(Error::at(&manifest))?;
        let mut table: toml::Table = text.parse().map_err(|error| Error::Manifest(manifest, error))?;
        if let Some(workspace) = table.get_mut("workspace").and_then(toml::Value::as_table_mut) {
            workspace.remove("default-members");
            workspace.insert("members".into(), toml::Value::Array(vec!["layout".into()]));
        }
        let manifest = trial.tree.join("Cargo.toml");
        fs::write(&manifest, table.to_string()).map_err(Error::at(&manifest))?;
        Ok(trial)
    }

    /// Makes the mutation, runs its test, and undoes the mutation.
    pub(crate) fn run_mutated(&self, mutation: &Mutation) -> Result<Outcome, Error> {
        let path = self.tree.join("layout/src").join(mutation.file);
        let original = fs::read_to_string(&path).map_err(Error::at(&path))?;
        fs::write(&path, mutation.apply(&original)?).map_err(Error::at(&path))?;
        let outcome = self.run(&["--exact", mutation.test]);
        fs::write(&path, original).map_err(Error::at(&path))?;
        outcome
    }

    /// Runs loom tests of the copy as it is. `filter` is the list of arguments that selects them in the test
    /// program.
    pub(crate) fn run(&self, filter: &[&str]) -> Result<Outcome, Error> {
        let output = Command::new(env!("CARGO"))
            .args([
                "test",
                "--release",
                "--no-fail-fast",
                "--package",
                "ferry-layout",
                "--test",
                "loom",
                "--",
            ])
            .args(filter)
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.build)
            .env("RUSTFLAGS", "--cfg loom --cap-lints allow")
            // A backtrace overflows the small stacks that loom gives its threads, and then the program hangs.
            .env("RUST_BACKTRACE", "0")
            .output()
            .map_err(Error::at(Path::new(env!("CARGO"))))?;
        if output.status.success() {
            return Ok(Outcome::Survived);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        // A deadlock that loom finds may end in an abort, without a line about the test. So cargo's own
        // message decides.
        if said.contains("error: test failed") {
            Ok(Outcome::Found)
        } else {
            Err(Error::Broken(said.into_owned()))
        }
    }
}

fn copy_directory(from: &Path, to: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(from).map_err(Error::at(from))? {
        let from = entry.map_err(Error::at(from))?.path();
        let to = to.join(from.file_name().unwrap_or_default());
        if from.is_dir() { copy_directory(&from, &to)? } else { copy_file(&from, &to)? }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), Error> {
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory).map_err(Error::at(directory))?;
    }
    fs::copy(from, to).map(drop).map_err(Error::at(from))
}
