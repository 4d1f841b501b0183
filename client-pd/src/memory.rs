//! The client's own transmit and receive memory, split into buffers that cannot be copied.
//!
//! This is the only file of the crate that accesses raw memory. What holds always: every byte of a region
//! belongs to at most one buffer, and central uses no buffer that the program holds.

use core::ptr::NonNull;

use ferry_layout::Address;
use ferry_layout::geometry::FRAME_BYTES;
use ferry_platform::Region;
use heapless::Vec;

/// All of `<client>_tx`, not yet split.
#[derive(Debug)]
pub struct TransmitMemory(Region);

/// All of `<client>_rx`, not yet split.
#[derive(Debug)]
pub struct ReceiveMemory(Region);

/// A piece of `_tx`: fill it, then send it.
#[derive(Debug)]
pub struct TransmitBuffer(Piece);

/// A piece of `_rx`: post it, and read it when a message has arrived in it.
#[derive(Debug)]
pub struct ReceiveBuffer(Piece);

/// A range of a region. It is not `Copy`: whoever holds it owns the range. A region begins at a page
/// boundary, so the byte within the frame follows from `base`, and a piece needs only two words. With two
/// fields it is passed in two registers.
#[derive(Debug)]
struct Piece {
    base: NonNull<u8>,
    /// The frame is the lower half, and the bytes are the upper.
    frame_and_bytes: u64,
}

// SAFETY: a piece owns its range; whoever holds it may use it from any thread.
unsafe impl Send for Piece {}

#[expect(clippy::cast_possible_truncation, reason = "halves of a word, and a byte of a frame")]
impl Piece {
    const fn new(base: NonNull<u8>, frame: u32, bytes: u32) -> Self {
        Self { base, frame_and_bytes: frame as u64 | (bytes as u64) << 32 }
    }

    const fn bytes(&self) -> u32 {
        (self.frame_and_bytes >> 32) as u32
    }

    fn place(&self) -> Address {
        let offset = self.base.addr().get() as u32 & (FRAME_BYTES - 1);
        Address { frame: self.frame_and_bytes as u32, offset }
    }
}

impl TransmitMemory {
    /// Takes over the region.
    ///
    /// # Safety
    /// `region` is this client's `_tx`, mapped read-write and beginning at a page boundary. Nothing else in
    /// the program accesses it. Called once.
    #[must_use]
    pub(crate) const unsafe fn new(region: Region) -> Self {
        Self(region)
    }

    /// Splits the memory into at most `N` buffers of `bytes` bytes each. What is left over stays unused. If
    /// `bytes` is 0 or larger than the region, there are no buffers.
    ///
    /// ```
    /// # let (regions, signal_central) = ferry_testbed::stage::regions();
    /// # let (_, transmit, _) = ferry_client::Port::open(regions, signal_central);
    /// let buffers = transmit.split::<8>(2048);
    /// assert!(buffers.len() == 8 && buffers[0].capacity() == 2048);
    /// ```
    #[must_use]
    pub fn split<const N: usize>(self, bytes: u32) -> Vec<TransmitBuffer, N> {
        pieces(self.0, bytes).take(N).map(TransmitBuffer).collect()
    }
}

impl ReceiveMemory {
    /// Takes over the region.
    ///
    /// # Safety
    /// `region` is this client's `_rx`, mapped readable and beginning at a page boundary. Nothing else in the
    /// program accesses it. Called once.
    #[must_use]
    pub(crate) const unsafe fn new(region: Region) -> Self {
        Self(region)
    }

    /// Splits the memory into at most `N` buffers of `bytes` bytes each. What is left over stays unused. If
    /// `bytes` is 0 or larger than the region, there are no buffers.
    ///
    /// ```
    /// # let (regions, signal_central) = ferry_testbed::stage::regions();
    /// # let (_, _, receive) = ferry_client::Port::open(regions, signal_central);
    /// let buffers = receive.split::<8>(2048);
    /// assert!(buffers.len() == 8 && buffers[0].capacity() == 2048);
    /// ```
    #[must_use]
    pub fn split<const N: usize>(self, bytes: u32) -> Vec<ReceiveBuffer, N> {
        pieces(self.0, bytes).take(N).map(ReceiveBuffer).collect()
    }
}

/// Consecutive pieces of `bytes` bytes.
fn pieces(region: Region, bytes: u32) -> impl Iterator<Item = Piece> {
    let count = region.bytes().checked_div(bytes as usize).unwrap_or(0);
    (0..count).filter_map(move |number| {
        let position = number * bytes as usize;
        // SAFETY: `number` is below `count`, so the piece ends inside the region.
        let base = unsafe { region.base().add(position) };
        Some(Piece::new(base, Address::at(position as u64)?.frame, bytes))
    })
}

impl TransmitBuffer {
    /// A buffer without bytes, for a descriptor that moves none.
    pub(crate) const fn empty() -> Self {
        Self(Piece::new(NonNull::dangling(), 0, 0))
    }

    /// Size in bytes.
    ///
    /// ```
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let buffer = here.transmit.pop().unwrap();
    /// assert_eq!(buffer.capacity(), 2048);
    /// ```
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.0.bytes()
    }

    /// Where the buffer lies in `_tx`.
    ///
    /// ```
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let buffer = here.transmit.remove(1);
    /// let place = buffer.place(); // each buffer has half a frame
    /// assert_eq!((place.frame, place.offset), (0, 2048));
    /// ```
    #[must_use]
    pub fn place(&self) -> Address {
        self.0.place()
    }

    /// The buffer's bytes, to be filled.
    ///
    /// ```
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let mut buffer = here.transmit.pop().unwrap();
    /// buffer.bytes_mut()[..5].copy_from_slice(b"hello");
    /// ```
    pub const fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the range is mapped read-write, and this token is the only way to it. Central only reads
        // it, and only after the token was given to `Port::send`.
        unsafe { core::slice::from_raw_parts_mut(self.0.base.as_ptr(), self.0.bytes() as usize) }
    }
}

impl ReceiveBuffer {
    /// Size in bytes.
    ///
    /// ```
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let buffer = here.receive.pop().unwrap();
    /// assert_eq!(buffer.capacity(), 2048);
    /// ```
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.0.bytes()
    }

    /// Where the buffer lies in `_rx`.
    ///
    /// ```
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let buffer = here.receive.remove(1);
    /// let place = buffer.place(); // each buffer has half a frame
    /// assert_eq!((place.frame, place.offset), (0, 2048));
    /// ```
    #[must_use]
    pub fn place(&self) -> Address {
        self.0.place()
    }

    /// The buffer's bytes.
    ///
    /// ```
    /// # let (mut here, mut there) = ferry_testbed::stage::pair();
    /// # here.post();
    /// # there.send(7, b"hello");
    /// # let Some(ferry_client::Event::Message { buffer, length, .. }) = here.port.receive() else { panic!() };
    /// assert_eq!(&buffer.bytes()[..length as usize], b"hello");
    /// ```
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        // SAFETY: the range is mapped readable. Central is trusted and writes to it only between `Port::post`
        // and the delivery, when this token is inside the port.
        unsafe { core::slice::from_raw_parts(self.0.base.as_ptr(), self.0.bytes() as usize) }
    }

    /// Copies out bytes that a peer may be writing at the same time, as in an open window. It copies as many
    /// bytes as `into` holds, from byte `skip` on. It returns `false` and copies nothing if they do not all
    /// lie inside the buffer.
    ///
    /// ```
    /// # let (mut here, _) = ferry_testbed::stage::pair();
    /// # let buffer = here.receive.pop().unwrap();
    /// let mut header = [0; 16];
    /// assert!(buffer.copy_out(0, &mut header));
    /// assert!(!buffer.copy_out(2040, &mut header));
    /// ```
    pub fn copy_out(&self, skip: u32, into: &mut [u8]) -> bool {
        let inside =
            (skip as usize).checked_add(into.len()).is_some_and(|end| end <= self.0.bytes() as usize);
        if inside {
            // SAFETY: `skip` is inside the buffer.
            let from = unsafe { self.0.base.add(skip as usize) };
            // SAFETY: the source range was just checked, and the target is a slice of that length. They
            // cannot overlap, because no reference to the region exists.
            unsafe { ferry_platform::copy_opaque(from.as_ptr(), into.as_mut_ptr(), into.len()) };
        }
        inside
    }
}
