//! The frames of memory regions and of everything else that has contents.
//!
//! A region of 4 KiB frames is filled without a copy: the packed image already holds its contents,
//! page-aligned, in frames of the initialiser's image, and those frames become the region's. All other
//! contents are copied through a scratch mapping, one frame at a time. When a PD is restarted they can be
//! copied again.

use crate::address_space::AddressSpace;
use crate::failure::Failure;
use crate::image::Image;
use crate::objects::Objects;
use alloc::vec::Vec;
use ferry_classic_abi::number::constant;
use ferry_classic_abi::{Kernel, Refusal, Rights, SlotRange};
use ferry_classic_spec::{Blob, MemoryRegion, PAGE_BYTES};

/// Where frames are mapped while they are filled. The addresses are far from the initialiser's image. Those
/// of the two sizes are far from each other, because a page table and a large frame cannot have the same
/// place.
const SCRATCH_SMALL: u64 = 0x7000_0000_0000;
const SCRATCH_LARGE: u64 = 0x7000_4000_0000;

/// The payload of the compiled system.
pub(crate) struct Payload<'a> {
    bytes: &'static [u8],
    image: &'a Image,
}

impl<'a> Payload<'a> {
    /// `bytes` must lie in `image`.
    pub(crate) fn new(bytes: &'static [u8], image: &'a Image) -> Self {
        Self { bytes, image }
    }

    /// A piece of it. `check` has made sure that it exists.
    pub(crate) fn get(&self, blob: Blob) -> &'static [u8] {
        let start = blob.offset as usize;
        start.checked_add(blob.bytes as usize).and_then(|end| self.bytes.get(start..end)).unwrap_or_default()
    }
}

/// The frames of a region, in order, as ranges of the initialiser's slots.
pub(crate) struct Frames {
    ranges: Vec<SlotRange>,
    /// log2 of the bytes of a frame.
    pub(crate) bits: u64,
}

impl Frames {
    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.ranges.iter().map(|range| range.end - range.start).sum()
    }

    /// The slot of each frame.
    pub(crate) fn slots(&self) -> impl Iterator<Item = u64> {
        self.ranges.iter().flat_map(|range| range.start..range.end)
    }
}

/// Makes the frames of all regions, those of 2 MiB first (see `objects`).
pub(crate) fn make_all(
    regions: &[MemoryRegion],
    payload: &Payload,
    scratch: &mut AddressSpace,
    objects: &mut Objects,
) -> Result<Vec<Frames>, Failure> {
    let mut made: Vec<Option<Frames>> = regions.iter().map(|_| None).collect();
    for large in [true, false] {
        for (region, frames) in regions.iter().zip(&mut made) {
            if (u64::from(region.frame_bits) == constant::seL4_LargePageBits) == large {
                *frames = Some(if large {
                    make_large(region, payload, scratch, objects)?
                } else {
                    make_small(region, payload, objects)?
                });
            }
        }
    }
    Ok(made.into_iter().flatten().collect())
}

fn make_large(
    region: &MemoryRegion,
    payload: &Payload,
    scratch: &mut AddressSpace,
    objects: &mut Objects,
) -> Result<Frames, Failure> {
    let slots = objects.make_many(constant::seL4_X86_LargePageObject, 0, u64::from(region.frames))?;
    let contents = region.prefill.map(|blob| payload.get(blob)).unwrap_or_default();
    for (slot, piece) in (slots.start..slots.end).zip(contents.chunks(1 << constant::seL4_LargePageBits)) {
        fill(slot, constant::seL4_LargePageBits, 0, piece, scratch, objects)?;
    }
    Ok(Frames { ranges: [slots].into(), bits: constant::seL4_LargePageBits })
}

fn make_small(region: &MemoryRegion, payload: &Payload, objects: &mut Objects) -> Result<Frames, Failure> {
    let mut ranges = Vec::new();
    let mut remaining = u64::from(region.frames);
    let contents = region.prefill.map(|blob| payload.get(blob)).unwrap_or_default();
    if !contents.is_empty() {
        let missing = || Failure::system(&region.name, "the prefill does not begin on a page of the image");
        let first = payload.image.frame_of(contents.as_ptr()).ok_or_else(missing)?;
        let count = (contents.len().div_ceil(PAGE_BYTES) as u64).min(remaining);
        ranges.push(SlotRange { start: first, end: first + count });
        remaining -= count;
    }
    if remaining > 0 {
        ranges.push(objects.make_many(constant::seL4_X86_4K, 0, remaining)?);
    }
    Ok(Frames { ranges, bits: constant::seL4_PageBits })
}

/// Writes `contents` into a frame that is mapped nowhere, from byte `offset` on; they must fit.
pub(crate) fn fill(
    frame: u64,
    bits: u64,
    offset: usize,
    contents: &[u8],
    scratch: &mut AddressSpace,
    objects: &mut Objects,
) -> Result<(), Failure> {
    assert!(offset + contents.len() <= 1 << bits, "contents fit in the frame");
    let address = if bits == constant::seL4_LargePageBits { SCRATCH_LARGE } else { SCRATCH_SMALL };
    scratch.map(frame, bits, address, Rights::READ_WRITE, objects)?;
    let target = core::ptr::with_exposed_provenance_mut::<u8>(address as usize).wrapping_add(offset);
    // SAFETY: the frame is mapped there, writable and large enough, for this thread alone; no Rust object is
    // at the scratch addresses.
    unsafe { core::ptr::copy_nonoverlapping(contents.as_ptr(), target, contents.len()) };
    let unmapped = objects.kernel().unmap_frame(frame);
    unmapped.map_err(|refusal| Failure::refused("unmap a frame", "initialiser", refusal))
}

/// Makes what the scratch mapping of small frames needs, so that [`refill`] makes no object.
pub(crate) fn provide_scratch(scratch: &mut AddressSpace, objects: &mut Objects) -> Result<(), Failure> {
    scratch.provide(SCRATCH_SMALL, constant::seL4_PageBits, objects)
}

/// Makes a small frame, which may be mapped elsewhere, hold `contents` from byte `offset` on, and zeros
/// before and after. `spare` is an empty slot, and is empty again afterwards. `provide_scratch` must have
/// been called.
pub(crate) fn refill(
    frame: u64,
    offset: usize,
    contents: &[u8],
    spare: u64,
    kernel: &mut Kernel,
) -> Result<(), Refusal> {
    assert!(offset + contents.len() <= PAGE_BYTES, "contents fit in the frame");
    let to = |slot| (constant::seL4_CapInitThreadCNode, slot, constant::seL4_WordBits);
    kernel.mint(to(spare), to(frame), Rights::READ_WRITE, 0)?;
    // SAFETY: no Rust object is at the scratch addresses, and no reference is made to what is mapped there.
    let mapped = unsafe {
        kernel.map_frame(spare, constant::seL4_CapInitThreadVSpace, SCRATCH_SMALL, Rights::READ_WRITE)
    };
    mapped?;
    let page = core::ptr::with_exposed_provenance_mut::<u8>(SCRATCH_SMALL as usize);
    // SAFETY: the frame is mapped there, writable, for this thread; the PD whose memory it is does not run.
    unsafe { page.write_bytes(0, PAGE_BYTES) };
    // SAFETY: as above. The contents fit (checked above), and lie in this program's own image.
    unsafe { page.wrapping_add(offset).copy_from_nonoverlapping(contents.as_ptr(), contents.len()) };
    // Unmap before the delete: the frame has other capabilities, so this kernel would leave it mapped.
    kernel.unmap_frame(spare)?;
    kernel.delete(constant::seL4_CapInitThreadCNode, spare, constant::seL4_WordBits)
}
