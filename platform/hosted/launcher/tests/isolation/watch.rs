//! Runs the launcher and watches the console, until enough has been seen or the time is up.

use crate::domains::{GOES_ON, NAMES};
use command_fds::CommandFdExt;
use ferry_platform::SEPARATOR;
use libtest_mimic::Failed;
use rustix::process::{Pid, Signal};
use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Time for a trial. It takes some milliseconds; the machine may have much else to do.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);
/// Number of a file that the launcher inherits and that no domain may have.
const STRAY: i32 = 77;
/// After this many lines of beta, beta counts as going on.
const LINES: usize = 3;

/// A launcher that runs.
pub(crate) struct Watch {
    launcher: Child,
    console: Receiver<String>,
    /// What domains and the launcher have printed, without the names of the domains.
    pub(crate) lines: Vec<String>,
    /// What the launcher itself has printed.
    pub(crate) reports: Vec<String>,
    programs: tempfile::TempDir,
}

impl Watch {
    /// Starts the launcher for a trial.
    pub(crate) fn begin(trial: &str) -> Result<Self, Failed> {
        let (directory, programs) = programs(trial)?;
        let stray = rustix::io::fcntl_dupfd_cloexec(File::open("/dev/zero")?, STRAY)?;
        let mut launcher = launcher(&programs)?.preserved_fds(vec![stray]).stdout(Stdio::piped()).spawn()?;
        let output = launcher.stdout.take().ok_or("the launcher has a console")?;
        let (sender, console) = mpsc::channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.map_while(|line| sender.send(line).ok()).for_each(drop);
        });
        Ok(Self { launcher, console, lines: Vec::new(), reports: Vec::new(), programs: directory })
    }

    /// Watches until `enough` holds for all lines so far.
    pub(crate) fn until(&mut self, enough: impl Fn(&[String]) -> bool) -> Result<(), Failed> {
        let deadline = Instant::now() + LIMIT;
        while !enough(&self.lines) {
            match self.console.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.see(line)?,
                Err(RecvTimeoutError::Timeout) => return Err(self.failed("it was not seen in time")),
                Err(RecvTimeoutError::Disconnected) => return Err(self.failed("the system ended")),
            }
        }
        Ok(())
    }

    /// Each line begins with the name of a domain, or is a report of the launcher.
    fn see(&mut self, line: String) -> Result<(), Failed> {
        if let Some((name, text)) = line.split_once(SEPARATOR)
            && NAMES.contains(&name)
        {
            self.lines.push(text.to_owned());
        } else if line.starts_with("ferry: ") {
            self.reports.push(line.clone());
            self.lines.push(line);
        } else {
            return Err(self.failed(&format!("nobody's name is before `{line}`")));
        }
        Ok(())
    }

    /// Kills the launcher in a way that it cannot notice. Checks that all processes of the trial end with it.
    pub(crate) fn end(mut self) -> Result<(), Failed> {
        self.launcher.kill()?;
        self.launcher.wait()?;
        let deadline = Instant::now() + LIMIT;
        while self.has_processes()? {
            if Instant::now() > deadline {
                return Err(self.failed("a process outlived the launcher"));
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Whether there is a process of one of the trial's programs. A process that is about to load its program
    /// still has the launcher's command line, which names the directory too. A process that has ended has no
    /// command line.
    fn has_processes(&self) -> Result<bool, Failed> {
        let programs = self.programs.path().as_os_str().as_bytes();
        let mut processes = std::fs::read_dir("/proc")?.flatten();
        Ok(processes.any(|process| {
            let command = std::fs::read(process.path().join("cmdline"));
            command.is_ok_and(|command| command.windows(programs.len()).any(|part| part == programs))
        }))
    }

    /// A failure with all that was printed.
    pub(crate) fn failed(&self, what: &str) -> Failed {
        let lines: Vec<&str> =
            self.lines.iter().map(String::as_str).filter(|line| *line != GOES_ON).collect();
        let beta = self.lines.len() - lines.len();
        format!("{what}; beta went on {beta} times; the console:\n{}", lines.join("\n")).into()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // A trial that has failed ends its processes here. Killing one that has ended already fails, which
        // does no harm.
        let _ = self.launcher.kill();
        let _ = self.launcher.wait();
    }
}

/// A launcher of the system, with programs from a directory. Its own standard input can be read and written,
/// which shows where a domain gets it.
fn launcher(programs: &Path) -> Result<Command, Failed> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/isolation");
    let mut launcher = Command::new(env!("CARGO_BIN_EXE_ferry-hosted"));
    launcher.arg("--system").arg(here.join("system.xml")).arg("--flows").arg(here.join("flows.toml"));
    for name in NAMES.into_iter().filter(|name| programs.join(name).exists()) {
        let mut word = OsString::from(format!("{name}="));
        word.push(programs.join(name));
        launcher.arg("--program").arg(word);
    }
    launcher.stdin(File::options().read(true).write(true).open("/dev/zero")?);
    Ok(launcher)
}

/// What is alpha's program?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// A link to this program, as for all domains.
    Link,
    /// A file that is no program.
    Text,
    /// Nothing.
    None,
}

/// Runs a trial until the launcher ends by itself, which it does after `limit` seconds at the latest. Returns
/// its exit status and what it has printed on its standard error and on its console.
pub(crate) fn launch(trial: &str, alpha: Program, limit: u64) -> Result<(Option<i32>, String), Failed> {
    let (_directory, programs) = programs(trial)?;
    let path = programs.join("alpha");
    if alpha != Program::Link {
        std::fs::remove_file(&path)?;
    }
    if alpha == Program::Text {
        std::fs::write(&path, "no program")?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    }
    let mut launcher = launcher(&programs)?;
    launcher.arg("--limit").arg(limit.to_string()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let launcher = launcher.spawn()?;
    let process = Pid::from_child(&launcher);
    let (sender, end) = mpsc::channel();
    std::thread::spawn(move || sender.send(launcher.wait_with_output()));
    let output = end.recv_timeout(LIMIT + Duration::from_secs(limit)).or_else(|_| {
        // It is not over, so this is still its number.
        let _ = rustix::process::kill_process(process, Signal::KILL);
        end.recv()
    })??;
    let said = [&output.stderr[..], &output.stdout].map(String::from_utf8_lossy).concat();
    Ok((output.status.code(), said))
}

/// Whether beta goes on after a line that begins with `after`.
pub(crate) fn beta_goes_on(after: &str) -> impl Fn(&[String]) -> bool {
    move |lines| {
        let rest = lines.iter().skip_while(|line| !line.starts_with(after));
        rest.filter(|line| *line == GOES_ON).count() >= LINES
    }
}

/// A directory in which every domain's program is a link to this one.
fn programs(trial: &str) -> Result<(tempfile::TempDir, PathBuf), Failed> {
    let directory = tempfile::tempdir()?;
    let programs = directory.path().join(trial);
    std::fs::create_dir(&programs)?;
    for name in NAMES {
        symlink(std::env::current_exe()?, programs.join(name))?;
    }
    Ok((directory, programs))
}
