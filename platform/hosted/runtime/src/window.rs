//! Central's window: a range of addresses that is reserved without access. A frame of a client is mapped into
//! it by `mmap`; when the frame is unmapped, the reservation replaces it again. This is the one place of this
//! platform where a running PD changes its address space.
//!
//! It refuses a frame that is mapped already, and an address that is taken. The kernel of the classic
//! platform refuses the same.

use crate::process::{self, Process};
use ferry_hosted_table::Grant;
use ferry_platform::{Frame, MapError};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous};
use std::collections::BTreeMap;
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The right to map and unmap frames in this PD's window.
pub struct Window {
    process: &'static Process,
    /// The capability mapped at each address.
    mapped: BTreeMap<u64, u64>,
    /// For each grant, where each of its frames is mapped; 0 if it is not.
    places: Vec<Vec<u64>>,
}

/// The window. Only the first call returns it. Later calls return `None`, and so does every call in a PD to
/// which the system description gives no window.
#[must_use]
pub fn window() -> Option<Window> {
    let process = process::get()?;
    process.table.window?;
    if TAKEN.swap(true, Ordering::Relaxed) {
        return None;
    }
    let frames = |grant: &Grant| vec![0; usize::try_from(grant.frames).unwrap_or(0)];
    let places = process.table.grants.iter().map(frames).collect();
    Some(Window { process, mapped: BTreeMap::new(), places })
}

impl Window {
    /// Maps a frame at its address, read-only or read-write. A frame without the write right is mapped
    /// read-only even if read-write is asked for; then a write to it faults.
    pub fn map(&mut self, frame: Frame) -> Result<(), MapError> {
        let refused = |errno: Errno| MapError { code: u64::from(errno.raw_os_error().unsigned_abs()) };
        let (grant, number) = self.find(frame.capability).ok_or(refused(Errno::BADF))?;
        let granted = self.process.table.grants[grant];
        let bytes = 1 << granted.frame_bits;
        let window = self.process.table.window.ok_or(refused(Errno::NXIO))?;
        let end = frame.address.checked_add(bytes).ok_or(refused(Errno::INVAL))?;
        let inside = frame.address >= window.address
            && end <= window.address + window.bytes
            && frame.address.is_multiple_of(bytes);
        if !inside {
            return Err(refused(Errno::INVAL));
        }
        let place = &mut self.places[grant][number];
        if *place != 0 || self.mapped.contains_key(&frame.address) {
            return Err(refused(Errno::EXIST));
        }
        let mut protection = ProtFlags::READ;
        protection.set(ProtFlags::WRITE, frame.writable && granted.writable);
        // SAFETY: the range lies in the reservation, where no Rust object is. The check above has shown that
        // nothing is mapped there.
        unsafe {
            map_file(frame.address, bytes, granted.file, (number as u64) << granted.frame_bits, protection)
        }
        .map_err(refused)?;
        *place = frame.address;
        self.mapped.insert(frame.address, frame.capability);
        Ok(())
    }

    /// Removes the mapping that was made through this capability. A capability through which nothing is
    /// mapped, or that does not exist, is left alone.
    ///
    /// # Panics
    ///
    /// If Linux has no memory for its own tables and refuses. Central must end then, because it would go on
    /// with a frame mapped that it believes unmapped.
    pub fn unmap(&mut self, capability: u64) {
        let Some((grant, number)) = self.find(capability) else { return };
        let bytes = 1 << self.process.table.grants[grant].frame_bits;
        let address = std::mem::take(&mut self.places[grant][number]);
        if address == 0 {
            return;
        }
        self.mapped.remove(&address);
        // SAFETY: `map` has mapped a frame there, so no Rust object lies in the range. Whoever calls this
        // knows that the frame goes.
        let gone = unsafe { reserve(address, bytes) };
        // Linux refuses only if it has no memory for its own tables. No frame may stay mapped.
        assert!(gone.is_ok(), "a frame at {address:#x} could not be unmapped");
    }

    /// The grant that has a capability, and the frame's number in it.
    fn find(&self, capability: u64) -> Option<(usize, usize)> {
        self.process.table.grants.iter().enumerate().find_map(|(number, grant)| {
            let frame =
                capability.checked_sub(grant.first_capability).filter(|frame| *frame < grant.frames)?;
            Some((number, usize::try_from(frame).ok()?))
        })
    }
}

/// Maps part of a file over whatever is at `address`.
///
/// # Safety
/// No Rust object lies in the range, and the range is no other mapping that anybody relies on.
pub(crate) unsafe fn map_file(
    address: u64,
    bytes: u64,
    file: RawFd,
    offset: u64,
    protection: ProtFlags,
) -> Result<(), Errno> {
    let (place, bytes) = range(address, bytes)?;
    // SAFETY: the table names only files that are open.
    let file = unsafe { BorrowedFd::borrow_raw(file) };
    // The call makes the page tables too, as seL4 does when it maps a frame. A page fault at the first access
    // would cost more than the call.
    let flags = MapFlags::SHARED | MapFlags::FIXED | MapFlags::POPULATE;
    // SAFETY: the caller keeps this function's contract: no Rust object and no other mapping is in the range.
    unsafe { mmap(place, bytes, protection, flags, file, offset) }?;
    Ok(())
}

/// Makes a range of addresses fault, and keeps everything else from being put there.
///
/// # Safety
/// No Rust object lies in the range, and the range is no other mapping that anybody relies on.
pub(crate) unsafe fn reserve(address: u64, bytes: u64) -> Result<(), Errno> {
    let (place, bytes) = range(address, bytes)?;
    let flags = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
    // SAFETY: the caller keeps this function's contract: no Rust object and no other mapping is in the range.
    unsafe { mmap_anonymous(place, bytes, ProtFlags::empty(), flags) }?;
    Ok(())
}

fn range(address: u64, bytes: u64) -> Result<(*mut std::ffi::c_void, usize), Errno> {
    let number = |number: u64| usize::try_from(number).map_err(|_| Errno::INVAL);
    Ok((ptr::with_exposed_provenance_mut(number(address)?), number(bytes)?))
}
