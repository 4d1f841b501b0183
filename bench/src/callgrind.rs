//! Counts instructions with callgrind, under which this program runs itself. Callgrind counts only inside
//! [`measured_section`], in every thread. It writes the count to a file at each [`end_of_case`]. So one run
//! gives one count for each case, in order.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

/// Why there are no counts.
#[derive(Debug, thiserror::Error)]
pub enum CallgrindError {
    /// Valgrind does not start.
    #[error("valgrind does not start ({0}); install valgrind")]
    NotInstalled(std::io::Error),
    /// The counted program failed.
    #[error("the counted program ended with {0}; run it without valgrind: ferry-bench {1}")]
    Failed(std::process::ExitStatus, String),
    /// A profile is missing, or its format is unknown.
    #[error("{0}: callgrind's output is not as expected; supported: valgrind 3.19 to 3.25")]
    Unreadable(String),
}

/// Runs what is to be counted. Callgrind finds this function by its name, so it must not be inlined.
#[inline(never)]
pub fn measured_section<R>(section: impl FnOnce() -> R) -> R {
    black_box(section())
}

/// Ends the count of a case. Callgrind finds this function by its name, so it must not be inlined.
#[inline(never)]
pub fn end_of_case() {
    black_box(());
}

/// Runs `ferry-bench <arguments>` under callgrind and returns the count of each case. The profiles stay in
/// `directory` as `callgrind.<case from 1>`, for `callgrind_annotate`.
pub fn count(arguments: &[&str], cases: usize, directory: &Path) -> Result<Vec<u64>, CallgrindError> {
    let program = std::env::current_exe().map_err(CallgrindError::NotInstalled)?;
    std::fs::create_dir_all(directory).map_err(CallgrindError::NotInstalled)?;
    let output = directory.join("callgrind");
    let mut option = std::ffi::OsString::from("--callgrind-out-file=");
    option.push(&output);
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*measured_section*", "--dump-after=*end_of_case*"])
        // Each profile names everything in full, so that it can be read without the others.
        .args(["--dump-instr=yes", "--compress-strings=no"])
        .args([option.as_os_str(), program.as_os_str()])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(CallgrindError::NotInstalled)?;
    if !status.success() {
        return Err(CallgrindError::Failed(status, arguments.join(" ")));
    }
    (1..=cases).map(|case| total(&output.with_extension(case.to_string()))).collect()
}

/// Reads the count from one profile.
fn total(path: &Path) -> Result<u64, CallgrindError> {
    let unreadable = || CallgrindError::Unreadable(path.display().to_string());
    let text = std::fs::read_to_string(path).map_err(|_| unreadable())?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
    line.and_then(|number| number.trim().parse().ok()).ok_or_else(unreadable)
}
