//! Filters: what a guard thinks of a message, and the protection domain (PD) around it.
//!
//! Principle: **a filter is a function.** It gets the bytes of one message and says whether they pass. It
//! cannot change them, send anything, or talk to anybody. So it can be tested and fuzzed on the host by
//! itself, and reading it is enough to know what it lets through.
//!
//! ```
//! use ferry_guard::{Filter, Message, Verdict};
//!
//! /// Passes lines of printable ASCII.
//! struct Printable;
//!
//! impl Filter for Printable {
//!     fn inspect(&mut self, message: &Message<'_>) -> Verdict {
//!         match message.bytes.iter().position(|byte| !matches!(byte, b' '..=b'~' | b'\n')) {
//!             None => Verdict::Pass,
//!             Some(place) => Verdict::Refuse { reason: place as u32 },
//!         }
//!     }
//! }
//!
//! let message = |bytes| Message { source: "sensor", target: "console", tag: 0, bytes };
//! assert_eq!(Printable.inspect(&message(b"21 degrees")), Verdict::Pass);
//! assert_eq!(Printable.inspect(&message(b"21\x1b[2J")), Verdict::Refuse { reason: 2 });
//! ```
//!
//! The crate `ferry-guard-check` tests a filter with a corpus of messages, and fuzzes it, in one line each.
//!
//! The program of a guard is the filter and one line:
//!
//! ```
//! # use ferry_guard::{Filter, Message, Verdict};
//! # use ferry_testbed::runtime;
//! # struct Printable;
//! # impl Filter for Printable {
//! #     fn inspect(&mut self, _: &Message<'_>) -> Verdict { Verdict::Pass }
//! # }
//! runtime::protection_domain!(init);
//!
//! fn init() -> impl runtime::Handler {
//!     ferry_guard::start!(Printable)
//! }
//! # fn main() { runtime::run(init) }
//! ```
//!
//! Whatever goes wrong in a guard is a refusal: a filter that panics or never returns passes nothing. The
//! filter sees messages of all flows that name the guard, in the order in which central hands them out.

#![no_std]
#![forbid(unsafe_code)]

mod domain;

pub use domain::{Guard, MOST_BUFFERS};
#[doc(hidden)]
pub use ferry_client;

/// A message to inspect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// The name of the sender, as the system description has it. Central vouches for it.
    pub source: &'a str,
    /// The name of the client that shall receive the message.
    pub target: &'a str,
    /// The sender's tag.
    pub tag: u64,
    /// What the target will get, if all guards pass it.
    pub bytes: &'a [u8],
}

/// What a filter says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The message may go on.
    Pass,
    /// It may not.
    Refuse {
        /// Why, in the filter's own numbers. Neither sender nor receiver sees it.
        reason: u32,
    },
}

/// Decides over messages. Every message is judged by itself, or by what the filter has seen before.
pub trait Filter {
    /// Inspects one message.
    fn inspect(&mut self, message: &Message<'_>) -> Verdict;
}

impl<F: FnMut(&Message<'_>) -> Verdict> Filter for F {
    fn inspect(&mut self, message: &Message<'_>) -> Verdict {
        self(message)
    }
}

/// Starts the guard of this protection domain, and returns the `Handler` that its `init` returns. The
/// argument is the filter. It uses the crate `runtime` of the platform, as `ferry_client::start!` does, and
/// panics as that does. Use it once in a program.
#[macro_export]
macro_rules! start {
    ($filter:expr) => {{
        use $crate::ferry_client;
        ferry_client::start!(|port, _, receive| $crate::Guard::new(port, receive, $filter))
    }};
}
