//! The callers that this program has not answered, as numbers for C. A handle is used up by the answer, as
//! one of a buffer is when the buffer changes hands (`buffers.rs`), so no call is answered twice.

use ferry_client::Caller;

use crate::types::{MAX_CALLERS, Result};

/// Bits of a handle for the place in the table. The others are the generation.
const PLACE_BITS: u32 = 16;
/// The generation that follows `u64::MAX >> PLACE_BITS` is 0.
const GENERATIONS: u64 = u64::MAX >> PLACE_BITS;

const _: () = assert!(MAX_CALLERS < 1 << PLACE_BITS);

/// The callers.
pub(crate) struct Callers {
    entries: [Entry; MAX_CALLERS],
}

struct Entry {
    caller: Option<Caller>,
    /// Counted up for each caller, so no handle is 0, and none comes again.
    generation: u64,
}

impl Callers {
    /// No callers.
    pub(crate) const fn new() -> Self {
        Self { entries: [const { Entry { caller: None, generation: 0 } }; MAX_CALLERS] }
    }

    /// Keeps a caller. Returns its handle, or none if there is no room.
    pub(crate) fn keep(&mut self, caller: Caller) -> Option<u64> {
        let place = self.entries.iter().position(|entry| entry.caller.is_none())?;
        let entry = self.entries.get_mut(place)?;
        entry.generation = (entry.generation % GENERATIONS) + 1;
        entry.caller = Some(caller);
        Some(entry.generation << PLACE_BITS | place as u64)
    }

    /// Has `answer` use a caller up. If it gives the caller back, the handle stays good.
    pub(crate) fn answer(
        &mut self,
        handle: u64,
        answer: impl FnOnce(Caller) -> core::result::Result<(), (Result, Caller)>,
    ) -> Result {
        let Some(place) = self.find(handle) else { return Result::FerryStale };
        let Some(caller) = place.take() else { return Result::FerryStale };
        match answer(caller) {
            Ok(()) => Result::FerryOk,
            Err((why, caller)) => {
                *place = Some(caller);
                why
            }
        }
    }

    /// Where the caller with this handle is, if the handle is good.
    fn find(&mut self, handle: u64) -> Option<&mut Option<Caller>> {
        let place = usize::try_from(handle & ((1 << PLACE_BITS) - 1)).ok()?;
        let entry = self.entries.get_mut(place)?;
        (entry.generation == handle >> PLACE_BITS && entry.caller.is_some()).then_some(&mut entry.caller)
    }
}
