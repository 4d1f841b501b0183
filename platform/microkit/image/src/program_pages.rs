//! A program as the pages that hold it. An image has no segments: pages that follow each other with the same
//! rights are one. So are those of the ELF file that the image is compared with.

use ferry_description::{FoundSegment, Permissions};
use microkit_tool::elf::ElfFile;

const PAGE: u64 = ferry_description::PAGE_BYTES;

/// A page of a program: its address, its rights, and its bytes without zeros at the end.
pub(crate) struct ProgramPage<'a> {
    pub(crate) address: u64,
    pub(crate) permissions: Permissions,
    pub(crate) bytes: &'a [u8],
}

/// Runs of pages, in the order of their addresses.
pub(crate) fn runs(mut pages: Vec<ProgramPage<'_>>) -> Vec<FoundSegment> {
    pages.sort_by_key(|page| page.address);
    let mut runs: Vec<FoundSegment> = Vec::new();
    for ProgramPage { address, permissions, bytes } in pages {
        let mut contents = bytes.to_vec();
        contents.resize(contents.len().max(usize::try_from(PAGE).unwrap_or_default()), 0);
        match runs.last_mut() {
            Some(last)
                if last.permissions == permissions
                    && last.address.checked_add(last.bytes) == Some(address) =>
            {
                last.bytes += PAGE;
                last.contents.extend(contents);
            }
            _ => runs.push(FoundSegment { address, bytes: PAGE, permissions, contents }),
        }
    }
    runs
}

/// The pages that Microkit makes of a program: as many as each segment needs, of which the rest is zero.
pub(crate) fn of_program(program: &ElfFile) -> Vec<FoundSegment> {
    let mut padded: Vec<(u64, Permissions, Vec<u8>)> = Vec::new();
    for segment in program.loadable_segments().into_iter().filter(|segment| !segment.data().is_empty()) {
        let before = segment.virt_addr % PAGE;
        let mut bytes = vec![0; usize::try_from(before).unwrap_or_default()];
        bytes.extend_from_slice(segment.data());
        // What can be used at all can be read.
        let permissions =
            Permissions { read: true, write: segment.is_writable(), execute: segment.is_executable() };
        padded.push((segment.virt_addr - before, permissions, bytes));
    }
    let mut pages = Vec::new();
    for (start, permissions, bytes) in &padded {
        for (number, bytes) in (0..).zip(bytes.chunks(usize::try_from(PAGE).unwrap_or(usize::MAX))) {
            pages.push(ProgramPage { address: start + number * PAGE, permissions: *permissions, bytes });
        }
    }
    runs(pages)
}
