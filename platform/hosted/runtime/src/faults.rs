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
        // `_exit`, which a signal handler may call, and `getauxval`, which only reads.
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
    let instruction = in_file(register(libc::REG_RIP).cast_unsigned());
    // SAFETY: the launcher opens this file for every process, and nobody closes it.
    let reports = unsafe { BorrowedFd::borrow_raw(REPORT_FILE) };
    // If the launcher does not read any more it has ended, and this process will end too.
    let _ = rustix::io::write(reports, &ProcessReport::Fault(Fault { kind, address, instruction }).encode());
    // SAFETY: the call ends the process without running any more of its code.
    unsafe { libc::_exit(128 + signal) }
}

/// The address that an instruction has in the program's file, where `ferry run` and debuggers look it up.
/// Linux puts the program at another address each time. What is not code of the program keeps its address.
fn in_file(instruction: u64) -> u64 {
    // SAFETY: the call only reads what Linux has told the process when it began.
    let told = |what| unsafe { libc::getauxval(what) };
    let (start, number) = (told(libc::AT_PHDR), told(libc::AT_PHNUM));
    let (Ok(place), Ok(number)) = (usize::try_from(start), usize::try_from(number)) else {
        return instruction;
    };
    if place == 0 {
        return instruction;
    }
    let headers = std::ptr::with_exposed_provenance::<libc::Elf64_Phdr>(place);
    // SAFETY: Linux says that so many headers of the program are there. Nobody changes them.
    let headers = unsafe { std::slice::from_raw_parts(headers, number) };
    let Some(table) = headers.iter().find(|header| header.p_type == libc::PT_PHDR) else {
        return instruction;
    };
    let here = instruction.wrapping_sub(start.wrapping_sub(table.p_vaddr));
    let is_code = headers.iter().any(|header| {
        let is_loaded = header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0;
        is_loaded && here.wrapping_sub(header.p_vaddr) < header.p_memsz
    });
    if is_code { here } else { instruction }
}
