//! Faults: what would stop a PD on seL4 is a signal of Linux here. Its handler reports the fault to the
//! launcher, as the kernel would to the initialiser, and ends the process. All others go on.

use ferry_hosted_table::{ProcessReport, REPORT_FILE};
use ferry_platform::{Fault, FaultKind};
use libc::{c_int, c_void, siginfo_t, ucontext_t};
use std::os::fd::BorrowedFd;

/// Bit of x86's page fault code: the access was a write.
const WRITE_ACCESS: i64 = 1 << 1;
/// Bit of x86's page fault code: the access was an instruction fetch.
const FETCH: i64 = 1 << 4;
/// Bytes of the stack on which the handler runs. The handler cannot run on the program's own stack, because
/// that may be what has overflowed.
const STACK_BYTES: usize = 64 * 1024;

/// Reports all faults of this process from now on.
pub(crate) fn report_all() {
    let stack: &'static mut [u8] = vec![0; STACK_BYTES].leak();
    let stack = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: stack.len() };
    // SAFETY: the memory is leaked, so it stays, and nothing else uses it. The null pointer says that the old
    // stack is not wanted.
    unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) };
    // SAFETY: all fields of the structure are plain numbers, for which zero stands for the default.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = report as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGSYS] {
        // SAFETY: the handler has the signature that `SA_SIGINFO` asks for. It calls nothing but `write` and
        // `_exit`, which a signal handler may call.
        unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
    }
}

extern "C" fn report(signal: c_int, information: *const siginfo_t, context: *const c_void) {
    // SAFETY: the kernel passes the context of the interrupted program to a handler with `SA_SIGINFO`.
    let registers = unsafe { &(*context.cast::<ucontext_t>()).uc_mcontext.gregs };
    let register = |number: c_int| registers.get(number.unsigned_abs() as usize).copied().unwrap_or(0);
    let code = register(libc::REG_ERR);
    let (kind, address) = match signal {
        libc::SIGSEGV | libc::SIGBUS => {
            // SAFETY: the kernel passes the signal's information to a handler with `SA_SIGINFO`.
            let information = unsafe { &*information };
            // SAFETY: these signals carry the address.
            let address = unsafe { information.si_addr() }.addr() as u64;
            let kind = if code & FETCH != 0 {
                FaultKind::Execute
            } else if code & WRITE_ACCESS != 0 {
                FaultKind::Write
            } else {
                FaultKind::Read
            };
            (kind, address)
        }
        libc::SIGSYS => (FaultKind::SystemCall, register(libc::REG_RAX).cast_unsigned()),
        other => (FaultKind::UserException, u64::from(other.unsigned_abs())),
    };
    let instruction = register(libc::REG_RIP).cast_unsigned();
    // SAFETY: the launcher opens this file for every process, and nobody closes it.
    let reports = unsafe { BorrowedFd::borrow_raw(REPORT_FILE) };
    // If the launcher does not read any more it has ended, and this process will end too.
    let _ = rustix::io::write(reports, &ProcessReport::Fault(Fault { kind, address, instruction }).encode());
    // SAFETY: the call ends the process without running any more of its code.
    unsafe { libc::_exit(128 + signal) }
}
