//! Where a protection domain of the classic platform finds what the initialiser gives it: the convention
//! between the initialiser, which fills these places, and the runtime, which uses them.
//!
//! A crate of its own, because `ferry-classic-spec`, which names them too, needs an allocator and a
//! protection domain has none.
#![no_std]
#![forbid(unsafe_code)]

pub mod addresses;
pub mod slots;
