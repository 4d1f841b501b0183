//! What a Microkit SDK says of its boards: which there are, in which configurations, and what a system
//! description for one may say. The SDK's own files say it: those from which Microkit's tool takes it too.

use crate::table::MICROKIT_PLATFORM;
use crate::{AARCH64, Architecture, Board, DECLARED, MICROKIT, RISCV64, X86_64};
use ferry_description::{Interrupts, Platform, Top};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::ToOwned;
use std::boxed::Box;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

/// How the names of configurations for several cores begin.
pub const SEVERAL_CORES: &str = "smp-";

/// Where a configuration has what the kernel was built with.
const GENERATED: &str = "include/kernel/gen_config.json";
/// A page, and the bytes at the beginning of memory that the kernel and the initialiser keep.
const PAGE: u64 = 0x1000;
const KEPT: u64 = 64 << 20;
/// The highest interrupt that an interrupt controller of this kind can have: a GIC's, and a PLIC's. The SDK
/// does not say how many of them a board has. The kernel refuses more when the system starts.
const MOST_OF_GIC: u64 = 1019;
const MOST_OF_PLIC: u64 = 1023;

/// Why a board of an SDK cannot be built for.
#[derive(Debug, thiserror::Error)]
pub enum SdkError {
    /// The SDK was built without this board.
    #[error(
        "the Microkit SDK {} has no board `{board}`; it has {}. Name one of these, or build an SDK with this board \
         (DEVELOPER.md of Microkit's sources)",
        sdk.display(), list(boards)
    )]
    NoBoard {
        /// The SDK's directory.
        sdk: PathBuf,
        /// The name that was asked for.
        board: String,
        /// The boards that there are.
        boards: Vec<String>,
    },
    /// The board was built without this configuration.
    #[error(
        "the Microkit SDK {} has no configuration `{config}` for the board `{board}`; it has {}. Name one of these, or \
         build an SDK with this configuration",
        sdk.display(), list(configs)
    )]
    NoConfiguration {
        /// The SDK's directory.
        sdk: PathBuf,
        /// The board.
        board: String,
        /// The name that was asked for.
        config: String,
        /// The configurations that there are.
        configs: Vec<String>,
    },
    /// A file is not there, or cannot be read.
    #[error("cannot read {}: {cause}; the Microkit SDK is damaged, so unpack it again", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file does not say what it should.
    #[error("{}: the SDK's file is not as Microkit 2.3.0 has it: {cause}", path.display())]
    Contents {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The boards of an SDK, in order.
#[must_use]
pub fn boards(sdk: &Path) -> Vec<String> {
    directories(&sdk.join("board"))
}

/// The configurations of a board, in order.
#[must_use]
pub fn configurations(sdk: &Path, board: &str) -> Vec<String> {
    directories(&sdk.join("board").join(board))
}

/// The directory of a board in one configuration.
pub fn directory(sdk: &Path, board: &str, config: &str) -> Result<PathBuf, SdkError> {
    let boards = boards(sdk);
    if !boards.iter().any(|name| name == board) {
        return Err(SdkError::NoBoard { sdk: sdk.to_owned(), board: board.to_owned(), boards });
    }
    let configs = configurations(sdk, board);
    if !configs.iter().any(|name| name == config) {
        let (board, config) = (board.to_owned(), config.to_owned());
        return Err(SdkError::NoConfiguration { sdk: sdk.to_owned(), board, config, configs });
    }
    Ok(sdk.join("board").join(board).join(config))
}

/// A board of an SDK. One that the table does not have is described from the SDK alone; it stays in memory
/// until the program ends.
pub fn board(sdk: &Path, name: &str) -> Result<&'static Board, SdkError> {
    if let Some(known) = Board::of_microkit(name) {
        return Ok(known);
    }
    Ok(Box::leak(Box::new(described(sdk, name)?)))
}

/// A board as the SDK describes it, whether the table has it or not.
pub fn described(sdk: &Path, name: &str) -> Result<Board, SdkError> {
    let no_board = || SdkError::NoBoard { sdk: sdk.to_owned(), board: name.to_owned(), boards: boards(sdk) };
    let configs = configurations(sdk, name);
    let is_several = |config: &&String| config.starts_with(SEVERAL_CORES);
    let one = configs.iter().find(|config| !is_several(config)).or(configs.first()).ok_or_else(no_board)?;
    let directory = directory(sdk, name, one)?;
    let kernel = Kernel::read(&directory)?;
    let cores = match configs.iter().find(is_several) {
        Some(several) => Kernel::read(&self::directory(sdk, name, several)?)?.number("MAX_NUM_NODES")?,
        None => 1,
    };
    let name: &'static str = Box::leak(Box::from(name));
    let declared = DECLARED.iter().find(|declared| declared.name == name);
    Ok(Board {
        name,
        summary: declared.map_or("a board of the SDK", |declared| declared.summary),
        architecture: kernel.architecture()?,
        platform: platform(name, &kernel, &directory)?,
        cores: u8::try_from(cores).unwrap_or(u8::MAX),
        console: declared.and_then(|declared| declared.console.clone()),
        exit: declared.and_then(|declared| declared.exit),
        emulator: None,
    })
}

/// What the kernel of one configuration was built with.
struct Kernel {
    path: PathBuf,
    values: Value,
}

impl Kernel {
    fn read(directory: &Path) -> Result<Self, SdkError> {
        let path = directory.join(GENERATED);
        Ok(Self { values: json(&path)?, path })
    }

    fn wrong(&self, cause: String) -> SdkError {
        SdkError::Contents { path: self.path.clone(), cause }
    }

    /// A number. The file has them as text.
    fn number(&self, key: &str) -> Result<u64, SdkError> {
        let number = self.values.get(key).and_then(Value::as_str).and_then(|text| text.parse().ok());
        number.ok_or_else(|| self.wrong(format!("there is no number {key}")))
    }

    /// Whether something is switched on. What an architecture does not have is not there.
    fn has(&self, key: &str) -> bool {
        self.values.get(key).and_then(Value::as_bool) == Some(true)
    }

    fn architecture(&self) -> Result<&'static Architecture, SdkError> {
        let name = self.values.get("SEL4_ARCH").and_then(Value::as_str).unwrap_or_default();
        let known = [&AARCH64, &RISCV64, &X86_64].into_iter().find(|known| known.name == name);
        known.ok_or_else(|| self.wrong(format!("the architecture `{name}` is not supported")))
    }
}

/// The part of `platform_gen.json` that is needed.
#[derive(serde::Deserialize)]
struct Addresses {
    devices: Vec<Span>,
    memory: Vec<Span>,
}

#[derive(serde::Deserialize)]
struct Span {
    start: u64,
    end: u64,
}

/// The part of `address_space_constants.json` that is needed.
#[derive(serde::Deserialize)]
struct AddressSpace {
    vspace_user_top: u64,
}

fn platform(name: &str, kernel: &Kernel, directory: &Path) -> Result<Platform, SdkError> {
    let architecture = kernel.architecture()?;
    let space: AddressSpace = json(&directory.join("address_space_constants.json"))?;
    // Two pages below the highest address: one for messages, one that stays free.
    let top = Top::Stack((space.vspace_user_top & !(PAGE - 1)).saturating_sub(PAGE));
    let lacks = |extra: &str| match extra {
        "smc" => !kernel.has("ALLOW_SMC_CALLS"),
        "virtual_machine" => !kernel.has("ARM_HYPERVISOR_SUPPORT"),
        "io_address_space" => !kernel.has("IOMMU"),
        _ => false,
    };
    let mut extras: Vec<&str> = architecture.extras.iter().copied().filter(|extra| !lacks(extra)).collect();
    if kernel.has("VTX") {
        extras.push("virtual_machine");
    }
    let is_pc = architecture == &X86_64;
    let (physical, memory_bytes) =
        if is_pc { (of_pc(kernel)?, memory_of_pc()) } else { of_board(directory)? };
    let interrupts = if is_pc {
        Interrupts::PC
    } else if architecture == &RISCV64 {
        // The interrupt controller has no source with the number 0.
        Interrupts::Numbers { highest: MOST_OF_PLIC, of_kernel: &[0] }
    } else if kernel.has("ARM_HYPERVISOR_SUPPORT") {
        // Those of the virtual interrupt controller, of the kernel's own timer, and of the timer of guests.
        Interrupts::Numbers { highest: MOST_OF_GIC, of_kernel: &[25, 26, 27] }
    } else {
        Interrupts::Numbers { highest: MOST_OF_GIC, of_kernel: &[27] }
    };
    let slots = kernel.number("ROOT_CNODE_SIZE_BITS")?;
    let frames = 1_u64.checked_shl(u32::try_from(slots).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
    Ok(Platform {
        name: Box::leak(format!("Microkit's {name}").into_boxed_str()),
        extras: Box::leak(extras.into_boxed_slice()),
        interrupts,
        top,
        chooses_addresses: !is_pc,
        physical: Box::leak(physical.into_boxed_slice()),
        memory_bytes,
        frames: frames - frames / 8,
        ..MICROKIT_PLATFORM
    })
}

/// The physical addresses that regions can have, and how much memory there is for them.
fn of_board(directory: &Path) -> Result<(Vec<Range<u64>>, u64), SdkError> {
    let path = directory.join("platform_gen.json");
    let Addresses { devices, mut memory } = json(&path)?;
    memory.sort_by_key(|span| span.start);
    let bytes = memory.iter().map(|span| span.end.saturating_sub(span.start)).sum::<u64>();
    let Some(first) = memory.first_mut() else {
        return Err(SdkError::Contents { path, cause: "there is no memory".to_owned() });
    };
    first.start = first.start.saturating_add(KEPT);
    let spans = devices.into_iter().chain(memory).map(|span| span.start..span.end);
    let mut physical: Vec<Range<u64>> = spans.filter(|span| !span.is_empty()).collect();
    physical.sort_by_key(|span| span.start);
    Ok((physical, bytes.saturating_sub(KEPT)))
}

/// The same addresses of a PC: not the pages of the interrupt controllers, and not what is at 1 MiB and
/// above, where the kernel and the initialiser are.
fn of_pc(kernel: &Kernel) -> Result<Vec<Range<u64>>, SdkError> {
    let end = kernel.number("PADDR_USER_DEVICE_TOP")?;
    Ok(vec![0..0x10_0000, KEPT..0xfec0_0000, 0xfec0_1000..0xfee0_0000, 0xfee0_1000..end])
}

/// Memory of a PC, of which an SDK says nothing: what the emulated one has.
fn memory_of_pc() -> u64 {
    let pc = MICROKIT.iter().find(|board| board.architecture == &X86_64);
    pc.map_or(0, |board| board.platform.memory_bytes)
}

fn directories(within: &Path) -> Vec<String> {
    let entries = fs::read_dir(within).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        directories.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, SdkError> {
    let text = fs::read(path).map_err(|cause| SdkError::File { path: path.to_owned(), cause })?;
    serde_json::from_slice(&text)
        .map_err(|cause| SdkError::Contents { path: path.to_owned(), cause: cause.to_string() })
}
