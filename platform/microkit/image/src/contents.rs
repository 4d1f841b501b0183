//! Regions that the caller fills: bytes from the first byte of the region on, the rest zero.
//!
//! Microkit can do this itself (`prefill_path`), but only if the file reaches into the region's last page.
//! Nor can it fill a region for which the description names no file.

use std::path::PathBuf;
use std::str::FromStr;

use microkit_tool::capdl::spec::{BytesContent, FillContent};
use microkit_tool::sdf::SystemDescription;
use sel4_capdl_initializer_types::{FillEntry, FillEntryContent, Object};

use crate::error::Error;
use crate::specification::Specification;

/// `REGION=FILE`
#[derive(Clone, Debug)]
pub(crate) struct Prefill {
    pub(crate) region: String,
    file: PathBuf,
}

impl FromStr for Prefill {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once('=') {
            Some((region, file)) if !region.is_empty() && !file.is_empty() => {
                Ok(Self { region: region.into(), file: file.into() })
            }
            _ => Err(Error::NotAPrefill(text.into())),
        }
    }
}

/// Bytes for the beginning of a region.
pub(crate) struct Contents {
    pub(crate) region: String,
    pub(crate) bytes: Vec<u8>,
}

impl Contents {
    /// Reads what the caller named.
    pub(crate) fn read(prefill: &Prefill) -> Result<Self, Error> {
        let bytes = std::fs::read(&prefill.file).map_err(Error::file("read", &prefill.file))?;
        Ok(Self { region: prefill.region.clone(), bytes })
    }

    /// Makes the region large enough, on small pages. Small pages are embedded as they are. Large ones are
    /// compressed, which takes seconds for a large file.
    pub(crate) fn enlarge(&self, bytes: u64, system: &mut SystemDescription) -> Result<(), Error> {
        let region = system.memory_regions.iter_mut().find(|region| region.name == self.region);
        let region = region.ok_or_else(|| Error::NoRegionToFill(self.region.clone()))?;
        region.size = bytes;
        region.page_size = ferry_description::PAGE_BYTES.into();
        region.page_count = region.size / ferry_description::PAGE_BYTES;
        // These contents replace those that the description may name.
        region.prefill_bytes = None;
        Ok(())
    }

    /// Tells Microkit's library what the region is filled with.
    pub(crate) fn declare(&self, system: &mut SystemDescription) {
        self.set(system, Some(self.bytes.clone()));
    }

    /// Tells it that it has nothing to fill.
    pub(crate) fn withdraw(&self, system: &mut SystemDescription) {
        self.set(system, None);
    }

    fn set(&self, system: &mut SystemDescription, bytes: Option<Vec<u8>>) {
        if let Some(region) = system.memory_regions.iter_mut().find(|region| region.name == self.region) {
            region.prefill_bytes = bytes;
        }
    }

    /// Writes the bytes into the region's frames.
    pub(crate) fn fill(&self, specification: &mut Specification<'_>) -> Result<(), Error> {
        let frames = self.bytes.chunks(usize::try_from(ferry_description::PAGE_BYTES).unwrap_or(usize::MAX));
        for (number, bytes) in (0_u64..).zip(frames) {
            let frame = specification.frame(&self.region, number)?;
            if let Object::Frame(frame) = specification.object_mut(frame) {
                let content = FillContent::BytesContent(BytesContent { bytes: bytes.to_vec() });
                frame.init.entries = vec![FillEntry {
                    range: 0..bytes.len() as u64,
                    content: FillEntryContent::Data(content),
                }];
            }
        }
        Ok(())
    }
}
