//! Where the system prints: standard output of all processes, and the launcher's own lines between theirs.

use std::fs::File;
use std::io::{self, Stdout, Write};
use std::os::fd::{AsFd, OwnedFd};

/// The console of a system. Made from a file, a pipe's end, or the launcher's own standard output.
#[derive(Debug)]
pub struct Console(Target);

#[derive(Debug)]
enum Target {
    Own,
    File(File),
}

impl From<Stdout> for Console {
    fn from(_: Stdout) -> Self {
        Self(Target::Own)
    }
}

impl From<OwnedFd> for Console {
    fn from(file: OwnedFd) -> Self {
        Self(Target::File(file.into()))
    }
}

impl Console {
    /// Another open file for the same console.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        match &self.0 {
            Target::Own => io::stdout().as_fd().try_clone_to_owned(),
            Target::File(file) => file.as_fd().try_clone_to_owned(),
        }
    }

    /// Prints a line, in one piece.
    pub(crate) fn line(&mut self, mut text: String) {
        text.push('\n');
        // Who has closed the console does not want to know.
        let _ = match &mut self.0 {
            Target::Own => {
                let mut output = io::stdout().lock();
                output.write_all(text.as_bytes()).and_then(|()| output.flush())
            }
            Target::File(file) => file.write_all(text.as_bytes()),
        };
    }
}
