//! Everything that it takes to start a process, and to start it again: its program, its table and its files.
//! When a process ends, everything that is its own ends too. Regions, channels and pending signals stay for
//! the next.

use crate::bind::bind;
use crate::console::DomainOutput;
use crate::error::LaunchError;
use crate::exec::Process;
use crate::memory::Memory;
use crate::schedule::Rank;
use command_fds::FdMapping;
use ferry_hosted_table::{REPORT_FILE, TABLE_FILE, Table};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// How to start a process.
pub(crate) struct Blueprint {
    program: PathBuf,
    /// As bytes and not as an open file, because reading an open file moves its position for everybody who
    /// has it.
    table: Vec<u8>,
    files: Vec<(RawFd, OwnedFd)>,
    rank: Option<Rank>,
}

/// A process that was started, and the launcher's ends of the sockets that they share.
pub(crate) struct Started {
    pub(crate) process: Process,
    pub(crate) reports: OwnedFd,
    pub(crate) output: DomainOutput,
}

impl Blueprint {
    /// For a program that gets this table, and the files that the table names.
    pub(crate) fn new(
        program: PathBuf,
        table: &Table,
        files: Vec<(RawFd, OwnedFd)>,
        rank: Option<Rank>,
    ) -> Result<Self, LaunchError> {
        let table = table.encode().map_err(|_| LaunchError::Linux {
            what: "encode a table",
            cause: std::io::ErrorKind::OutOfMemory.into(),
        })?;
        Ok(Self { program, table, files, rank })
    }

    /// Starts the process, and holds it before it loads its program.
    pub(crate) fn start(&self) -> Result<Started, LaunchError> {
        let table = Memory::new("table", self.table.len() as u64, &self.table, true)?.open(false)?;
        let (reports, domains_reports) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
                .map_err(LaunchError::linux("create a socket"))?;
        let (output, domains_output) = DomainOutput::new().map_err(LaunchError::linux("create a socket"))?;
        let domains_errors = domains_output.try_clone().map_err(LaunchError::linux("pass on a file"))?;
        let own = [(TABLE_FILE, table), (REPORT_FILE, domains_reports)];
        let mut files = Vec::from(own.map(|(child_fd, parent_fd)| FdMapping { parent_fd, child_fd }));
        for (child_fd, file) in &self.files {
            let parent_fd = file.try_clone().map_err(LaunchError::linux("pass on a file"))?;
            files.push(FdMapping { parent_fd, child_fd: *child_fd });
        }
        let mut command = Command::new(&self.program);
        command.env_clear().stdin(Stdio::null()).stdout(domains_output).stderr(domains_errors);
        bind(&mut command, self.rank, files)?;
        let process = Process::hold(command).map_err(|cause| self.failed(cause))?;
        Ok(Started { process, reports, output })
    }

    /// The error for a program that does not start.
    pub(crate) fn failed(&self, mut cause: io::Error) -> LaunchError {
        // For a file that is no program, the C library tries to load a shell. That would be a second program,
        // so it is refused (see `exec`), and the reason of the first refusal is lost.
        if cause.raw_os_error() == Some(libc::ENOSYS) {
            cause = io::Error::from_raw_os_error(libc::ENOEXEC);
        }
        LaunchError::Start { program: self.program.clone(), cause }
    }
}
