//! What Git says about a directory with sources: the commit, and whether the files are those of the commit.

use serde::Serialize;
use std::path::Path;
use std::process::{Command, Stdio};

/// The state of sources that Git keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct State {
    /// The commit that is checked out.
    pub(super) commit: String,
    /// Whether files differ from those of the commit, or are in none. Files that Git is told to ignore do not
    /// count.
    pub(super) changed: bool,
}

/// The state of a directory. The files below `without` do not count. `None` if Git does not keep the
/// directory, or is not installed.
pub(super) fn state(directory: &Path, without: &Path) -> Option<State> {
    let commit = git(directory, &["rev-parse", "--verify", "HEAD"])?;
    let mut status = vec!["status", "--porcelain", "--", "."];
    // Cargo marks what it has checked out.
    status.push(":(exclude,glob)**/.cargo-ok");
    let there = directory.canonicalize().ok()?;
    let inside = without.strip_prefix(&there).ok().and_then(Path::to_str);
    let without = inside.map(|inside| format!(":(exclude,literal){inside}"));
    status.extend(without.as_deref());
    let changed = !git(directory, &status)?.is_empty();
    Some(State { commit, changed })
}

/// The same, if the directory is the root of what Git keeps: a part of somebody else's repository has no
/// commit of its own.
pub(super) fn state_of_root(directory: &Path, without: &Path) -> Option<State> {
    let root = git(directory, &["rev-parse", "--show-toplevel"])?;
    let is_root = Path::new(&root).canonicalize().ok()? == directory.canonicalize().ok()?;
    is_root.then(|| state(directory, without)).flatten()
}

/// What a command of Git prints, if it succeeds.
fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.current_dir(directory).args(arguments).stdin(Stdio::null());
    // A hook of another repository sets these.
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(variable);
    }
    // It only looks, so it locks nothing.
    let output = git.env("GIT_OPTIONAL_LOCKS", "0").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{git, state, state_of_root};
    use std::fs;

    #[test]
    fn a_commit_and_what_differs_from_it() {
        let made = tempfile::tempdir().unwrap();
        let here = made.path().canonicalize().unwrap();
        let evidence = here.join("project/evidence");
        let commit = |message: &str| {
            let who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
            let all = [&who[..], &["commit", "--quiet", "--all", "-m", message]].concat();
            git(&here, &["add", "."]).and_then(|_| git(&here, &all)).unwrap();
        };
        git(&here, &["init", "--quiet"]).unwrap();
        assert_eq!(state_of_root(&here, &evidence), None, "there is no commit");
        fs::create_dir_all(&evidence).unwrap();
        fs::write(here.join("project/system.xml"), "one").unwrap();
        fs::write(here.join("other"), "one").unwrap();
        commit("first");
        let of_project = || state(&here.join("project"), &evidence).unwrap();
        let first = of_project();
        assert!(first.commit.len() >= 40 && !first.changed, "{first:?}");
        assert_eq!(state_of_root(&here, &evidence), Some(first.clone()));
        assert_eq!(state_of_root(&here.join("project"), &evidence), None, "it is a part");
        // Evidence, and what is not of the project, does not change the project.
        fs::write(evidence.join("index.md"), "").unwrap();
        fs::write(here.join("other"), "two").unwrap();
        assert_eq!(of_project(), first);
        assert!(state_of_root(&here, &evidence).unwrap().changed);
        // A new file does, and so does another text.
        fs::write(here.join("project/new"), "").unwrap();
        assert!(of_project().changed);
        fs::remove_file(here.join("project/new")).unwrap();
        fs::write(here.join("project/system.xml"), "two").unwrap();
        assert!(of_project().changed);
    }
}
