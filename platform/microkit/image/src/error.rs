//! Why no image was made: what, where, and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// An image could not be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the image would not be what the description says; this is a defect of Ferry:\n  {0}")]
    Differs(String),
    #[error("this is no image of Ferry for this board and configuration, or it is damaged: {0}")]
    Unreadable(String),
    #[error("no Microkit SDK is named; give one with --sdk or in MICROKIT_SDK")]
    NoSdk,
    #[error(transparent)]
    Board(#[from] ferry_boards::sdk::SdkError),
    #[error("{}: the SDK's file is not as Microkit 2.3.0 has it: {cause}", path.display())]
    SdkFile { path: PathBuf, cause: String },
    #[error("cannot {act} {}: {cause}", path.display())]
    File { act: &'static str, path: PathBuf, cause: io::Error },
    #[error("`{0}` is not REGION=FILE; name a region and the file for it")]
    NotAPrefill(String),
    #[error("--prefill names the region `{0}`, which the system description does not have; correct the name")]
    NoRegionToFill(String),
    #[error(transparent)]
    Description(#[from] ferry_description::ReadError),
    #[error("the description has mistakes\n{0}")]
    Mistakes(#[from] ferry_description::Mistakes),
    #[error("`{0}` is not DOMAIN=PRIORITY; name a domain and a number up to 255")]
    NotAPriority(String),
    #[error("there is no protection domain `{0}` to give another priority to; correct the name")]
    NoDomain(String),
    #[error(
        "the program `{program}` of `{domain}` is in none of the search paths; build it, or name its directory with --search-path"
    )]
    NoProgram { domain: String, program: String },
    #[error("{}: {cause}", path.display())]
    Program { path: PathBuf, cause: String },
    #[error("Microkit refuses the system description: {0}")]
    Refused(String),
    #[error("Microkit refuses the system with Ferry's supervisor in it (see {}): {cause}", path.display())]
    SupervisedRefused { path: PathBuf, cause: String },
    #[error(
        "the system description has {found} protection domains; Ferry's supervisor supports at most {limit}"
    )]
    TooManyDomains { found: usize, limit: usize },
    #[error(
        "`{domain}` uses all channel numbers; Ferry's console and panic messages need one, so remove a channel"
    )]
    NoChannel { domain: String },
    #[error(
        "no {bytes:#x} bytes of contiguous memory are free for `{region}`, whose address a program gets; make it smaller"
    )]
    NoMemoryInOne { region: String, bytes: u64 },
    #[error(
        "no address was found that stays free for the regions of `setvar region_paddr`; state phys_addr for them"
    )]
    NoAddresses,
    #[error(
        "the programs to be started again have {found} writable segments, Ferry's supervisor supports at most {limit}; \
         remove domains from [restarts] in flows.toml"
    )]
    TooManyParts { found: usize, limit: usize },
    #[error(
        "all slots of central's root CNode are taken; leave one of 1..63 free of `<cspace>` capabilities"
    )]
    NoRootSlot,
    #[error(
        "a region of `{domain}` ends at {bottom:#x}, where its stack ends, so an overflow would write to it; \
         leave a page between them"
    )]
    NoGuardPage { domain: String, bottom: u64 },
    #[error("the specification lacks the object `{0}`; this builder is made for Microkit 2.3.0")]
    NoObject(String),
    #[error("slot {slot:#x} of `{object}` is taken; this builder is made for Microkit 2.3.0")]
    SlotTaken { object: String, slot: u32 },
    #[error(
        "the system needs {needed} capability slots, the initialiser has {limit}, and `{largest}` alone has {frames} frames; \
         set `large_frames` for its client in flows.toml, or make it smaller"
    )]
    TooManyObjects { needed: usize, limit: usize, largest: String, frames: u64 },
    #[error("{} objects do not fit into the memory of the board; make regions smaller", objects)]
    OutOfMemory { objects: usize },
    #[error("the initial task does not fit into the memory of the board; make prefilled regions smaller")]
    NoRoomForTask,
    #[error("the image cannot be written: {0}")]
    Image(String),
    #[error("the stock tool refused the system with {status}; its output:\n{output}")]
    StockTool { status: std::process::ExitStatus, output: String },
}

impl Error {
    /// For `map_err`: what was being done to which file.
    pub(crate) fn file(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { act, path, cause }
    }
}
