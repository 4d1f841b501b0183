//! What alpha does as a program that is not linked to the runtime, so that nothing but what the launcher has bound it to keeps
//! it. Each attempt prints a line with Linux's error number, 0 if it succeeded.

use ferry_hosted_table::{FIRST_FILE, Map, TABLE_FILE, Table};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, SealFlags};
use rustix::io::Errno;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getppid, kill_process, pidfd_getfd, pidfd_open};
use std::fs::File;
use std::io::Read;
use std::os::fd::{BorrowedFd, FromRawFd, RawFd};
use std::ptr;

/// How often a file is emptied and filled in which others may write meanwhile.
const TRIES: usize = 1000;
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

/// The mapping whose address a symbol has.
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
    // SAFETY: where Linux finds room no Rust object lies.
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
    println!("done");
}

/// Tries to have central wait for it: fills each file that can be filled, and makes it one whose writer waits.
pub(crate) fn stop_central(table: &Table) {
    for number in FIRST_FILE..=table.wait {
        // It may refuse all that, or take it: what counts is that central goes on.
        let filled = (0..TRIES).any(|_| {
            let _ = rustix::io::read(file(number), &mut [0; 8]);
            rustix::io::write(file(number), &(u64::MAX - 1).to_ne_bytes()).is_ok()
        });
        let waits = rustix::fs::fcntl_setfl(file(number), OFlags::empty()).is_ok();
        println!("file {number} filled {filled} waits {waits}");
    }
    println!("done");
}

/// Prints without end, and hardly ever a whole line.
pub(crate) fn print_without_end(_: &Table) {
    println!("done");
    loop {
        let _ = rustix::io::write(file(1), &[b'x'; PAGE]);
    }
}

/// Prints the files that it has, and those that it should have.
pub(crate) fn list_files(table: &Table) {
    let listing = std::fs::read_dir("/proc/self/fd").expect("a process can list its files");
    // The listing itself is one, and is gone when it is over.
    let mut open: Vec<RawFd> =
        listing.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    open.retain(|number| rustix::io::fcntl_getfd(file(*number)).is_ok());
    open.sort_unstable();
    let maps = table.maps.iter().map(|map| map.file);
    let channels = table.channels.iter().map(|channel| channel.ring).chain([table.wait]);
    let mut given: Vec<RawFd> = (0..FIRST_FILE).chain(maps).chain(channels).collect();
    given.sort_unstable();
    println!("given {given:?}");
    println!("files {open:?}");
}
