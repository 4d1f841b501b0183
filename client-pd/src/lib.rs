//! What a client of Ferry links. It sends to peers and receives from them through a central protection domain
//! (PD) that both sides trust. The two sides share no memory with each other.
//!
//! Principle: **a buffer is a token.** `_tx` and `_rx` are split once into [`TransmitBuffer`]s and
//! [`ReceiveBuffer`]s that cannot be copied. Sending a buffer gives it away until [`Port::reap`] brings it
//! back with a status. Posting one gives it away until [`Port::receive`] brings it back with a message. So no
//! program that compiles writes to a message on its way, or reads a buffer that central may be writing.
//!
//! Enqueue as much as you like, then call [`Port::flush`] once: the whole batch takes at most one signal.
//! Before sleeping call [`Port::arm`]. If it returns `true`, there is something to reap or receive, so stay
//! awake. For many messages use [`Port::reap_each`] and [`Port::receive_each`], which cost less than reaping
//! and receiving one by one.
//!
//! ```no_run
//! use ferry_client::{Message, Opening, Port, Regions};
//! # fn example(regions: Regions, doorbell: impl FnMut()) -> Option<()> {
//! let (mut opening, transmit, receive) = Port::open(regions, doorbell);
//! let mut port = loop {
//!     match opening.poll() {
//!         Ok(port) => break port,
//!         Err(again) => opening = again, // sleep until notified
//!     }
//! };
//! for buffer in receive.split::<8>(2048) {
//!     port.post(buffer, None).ok()?;
//! }
//! let peer = port.peer("receiver")?;
//! let mut buffers = transmit.split::<8>(2048);
//! let mut buffer = buffers.pop()?;
//! buffer.bytes_mut()[..5].copy_from_slice(b"hello");
//! port.send(peer, buffer, 5, Message::tagged(7)).ok()?;
//! port.flush();
//! # Some(()) }
//! ```
//!
//! Not guaranteed: that the receiver gets what the buffer held when it was sent, if the sender's own code
//! writes to `_tx` by other means. Timing is not kept private either (see `docs/threat-model.md`).

#![no_std]

#[cfg(test)]
extern crate std;

mod held_sends;
mod memory;
mod message;
mod port;
mod receiving;
mod runs;
mod sending;

pub use ferry_layout::{Address, Peer, Standing, Status};
pub use memory::{ReceiveBuffer, ReceiveMemory, TransmitBuffer, TransmitMemory};
pub use message::{Completion, Event, Message, Outgoing, PostError, Posted, SendError, SendRefused};
pub use port::{Doorbell, OpenError, Opening, Port, Regions};
