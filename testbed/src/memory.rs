//! Memory of a client that the test, the client library and the simulated machine access by address.

use ferry_platform::Region;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// A page-aligned piece of memory. It lives as long as the process, or until [`free`](Self::free). It is only
/// ever accessed through raw pointers.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    address: usize,
    bytes: usize,
}

impl Memory {
    /// `bytes` bytes of zeros; `bytes` must be more than 0. A page that nothing accesses takes no memory.
    ///
    /// # Panics
    /// If there is not enough memory.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        assert!(bytes > 0, "a piece of memory has bytes");
        let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
        // SAFETY: a new mapping, wherever there is room, changes nothing that exists.
        let address = unsafe { mmap_anonymous(core::ptr::null_mut(), bytes, protection, flags) };
        let address = address.unwrap_or_else(|error| panic!("no memory for {bytes} bytes: {error}"));
        Self { address: address.expose_provenance(), bytes }
    }

    /// Gives the memory back.
    ///
    /// # Safety
    /// The memory comes from [`new`](Self::new), nothing uses it any more, and it is not given back twice.
    ///
    /// # Panics
    /// If it does not come from there.
    pub unsafe fn free(self) {
        // SAFETY: mapped by `new` with this size; the rest is the caller's promise.
        unsafe { munmap(self.at(0).cast(), self.bytes) }.expect("the memory is a mapping");
    }

    /// `bytes` bytes that begin at an address. Whoever uses them knows that they are there.
    pub(crate) const fn at_address(address: usize, bytes: usize) -> Self {
        Self { address, bytes }
    }

    /// The memory of a structure that lives as long as the process.
    #[must_use]
    pub fn of<T>(structure: &'static T) -> Self {
        Self { address: core::ptr::from_ref(structure).expose_provenance(), bytes: size_of::<T>() }
    }

    /// Size in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.bytes
    }

    /// Its first byte.
    #[must_use]
    pub const fn address(self) -> usize {
        self.address
    }

    /// The memory as a region of a program.
    #[must_use]
    pub fn region(self) -> Option<Region> {
        // SAFETY: this is leaked memory of that size.
        unsafe { Region::at(self.address, self.bytes) }
    }

    /// A copy of the `length` bytes from `start` on.
    ///
    /// # Panics
    /// If they do not lie inside.
    #[must_use]
    pub fn read(self, start: usize, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.read_to(start, &mut bytes);
        bytes
    }

    /// Copies bytes from `start` on, as many as `to` has.
    ///
    /// # Panics
    /// If they do not lie inside.
    pub fn read_to(self, start: usize, to: &mut [u8]) {
        self.check(start, to.len());
        // SAFETY: the range was just checked to lie inside leaked memory, and the slice has that length.
        unsafe { ferry_platform::copy_opaque(self.at(start), to.as_mut_ptr(), to.len()) };
    }

    /// Writes `bytes` from `start` on.
    ///
    /// # Panics
    /// If they do not fit.
    pub fn write(self, start: usize, bytes: &[u8]) {
        self.check(start, bytes.len());
        // SAFETY: the range was just checked to lie inside leaked memory.
        unsafe { ferry_platform::copy_opaque(bytes.as_ptr(), self.at(start), bytes.len()) };
    }

    /// Copies between two pieces of memory.
    ///
    /// # Panics
    /// If one of the ranges does not lie inside its memory.
    pub fn copy(self, start: usize, to: Self, to_start: usize, length: usize) {
        self.check(start, length);
        to.check(to_start, length);
        // SAFETY: both ranges were just checked, and the pieces of memory of a test are distinct allocations.
        unsafe { ferry_platform::copy_opaque(self.at(start), to.at(to_start), length) };
    }

    fn check(self, start: usize, length: usize) {
        assert!(start + length <= self.bytes, "{length} bytes at {start} of {}", self.bytes);
    }

    fn at(self, start: usize) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(self.address + start)
    }
}
