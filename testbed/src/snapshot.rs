//! The whole state of a testbed as bytes, so that a search can go back to a state and compare states.
//!
//! A snapshot is exact: it holds every byte of the engine, private fields and the bytes between fields
//! included, every byte of every page and buffer, and the mappings. So a testbed in equal states goes on
//! equally, whatever the engine does with its fields. Bytes that mean nothing can only make states differ.
//!
//! Almost all of these bytes never change, so a snapshot holds only what differs from a [`Base`].

use std::hash::{Hash, Hasher};

use ferry_central::{Engine, FrameRef};

use crate::{Memory, Testbed};

/// Bytes that are compared together, and those that a snapshot holds together.
const CHUNK: usize = 2048;
const BLOCK: usize = 64;

/// All bytes of a testbed at one moment, to which snapshots are compared. It is used with this testbed only.
pub struct Base(Vec<Piece>);

/// A piece of memory, and its bytes at that moment.
struct Piece {
    memory: Memory,
    bytes: Vec<u8>,
}

/// A state of a testbed: how it differs from a base.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Piece and offset of the blocks that differ, in order, and their bytes.
    places: Vec<(u32, u32)>,
    bytes: Vec<u8>,
    mapped: Vec<FrameRef>,
}

impl Base {
    /// The state of `bed` as it is now. The engine must stay where it is.
    #[must_use]
    pub fn new(bed: &Testbed) -> Self {
        let engine = Memory::at_address((&raw const *bed.engine).expose_provenance(), size_of::<Engine>());
        let memories = bed.clients.iter().flat_map(|client| {
            let pages = [Memory::of(client.from_client), Memory::of(client.to_client)];
            pages.into_iter().chain([client.transmit, client.receive])
        });
        let pieces = memories.chain([engine]);
        Self(pieces.map(|memory| Piece { memory, bytes: memory.read(0, memory.bytes()) }).collect())
    }

    /// Makes `snapshot` that of the state as it is now.
    ///
    /// # Panics
    /// If a client has more than 4 GiB, which none has.
    pub fn save(&self, bed: &Testbed, snapshot: &mut Snapshot) {
        snapshot.places.clear();
        snapshot.bytes.clear();
        let mut now = [0; CHUNK];
        for (number, piece) in (0..).zip(&self.0) {
            for (chunk, before) in piece.bytes.chunks(CHUNK).enumerate() {
                let now = &mut now[..before.len()];
                piece.memory.read_to(chunk * CHUNK, now);
                if now != before {
                    let begin = u32::try_from(chunk * CHUNK).expect("less than 4 GiB");
                    snapshot.add(number, begin, now, before);
                }
            }
        }
        snapshot.mapped.clear();
        snapshot.mapped.extend(bed.machine.frames());
        snapshot.mapped.sort_unstable_by_key(|frame| frame.address);
    }

    /// Brings the state of `snapshot` back. `now` is the snapshot of the state as it is now. What the machine
    /// has recorded stays.
    pub fn load(&self, bed: &mut Testbed, now: &Snapshot, snapshot: &Snapshot) {
        for &(number, offset) in &now.places {
            if snapshot.places.binary_search(&(number, offset)).is_err() {
                let (piece, begin) = (&self.0[number as usize], offset as usize);
                let end = piece.bytes.len().min(begin + BLOCK);
                piece.memory.write(begin, &piece.bytes[begin..end]);
            }
        }
        let mut rest = snapshot.bytes.as_slice();
        for &(number, offset) in &snapshot.places {
            let (piece, begin) = (&self.0[number as usize], offset as usize);
            let (block, others) = rest.split_at(BLOCK.min(piece.bytes.len() - begin));
            piece.memory.write(begin, block);
            rest = others;
        }
        bed.machine.set_frames(&snapshot.mapped);
    }
}

impl Snapshot {
    fn add(&mut self, piece: u32, begin: u32, now: &[u8], before: &[u8]) {
        let offsets = (begin..).step_by(BLOCK);
        for (offset, (now, before)) in offsets.zip(now.chunks(BLOCK).zip(before.chunks(BLOCK))) {
            if now != before {
                self.places.push((piece, offset));
                self.bytes.extend_from_slice(now);
            }
        }
    }
}

impl Hash for Snapshot {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.places.hash(hasher);
        hasher.write(&self.bytes);
        for frame in &self.mapped {
            hasher.write_u64(frame.address);
        }
    }
}
