//! Instruction counts by callgrind. This program runs itself under it. Callgrind counts inside
//! [`measured_section`] alone, in every thread, and writes the count down at each [`end_of_case`], so one run
//! gives one count for each case, in order.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

/// The counts could not be had.
#[derive(Debug, thiserror::Error)]
pub enum CallgrindError {
    /// It does not run.
    #[error("valgrind does not start ({0}); install valgrind")]
    NotInstalled(std::io::Error),
    /// The counted program ended badly.
    #[error("the counted program ended with {0}; run it without valgrind: ferry-bench {1}")]
    Failed(std::process::ExitStatus, String),
    /// What it wrote is not there or not understood.
    #[error("{0}: callgrind's output is not as expected; this program knows that of valgrind 3.19 to 3.25")]
    Unreadable(String),
}

/// What is counted goes in here. A function of its own, because callgrind finds it by name.
#[inline(never)]
pub fn measured_section<R>(section: impl FnOnce() -> R) -> R {
    black_box(section())
}

/// Ends the count of a case. A function of its own, because callgrind finds it by name.
#[inline(never)]
pub fn end_of_case() {
    black_box(());
}

/// Runs `ferry-bench <arguments>` under callgrind and gives the count of each case that it ends. The profiles
/// stay in `directory`, as `callgrind.<case from 1>`, for `callgrind_annotate`.
pub fn count(arguments: &[&str], cases: usize, directory: &Path) -> Result<Vec<u64>, CallgrindError> {
    let program = std::env::current_exe().map_err(CallgrindError::NotInstalled)?;
    std::fs::create_dir_all(directory).map_err(CallgrindError::NotInstalled)?;
    let output = directory.join("callgrind");
    let mut option = std::ffi::OsString::from("--callgrind-out-file=");
    option.push(&output);
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*measured_section*", "--dump-after=*end_of_case*"])
        // Each profile names everything it mentions, so that it can be read by itself.
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

/// The count in one profile.
fn total(path: &Path) -> Result<u64, CallgrindError> {
    let unreadable = || CallgrindError::Unreadable(path.display().to_string());
    let text = std::fs::read_to_string(path).map_err(|_| unreadable())?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
    line.and_then(|number| number.trim().parse().ok()).ok_or_else(unreadable)
}
