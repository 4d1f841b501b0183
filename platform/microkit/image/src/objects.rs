//! The objects of a specification in one form, whether it is about to be packed or was read from an image:
//! the contents of a frame are its bytes up to the last that is not zero. So two are equal if, and only if,
//! the initialiser makes the same of them.

use microkit_tool::capdl::CapDLSpecContainer;
use microkit_tool::capdl::spec::FillContent;
use microkit_tool::elf::ElfFile;
use sel4_capdl_initializer_types::{
    BytesContent, Content, Fill, FillEntry, FillEntryContent, FrameInit, NamedObject, Object, object,
};

use crate::error::Error;

/// An object, and its name if it is known.
pub(crate) type Named = NamedObject<FrameInit>;

/// The objects of a specification that is about to be packed.
pub(crate) fn of(container: &CapDLSpecContainer, programs: &[ElfFile]) -> Result<Vec<Named>, Error> {
    let (specification, _) = container.spec.embed_fill(
        12,
        |_| false,
        |content, bytes| {
            match content {
                FillContent::ElfContent(part) => {
                    let segment = &programs[part.elf_id].segments[part.elf_seg_idx];
                    bytes.copy_from_slice(&segment.data()[part.elf_seg_data_range.clone()]);
                }
                FillContent::BytesContent(content) => bytes.copy_from_slice(&content.bytes),
            }
            false
        },
    );
    let mut objects = specification.objects;
    for named in &mut objects {
        if let Object::Frame(object::Frame { init: FrameInit::Fill(fill), .. }) = &mut named.object {
            let entries = std::mem::take(&mut fill.entries);
            let FrameInit::Fill(canonical) = canonical(entries)? else { continue };
            *fill = canonical;
        }
    }
    Ok(objects)
}

/// What fills a frame in one piece, and then what comes from the boot information.
pub(crate) fn canonical(entries: Vec<FillEntry<Content>>) -> Result<FrameInit, Error> {
    let (mut bytes, mut all) = (Vec::new(), Vec::new());
    for FillEntry { range, content } in entries {
        match content {
            FillEntryContent::Data(Content::Bytes(content)) => {
                let start = usize::try_from(range.start).unwrap_or(usize::MAX);
                let end = start.saturating_add(content.bytes.len());
                bytes.resize(bytes.len().max(end), 0);
                bytes[start..end].copy_from_slice(&content.bytes);
            }
            FillEntryContent::Data(Content::DeflatedBytes(_)) => {
                return Err(Error::Unreadable("what fills a frame is compressed".into()));
            }
            FillEntryContent::BootInfo(info) => {
                all.push(FillEntry { range, content: FillEntryContent::BootInfo(info) });
            }
        }
    }
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.truncate(used);
    if !bytes.is_empty() {
        let range = 0..bytes.len() as u64;
        let content = FillEntryContent::Data(Content::Bytes(BytesContent { bytes }));
        all.insert(0, FillEntry { range, content });
    }
    Ok(FrameInit::Fill(Fill { entries: all }))
}

/// The bytes of a frame, without the zeros at its end.
pub(crate) fn contents(frame: &object::Frame<FrameInit>) -> &[u8] {
    match &frame.init {
        FrameInit::Fill(fill) => fill.entries.iter().find_map(|entry| match &entry.content {
            FillEntryContent::Data(Content::Bytes(content)) => Some(content.bytes.as_slice()),
            _ => None,
        }),
        FrameInit::Embedded(_) => None,
    }
    .unwrap_or_default()
}
