//! Memory regions that the system description maps into a protection domain.

use core::ptr::NonNull;

use ferry_layout::{AuditLog, AuditSlot, InRegion, OutRegion};

/// A memory region at its address in this protection domain.
#[derive(Clone, Copy, Debug)]
pub struct Region {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a region is an address and a size. Each access to the memory behind it has its own SAFETY comment.
unsafe impl Send for Region {}

/// A type that may lie in memory which another protection domain writes.
///
/// # Safety
/// The type consists of atomics and padding only, and every pattern of bits is a value of it.
pub unsafe trait Shared {}

// SAFETY: it is made of atomic words; its private padding is never read.
unsafe impl Shared for OutRegion {}
// SAFETY: it is made of atomic words; its private padding is never read.
unsafe impl Shared for InRegion {}
// SAFETY: it is made of atomic words.
unsafe impl Shared for AuditSlot {}

/// A region cannot hold what it is asked to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionError {
    /// The region has `bytes` bytes, and the type needs `needed`.
    TooSmall {
        /// Size of the region.
        bytes: usize,
        /// Size of the type.
        needed: usize,
    },
    /// The region's address is not a multiple of `alignment`.
    Misaligned {
        /// Alignment of the type.
        alignment: usize,
    },
}

impl core::error::Error for RegionError {}

impl core::fmt::Display for RegionError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooSmall { bytes, needed } => {
                write!(formatter, "it has {bytes:#x} bytes, and {needed:#x} are needed")
            }
            Self::Misaligned { alignment } => {
                write!(formatter, "its address is not a multiple of {alignment:#x}")
            }
        }
    }
}

impl Region {
    /// The region of `bytes` bytes at `address`. `None` if `address` is 0, or if the address space ends
    /// before the region does.
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

    /// The region as a structure that both sides know. Fails if the region is too small or misaligned for
    /// `T`.
    pub fn shared<T: Shared>(self) -> Result<&'static T, RegionError> {
        let all = self.shared_slice::<T>()?;
        all.first().ok_or(RegionError::TooSmall { bytes: self.bytes, needed: size_of::<T>() })
    }

    /// The region as an audit log. `None` if it is too small for one, or misaligned.
    #[must_use]
    pub fn audit_log(self) -> Option<AuditLog<'static>> {
        AuditLog::new(self.shared_slice::<AuditSlot>().ok()?)
    }

    /// The region as as many structures as fit. Fails if none fits, or the region is misaligned for `T`.
    fn shared_slice<T: Shared>(self) -> Result<&'static [T], RegionError> {
        if self.bytes < size_of::<T>() {
            return Err(RegionError::TooSmall { bytes: self.bytes, needed: size_of::<T>() });
        }
        let place = self.base.cast::<T>();
        if !place.is_aligned() {
            return Err(RegionError::Misaligned { alignment: align_of::<T>() });
        }
        // SAFETY: the region is mapped for good, and no Rust object of another type lies in it (contract of
        // `at`). It is large enough for as many of them as fit and aligned (checked above). `T` is made of
        // atomics (contract of `Shared`), so others may write to it.
        Ok(unsafe { core::slice::from_raw_parts(place.as_ptr(), self.bytes / size_of::<T>()) })
    }
}
