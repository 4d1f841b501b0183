//! Memory regions that the system description maps into a protection domain.

use core::ptr::NonNull;

use ferry_layout::{InRegion, OutRegion};

/// A memory region at its address in this protection domain.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a region is an address and a size; whatever is done with the memory behind it is argued for there.
unsafe impl Send for Region {}

/// A type that may lie in memory which another protection domain writes.
///
/// # Safety
/// The type consists of atomics and padding only, and every pattern of bits is a value of it.
pub unsafe trait Shared {}

// SAFETY: made of atomic words; the private padding is never read.
unsafe impl Shared for OutRegion {}
// SAFETY: made of atomic words; the private padding is never read.
unsafe impl Shared for InRegion {}

/// A region cannot hold what it is asked to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionError {
    /// It has `bytes` bytes and needs `needed`.
    TooSmall {
        /// Size of the region.
        bytes: usize,
        /// Size of the type.
        needed: usize,
    },
    /// Its address is not a multiple of `alignment`.
    Misaligned {
        /// Alignment of the type.
        alignment: usize,
    },
}

impl Region {
    /// The region of `bytes` bytes at `address`, or `None` if there cannot be one.
    ///
    /// # Safety
    /// The system description maps a memory region of that size there, for as long as the protection domain
    /// runs, and no Rust object of another kind lies in it.
    #[must_use]
    pub unsafe fn at(address: usize, bytes: usize) -> Option<Self> {
        address.checked_add(bytes)?;
        Some(Self { base: NonNull::new(core::ptr::with_exposed_provenance_mut(address))?, bytes })
    }

    /// Its first byte.
    #[must_use]
    pub const fn base(self) -> NonNull<u8> {
        self.base
    }

    /// Its size in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.bytes
    }

    /// The region as bytes that never change.
    ///
    /// # Safety
    /// Nobody writes to it from now on: it is mapped read-only here and nowhere writable.
    #[must_use]
    pub const unsafe fn constant(self) -> &'static [u8] {
        // SAFETY: mapped for good (contract of `at`) and constant (contract of this function).
        unsafe { core::slice::from_raw_parts(self.base.as_ptr(), self.bytes) }
    }

    /// The region as a structure that both sides know.
    pub fn shared<T: Shared>(self) -> Result<&'static T, RegionError> {
        if self.bytes < size_of::<T>() {
            return Err(RegionError::TooSmall { bytes: self.bytes, needed: size_of::<T>() });
        }
        let place = self.base.cast::<T>();
        if !place.is_aligned() {
            return Err(RegionError::Misaligned { alignment: align_of::<T>() });
        }
        // SAFETY: mapped for good and of no other Rust type (contract of `at`), large enough and aligned
        // (just checked); `T` is made of atomics, so other writers are allowed for.
        Ok(unsafe { place.as_ref() })
    }
}
