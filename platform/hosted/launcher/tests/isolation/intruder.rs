//! What alpha does as a protection domain that is linked to the runtime: it is confined, and tries to get
//! out, or crashes.

use ferry_hosted_table::{ProcessReport, REPORT_FILE};
use ferry_platform::{Fault, FaultKind};
use runtime::Region;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};
use std::fmt::Write;
use std::hint::black_box;
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr;

/// How many file numbers are tried: more than any process here has files.
const FILES: RawFd = 200;

fn own(region: Option<Region>) -> Region {
    region.expect("the description maps it")
}

fn file(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: the file is passed to system calls only, which refuse a file that is not open.
    unsafe { BorrowedFd::borrow_raw(number) }
}

pub(crate) fn write_read_only() {
    let place = own(runtime::region!(ferry_in)).base();
    // SAFETY: this would not be sound if it returned. It faults, and the fault is what is tried.
    unsafe { place.write_volatile(1) };
}

pub(crate) fn read_nothing() {
    // SAFETY: this would not be sound if it returned. It faults, and the fault is what is tried.
    let byte = unsafe { black_box(ptr::without_provenance::<u8>(0x10)).read_volatile() };
    runtime::println!("read {byte}");
}

pub(crate) fn jump_into_data() {
    let place = own(runtime::region!(ferry_out)).base();
    // SAFETY: calling this would not be sound if it returned. It faults, and the fault is what is tried.
    let code = unsafe { std::mem::transmute::<ptr::NonNull<u8>, extern "C" fn()>(place) };
    code();
}

pub(crate) fn overflow_stack() {
    fn deeper(depth: u64) -> u64 {
        let frame = black_box([depth; 512]);
        if frame[0] == u64::MAX { 0 } else { deeper(depth + 1) + frame[511] }
    }
    runtime::println!("{}", deeper(0));
}

pub(crate) fn illegal_instruction() {
    // SAFETY: the instruction is undefined, so it faults, and the fault is what is tried.
    unsafe { std::arch::asm!("ud2") };
}

pub(crate) fn exit_without_report() {
    // SAFETY: the call ends the process.
    unsafe { libc::_exit(0) };
}

pub(crate) fn make_writable() {
    let region = own(runtime::region!(ferry_in));
    let flags = MprotectFlags::READ | MprotectFlags::WRITE;
    // SAFETY: no Rust object lies in the region.
    let done = unsafe { rustix::mm::mprotect(region.base().as_ptr().cast(), region.bytes(), flags) };
    runtime::println!("mprotect: {done:?}");
}

pub(crate) fn open_file() {
    let opened = rustix::fs::open("/proc/self/fd", OFlags::RDONLY, Mode::empty());
    runtime::println!("open: {opened:?}");
}

pub(crate) fn map_file() {
    let (protection, flags) = (ProtFlags::READ, MapFlags::SHARED);
    // SAFETY: Linux chooses a free place, where no Rust object lies.
    let done = unsafe { rustix::mm::mmap(ptr::null_mut(), 4096, protection, flags, file(REPORT_FILE), 0) };
    runtime::println!("mmap: {done:?}");
}

pub(crate) fn signal_launcher() {
    let done = rustix::process::getppid().map(rustix::process::test_kill_process);
    runtime::println!("kill: {done:?}");
}

/// Says that it has faulted, and runs on.
pub(crate) fn report_faults() {
    let report =
        ProcessReport::Fault(Fault { kind: FaultKind::Read, address: 0xabc, instruction: 0 }).encode();
    for _ in 0..3 {
        // The launcher may have closed its end, and ended this process, at any time.
        let _ = rustix::io::write(file(REPORT_FILE), &report);
    }
    spin();
}

pub(crate) fn report_invalid() {
    let _ = rustix::io::write(file(REPORT_FILE), &[0xff; ProcessReport::BYTES]);
    spin();
}

pub(crate) fn report_partly() {
    let _ = rustix::io::write(file(REPORT_FILE), &[0xff]);
    spin();
}

/// Begins a line and crashes.
pub(crate) fn crash_in_a_line() {
    let _ = rustix::io::write(std::io::stdout(), b"half a line");
    illegal_instruction();
}

/// Uses its processor and nothing else.
pub(crate) fn spin() {
    loop {
        std::hint::spin_loop();
    }
}

/// Does nothing that it should not do.
pub(crate) fn behave() {}

/// Prints which files are open, and whether each accepts a `read` and a `write` of no bytes. A memory file
/// accepts what it is open for, a socket both. An event counter and an epoll instance accept neither. A file
/// that is not open is left out.
pub(crate) fn list_files() {
    let mut list = String::from("files");
    for number in 0..FILES {
        let read = rustix::io::read(file(number), &mut [0_u8; 0]);
        let written = rustix::io::write(file(number), &[]);
        if read == Err(Errno::BADF) && written == Err(Errno::BADF) {
            continue;
        }
        let letter = |takes: bool, letter| if takes { letter } else { '-' };
        let _ = write!(list, " {number}{}{}", letter(read.is_ok(), 'r'), letter(written.is_ok(), 'w'));
    }
    runtime::println!("{list}");
}
