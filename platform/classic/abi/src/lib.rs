//! The interface of the classic platform's kernel, seL4 5.0.0 for x86-64, in safe Rust as far as possible.
//!
//! [`syscall`] is the one module that leaves Rust: it enters the kernel. [`Kernel`] makes invocations on
//! objects, and [`BootInformation`] is what the kernel tells the initialiser. Every number comes from the
//! kernel's source under the configuration that the kernel was built with ([`number`]); none is written by
//! hand.
//!
//! An invocation can change the caller's own address space, so whether it is safe depends on the capabilities
//! that the caller holds. This crate treats all invocations as safe except the one that maps a frame.
//! Unmapping is safe in the sense that a later access faults, which ends the protection domain and corrupts
//! nothing.
#![no_std]
#![allow(clippy::cast_possible_truncation, reason = "x86-64 alone: a usize has 64 bits")]

mod boot_information;
mod invocation;
mod message;
mod refusal;
pub mod syscall;

pub use boot_information::{BootInformation, SlotRange, Untyped};
pub use invocation::{Kernel, PagingLevel, UserContext};
pub use message::{Message, MessageInfo, Rights};
pub use refusal::Refusal;

/// The numbers of the kernel's interface, generated; the names are those of the kernel's source.
pub mod number {
    #![expect(non_upper_case_globals, reason = "a reader must find the kernel's own names")]
    #![allow(clippy::unreadable_literal, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/numbers.rs"));
}
