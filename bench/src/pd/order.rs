//! Reads the region `bench`, which says what cases to run. Both domains read it, and `ferry_rows::order`
//! writes it.

use ferry_client::{OpenError, Regions};

/// First word of the region.
const MAGIC: u32 = u32::from_le_bytes(*b"BNCH");
/// Bytes of the words before the cases, and of the words of each case.
const HEAD: usize = 12;
const CASE: usize = 20;
/// Number of buffers on either side: one for each slot of a ring.
pub(crate) const BUFFERS: usize = 128;

/// All cases.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    /// Distance between two buffers in bytes, which is also their size.
    pub(crate) stride: u32,
    #[allow(dead_code, reason = "the consumer takes what comes")]
    cases: &'static [u8],
}

/// One case.
#[allow(dead_code, reason = "the consumer takes what comes")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    /// Bytes of a message.
    pub(crate) payload: u32,
    /// Messages of a batch.
    pub(crate) batch: u32,
    /// Batches of a round.
    pub(crate) batches: u32,
    /// Rounds to warm up, which are not timed.
    pub(crate) unmeasured: u32,
    /// Rounds that are timed. One more round follows for an observer outside.
    pub(crate) rounds: u32,
}

impl Order {
    /// The cases in the region. None if the region is not filled in.
    pub(crate) fn read() -> Option<Self> {
        let region = runtime::region!(ferry_bench)?;
        // SAFETY: the region was filled before the system started, and nobody can write it.
        let bytes = unsafe { region.constant() };
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let [magic, stride, count] = words(head)?;
        let cases = rest.get(..CASE.checked_mul(count as usize)?)?;
        (magic == MAGIC).then_some(Self { stride, cases })
    }

    /// The case with this number, from 0.
    #[allow(dead_code, reason = "the consumer takes what comes")]
    pub(crate) fn case(&self, number: usize) -> Option<Case> {
        let [payload, batch, batches, unmeasured, rounds] =
            words(self.cases.chunks_exact(CASE).nth(number)?)?;
        Some(Case { payload, batch, batches, unmeasured, rounds })
    }
}

fn words<const N: usize>(bytes: &[u8]) -> Option<[u32; N]> {
    let (words, _) = bytes.as_chunks::<4>();
    words.try_into().map(|words: [[u8; 4]; N]| words.map(u32::from_le_bytes)).ok()
}

/// The regions of this domain.
pub(crate) fn regions() -> Result<Regions, OpenError> {
    // SAFETY: these regions belong to this domain, and only its `init` takes them.
    unsafe {
        Regions::new(
            runtime::region!(ferry_out),
            runtime::region!(ferry_in),
            runtime::region!(ferry_tx),
            runtime::region!(ferry_rx),
        )
    }
}

/// Ends the measurement, and prints the reason.
pub(crate) fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error {reason}");
    runtime::exit(1)
}
