//! A `runtime` for those examples in the documentation of `ferry_client` that are whole programs. It has the
//! names of a platform's `runtime` that clients need. The program is `client0` of a testbed.

use std::cell::RefCell;
use std::rc::Rc;

use crate::stage::{self, Side};
use crate::{Memory, Testbed};

pub use crate::{__channel as channel, __protection_domain as protection_domain, __region as region};
pub use ferry_platform::{Channel, ChannelSet, Handler, Region};
pub use std::{print, println};

thread_local! {
    static BED: Rc<RefCell<Testbed>> = Rc::new(RefCell::new(stage::bed()));
}

/// Runs central for the program, as its signal would.
pub fn notify_above(_: Channel) {
    BED.with(|bed| bed.borrow_mut().run_for(0));
}

/// Runs the program. When it is let in, `client1` sends it one message.
pub fn run<H: Handler>(init: impl FnOnce() -> H) {
    let mut program = init();
    let mut other = BED.with(|bed| Side::open(bed, 1));
    other.send(7, b"hello");
    program.notified(ChannelSet::from_bits(1));
}

/// `client1`, for a program that does not begin by [`run`].
#[must_use]
pub fn other() -> Side {
    BED.with(|bed| Side::open(bed, 1))
}

/// The region of the program that a symbol names.
#[must_use]
pub fn region_of(symbol: &str) -> Option<Region> {
    let memory = BED.with(|bed| bed.borrow().clients[0]);
    match symbol {
        "ferry_out" => Memory::of(memory.from_client).region(),
        "ferry_in" => Memory::of(memory.to_client).region(),
        "ferry_tx" => memory.transmit.region(),
        "ferry_rx" => memory.receive.region(),
        _ => None,
    }
}

/// As on every platform; the example says by itself when its program runs.
#[macro_export]
macro_rules! __protection_domain {
    ($init:path) => {};
}

/// As on every platform.
#[macro_export]
macro_rules! __region {
    ($name:ident) => {
        $crate::runtime::region_of(stringify!($name))
    };
}

/// As on every platform. There is one channel.
#[macro_export]
macro_rules! __channel {
    ($name:ident) => {
        $crate::runtime::Channel::new(0)
    };
}
