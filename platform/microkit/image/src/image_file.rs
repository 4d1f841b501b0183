//! The parts of an image, found in its file in the way in which the loader and the initialiser find them when
//! it is booted. On x86-64 the file is the ELF file of the initialiser. On all others Microkit's loader comes
//! first, then its table of regions, and then what the regions contain: the kernel and the initialiser. On
//! RISC-V two headers precede the loader, U-Boot's and Linux's. On all boards the initialiser finds its
//! specification through a table of program headers, whose address is written into the initialiser.
//!
//! Nothing in the file is trusted: what points outside is an error. `inspect` is the only caller.

use std::ops::Range;

use ferry_boards::Form;

use crate::error::Error;
use crate::sdk::Target;

/// What the loader's table of regions begins with.
const MAGIC: u64 = 0x5e14_dead_14de_5ead;
/// What U-Boot's header begins with, the highest byte first.
const UBOOT_MAGIC: [u8; 4] = 0x2705_1956_u32.to_be_bytes();
/// Bytes of U-Boot's header and of Linux's behind it.
const UBOOT_HEADERS: usize = 64 + 64;
/// Bytes of the loader's header, of an entry of its table, and of a program header.
const HEADER: usize = 64;
const REGION: usize = 32;
const PROGRAM_HEADER: usize = 56;
/// Types of program headers: to be loaded, the specification, the contents of embedded frames.
const LOAD: u64 = 1;
const SPECIFICATION: u64 = 0x64c3_4003;
const FRAMES: u64 = 0x64c3_4004;

/// What bytes of an image are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Loader,
    Kernel,
    Initialiser,
    Headers,
}

impl Part {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Loader => "Microkit's loader",
            Self::Kernel => "the kernel",
            Self::Initialiser => "the initialiser or its specification",
            Self::Headers => "the header of the file",
        }
    }
}

/// An image, by its parts.
pub(crate) struct ImageFile<'a> {
    /// All parts of the file, the initialiser's memory among them.
    pub(crate) parts: Vec<(Part, &'a [u8])>,
    pub(crate) specification: &'a [u8],
    /// The contents of embedded frames.
    pub(crate) frames: &'a [u8],
}

/// The memory of the initialiser at its start, by addresses.
struct Memory<'a>(Vec<(u64, &'a [u8])>);

impl<'a> ImageFile<'a> {
    /// Finds the parts of an image for this target.
    pub(crate) fn read(image: &'a [u8], target: &Target) -> Result<Self, Error> {
        let (mut parts, memory) = match target.board.architecture.form {
            Form::Multiboot => elf(image)?,
            Form::Raw => loaded(image, target)?,
            Form::Uboot => {
                let (headers, rest) = uboot(image)?;
                let (mut parts, memory) = loaded(rest, target)?;
                parts.push((Part::Headers, headers));
                (parts, memory)
            }
        };
        parts.extend(memory.0.iter().map(|(_, bytes)| (Part::Initialiser, *bytes)));
        let initialiser = target.program("initialiser.elf")?;
        let symbol = |name: &str, bytes| {
            let (address, _) = initialiser.find_symbol(name).map_err(Error::Image)?;
            number(memory.at(address, bytes)?, 0, usize::try_from(bytes).unwrap_or_default())
        };
        let table = symbol("sel4_phdrs_patched__vaddr", 8)?;
        let entries = symbol("sel4_phdrs_patched__phnum", 2)?;
        let table = memory.at(table, entries * PROGRAM_HEADER as u64)?;
        let find = |kind: u64| {
            let mut entries = table.chunks(PROGRAM_HEADER);
            let found = entries.find(|entry| number(entry, 0, 4).is_ok_and(|found| found == kind));
            let found = found.ok_or_else(|| damaged("no program header of the kind that it needs"))?;
            memory.at(number(found, 16, 8)?, number(found, 32, 8)?)
        };
        Ok(Self { specification: find(SPECIFICATION)?, frames: find(FRAMES)?, parts })
    }
}

impl<'a> Memory<'a> {
    fn at(&self, address: u64, bytes: u64) -> Result<&'a [u8], Error> {
        let inside = |(start, segment): &(u64, &'a [u8])| {
            let offset = usize::try_from(address.checked_sub(*start)?).ok()?;
            segment.get(offset..offset.checked_add(usize::try_from(bytes).ok()?)?)
        };
        let found = self.0.iter().find_map(inside);
        found.ok_or_else(|| damaged(&format!("nothing for {bytes} bytes at {address:#x}")))
    }
}

type Parts<'a> = (Vec<(Part, &'a [u8])>, Memory<'a>);

/// An image that a boot loader hands to the kernel.
fn elf(image: &[u8]) -> Result<Parts<'_>, Error> {
    if !image.starts_with(b"\x7fELF\x02\x01") {
        return Err(damaged("no 64-bit ELF file in it"));
    }
    let (table, entries) = (number(image, 32, 8)?, number(image, 56, 2)?);
    let table = slice(image, table, entries * PROGRAM_HEADER as u64)?;
    let mut memory = Memory(Vec::new());
    let mut first = image.len();
    for entry in table.chunks(PROGRAM_HEADER) {
        if number(entry, 0, 4)? == LOAD {
            let (start, bytes) = (number(entry, 8, 8)?, number(entry, 32, 8)?);
            memory.0.push((number(entry, 16, 8)?, slice(image, start, bytes)?));
            first = first.min(usize::try_from(start).unwrap_or(first));
        }
    }
    Ok((vec![(Part::Headers, &image[..first])], memory))
}

/// The headers that U-Boot reads, and the rest of the image.
fn uboot(image: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let parts =
        image.split_at_checked(UBOOT_HEADERS).filter(|(headers, _)| headers.starts_with(&UBOOT_MAGIC));
    parts.ok_or_else(|| damaged("no header for U-Boot in it"))
}

/// An image that begins with Microkit's loader.
fn loaded<'a>(image: &'a [u8], target: &Target) -> Result<Parts<'a>, Error> {
    let loader = target.program("loader.elf")?;
    let loader = loader.loadable_segments().first().map_or(0, |segment| segment.data().len());
    let rest = image.get(loader..).ok_or_else(|| damaged("no room in it for Microkit's loader"))?;
    if number(rest, 0, 8)? != MAGIC {
        return Err(damaged("no table of regions behind a loader in it"));
    }
    let field = |position: usize| number(rest, position * 8, 8);
    let task: Range<u64> = field(3)?..field(4)?;
    let (offset, entries) = (field(5)?, field(7)?);
    let table = entries.saturating_mul(REGION as u64);
    let table = slice(rest, HEADER as u64, table)?;
    let contents = HEADER + table.len();
    let mut parts = vec![(Part::Loader, &image[..loader + contents])];
    let mut memory = Memory(Vec::new());
    for entry in table.chunks(REGION) {
        let (address, bytes) = (number(entry, 0, 8)?, number(entry, 8, 8)?);
        let bytes = slice(&rest[contents..], number(entry, 16, 8)?, bytes)?;
        if task.contains(&address) {
            memory.0.push((address.wrapping_sub(offset), bytes));
        } else {
            parts.push((Part::Kernel, bytes));
        }
    }
    Ok((parts, memory))
}

fn damaged(what: &str) -> Error {
    Error::Unreadable(format!("there is {what}"))
}

fn slice(bytes: &[u8], start: u64, length: u64) -> Result<&[u8], Error> {
    let range = || {
        let start = usize::try_from(start).ok()?;
        bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)
    };
    range().ok_or_else(|| damaged("less in it than its tables say"))
}

/// A number of up to eight bytes, the lowest first.
fn number(bytes: &[u8], start: usize, length: usize) -> Result<u64, Error> {
    let bytes = slice(bytes, start as u64, length as u64)?;
    Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
