//! The buffers of one region as numbers for C, and the tokens behind them.
//!
//! ```text
//!   take, or it comes back            send, post, give
//!  pool, central ──────────────► program ──────────────► central, pool
//!     even          generation     odd      generation        even
//! ```
//!
//! A handle is the place of a buffer in the table and a generation. The generation is counted up whenever the
//! buffer changes hands, and it is odd while the buffer is the program's. So an old handle never matches, nor
//! does a forged one of a buffer that is central's: a count of 48 bits does not come round.

use ferry_client::{Address, ReceiveBuffer, TransmitBuffer};
use ferry_layout::FRAME_BYTES;
use heapless::Vec;

use crate::types::{MAX_BUFFERS, Result};

/// Bits of a handle for the place in the table. The others are the generation.
const PLACE_BITS: u32 = 16;
/// The generation that follows `u64::MAX >> PLACE_BITS` is 0.
const GENERATIONS: u64 = u64::MAX >> PLACE_BITS;

const _: () = assert!(MAX_BUFFERS < 1 << PLACE_BITS);

/// A buffer of the client library.
pub(crate) trait Token {
    /// Where it lies in its region.
    fn place(&self) -> Address;
}

impl Token for TransmitBuffer {
    fn place(&self) -> Address {
        self.place()
    }
}

impl Token for ReceiveBuffer {
    fn place(&self) -> Address {
        self.place()
    }
}

/// The buffers of one region. All have the same size, and lie one after the other.
pub(crate) struct Buffers<T> {
    entries: [Entry<T>; MAX_BUFFERS],
    /// The places of those that nobody has.
    pool: Vec<u16, MAX_BUFFERS>,
    /// Size of each.
    bytes: u32,
}

struct Entry<T> {
    /// There, while the buffer is the program's or in the pool.
    token: Option<T>,
    generation: u64,
}

impl<T: Token> Buffers<T> {
    /// No buffers.
    pub(crate) const fn new() -> Self {
        let entries = [const { Entry { token: None, generation: 0 } }; MAX_BUFFERS];
        Self { entries, pool: Vec::new(), bytes: 0 }
    }

    /// Puts all buffers of the region into the pool, so that the first one is taken first.
    pub(crate) fn fill(&mut self, bytes: u32, tokens: impl DoubleEndedIterator<Item = T>) {
        self.bytes = bytes;
        for token in tokens.rev() {
            let index = self.index_of(&token);
            if let Some(entry) = self.entries.get_mut(index)
                && let Ok(place) = u16::try_from(index)
                && self.pool.push(place).is_ok()
            {
                entry.token = Some(token);
            }
        }
    }

    /// Size of each buffer.
    pub(crate) const fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Takes a buffer from the pool. Returns its handle.
    pub(crate) fn take(&mut self) -> Option<u64> {
        let place = self.pool.pop()?;
        Some(self.entries.get_mut(usize::from(place))?.next_handle(usize::from(place)))
    }

    /// Puts a buffer of the program's into the pool.
    pub(crate) fn give(&mut self, handle: u64) -> Result {
        let (index, Some(entry)) = self.find(handle) else { return Result::FerryStale };
        entry.next_handle(index);
        // There is room, because each buffer is in the pool at most once.
        match u16::try_from(index).map(|place| self.pool.push(place)) {
            Ok(Ok(())) => Result::FerryOk,
            _ => Result::FerryStale,
        }
    }

    /// A buffer of the program's.
    pub(crate) fn held(&mut self, handle: u64) -> Option<&mut T> {
        self.find(handle).1?.token.as_mut()
    }

    /// Hands a buffer of the program's over by `hand_over`. If that refuses it, it stays the program's, under
    /// the same handle. Returns the handle that the buffer has while it is central's.
    #[inline]
    pub(crate) fn hand_over(
        &mut self,
        handle: u64,
        hand_over: impl FnOnce(T) -> core::result::Result<(), (Result, T)>,
    ) -> core::result::Result<u64, Result> {
        let (index, Some(entry)) = self.find(handle) else { return Err(Result::FerryStale) };
        let Some(token) = entry.token.take() else { return Err(Result::FerryStale) };
        match hand_over(token) {
            Ok(()) => Ok(entry.next_handle(index)),
            Err((why, token)) => {
                entry.token = Some(token);
                Err(why)
            }
        }
    }

    /// Lends a buffer of the program's to `look`, which gives it back. Its handle stays.
    pub(crate) fn lend<R>(&mut self, handle: u64, look: impl FnOnce(T) -> (R, Option<T>)) -> Option<R> {
        let entry = self.find(handle).1?;
        let (seen, token) = look(entry.token.take()?);
        entry.token = token;
        Some(seen)
    }

    /// Takes a buffer back that was central's. Returns its new handle.
    #[inline]
    pub(crate) fn take_back(&mut self, token: T) -> u64 {
        let index = self.index_of(&token);
        let Some(entry) = self.entries.get_mut(index) else { return 0 };
        entry.token = Some(token);
        entry.next_handle(index)
    }

    /// The place of a buffer that has this handle while it is central's.
    pub(crate) fn index_of_lent(&self, handle: u64) -> Option<usize> {
        let index = place_of(handle);
        let entry = self.entries.get(index)?;
        (entry.generation == handle >> PLACE_BITS && entry.token.is_none()).then_some(index)
    }

    /// The place of a buffer in the table.
    #[inline]
    fn index_of(&self, token: &T) -> usize {
        let Address { frame, offset } = token.place();
        let position = u64::from(frame) * u64::from(FRAME_BYTES) + u64::from(offset);
        // No buffer has 0 bytes, and a region has far fewer than 2^64.
        usize::try_from(position.checked_div(u64::from(self.bytes)).unwrap_or(0)).unwrap_or(usize::MAX)
    }

    /// The place that a handle names, and the entry there if the handle is the program's.
    #[inline]
    fn find(&mut self, handle: u64) -> (usize, Option<&mut Entry<T>>) {
        let (index, generation) = (place_of(handle), handle >> PLACE_BITS);
        let entry = self.entries.get_mut(index);
        (index, entry.filter(|entry| entry.generation == generation && generation % 2 == 1))
    }
}

impl<T> Entry<T> {
    /// The buffer changes hands. Returns its new handle.
    #[inline]
    const fn next_handle(&mut self, index: usize) -> u64 {
        self.generation = (self.generation + 1) & GENERATIONS;
        self.generation << PLACE_BITS | index as u64
    }
}

/// The place of a buffer in the table, by a handle of any kind.
#[inline]
pub(crate) const fn place_of(handle: u64) -> usize {
    (handle & ((1 << PLACE_BITS) - 1)) as usize
}
