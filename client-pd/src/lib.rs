//! What a client of Ferry links. It sends to peers and receives from them through a central protection domain
//! (PD) that both sides trust. The two sides share no memory with each other.
//!
//! Principle: **a buffer is a token.** `_tx` and `_rx` are split once into [`TransmitBuffer`]s and
//! [`ReceiveBuffer`]s that cannot be copied. Sending a buffer gives it away until [`Port::reap`] brings it
//! back with a status. Posting one gives it away until [`Port::receive`] brings it back with a message. So no
//! program that compiles writes to a message on its way, or reads a buffer that central may be writing.
//!
//! A program of a client implements [`Client`] and starts by [`start!`]. It is called when it is woken, takes
//! what has come, and returns; signals and sleep are seen to. [`Calls`] makes requests that peers answer.
//! `docs/client.md` says what each status means, and who owns a buffer when.
//!
//! ```
//! use ferry_client::{ChannelSet, Client, Doorbell, Event, Message, Port, TransmitBuffer};
//! # use ferry_testbed::runtime;
//! runtime::protection_domain!(init);
//!
//! fn init() -> impl runtime::Handler {
//!     ferry_client::start!(|port, transmit, receive| {
//!         for buffer in receive.split::<8>(2048) {
//!             assert!(port.post(buffer, None).is_ok());
//!         }
//!         Echo { free: transmit.split(2048) }
//!     })
//! }
//!
//! /// Sends everything back to whoever has sent it.
//! struct Echo {
//!     free: heapless::Vec<TransmitBuffer, 8>,
//! }
//!
//! impl Client for Echo {
//!     fn woken(&mut self, port: &mut Port<impl Doorbell>, _: ChannelSet) {
//!         while let Some(done) = port.reap() {
//!             assert!(self.free.push(done.buffer).is_ok());
//!         }
//!         while let Some(mut answer) = self.free.pop() {
//!             let Some(Event::Message { source, tag, buffer, length, .. }) = port.receive() else {
//!                 assert!(self.free.push(answer).is_ok());
//!                 return;
//!             };
//!             answer.bytes_mut()[..length as usize].copy_from_slice(&buffer.bytes()[..length as usize]);
//!             assert!(port.post(buffer, None).is_ok());
//!             if let Some(sender) = port.peer_of(source)
//!                 && let Err(refused) = port.send(sender, answer, length, Message::tagged(tag))
//!             {
//!                 assert!(self.free.push(refused.buffer).is_ok());
//!             }
//!         }
//!     }
//! }
//! # fn main() { runtime::run(init) }
//! ```
//!
//! Enqueue as much as you like: the whole batch takes at most one signal. For many messages use
//! [`Port::reap_each`] and [`Port::receive_each`], which cost less than reaping and receiving one by one. A
//! program that has a loop of its own opens the port by [`Port::open`] and calls [`Port::flush`] and
//! [`Port::arm`] itself.
//!
//! Not guaranteed: that the receiver gets what the buffer held when it was sent, if the sender's own code
//! writes to `_tx` by other means. Timing is not kept private either (see `docs/threat-model.md`).

#![no_std]

#[cfg(test)]
extern crate std;

mod answers;
mod calls;
mod directory;
mod ends;
mod gaps;
mod guard;
mod held_sends;
mod memory;
mod message;
mod port;
mod receiving;
mod runs;
mod sending;
mod start;

pub use answers::{Caller, ReplyRefused, Request};
pub use calls::{Call, CallError, CallRefused, Calls, Incoming, Reaped, Stray, Ticket};
pub use directory::Directory;
pub use ferry_layout::{Address, Arrival, DomainId, DomainName, Peer, Standing, Status};
pub use ferry_platform::{Channel, ChannelSet};
pub use gaps::Gaps;
pub use guard::{Answered, Inspection};
pub use memory::{ReceiveBuffer, ReceiveMemory, TransmitBuffer, TransmitMemory};
pub use message::{
    Completion, Event, Message, Outgoing, OutgoingByRoute, PostError, Posted, Route, SendError, SendRefused,
};
pub use port::{Doorbell, OpenError, Opening, Port, Regions};
pub use start::{Client, Started};

#[doc(hidden)]
pub use start::may_take_regions;
