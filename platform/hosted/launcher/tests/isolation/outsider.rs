//! What alpha does as a program that is not linked to the runtime. Nothing restrains it but what the launcher
//! has bound it to. Each attempt prints a line with Linux's error number, or 0 if it succeeded.

use ferry_hosted_table::{FIRST_FILE, Map, TABLE_FILE, Table};
use libc::{c_char, c_int, c_long};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getppid, kill_process, pidfd_getfd, pidfd_open};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::time::{Duration, Instant};

/// How often a file is emptied and filled. Others may write to it meanwhile.
const TRIES: usize = 1000;
/// How long it looks for central's process.
const PATIENCE: Duration = Duration::from_secs(20);
/// What makes the number of a system call one of x32.
const X32: c_long = 1 << 30;
/// Command of `fcntl` that says which signal a file sends.
const F_SETSIG: c_int = 10;
/// Requests of `ioctl`: the first says who gets a file's signals, the second that the file sends some.
const FIOSETOWN: c_long = 0x8901;
const FIOASYNC: c_long = 0x5452;
/// Bytes of a page.
const PAGE: usize = 4096;

/// The table of this process.
pub(crate) fn table() -> Table {
    // SAFETY: the launcher has opened it for this process, which takes it once.
    let mut file = unsafe { File::from_raw_fd(TABLE_FILE) };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("the table can be read");
    // It stays open, to be listed.
    std::mem::forget(file);
    Table::decode(&bytes).expect("the table is whole")
}

/// The mapping at the address that a symbol holds.
fn map_of(table: &Table, symbol: &str) -> Map {
    let address = table.word(symbol).expect("the description sets it");
    *table.maps.iter().find(|map| map.address == address).expect("a region is mapped there")
}

fn file(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: a file of the table, which nobody closes.
    unsafe { BorrowedFd::borrow_raw(number) }
}

fn tried<T>(what: &str, done: Result<T, Errno>) {
    println!("{what} {}", done.err().map_or(0, Errno::raw_os_error));
}

fn map(number: RawFd, protection: ProtFlags) -> Result<*mut std::ffi::c_void, Errno> {
    // SAFETY: Linux chooses a free place, where no Rust object lies.
    unsafe { rustix::mm::mmap(ptr::null_mut(), PAGE, protection, MapFlags::SHARED, file(number), 0) }
}

/// Tries to write memory that it may only read.
pub(crate) fn write_read_only(table: &Table) {
    let (read_only, own) = (map_of(table, "ferry_in").file, map_of(table, "ferry_out").file);
    let both = ProtFlags::READ | ProtFlags::WRITE;
    tried("own", map(own, both));
    tried("map", map(read_only, both));
    let mapped = map(read_only, ProtFlags::READ).expect("what may be read can be mapped");
    // SAFETY: just mapped, and no Rust object lies there.
    let protected = unsafe { rustix::mm::mprotect(mapped, PAGE, MprotectFlags::READ | MprotectFlags::WRITE) };
    tried("mprotect", protected);
    tried("write", rustix::io::pwrite(file(read_only), &[1], 0));
    let path = format!("/proc/self/fd/{read_only}");
    tried("again-read", rustix::fs::open(&path, OFlags::RDONLY, Mode::empty()));
    tried("again-both", rustix::fs::open(&path, OFlags::RDWR, Mode::empty()));
    tried("again-write", rustix::fs::open(&path, OFlags::WRONLY, Mode::empty()));
    tried("again-empty", rustix::fs::open(&path, OFlags::RDONLY | OFlags::TRUNC, Mode::empty()));
    let resolve = ResolveFlags::empty();
    tried("again-openat2", rustix::fs::openat2(CWD, &path, OFlags::RDWR, Mode::empty(), resolve));
    tried("shrink", rustix::fs::ftruncate(file(own), 0));
    tried("seal", rustix::fs::fcntl_add_seals(file(own), SealFlags::WRITE));
    let seals = rustix::fs::fcntl_get_seals(file(map_of(table, "notice").file));
    println!("constant {}", seals.is_ok_and(|seals| seals.contains(SealFlags::WRITE)));
    println!("done");
}

/// Tries to reach into another process: the launcher, which may be the easiest.
pub(crate) fn reach_others(_: &Table) {
    let launcher = getppid().expect("a process has a parent");
    tried("signal", kill_process(launcher, rustix::process::Signal::TERM));
    let taken = pidfd_open(launcher, PidfdFlags::empty())
        .and_then(|process| pidfd_getfd(process, 1, PidfdGetfdFlags::empty()));
    tried("file", taken);
    let path = format!("/proc/{}/mem", launcher.as_raw_nonzero());
    tried("memory", rustix::fs::open(path, OFlags::RDWR, Mode::empty()));
    let pid = c_long::from(launcher.as_raw_pid());
    tried("signal-x32", call(libc::SYS_kill | X32, [pid, 0, 0]));
    // A process could outlive the launcher if Linux did not end it with the launcher: because it has told
    // Linux so, or because it is not the launcher's child.
    tried("outlive", call(libc::SYS_prctl, [libc::PR_SET_PDEATHSIG.into(), 0, 0]));
    tried("clone", call(libc::SYS_clone, [0; 3]).map(leave_a_child));
    tried("fork", call(libc::SYS_fork, [0; 3]).map(leave_a_child));
    let (path, end) = (c"/proc/self/exe".as_ptr(), [ptr::null::<c_char>()]);
    let path = path.expose_provenance().cast_signed() as c_long;
    let end = end.as_ptr().expose_provenance().cast_signed() as c_long;
    tried("load", call(libc::SYS_execve, [path, end, end]));
    println!("done");
}

/// Tries to read what the launcher has: its memory, and the files that it has open.
pub(crate) fn look_at_others(_: &Table) {
    let launcher = getppid().expect("a process has a parent").as_raw_nonzero();
    for what in ["mem", "fd/1"] {
        let path = format!("/proc/{launcher}/{what}");
        tried(what, rustix::fs::open(path, OFlags::RDONLY, Mode::empty()));
    }
    println!("done");
}

/// Prints the number of variables in its environment.
pub(crate) fn count_variables(_: &Table) {
    println!("variables {}", std::env::vars_os().count());
    println!("done");
}

/// Ends a child at once, so that it does not go on with what its parent does.
fn leave_a_child(pid: c_long) {
    if pid == 0 {
        // SAFETY: ends the child.
        unsafe { libc::_exit(0) };
    }
}

/// Makes a system call, to see whether Linux allows it.
fn call(number: c_long, arguments: [c_long; 3]) -> Result<c_long, Errno> {
    let [a, b, c] = arguments;
    // SAFETY: the calls that are made here change nothing in this process, except that it becomes two or
    // ends.
    let done = unsafe { libc::syscall(number, a, b, c, 0, 0) };
    if done >= 0 {
        Ok(done)
    } else {
        Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::INVAL))
    }
}

/// Tries to have Linux kill central with a signal. It names central the owner of a file of its own, so that
/// Linux sends the file's signals to central.
pub(crate) fn name_central_an_owner(_: &Table) {
    let central: c_int = central().expect("central has a process");
    let (own, write_end) = match rustix::pipe::pipe() {
        Ok((own, write_end)) => (own.into_raw_fd(), write_end.into_raw_fd()),
        Err(_) => (1, 1),
    };
    for number in [own, write_end] {
        for (command, argument) in
            [(libc::F_SETOWN, central), (F_SETSIG, libc::SIGKILL), (libc::F_SETFL, libc::O_ASYNC)]
        {
            println!(
                "command {command} {:?}",
                call(libc::SYS_fcntl, [number.into(), command.into(), argument.into()])
            );
        }
        for (request, argument) in [(FIOSETOWN, central), (FIOASYNC, 1)] {
            let argument = (&raw const argument).expose_provenance().cast_signed() as c_long;
            println!("request {request:#x} {:?}", call(libc::SYS_ioctl, [number.into(), request, argument]));
        }
    }
    let _ = rustix::io::write(file(write_end), b"done\n");
    println!("done");
}

/// The process of central that belongs to the same trial. The launcher may still be about to start it.
fn central() -> Option<c_int> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        if let Some(process) = find_central() {
            return Some(process);
        }
        std::thread::yield_now();
    }
    None
}

fn find_central() -> Option<c_int> {
    let own = std::env::args_os().next()?;
    let wanted = Path::new(&own).with_file_name("central");
    std::fs::read_dir("/proc").ok()?.find_map(|entry| {
        let entry = entry.ok()?;
        let command = std::fs::read(entry.path().join("cmdline")).ok()?;
        (command.strip_suffix(b"\0")? == wanted.as_os_str().as_bytes()).then_some(())?;
        entry.file_name().to_str()?.parse().ok()
    })
}

/// Makes a system call of another architecture.
pub(crate) fn call_as_i386(_: &Table) {
    const GETPID: c_int = 20;
    // SAFETY: the call asks for a number, and returns it in the register.
    unsafe { std::arch::asm!("int 0x80", inout("eax") GETPID => _, options(nostack)) };
    println!("done");
}

/// Prints without end, and hardly ever a whole line.
pub(crate) fn print_without_end(_: &Table) {
    println!("done");
    loop {
        let _ = rustix::io::write(file(1), &[b'x'; PAGE]);
    }
}

/// Tries to make central wait: fills each file that can be filled, and changes its mode so that whoever
/// writes to it waits.
pub(crate) fn stop_central(table: &Table) {
    for number in FIRST_FILE..=table.wait {
        // Linux may refuse all of this, or allow it. What counts is that central goes on.
        let filled = (0..TRIES).any(|_| {
            let _ = rustix::io::read(file(number), &mut [0; 8]);
            rustix::io::write(file(number), &(u64::MAX - 1).to_ne_bytes()).is_ok()
        });
        let waits = rustix::fs::fcntl_setfl(file(number), OFlags::empty()).is_ok();
        println!("file {number} filled {filled} waits {waits}");
    }
    println!("done");
}

/// Prints the files that it has, and those that it should have.
pub(crate) fn list_files(table: &Table) {
    let listing = std::fs::read_dir("/proc/self/fd").expect("a process can list its files");
    // The listing has a file of its own, which is closed when the listing is over.
    let mut open: Vec<RawFd> =
        listing.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    open.retain(|number| rustix::io::fcntl_getfd(file(*number)).is_ok());
    open.sort_unstable();
    let maps = table.maps.iter().map(|map| map.file);
    let channels = table.channels.iter().map(|channel| channel.counter).chain([table.wait]);
    let mut given: Vec<RawFd> = (0..FIRST_FILE).chain(maps).chain(channels).collect();
    given.sort_unstable();
    println!("given {given:?}");
    println!("files {open:?}");
}
