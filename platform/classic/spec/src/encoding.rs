//! The byte layout of a compiled system (see the crate documentation) and the builder of its payload.
//! `encode` runs on the host, and `decode` runs in the initialiser. Only the image builder could have written
//! the bytes that `decode` reads. All the same, it reports anything that does not fit instead of panicking.

use crate::{Blob, System};
use alloc::vec::Vec;
use core::fmt;

/// Bytes of a page; what [`Payload::push_pages`] aligns to.
pub const PAGE_BYTES: usize = 4096;

const MAGIC: u64 = u64::from_le_bytes(*b"FERRYSYS");
const HEADER_BYTES: usize = 32;

/// The bytes that a [`System`] refers to by [`Blob`], collected by the image builder.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    bytes: Vec<u8>,
}

impl Payload {
    /// An empty payload.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Adds bytes that need no alignment: the data of ELF segments.
    pub fn push(&mut self, bytes: &[u8]) -> Blob {
        let offset = self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        Blob { offset, bytes: bytes.len() as u64 }
    }

    /// Adds bytes on a page boundary, padded with zeros to the next one: the prefill of memory regions. The
    /// padding is not part of the blob, yet no other blob's bytes share a page with it.
    pub fn push_pages(&mut self, bytes: &[u8]) -> Blob {
        self.pad();
        let blob = self.push(bytes);
        self.pad();
        blob
    }

    fn pad(&mut self) {
        let whole_pages = self.bytes.len().next_multiple_of(PAGE_BYTES);
        self.bytes.resize(whole_pages, 0);
    }
}

/// Encodes a system and its payload for [`decode`]. The result's length is a multiple of [`PAGE_BYTES`].
///
/// # Panics
///
/// Never for any value of [`System`]: postcard fails only on sequences of unknown length, and there are none.
#[must_use]
pub fn encode(system: &System, payload: &Payload) -> Vec<u8> {
    let description = postcard::to_allocvec(system).expect("every sequence of a system has a length");
    let payload_offset = (HEADER_BYTES + description.len()).next_multiple_of(PAGE_BYTES);
    let payload_bytes = payload.bytes.len().next_multiple_of(PAGE_BYTES);

    let mut image = Vec::with_capacity(payload_offset + payload_bytes);
    for word in [MAGIC, description.len() as u64, payload_offset as u64, payload_bytes as u64] {
        image.extend_from_slice(&word.to_le_bytes());
    }
    image.extend_from_slice(&description);
    image.resize(payload_offset, 0);
    image.extend_from_slice(&payload.bytes);
    image.resize(payload_offset + payload_bytes, 0);
    image
}

/// Takes a compiled system apart into its description and its payload. Every [`Blob`] of the description
/// still has to be looked up in the payload with a bounds check.
pub fn decode(image: &[u8]) -> Result<(System, &[u8]), DecodeError> {
    let header = |index: usize| {
        let word = image.get(index * 8..index * 8 + 8)?;
        Some(u64::from_le_bytes(word.try_into().ok()?))
    };
    if header(0) != Some(MAGIC) {
        return Err(DecodeError::Magic);
    }
    let length = |index: usize| usize::try_from(header(index)?).ok();
    let range = |start: usize, bytes: usize| image.get(start..start.checked_add(bytes)?);

    let description = length(1).and_then(|bytes| range(HEADER_BYTES, bytes)).ok_or(DecodeError::Truncated)?;
    let payload =
        length(2).zip(length(3)).and_then(|(at, bytes)| range(at, bytes)).ok_or(DecodeError::Truncated)?;
    let system = postcard::from_bytes(description).map_err(|_| DecodeError::Description)?;
    Ok((system, payload))
}

/// Why bytes are not a compiled system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes do not begin with the magic number: no system was packed into the image.
    Magic,
    /// The bytes end before the description or the payload does.
    Truncated,
    /// The description does not decode: image builder and initialiser come from different builds.
    Description,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Magic => "the image holds no compiled system; pack one with `ferry image`",
            Self::Truncated => "the compiled system is cut short; rebuild the image with `ferry image`",
            Self::Description => {
                "the compiled system comes from another build of Ferry; rebuild the image with `ferry image`"
            }
        })
    }
}

impl core::error::Error for DecodeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Channel, End, Grant, Map, MemoryRegion, ProtectionDomain, Rights, Segment, Tick, Window};
    use alloc::string::ToString;
    use alloc::vec;

    fn sample(payload: &mut Payload) -> System {
        let data = payload.push(b"code");
        let prefill = payload.push_pages(&[7; 5000]);
        System {
            domains: vec![ProtectionDomain {
                name: "central".to_string(),
                priority: 200,
                entry: 0x20_1000,
                stack_bytes: 0x4000,
                segments: vec![Segment {
                    address: 0x20_1000,
                    memory_bytes: 4,
                    rights: Rights::ReadExecute,
                    data,
                }],
                maps: vec![Map { region: 0, address: 0x1000_0000, rights: Rights::Read }],
                grants: vec![Grant {
                    region: 0,
                    address: 0x10_0000_0000,
                    first_capability: 128,
                    writable: false,
                }],
                window: Some(Window { address: 0x10_0000_0000, bytes: 0x20_0000 }),
                restarts: 3,
            }],
            regions: vec![MemoryRegion {
                name: "input".to_string(),
                frames: 2,
                frame_bits: 12,
                prefill: Some(prefill),
            }],
            channels: vec![Channel { ends: [End { domain: 0, id: 0 }, End { domain: 0, id: 1 }] }],
            tick: Some(Tick { domain: 0, period_us: 10_000 }),
        }
    }

    #[test]
    fn decode_returns_what_encode_was_given() {
        let mut payload = Payload::new();
        let system = sample(&mut payload);
        let image = encode(&system, &payload);
        assert_eq!(image.len() % PAGE_BYTES, 0);

        let (decoded, bytes) = decode(&image).unwrap();
        assert_eq!(decoded, system);
        assert_eq!(&bytes[..4], b"code");
        let prefill = decoded.regions[0].prefill.unwrap();
        assert_eq!(prefill, Blob { offset: 4096, bytes: 5000 });
        assert!(bytes[4096..9096].iter().all(|byte| *byte == 7));
        assert!(bytes[9096..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn decode_reports_every_damage() {
        let mut payload = Payload::new();
        let system = sample(&mut payload);
        let image = encode(&system, &payload);
        assert_eq!(decode(&[]), Err(DecodeError::Magic));
        assert_eq!(decode(&[0; 64]), Err(DecodeError::Magic));
        assert_eq!(decode(&image[..image.len() - 1]), Err(DecodeError::Truncated));
        let mut damaged = image.clone();
        damaged[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(decode(&damaged), Err(DecodeError::Truncated));
        damaged[8..16].copy_from_slice(&1_u64.to_le_bytes());
        assert_eq!(decode(&damaged), Err(DecodeError::Description));
    }
}
