//! Appends a compiled system to the initialiser's ELF file, so that the boot loader and the kernel load both
//! as one image and the initialiser needs no rebuild for another system.
//!
//! The file gets one more loadable segment, page-aligned behind all others, and a new table of program
//! headers at its end. The words at the symbol [`SYSTEM_SYMBOL`] are patched to where the segment is.

use ferry_classic_spec::{PAGE_BYTES, SYSTEM_SYMBOL};
use object::elf::{EM_X86_64, FileHeader64, PF_R, PT_LOAD, ProgramHeader64};
use object::endian::{LittleEndian as LE, U16, U32, U64};
use object::pod::bytes_of;
use object::read::elf::{FileHeader as _, ProgramHeader as _, Sym as _};
use std::fmt;

const PAGE: u64 = PAGE_BYTES as u64;
/// Pages that an image can have. Each takes a slot of the initialiser's CNode, which has 2^17 slots
/// (`CONFIG_ROOT_CNODE_SIZE_BITS` of the kernel), and some slots must be left to build a system with. A
/// kernel that runs out of slots stops at boot, without a helpful message.
const MAXIMUM_PAGES: u64 = (1 << 17) - (1 << 13);
/// Bytes of the words at the symbol.
const WORDS: usize = 24;

/// Returns the image for the boot loader: `initialiser`, the ELF file of `ferry-root-task`, with `compiled`,
/// the result of [`encode`](ferry_classic_spec::encode), in it.
pub fn pack(initialiser: &[u8], compiled: &[u8]) -> Result<Vec<u8>, PackError> {
    let elf = FileHeader64::<LE>::parse(initialiser).map_err(PackError::Elf)?;
    if elf.e_machine(LE) != EM_X86_64 {
        return Err(PackError::Machine);
    }
    let headers = elf.program_headers(LE, initialiser).map_err(PackError::Elf)?;
    let loadable = || headers.iter().filter(|header| header.p_type(LE) == PT_LOAD);
    let start = loadable().map(|header| header.p_vaddr(LE)).min().ok_or(PackError::NoSegments)?;
    let end = loadable().map(|header| header.p_vaddr(LE).saturating_add(header.p_memsz(LE))).max();
    let address = end.and_then(|end| end.checked_next_multiple_of(PAGE)).ok_or(PackError::NoSegments)?;

    let pages = (address - start) / PAGE + compiled.len().div_ceil(PAGE_BYTES) as u64;
    if pages > MAXIMUM_PAGES {
        return Err(PackError::TooLarge { pages });
    }

    let patch_at = symbol_offset(elf, headers, initialiser)?;
    let mut image = initialiser.to_vec();
    let words = [address, compiled.len() as u64, start];
    image[patch_at..patch_at + WORDS].copy_from_slice(words.map(u64::to_le_bytes).as_flattened());

    image.resize(image.len().next_multiple_of(PAGE_BYTES), 0);
    let segment = ProgramHeader64::<LE> {
        p_type: U32::new(LE, PT_LOAD),
        p_flags: U32::new(LE, PF_R),
        p_offset: U64::new(LE, image.len() as u64),
        p_vaddr: U64::new(LE, address),
        p_paddr: U64::new(LE, address),
        p_filesz: U64::new(LE, compiled.len() as u64),
        p_memsz: U64::new(LE, compiled.len() as u64),
        p_align: U64::new(LE, PAGE),
    };
    image.extend_from_slice(compiled);
    image.resize(image.len().next_multiple_of(PAGE_BYTES), 0);

    let mut header = *elf;
    header.e_phoff = U64::new(LE, image.len() as u64);
    let count = u16::try_from(headers.len() + 1).map_err(|_| PackError::NoSegments)?;
    header.e_phnum = U16::new(LE, count);
    for program_header in headers.iter().chain([&segment]) {
        image.extend_from_slice(bytes_of(program_header));
    }
    image[..size_of_val(&header)].copy_from_slice(bytes_of(&header));
    Ok(image)
}

/// Where in the file the words of [`SYSTEM_SYMBOL`] are.
fn symbol_offset(
    elf: &FileHeader64<LE>,
    headers: &[ProgramHeader64<LE>],
    file: &[u8],
) -> Result<usize, PackError> {
    let sections = elf.sections(LE, file).map_err(PackError::Elf)?;
    let symbols = sections.symbols(LE, file, object::elf::SHT_SYMTAB).map_err(PackError::Elf)?;
    let symbol = symbols
        .iter()
        .find(|symbol| symbol.name(LE, symbols.strings()) == Ok(SYSTEM_SYMBOL.as_bytes()))
        .ok_or(PackError::NoSymbol)?;
    let offset = headers.iter().find_map(|header| {
        let into = symbol.st_value(LE).checked_sub(header.p_vaddr(LE))?;
        let fits = into.checked_add(WORDS as u64)? <= header.p_filesz(LE);
        usize::try_from(header.p_offset(LE).checked_add(into)?).ok().filter(|_| fits)
    });
    offset
        .filter(|offset| offset.checked_add(WORDS).is_some_and(|end| end <= file.len()))
        .ok_or(PackError::NoSymbol)
}

/// Why a compiled system could not be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackError {
    /// The initialiser is not a well-formed 64-bit little-endian ELF file.
    Elf(object::read::Error),
    /// The initialiser is an ELF file for another machine.
    Machine,
    /// The initialiser has no loadable segment, or its addresses leave no room for one more.
    NoSegments,
    /// The system is larger than the kernel can give to the initialiser.
    TooLarge {
        /// Pages of 4 KiB that the image would have.
        pages: u64,
    },
    /// The initialiser's file has no initialised [`SYSTEM_SYMBOL`], or its symbols were stripped.
    NoSymbol,
}

impl fmt::Display for PackError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("initialiser: ")?;
        match self {
            Self::Elf(error) => write!(formatter, "not a usable ELF file: {error}"),
            Self::Machine => {
                formatter.write_str("not for x86-64; build it with `--target x86_64-unknown-none`")
            }
            Self::NoSegments => {
                formatter.write_str("no room for a segment; is it the file of `ferry-root-task`?")
            }
            Self::TooLarge { pages } => write!(
                formatter,
                "the system makes an image of {pages} pages, and {MAXIMUM_PAGES} are possible; prefill less"
            ),
            Self::NoSymbol => {
                write!(formatter, "no symbol `{SYSTEM_SYMBOL}`; build `ferry-root-task` without `strip`")
            }
        }
    }
}

impl std::error::Error for PackError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::{self, BASE};

    /// A program with one symbol, which is as large as the initialiser's.
    fn initialiser(symbol: &str) -> Vec<u8> {
        assert_eq!(elf::SYMBOL_BYTES, WORDS);
        elf::program(&[symbol], 0x1234)
    }

    #[test]
    fn packed_image_has_the_system_behind_the_initialiser() {
        let compiled = [5; 2 * PAGE_BYTES];
        let image = pack(&initialiser(SYSTEM_SYMBOL), &compiled).unwrap();
        let header = FileHeader64::<LE>::parse(image.as_slice()).unwrap();
        let headers = header.program_headers(LE, image.as_slice()).unwrap();
        assert_eq!(headers.len(), 2);
        let address = BASE + 0x2000;
        assert_eq!(headers[1].p_vaddr(LE), address);
        assert_eq!(headers[1].data(LE, image.as_slice()), Ok(compiled.as_slice()));
        let expected = [address, compiled.len() as u64, BASE];
        assert_eq!(headers[0].data(LE, image.as_slice()), Ok(expected.map(u64::to_le_bytes).as_flattened()));
    }

    #[test]
    fn what_is_no_initialiser_is_refused() {
        assert_eq!(pack(&initialiser("OTHER"), &[]), Err(PackError::NoSymbol));
        let large = usize::try_from(MAXIMUM_PAGES * PAGE).map(|bytes| vec![0; bytes]).unwrap();
        assert!(matches!(pack(&initialiser(SYSTEM_SYMBOL), &large), Err(PackError::TooLarge { .. })));
        assert!(matches!(pack(b"not an ELF file", &[]), Err(PackError::Elf(_))));
    }
}
