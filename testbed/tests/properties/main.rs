//! Random programs for two to four honest clients, some with guards between them. They run against the real
//! engine, and a plain model judges the result.
//!
//! The model (`model.rs`) knows what was asked for and looks at what central published after every run. Each
//! final status must be one that the documentation allows for that send. Each delivery must be the oldest
//! message of its flow that did not fail, byte for byte. Nothing else in any receive region may change. Each
//! counter is exact after each run, and each client is told of its peers what the flows say.
//! `fairness.rs` is about shares. The number of cases is small enough for every test run; `PROPTEST_CASES`
//! sets another one.

mod fairness;
mod model;
mod program;
mod system;

use ferry_layout::config::Mapping;
use proptest::prelude::*;

use program::{Operation, operations, topology};
use system::System;

/// The number of cases of one property, unless `PROPTEST_CASES` sets another one.
fn cases(count: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(count), max_shrink_iters: 4000, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(2000))]

    /// Each flow is FIFO and delivers exactly once, every send ends in a documented status, and back pressure
    /// loses nothing. With policy `each` nothing is mapped when central sleeps.
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
    #![proptest_config(cases(100))]

    /// The same for messages that are carried in several steps, in turn with others.
    #[test]
    fn long_messages_arrive_byte_for_byte((shape, program) in (topology(256, 250_000), operations(60))) {
        let mut system = System::new(shape);
        for operation in program {
            system.perform(operation);
        }
        system.settle();
    }
}

/// A mapping that fails half-way gives the buffer back. Then another sender that waits for a buffer may have
/// it.
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
