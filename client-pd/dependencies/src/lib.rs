//! The dependencies of protection domains, for all platforms: a protection domain writes
//! `use dependencies::sha2::Sha256;`.

#![no_std]
#![forbid(unsafe_code)]

pub use heapless;
pub use sha2;
