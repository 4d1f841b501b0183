//! Emulators do not outlive the command line, however that ends: the kernel ends them with the thread that
//! started them.
//!
//! The one file of this crate with unsafe code, as what a child does between `fork` and `exec` is.
#![allow(unsafe_code)]

use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Has what `command` will start killed when the thread that starts it ends. That thread has to wait for it.
pub(super) fn end_with_this_thread(command: &mut Command) {
    let starter = getpid();
    let before_the_program = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // It may have ended before that; then nobody sends the signal, and nobody hears of the error.
        if getppid() == Some(starter) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: between `fork` and `exec` it makes system calls, and neither allocates nor takes locks.
    unsafe { command.pre_exec(before_the_program) };
}
