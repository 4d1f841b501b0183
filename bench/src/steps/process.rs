//! A process under ptrace. The tracer uses only its registers, and whether it waits. A protection domain
//! hides its memory from everybody, also from its tracer.
//!
//! The tracing thread and the processes share one processor. A thread that yields runs again when the process
//! has stopped.

use super::StepError;
use super::deadline::Deadline;
use super::program::Program;
use nix::errno::Errno;
use nix::libc::{self, c_long, c_void, user};
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::mem::offset_of;
use std::ptr;

/// Bytes of the instruction `syscall`.
const SYSTEM_CALL_BYTES: u64 = 2;
/// Offsets of the first debug register with the address of a breakpoint, and of the one that switches
/// breakpoints on.
const ADDRESSES: usize = offset_of!(user, u_debugreg);
const SWITCHES: usize = ADDRESSES + 7 * size_of::<u64>();

/// A breakpoint stops the process before it executes the instruction at its address. The processor implements
/// it, so nothing is written into the program.
#[derive(Clone, Copy, Debug)]
enum Breakpoint {
    /// At the beginning of a measured section.
    Begin,
    /// After a repeated string instruction.
    AfterRepeated,
}

/// A process that runs only when it is told to.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    name: String,
    pub(super) program: Program,
    /// Address of the instruction that it executes next, or in which it waits.
    pub(super) address: u64,
    /// The signal to deliver when it runs next.
    signal: Option<Signal>,
    state: State,
    /// The addresses of the breakpoints that are set.
    breakpoints: [Option<u64>; 2],
}

/// Why a process does not run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// The tracer has stopped it.
    Stopped {
        /// Whether it stopped at the end of a system call.
        after_call: bool,
    },
    /// It waits in a system call.
    Waits,
}

/// How far a process runs in one go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Until {
    /// One instruction, or one repetition of a repeated one.
    Instruction,
    /// To the beginning or the end of a system call, or to a breakpoint.
    Call,
}

impl Process {
    /// A process that has stopped because its program has just been loaded. Sets the breakpoint at the
    /// beginning of a measured section.
    pub(super) fn loaded(pid: Pid, name: &str) -> Result<Self, StepError> {
        let (program, state) = (Program::of(pid, name)?, State::Stopped { after_call: true });
        let mut process = Self {
            pid,
            name: name.to_owned(),
            program,
            address: 0,
            signal: None,
            state,
            breakpoints: [None; 2],
        };
        process.note_stop(false)?;
        if let Some(begin) = process.program.begin {
            process.set(Breakpoint::Begin, begin)?;
        }
        Ok(process)
    }

    /// Whether the process could execute an instruction now.
    pub(super) fn can_run(&self) -> bool {
        self.state != State::Waits
    }

    /// Runs the process this far. Returns whether it may have woken another one, which only a system call can
    /// do.
    pub(super) fn run(&mut self, until: Until, deadline: &Deadline) -> Result<bool, StepError> {
        let signal = self.signal.take();
        let resumed = match until {
            Until::Instruction => ptrace::step(self.pid, signal),
            Until::Call => ptrace::syscall(self.pid, signal),
        };
        match resumed {
            // If the process was killed meanwhile, `settle` finds that out.
            Ok(()) | Err(Errno::ESRCH) => self.settle(deadline)?,
            Err(cause) => return Err(self.failed("run", cause)),
        }
        Ok(self.state != State::Stopped { after_call: false })
    }

    /// Runs to the instruction at `address`. The process must reach it without a system call.
    pub(super) fn run_to(&mut self, address: u64, deadline: &Deadline) -> Result<bool, StepError> {
        self.set(Breakpoint::AfterRepeated, address)?;
        self.run(Until::Call, deadline)
    }

    /// If the process waited, looks whether it was woken. If so, waits until it stops.
    pub(super) fn wake(&mut self, deadline: &Deadline) -> Result<(), StepError> {
        if self.can_run() { Ok(()) } else { self.settle(deadline) }
    }

    /// Waits until the process has stopped, or waits in a system call.
    fn settle(&mut self, deadline: &Deadline) -> Result<(), StepError> {
        loop {
            std::thread::yield_now();
            let flags = WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
            let status = waitpid(self.pid, Some(flags)).map_err(|cause| self.failed("wait for", cause))?;
            let by_call = match status {
                WaitStatus::StillAlive if sleeps(self.pid) => {
                    self.state = State::Waits;
                    return Ok(());
                }
                WaitStatus::StillAlive => {
                    deadline.check(|| self.place())?;
                    continue;
                }
                WaitStatus::PtraceSyscall(_) => true,
                WaitStatus::Stopped(_, Signal::SIGTRAP) | WaitStatus::PtraceEvent(..) => false,
                WaitStatus::Stopped(_, signal) => {
                    self.signal = Some(signal);
                    false
                }
                ended => return Err(StepError::Ended { who: self.name.clone(), how: format!("{ended:?}") }),
            };
            return self.note_stop(by_call);
        }
    }

    /// Sets a breakpoint. It replaces the earlier one of the same kind.
    fn set(&mut self, breakpoint: Breakpoint, address: u64) -> Result<(), StepError> {
        let place = &mut self.breakpoints[breakpoint as usize];
        if *place == Some(address) {
            return Ok(());
        }
        *place = Some(address);
        // Each breakpoint has two bits. The lower one switches it on for this process only.
        let on = (0..).zip(&self.breakpoints).filter(|(_, place)| place.is_some());
        let switches: c_long = on.map(|(number, _)| 1 << (2 * number)).sum();
        let write = |register, value| {
            ptrace::write_user(self.pid, ptr::without_provenance_mut::<c_void>(register), value)
        };
        write(ADDRESSES + breakpoint as usize * size_of::<u64>(), address.cast_signed())
            .and_then(|()| write(SWITCHES, switches))
            .map_err(|cause| self.failed("set a breakpoint of", cause))
    }

    /// Lets the process run freely from now on.
    pub(super) fn release(&mut self) -> Result<(), StepError> {
        if !self.can_run() {
            return Ok(());
        }
        match ptrace::cont(self.pid, self.signal.take()) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(cause) => Err(self.failed("continue", cause)),
        }
    }

    /// The process and where it is, for a message.
    pub(super) fn place(&self) -> String {
        format!("{} at {}", self.name, self.program.place(self.address))
    }

    /// Notes where the process has stopped. `by_call` says that it stopped at the beginning or the end of a
    /// system call, and not after a step.
    fn note_stop(&mut self, by_call: bool) -> Result<(), StepError> {
        let failed = |cause| self.failed("read the registers of", cause);
        let registers = ptrace::getregs(self.pid).map_err(failed)?;
        let after_call = if by_call {
            ptrace::syscall_info(self.pid).map_err(failed)?.op == libc::PTRACE_SYSCALL_INFO_EXIT
        } else {
            // The instruction `syscall` leaves the address after itself in `rcx`. Another instruction of the
            // same length may find that address in `rcx` too. Then the other domains are looked at once for
            // nothing.
            registers.rcx == registers.rip && registers.rip == self.address + SYSTEM_CALL_BYTES
        };
        self.address = registers.rip;
        self.state = State::Stopped { after_call };
        Ok(())
    }

    fn failed(&self, what: &'static str, cause: Errno) -> StepError {
        StepError::Trace { what, who: self.name.clone(), cause }
    }
}

/// Whether a process waits for something that another one has to do. A process that has ended does not wait.
pub(super) fn sleeps(pid: Pid) -> bool {
    let state = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state comes after the name, which is in brackets and can contain anything.
    let rest = state.iter().rposition(|byte| *byte == b')').map(|end| &state[end + 1..]);
    rest.is_some_and(|rest| rest.starts_with(b" S"))
}
