//! Memory of a client that the test, the client library and the simulated machine access by address.

use std::alloc::Layout;

use ferry_platform::Region;

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
        let layout = Self::layout(bytes);
        assert!(bytes > 0, "a piece of memory has bytes");
        // SAFETY: the size is not 0.
        let address = unsafe { std::alloc::alloc_zeroed(layout) };
        assert!(!address.is_null(), "no memory for {bytes} bytes");
        Self { address: address.expose_provenance(), bytes }
    }

    /// Gives the memory back.
    ///
    /// # Safety
    /// The memory comes from [`new`](Self::new), nothing uses it any more, and it is not given back twice.
    pub unsafe fn free(self) {
        // SAFETY: allocated by `new` with this layout; the rest is the caller's promise.
        unsafe { std::alloc::dealloc(self.at(0), Self::layout(self.bytes)) };
    }

    fn layout(bytes: usize) -> Layout {
        Layout::from_size_align(bytes, 4096).expect("a size that memory can have")
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
        self.check(start, length);
        // SAFETY: the range was just checked to lie inside leaked memory, and the vector has that length.
        unsafe { ferry_platform::copy_opaque(self.at(start), bytes.as_mut_ptr(), length) };
        bytes
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
