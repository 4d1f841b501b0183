//! The smallest program that an image builder takes: one writable segment with a word for each symbol that a
//! description sets.

/// Where the segment lies.
const ADDRESS: u64 = 0x20_0000;
/// Bytes of a header of the file, of a program header, of a section header, and of a symbol.
const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const SECTION_HEADER: usize = 64;
const SYMBOL: usize = 24;
/// Machine of x86-64, and kinds of sections.
const X86_64: u16 = 62;
const PROGBITS: u32 = 1;
const SYMTAB: u32 = 2;
const STRTAB: u32 = 3;

/// An ELF file for x86-64 with these symbols.
pub(crate) fn program(symbols: &[&str]) -> Vec<u8> {
    let data = HEADER + PROGRAM_HEADER;
    let data_bytes = (symbols.len() + 1) * 8;
    let table = data + data_bytes;
    let strings = table + (symbols.len() + 1) * SYMBOL;
    let mut names = vec![0];
    let mut entries = vec![0; SYMBOL];
    for (number, symbol) in symbols.iter().enumerate() {
        entries.extend(word(names.len()).to_le_bytes());
        // A global object in the first section.
        entries.extend([0x11, 0, 1, 0]);
        entries.extend((ADDRESS + number as u64 * 8).to_le_bytes());
        entries.extend(8_u64.to_le_bytes());
        names.extend(symbol.bytes().chain([0]));
    }
    let sections = strings + names.len();
    let mut file = header(sections);
    for number in [ADDRESS_OF_SEGMENT, &[data as u64, ADDRESS, ADDRESS]].concat() {
        file.extend(number.to_le_bytes());
    }
    file.extend((data_bytes as u64).to_le_bytes());
    file.extend((data_bytes as u64).to_le_bytes());
    file.extend(0x1000_u64.to_le_bytes());
    file.resize(table, 0);
    file.extend(entries);
    file.extend(&names);
    file.extend([0; SECTION_HEADER]);
    // Kind, address, place, bytes, section of the names, bytes of an entry.
    section(&mut file, PROGBITS, ADDRESS, data..table, 0, 0);
    section(&mut file, SYMTAB, 0, table..strings, 3, SYMBOL);
    section(&mut file, STRTAB, 0, strings..sections, 0, 0);
    file
}

/// A loadable segment that is readable and writable.
const ADDRESS_OF_SEGMENT: &[u64] = &[1 | 6 << 32];

fn header(sections: usize) -> Vec<u8> {
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([2_u16, X86_64].iter().flat_map(|number| number.to_le_bytes()));
    file.extend(1_u32.to_le_bytes());
    file.extend([ADDRESS, HEADER as u64, sections as u64].iter().flat_map(|number| number.to_le_bytes()));
    file.extend(0_u32.to_le_bytes());
    let sizes = [HEADER, PROGRAM_HEADER, 1, SECTION_HEADER, 4, 3];
    file.extend(sizes.iter().flat_map(|size| u16::try_from(*size).unwrap().to_le_bytes()));
    file
}

fn section(
    file: &mut Vec<u8>,
    kind: u32,
    address: u64,
    place: std::ops::Range<usize>,
    names: u32,
    entry: usize,
) {
    file.extend([0, kind].iter().flat_map(|number| number.to_le_bytes()));
    let numbers = [3, address, place.start as u64, place.len() as u64];
    file.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    // The first symbol that is global.
    file.extend([names, 1].iter().flat_map(|number| number.to_le_bytes()));
    file.extend([8, entry as u64].iter().flat_map(|number| number.to_le_bytes()));
}

fn word(number: usize) -> u32 {
    u32::try_from(number).unwrap()
}
