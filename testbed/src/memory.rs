//! Memory of a client that the test, the client library and the played machine look at by address.

use ferry_platform::Region;

/// A page-aligned piece of memory that lives as long as the process. It is only ever touched through raw pointers.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    address: usize,
    bytes: usize,
}

/// One page, for the alignment.
#[derive(Clone, Copy)]
#[repr(C, align(4096))]
struct Page([u8; 4096]);

impl Memory {
    /// `bytes` bytes of zeros; a multiple of 4096.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let pages = vec![Page([0; 4096]); bytes / 4096].leak();
        Self { address: pages.as_mut_ptr().expose_provenance(), bytes }
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

    /// As a region of a program.
    #[must_use]
    pub fn region(self) -> Option<Region> {
        // SAFETY: leaked memory of that size.
        unsafe { Region::at(self.address, self.bytes) }
    }

    /// Copies of `length` bytes from `start` on.
    ///
    /// # Panics
    /// If they are not inside.
    #[must_use]
    pub fn read(self, start: usize, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.check(start, length);
        // SAFETY: inside leaked memory, as was just checked; the vector has that length.
        unsafe { ferry_platform::copy_opaque(self.at(start), bytes.as_mut_ptr(), length) };
        bytes
    }

    /// Writes `bytes` from `start` on.
    ///
    /// # Panics
    /// If they do not fit.
    pub fn write(self, start: usize, bytes: &[u8]) {
        self.check(start, bytes.len());
        // SAFETY: inside leaked memory, as was just checked.
        unsafe { ferry_platform::copy_opaque(bytes.as_ptr(), self.at(start), bytes.len()) };
    }

    /// Copies between two pieces of memory.
    ///
    /// # Panics
    /// If either range is not inside its memory.
    pub fn copy(self, start: usize, to: Self, to_start: usize, length: usize) {
        self.check(start, length);
        to.check(to_start, length);
        // SAFETY: both ranges were just checked, and a test's pieces of memory are distinct allocations.
        unsafe { ferry_platform::copy_opaque(self.at(start), to.at(to_start), length) };
    }

    fn check(self, start: usize, length: usize) {
        assert!(start + length <= self.bytes, "{length} bytes at {start} of {}", self.bytes);
    }

    fn at(self, start: usize) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(self.address + start)
    }
}
