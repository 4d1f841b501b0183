//! The directory: the peers of a client by name, so that no client has a peer's number compiled in.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::entry::entry;
use crate::geometry::MAX_NAME;

/// The name of a protection domain, as in the system description: 1 to [`MAX_NAME`] bytes of UTF-8, padded
/// with 0.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct DomainName([u8; MAX_NAME]);

/// The name does not fit in [`MAX_NAME`] bytes, or is empty, or holds a zero byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidName;

impl DomainName {
    /// The name as it is stored.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let mut bytes = [0; MAX_NAME];
        let place = bytes.get_mut(..name.len()).ok_or(InvalidName)?;
        if name.is_empty() || name.as_bytes().contains(&0) {
            return Err(InvalidName);
        }
        place.copy_from_slice(name.as_bytes());
        Ok(Self(bytes))
    }

    /// The name, or `""` if what is stored is not one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(MAX_NAME);
        self.0.get(..end).and_then(|name| core::str::from_utf8(name).ok()).unwrap_or("")
    }
}

impl Default for DomainName {
    fn default() -> Self {
        Self([0; MAX_NAME])
    }
}

impl core::fmt::Debug for DomainName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

/// One entry of the directory: a peer that this client shares a flow with, in at least one direction.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Peer {
    /// The peer's name in the system description.
    pub name: DomainName,
    /// Longest message that this client may send to the peer, in bytes.
    pub max_message: u32,
    /// The peer's number.
    pub domain: u16,
    /// 1 if this client may send to the peer.
    pub may_send: u8,
    /// 1 if the peer may send to this client.
    pub may_receive: u8,
}

entry!(Peer, 7);
