//! What the region `bench` says: which case to run. Both domains read it.

use ferry_client::{OpenError, Regions};

/// First word of the region.
const MAGIC: u32 = u32::from_le_bytes(*b"BNCH");
/// Buffers of either side: one for each slot of a ring.
pub(crate) const BUFFERS: usize = 128;

/// The case.
#[allow(dead_code, reason = "only the producer counts batches")]
#[derive(Clone, Copy)]
pub(crate) struct Order {
    /// Bytes of a message.
    pub(crate) payload: u32,
    /// Distance between two buffers.
    pub(crate) stride: u32,
    /// Messages of a batch.
    pub(crate) batch: u32,
    /// Batches that are measured, after a quarter as many that are not.
    pub(crate) batches: u32,
}

impl Order {
    /// The case in the region, if there is one.
    pub(crate) fn read() -> Option<Self> {
        let region = runtime::region!(ferry_bench)?;
        // SAFETY: filled before the system starts, and nobody can write it.
        let bytes = unsafe { region.constant() };
        let (words, _) = bytes.get(..20)?.as_chunks::<4>();
        let [magic, payload, stride, batch, batches] =
            words.try_into().map(|words: [[u8; 4]; 5]| words.map(u32::from_le_bytes)).ok()?;
        (magic == MAGIC).then_some(Self { payload, stride, batch, batches })
    }
}

/// This domain's regions.
pub(crate) fn regions() -> Result<Regions, OpenError> {
    // SAFETY: these are this domain's regions, and its `init` is the only place that takes them.
    unsafe {
        Regions::new(
            runtime::region!(ferry_out),
            runtime::region!(ferry_in),
            runtime::region!(ferry_tx),
            runtime::region!(ferry_rx),
        )
    }
}

/// Ends the measurement with a reason.
pub(crate) fn fail(reason: core::fmt::Arguments<'_>) -> ! {
    runtime::println!("ferry: error domain=bench {reason}");
    runtime::exit(1)
}
