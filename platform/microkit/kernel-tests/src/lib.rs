//! What Ferry relies on and only the kernel can answer: what a frame capability can be used for, and what
//! happens at an address before, while and after a frame is mapped there.
//!
//! Each test is a root task's: it makes its own frames and tables. Accesses that may fault are made by a
//! thread for that purpose ([`probe`]), so that the test sees the fault.
#![no_std]

#[cfg(test)]
mod frames;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod probe;
