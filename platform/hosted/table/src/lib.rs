//! What the launcher of the hosted platform tells each process, and what a process reports to it.
//!
//! A process gets its table through [`TABLE_FILE`], read-only. The table names the other open files of the
//! process: one for each region that its protection domain has in the system description, one for each
//! channel, and one to wait with. What a process reports goes through [`REPORT_FILE`], a socket of its own,
//! so nobody can report in another's name.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod report;

pub use report::ProcessReport;

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Number of the open file with the encoded [`Table`].
pub const TABLE_FILE: i32 = 3;
/// Number of the open file for [`ProcessReport`]s.
pub const REPORT_FILE: i32 = 4;
/// Number of the first file that the table names.
pub const FIRST_FILE: i32 = 5;

/// One process.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Table {
    /// Name of the protection domain.
    pub domain: String,
    /// Symbols that the system description sets, with their values.
    pub words: Vec<(String, u64)>,
    /// Regions to map from the start.
    pub maps: Vec<Map>,
    /// Range of addresses in which frames can be mapped.
    pub window: Option<Window>,
    /// Frames that can be mapped.
    pub grants: Vec<Grant>,
    /// Channels.
    pub channels: Vec<Channel>,
    /// The file to wait with: an epoll instance that gives the numbers of channels whose other ends have
    /// signalled.
    pub wait: i32,
    /// Period of the tick in microseconds, if the domain is the system's ticker.
    pub period_us: Option<u32>,
}

/// A region in the process's address space.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Map {
    /// The region's file, opened for as much as the mapping allows.
    pub file: i32,
    /// Address of its first byte.
    pub address: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Whether it is mapped read-write. Otherwise it is mapped read-only.
    pub writable: bool,
}

/// A range of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Window {
    /// First address.
    pub address: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The frames of a region, as capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// The region's file; opened read-only if the capabilities carry no write right.
    pub file: i32,
    /// Capability of the first frame; the others follow one by one.
    pub first_capability: u64,
    /// Number of frames.
    pub frames: u64,
    /// Binary logarithm of the bytes of a frame.
    pub frame_bits: u32,
    /// Whether the capabilities carry the write right.
    pub writable: bool,
}

/// One end of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// Its number in this protection domain.
    pub number: u8,
    /// The event counter that this end adds to. No other process has it.
    pub counter: i32,
}

impl Table {
    /// The table as bytes for [`TABLE_FILE`].
    pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_allocvec(self)
    }

    /// The table from the bytes of [`TABLE_FILE`].
    pub fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }

    /// The value of a symbol.
    #[must_use]
    pub fn word(&self, symbol: &str) -> Option<u64> {
        self.words.iter().find(|(name, _)| name == symbol).map(|(_, value)| *value)
    }
}
