//! What Ferry relies on and only the kernel can answer: what a frame capability can be used for, and what
//! happens at an address before, while and after a frame is mapped there. And what only the board's processor
//! can answer: whether its copy routine copies.
//!
//! The tests run in a root task, and each makes its own frames and tables. A thread of its own makes the
//! accesses that may fault ([`probe`]), so that the test sees the fault.
#![no_std]

#[cfg(test)]
mod copying;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod probe;
