//! A memory region in an address space: of a protection domain, of a guest or of a device.

use crate::source::Place;
use std::fmt;

/// A region in a domain's address space.
#[derive(Clone, Debug)]
pub struct Map {
    /// Number of the region.
    pub region: usize,
    /// Address of its first byte.
    pub address: u64,
    /// What the domain may do with it.
    pub permissions: Permissions,
    /// Whether the processor may cache it.
    pub cached: bool,
    /// Symbol that gets the address of the mapping.
    pub setvar_address: Option<String>,
    /// Symbol that gets the size of the region in bytes.
    pub setvar_size: Option<String>,
    /// Symbol that gets the size of the region's initial contents.
    pub setvar_prefill_size: Option<String>,
    /// Where its element is.
    pub place: Place,
}

/// What may be done with mapped memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permissions {
    /// `r`
    pub read: bool,
    /// `w`
    pub write: bool,
    /// `x`
    pub execute: bool,
}

impl Permissions {
    /// `r`
    pub const READ: Self = Self { read: true, write: false, execute: false };
    /// `rw`
    pub const READ_WRITE: Self = Self { read: true, write: true, execute: false };
}

impl serde::Serialize for Permissions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (letter, set) in [("r", self.read), ("w", self.write), ("x", self.execute)] {
            formatter.write_str(if set { letter } else { "" })?;
        }
        Ok(())
    }
}
