//! The smallest program that the image builder takes, for tests: one writable segment with three words for
//! each symbol that a description sets.

use object::elf::{EM_X86_64, ET_EXEC, PF_R, PF_W, PT_LOAD, STB_GLOBAL, STT_OBJECT};
use object::write::elf::{FileHeader, ProgramHeader, Sym, Writer};

/// Where the segment lies, and where it stands in the file.
pub(crate) const BASE: u64 = 0x20_0000;
const DATA: usize = 0x1000;
/// Bytes of a symbol.
pub(crate) const SYMBOL_BYTES: usize = 24;

/// An ELF file for x86-64 with these symbols. The segment has one symbol's bytes at least, and `memory` bytes
/// at least when it is loaded.
pub(crate) fn program(symbols: &[&str], memory: u64) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::new(object::Endianness::Little, true, &mut file);
    let contents = vec![0xff; symbols.len().max(1) * SYMBOL_BYTES];
    let bytes = contents.len() as u64;
    writer.reserve_file_header();
    writer.reserve_program_headers(1);
    writer.reserve_until(DATA);
    writer.reserve(contents.len(), 1);
    let names: Vec<_> = symbols.iter().map(|symbol| writer.add_string(symbol.as_bytes())).collect();
    writer.reserve_null_symbol_index();
    for _ in symbols {
        writer.reserve_symbol_index(None);
    }
    writer.reserve_null_section_index();
    writer.reserve_symtab_section_index();
    writer.reserve_strtab_section_index();
    writer.reserve_shstrtab_section_index();
    writer.reserve_symtab();
    writer.reserve_strtab();
    writer.reserve_shstrtab();
    writer.reserve_section_headers();
    let (e_type, e_machine) = (ET_EXEC, EM_X86_64);
    let header = FileHeader { os_abi: 0, abi_version: 0, e_type, e_machine, e_entry: BASE, e_flags: 0 };
    writer.write_file_header(&header).unwrap();
    writer.write_align_program_headers();
    writer.write_program_header(&ProgramHeader {
        p_type: PT_LOAD,
        p_flags: PF_R | PF_W,
        p_offset: DATA as u64,
        p_vaddr: BASE,
        p_paddr: BASE,
        p_filesz: bytes,
        p_memsz: bytes.max(memory),
        p_align: 1,
    });
    writer.pad_until(DATA);
    writer.write(&contents);
    writer.write_null_symbol();
    for (number, name) in (0_u64..).zip(names) {
        writer.write_symbol(&Sym {
            name: Some(name),
            section: None,
            st_info: STB_GLOBAL << 4 | STT_OBJECT,
            st_other: 0,
            // Any section that exists.
            st_shndx: 1,
            st_value: BASE + number * SYMBOL_BYTES as u64,
            st_size: SYMBOL_BYTES as u64,
        });
    }
    writer.write_strtab();
    writer.write_shstrtab();
    writer.write_null_section_header();
    writer.write_symtab_section_header(0);
    writer.write_strtab_section_header();
    writer.write_shstrtab_section_header();
    file
}
