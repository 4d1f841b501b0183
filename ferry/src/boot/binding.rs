//! Ends an emulator when the command line ends, however that ends: the kernel kills the emulator with the
//! thread that started it.
//!
//! This is the only file of this crate with unsafe code, because `pre_exec`, which runs code between `fork`
//! and `exec`, is unsafe.
#![allow(unsafe_code)]

use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Has the process that `command` will start killed when the thread that starts it ends. So that thread has
/// to wait for the process.
pub(super) fn end_with_this_thread(command: &mut Command) {
    let starter = getpid();
    let before_the_program = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The starter may have ended before the call above. Then no signal will come, so the start fails.
        // Nobody is left to see the error.
        if getppid() == Some(starter) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
    };
    // SAFETY: between `fork` and `exec` this closure only makes system calls. It neither allocates nor takes
    // locks.
    unsafe { command.pre_exec(before_the_program) };
}
