//! A process under ptrace. Only its registers are used, and whether it waits: a protection domain hides its
//! memory from everybody, and from its tracer too.
//!
//! The tracing thread and the processes share one processor: a thread that yields gets it back when a process
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
/// The debug registers that hold addresses of breakpoints, from the first, and the one that switches them on.
const ADDRESSES: usize = offset_of!(user, u_debugreg);
const SWITCHES: usize = ADDRESSES + 7 * size_of::<u64>();

/// A breakpoint: the process stops before it executes the instruction there. The processor does that; nothing
/// is written into the program.
#[derive(Clone, Copy, Debug)]
enum Breakpoint {
    /// Where a measured section begins.
    Begin,
    /// Behind a repeated instruction.
    Behind,
}

/// A process that runs only when it is told to.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    name: String,
    pub(super) program: Program,
    /// The instruction that it executes next, or that it waits in.
    pub(super) address: u64,
    /// Delivered when it runs next.
    signal: Option<Signal>,
    halt: Halt,
    /// Where they are.
    breakpoints: [Option<u64>; 2],
}

/// Why a process does not run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Halt {
    /// The tracer has stopped it.
    Stopped {
        /// At the end of a system call.
        after_call: bool,
    },
    /// It waits in a system call.
    Waits,
}

/// How far a process runs at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pace {
    /// One instruction, and no more of it than one repetition.
    Instruction,
    /// To the beginning or the end of a system call, or to the breakpoint.
    Call,
}

impl Process {
    /// A process that has stopped because its program has just been loaded. It will stop where a measured
    /// section begins.
    pub(super) fn loaded(pid: Pid, name: &str) -> Result<Self, StepError> {
        let (program, halt) = (Program::of(pid, name)?, Halt::Stopped { after_call: true });
        let mut process = Self {
            pid,
            name: name.to_owned(),
            program,
            address: 0,
            signal: None,
            halt,
            breakpoints: [None; 2],
        };
        process.look(false)?;
        if let Some(begin) = process.program.begin {
            process.set(Breakpoint::Begin, begin)?;
        }
        Ok(process)
    }

    /// Whether it could execute an instruction now.
    pub(super) fn can_run(&self) -> bool {
        self.halt != Halt::Waits
    }

    /// Runs as far as that. Whether it may have woken others, which only a system call does.
    pub(super) fn run(&mut self, pace: Pace, deadline: &Deadline) -> Result<bool, StepError> {
        let signal = self.signal.take();
        let resumed = match pace {
            Pace::Instruction => ptrace::step(self.pid, signal),
            Pace::Call => ptrace::syscall(self.pid, signal),
        };
        match resumed {
            // Killed meanwhile, which shows now.
            Ok(()) | Err(Errno::ESRCH) => self.settle(deadline)?,
            Err(cause) => return Err(self.failed("run", cause)),
        }
        Ok(self.halt != Halt::Stopped { after_call: false })
    }

    /// Runs to this instruction, to which it comes without a system call.
    pub(super) fn run_to(&mut self, address: u64, deadline: &Deadline) -> Result<bool, StepError> {
        self.set(Breakpoint::Behind, address)?;
        self.run(Pace::Call, deadline)
    }

    /// Sees whether a process that waited has been woken, and then waits for it to stop.
    pub(super) fn wake(&mut self, deadline: &Deadline) -> Result<(), StepError> {
        if self.can_run() { Ok(()) } else { self.settle(deadline) }
    }

    /// Waits until the process has stopped or waits itself.
    fn settle(&mut self, deadline: &Deadline) -> Result<(), StepError> {
        loop {
            std::thread::yield_now();
            let flags = WaitPidFlag::WNOHANG | WaitPidFlag::__WALL;
            let status = waitpid(self.pid, Some(flags)).map_err(|cause| self.failed("wait for", cause))?;
            let by_call = match status {
                WaitStatus::StillAlive if sleeps(self.pid) => {
                    self.halt = Halt::Waits;
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
            return self.look(by_call);
        }
    }

    /// Sets a breakpoint, in place of where it was.
    fn set(&mut self, breakpoint: Breakpoint, address: u64) -> Result<(), StepError> {
        let place = &mut self.breakpoints[breakpoint as usize];
        if *place == Some(address) {
            return Ok(());
        }
        *place = Some(address);
        // Two bits for each, of which the lower one switches it on for this process.
        let on = (0..).zip(&self.breakpoints).filter(|(_, place)| place.is_some());
        let switches: c_long = on.map(|(number, _)| 1 << (2 * number)).sum();
        let write = |register, value| {
            ptrace::write_user(self.pid, ptr::without_provenance_mut::<c_void>(register), value)
        };
        write(ADDRESSES + breakpoint as usize * size_of::<u64>(), address.cast_signed())
            .and_then(|()| write(SWITCHES, switches))
            .map_err(|cause| self.failed("set a breakpoint of", cause))
    }

    /// Lets it run on by itself.
    pub(super) fn release(&mut self) -> Result<(), StepError> {
        if !self.can_run() {
            return Ok(());
        }
        match ptrace::cont(self.pid, self.signal.take()) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(cause) => Err(self.failed("continue", cause)),
        }
    }

    /// The process and where it is, for a person.
    pub(super) fn place(&self) -> String {
        format!("{} at {}", self.name, self.program.place(self.address))
    }

    /// Sees where it has stopped. `by_call`: where a system call begins or ends, and not because of a step.
    fn look(&mut self, by_call: bool) -> Result<(), StepError> {
        let failed = |cause| self.failed("read the registers of", cause);
        let registers = ptrace::getregs(self.pid).map_err(failed)?;
        let after_call = if by_call {
            ptrace::syscall_info(self.pid).map_err(failed)?.op == libc::PTRACE_SYSCALL_INFO_EXIT
        } else {
            // `syscall` leaves the address behind itself in a register. Should something else of this length
            // have it there, then somebody is looked at in vain.
            registers.rcx == registers.rip && registers.rip == self.address + SYSTEM_CALL_BYTES
        };
        self.address = registers.rip;
        self.halt = Halt::Stopped { after_call };
        Ok(())
    }

    fn failed(&self, what: &'static str, cause: Errno) -> StepError {
        StepError::Trace { what, who: self.name.clone(), cause }
    }
}

/// Whether a process waits for something that somebody else has to do. One that has ended does not.
pub(super) fn sleeps(pid: Pid) -> bool {
    let state = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Behind the name, which stands in brackets and can contain anything.
    let behind = state.iter().rposition(|byte| *byte == b')').map(|end| &state[end + 1..]);
    behind.is_some_and(|rest| rest.starts_with(b" S"))
}
