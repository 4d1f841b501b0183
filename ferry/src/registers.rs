//! Whether a program uses floating-point or vector registers. The kernel keeps none for a protection domain
//! with `fpu="false"`, so such a program would fault there at the first instruction that does.
//!
//! Nothing is disassembled: on Arm and RISC-V a few bits tell these instructions from all others. On x86-64
//! that would take a disassembler.

use object::{Architecture, Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use std::collections::BTreeMap;
use std::ops::Range;

/// The first function of a program that uses these registers, by name, or the address where that is if the
/// program has no names. `None` if there is none, or if nobody can tell.
pub(crate) fn first_use(program: &object::File<'_>) -> Option<String> {
    let uses: fn(&[u8]) -> Option<usize> = match program.architecture() {
        Architecture::Aarch64 => first_on_aarch64,
        Architecture::Riscv64 => first_on_riscv64,
        _ => return None,
    };
    let code = program.sections().filter(|section| section.kind() == SectionKind::Text);
    let address = code.flat_map(|section| runs(program, &section)).find_map(|(address, run)| {
        let place = uses(&run)?;
        Some(address + u64::try_from(place).unwrap_or_default())
    })?;
    let named = program.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    let before = named.filter(|symbol| symbol.address() <= address && mark(symbol).is_none());
    let nearest = before.max_by_key(ObjectSymbol::address);
    Some(
        nearest
            .and_then(|symbol| symbol.name().ok().map(ToOwned::to_owned))
            .unwrap_or(format!("{address:#x}")),
    )
}

/// The runs of instructions in a section, with their addresses. The symbols `$x` and `$d` mark where
/// instructions and data begin. A linker script may put constants into the section too, as that of Microkit's
/// SDK does. On RISC-V they have no mark, so a run ends with its last function.
fn runs(program: &object::File<'_>, section: &object::Section<'_, '_>) -> Vec<(u64, Vec<u8>)> {
    let Ok(bytes) = section.data() else { return Vec::new() };
    let start = section.address();
    let range = start..start.saturating_add(section.size());
    let inside = || program.symbols().filter(|symbol| range.contains(&symbol.address()));
    let mut marks: BTreeMap<u64, bool> =
        inside().filter_map(|symbol| Some((symbol.address(), mark(&symbol)?))).collect();
    // Where some is marked, what comes before it without a function is constants.
    let begins_unmarked = !marks.is_empty() && !marks.contains_key(&start);
    marks.entry(start).or_insert(true);
    let ends: Vec<u64> = marks.keys().copied().skip(1).chain([range.end]).collect();
    let code = marks.into_iter().zip(ends).filter(|((_, is_code), _)| *is_code);
    let functions: Vec<(u64, u64)> = inside()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && mark(symbol).is_none())
        .map(|symbol| (symbol.address(), symbol.size()))
        .collect();
    let place = |address: u64| usize::try_from(address - start).unwrap_or(usize::MAX);
    code.filter_map(|((begin, _), end)| {
        let without = if begin == start && begins_unmarked { begin } else { end };
        let end = end_of_functions(&functions, begin..end).unwrap_or(without);
        Some((begin, bytes.get(place(begin)..place(end))?.to_vec()))
    })
    .collect()
}

/// Where the last function of a run ends. One without a size, as in assembly, goes to the end of the run.
fn end_of_functions(functions: &[(u64, u64)], run: Range<u64>) -> Option<u64> {
    let inside = functions.iter().filter(|(begin, _)| run.contains(begin));
    let ends = inside.map(|(begin, size)| if *size == 0 { run.end } else { begin.saturating_add(*size) });
    ends.max().map(|end| end.min(run.end))
}

/// Whether a symbol marks the beginning of instructions, or of data. `None`: it is an ordinary one.
fn mark<'a>(symbol: &impl ObjectSymbol<'a>) -> Option<bool> {
    let name = symbol.name().ok()?;
    let is = |letter: &str| name == letter || name.starts_with(&format!("{letter}."));
    // On RISC-V the mark of instructions names their extensions.
    if is("$x") || name.starts_with("$xrv") { Some(true) } else { is("$d").then_some(false) }
}

/// Where the first such instruction of Arm's is: bits 26 and 27 are set in every data processing of vector
/// registers, and in every load and store of one. Scalable vectors have a group of their own.
fn first_on_aarch64(code: &[u8]) -> Option<usize> {
    let (words, _) = code.as_chunks::<4>();
    let words = words.iter().map(|word| u32::from_le_bytes(*word));
    let position = words.into_iter().position(|word| word >> 26 & 3 == 3 || word >> 25 & 0xf == 0b0010)?;
    Some(position * 4)
}

/// Where the first such instruction of RISC-V's is: one of the seven major opcodes for floating point, that
/// for vectors, or a compressed load or store.
fn first_on_riscv64(code: &[u8]) -> Option<usize> {
    let mut place = 0;
    while let Some(half) = code.get(place..place + 2) {
        let half = u16::from_le_bytes([half[0], half[1]]);
        let is_whole = half & 3 == 3;
        let uses = if is_whole {
            matches!(half & 0x7f, 0x07 | 0x27 | 0x43 | 0x47 | 0x4b | 0x4f | 0x53 | 0x57)
        } else {
            // c.fld, c.fsd, and the same by the stack pointer.
            half & 1 == 0 && matches!(half >> 13, 0b001 | 0b101)
        };
        if uses {
            return Some(place);
        }
        place += if is_whole { 4 } else { 2 };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{first_on_aarch64, first_on_riscv64, first_use};
    use object::write::{Object, Symbol, SymbolSection};
    use object::{Architecture, BinaryFormat, Endianness, SymbolFlags, SymbolKind, SymbolScope};

    /// What is found in a file of these functions, each with its words. One whose name begins with `$` is
    /// only a mark. Words without a name are constants without a symbol.
    fn found(architecture: Architecture, functions: &[(&str, &[u32])]) -> Option<String> {
        let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
        let text = object.section_id(object::write::StandardSection::Text);
        for (name, words) in functions {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let value = object.append_section_data(text, &bytes, 4);
            if name.is_empty() {
                continue;
            }
            let kind = if name.starts_with('$') { SymbolKind::Label } else { SymbolKind::Text };
            object.add_symbol(Symbol {
                name: name.as_bytes().to_vec(),
                value,
                size: bytes.len() as u64,
                kind,
                scope: SymbolScope::Compilation,
                weak: false,
                section: SymbolSection::Section(text),
                flags: SymbolFlags::None,
            });
        }
        let written = object.write().unwrap();
        first_use(&object::File::parse(written.as_slice()).unwrap())
    }

    #[test]
    fn the_function_that_uses_them_is_named() {
        const NOP: u32 = 0xd503_201f;
        const FADD: u32 = 0x1e61_2800;
        let aarch64 = Architecture::Aarch64;
        assert_eq!(found(aarch64, &[("init", &[NOP]), ("notified", &[NOP])]), None);
        let functions: [(&str, &[u32]); 3] = [("init", &[NOP]), ("mean", &[NOP, FADD]), ("notified", &[NOP])];
        assert_eq!(found(aarch64, &functions).as_deref(), Some("mean"));
        // What is marked as data is none, whatever it looks like.
        let marked: [(&str, &[u32]); 4] = [("init", &[NOP]), ("$d", &[FADD]), ("$x", &[]), ("mean", &[NOP])];
        assert_eq!(found(aarch64, &marked), None);
        let marked: [(&str, &[u32]); 3] = [("$d", &[NOP]), ("$x", &[]), ("mean", &[FADD])];
        assert_eq!(found(aarch64, &marked).as_deref(), Some("mean"));
        // fadd.d on RISC-V. On x86-64 nobody can tell.
        let sum: [(&str, &[u32]); 2] = [("init", &[0x0205_0513]), ("sum", &[0x02b5_7553])];
        assert_eq!(found(Architecture::Riscv64, &sum).as_deref(), Some("sum"));
        assert_eq!(found(Architecture::X86_64, &sum), None);
    }

    #[test]
    fn constants_without_a_mark_are_no_code() {
        const ADDI: u32 = 0x0205_0513;
        const FADD: u32 = 0x02b5_7553;
        let riscv64 = Architecture::Riscv64;
        // Behind the last function, and before the first mark.
        let behind: [(&str, &[u32]); 3] = [("$x", &[]), ("init", &[ADDI]), ("", &[FADD])];
        assert_eq!(found(riscv64, &behind), None);
        let before: [(&str, &[u32]); 3] = [("", &[FADD]), ("$xrv64i2p1", &[]), ("init", &[ADDI])];
        assert_eq!(found(riscv64, &before), None);
        let unmarked: [(&str, &[u32]); 3] = [("old", &[FADD]), ("$x", &[]), ("init", &[ADDI])];
        assert_eq!(found(riscv64, &unmarked).as_deref(), Some("old"));
        // Not what lies between two functions, and not what a function without a size may be.
        let between: [(&str, &[u32]); 4] =
            [("$x", &[]), ("init", &[ADDI]), ("", &[FADD]), ("notified", &[ADDI])];
        assert_eq!(found(riscv64, &between).as_deref(), Some("init"));
        let assembly: [(&str, &[u32]); 3] = [("$x", &[]), ("_start", &[]), ("", &[FADD])];
        assert_eq!(found(riscv64, &assembly).as_deref(), Some("_start"));
    }

    #[test]
    fn arm_instructions_are_told_apart() {
        let other = [
            0xd503_201f, // nop
            0xa9bf_7bfd, // stp x29, x30, [sp, #-16]!
            0xf940_0000, // ldr x0, [x0]
            0xc8df_fc00, // ldar x0, [x0]
            0x9ba1_7c00, // umull x0, w0, w1
            0x5400_0040, // b.eq
            0xd63f_0000, // blr x0
            0xd400_0001, // svc #0
            0x1ac0_0800, // udiv w0, w0, w0
        ];
        let code = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        assert_eq!(first_on_aarch64(&code(&other)), None);
        for (name, word) in [
            ("ldr q0, [x1]", 0x3dc0_0020),
            ("stp q0, q1, [x0]", 0xad00_0400),
            ("stp d8, d9, [sp, #16]", 0x6d01_27e8),
            ("ldr s0, literal", 0x1c00_0000),
            ("movi v0.2d, #0", 0x6f00_e400),
            ("fadd d0, d0, d1", 0x1e61_2800),
            ("fmov x0, d0", 0x9e66_0000),
            ("ld1 {v0.16b}, [x0]", 0x4c40_7000),
            ("ptrue p0.b", 0x2518_e3e0),
        ] {
            assert_eq!(first_on_aarch64(&code(&[&other[..2], &[word]].concat())), Some(8), "{name}");
        }
    }

    #[test]
    fn riscv_instructions_of_both_lengths_are_told_apart() {
        let other: [&[u8]; 6] = [
            &[0x01, 0x00],             // c.nop
            &[0x06, 0xe4],             // c.sdsp ra, 8(sp)
            &[0x08, 0x61],             // c.ld a0, 0(a0)
            &[0x13, 0x05, 0x05, 0x02], // addi a0, a0, 32
            &[0x73, 0x00, 0x00, 0x00], // ecall
            &[0x82, 0x80],             // c.jr ra
        ];
        assert_eq!(first_on_riscv64(&other.concat()), None);
        let before = other[3];
        for (name, bytes) in [
            ("c.fld fa0, 0(a0)", &[0x08_u8, 0x21][..]),
            ("c.fsdsp fs0, 8(sp)", &[0x22, 0xa4]),
            ("fld fa0, 0(a0)", &[0x07, 0x35, 0x05, 0x00]),
            ("fsw fa0, 0(a0)", &[0x27, 0x20, 0xa5, 0x00]),
            ("fadd.d fa0, fa0, fa1", &[0x53, 0x75, 0xb5, 0x02]),
            ("fmadd.d", &[0x43, 0x75, 0xb5, 0x6a]),
        ] {
            assert_eq!(first_on_riscv64(&[before, bytes].concat()), Some(4), "{name}");
        }
    }
}
