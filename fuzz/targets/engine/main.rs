//! Hostile clients: the input is a script of writes into the pages of two clients, and central runs between
//! the writes.
//!
//! `SimulatedMachine` judges every map, unmap and copy. Beside the two hostile clients there are two honest
//! ones. Whatever the hostile clients do, and wherever central is restarted, a message between the honest
//! ones arrives as it was sent. Nothing else changes their receive regions, and in the end nothing stays
//! mapped. Overflow checks are on, and libFuzzer ends a run that hangs.
//!
//! In every second stage all flows of hostile clients to honest ones have guards, one of them honest
//! (`guard.rs`), and the honest sender has a one-way flow to a hostile client.

#![no_main]

mod guard;
mod script;
mod stage;

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

use script::Script;
use stage::Stage;

thread_local! {
    /// Stages without and with guards, for each mapping policy. They are kept, because the memory of a
    /// testbed is never freed. Everything in them is reset for each input.
    static STAGES: RefCell<[Stage; 4]> = RefCell::new([
        Stage::new(false, false),
        Stage::new(true, false),
        Stage::new(false, true),
        Stage::new(true, true),
    ]);
}

fuzz_target!(|bytes: &[u8]| {
    STAGES.with_borrow_mut(|stages| {
        let mut script = Script::new(bytes);
        let stage = &mut stages[usize::from(script.next() & 3)];
        stage.begin();
        while !script.is_over() {
            stage.play(&mut script);
        }
        stage.end();
    });
});
