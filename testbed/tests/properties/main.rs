//! Random programs for two to four honest clients, played against the real engine and judged by a plain
//! model.
//!
//! The model (`model.rs`) knows what was asked for and looks at what central published after every run: each
//! final status must be one that the documentation allows for that send, each delivery must be the oldest
//! message of its flow that did not fail, byte for byte, and nothing else in any receive region may change.
//! `fairness.rs` is about shares. The number of cases is small enough for every test run; `PROPTEST_CASES`
//! makes it larger.

mod fairness;
mod model;
mod program;
mod system;

use ferry_layout::config::Mapping;
use proptest::prelude::*;

use program::{Operation, operations, topology};
use system::System;

/// The cases of one property, unless the environment says otherwise.
fn cases(count: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(count), max_shrink_iters: 4000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(400))]

    /// FIFO in each flow, exactly once, every send ends in a documented status, back pressure loses nothing,
    /// and with policy `each` nothing is mapped when central sleeps.
    #[test]
    fn every_send_ends_once_and_in_order((shape, program) in (topology(16, 4096), operations(120))) {
        let mut system = System::new(shape);
        for operation in program {
            system.perform(operation);
        }
        system.settle();
    }
}

proptest! {
    #![proptest_config(cases(24))]

    /// The same where messages are carried in several steps, by turns with others.
    #[test]
    fn long_messages_arrive_byte_for_byte((shape, program) in (topology(256, 250_000), operations(60))) {
        let mut system = System::new(shape);
        for operation in program {
            system.perform(operation);
        }
        system.settle();
    }
}

/// A map that fails half-way gives the buffer back, and then somebody else who waits for one may have it.
#[test]
fn a_buffer_that_is_given_back_goes_to_the_next_who_waits() {
    let shape = program::mesh(3, 256, 250_000, Mapping::Each);
    let mut system = System::new(shape);
    system.perform(Operation::Post { client: 2, from: None });
    system.perform(Operation::Send {
        source: 0,
        target: 2,
        length: 200_000,
        urgent: false,
        quiet: false,
        ticks: 0,
    });
    system.perform(Operation::Send {
        source: 1,
        target: 2,
        length: 10,
        urgent: false,
        quiet: false,
        ticks: 0,
    });
    system.perform(Operation::RefuseMaps { after: 40 });
    system.perform(Operation::Run);
    system.perform(Operation::Run);
    system.settle();
}
