//! The ELF file of a protection domain as segments, with the words that the system description sets.

use crate::error::ImageError;
use ferry_classic_spec::{Payload, Rights, Segment};
use object::{Object, ObjectSegment, ObjectSymbol, SegmentFlags};

/// Bytes of a patched word.
const WORD: u64 = 8;

/// Words to write: the symbol and its value.
pub(crate) type Words = Vec<(String, u64)>;

/// A program that is ready for the compiled system.
pub(crate) struct Program {
    pub(crate) entry: u64,
    pub(crate) segments: Vec<Segment>,
}

/// Reads the ELF file `bytes` of `domain` and sets `words` in it. The data of its segments goes to `payload`.
pub(crate) fn load(
    domain: &str,
    bytes: &[u8],
    words: &Words,
    payload: &mut Payload,
) -> Result<Program, ImageError> {
    let elf = |cause| ImageError::Elf { domain: domain.to_owned(), cause };
    let file = object::File::parse(bytes).map_err(elf)?;
    let mut patches = Vec::new();
    for (symbol, value) in words {
        let found = file.symbols().find(|candidate| candidate.name() == Ok(symbol));
        let no_symbol = || ImageError::NoSymbol { domain: domain.to_owned(), symbol: symbol.clone() };
        let address = found.filter(ObjectSymbol::is_definition).ok_or_else(no_symbol)?.address();
        patches.push((address, *value, no_symbol()));
    }

    let mut segments = Vec::new();
    for segment in file.segments().filter(|segment| segment.size() > 0) {
        let mut data = segment.data().map_err(elf)?.to_vec();
        patches.retain(|(address, value, _)| !patch(&mut data, segment.address(), *address, *value));
        let SegmentFlags::Elf { p_flags } = segment.flags() else { continue };
        let rights = match (p_flags & object::elf::PF_W != 0, p_flags & object::elf::PF_X != 0) {
            (true, true) => return Err(ImageError::WritableCode { domain: domain.to_owned() }),
            (true, false) => Rights::ReadWrite,
            (false, true) => Rights::ReadExecute,
            (false, false) => Rights::Read,
        };
        segments.push(Segment {
            address: segment.address(),
            memory_bytes: segment.size(),
            rights,
            data: payload.push(&data),
        });
    }
    // A symbol outside the file's bytes, in `.bss`, cannot be set.
    match patches.pop() {
        Some((_, _, no_symbol)) => Err(no_symbol),
        None => Ok(Program { entry: file.entry(), segments }),
    }
}

/// Writes the word if it lies in the segment's bytes.
fn patch(data: &mut [u8], segment: u64, address: u64, value: u64) -> bool {
    let range = address.checked_sub(segment).and_then(|start| {
        let end = start.checked_add(WORD)?;
        Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    });
    match range.and_then(|range| data.get_mut(range)) {
        Some(word) => {
            word.copy_from_slice(&value.to_le_bytes());
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::patch;

    #[test]
    fn a_word_is_written_only_where_all_of_it_fits() {
        let mut data = [0; 16];
        assert!(patch(&mut data, 0x1000, 0x1008, 0x1122));
        assert_eq!(data[8..10], [0x22, 0x11]);
        assert!(!patch(&mut data, 0x1000, 0x1009, 1));
        assert!(!patch(&mut data, 0x1000, 0xfff, 1));
        assert!(!patch(&mut data, 0x1000, u64::MAX, 1));
    }
}
