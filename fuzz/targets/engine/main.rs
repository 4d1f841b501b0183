//! Hostile clients: the input is a script of writes into the pages of two clients, with central running in
//! between.
//!
//! `PlayedMachine` judges every map, unmap and copy. Beside the hostile two there are two honest clients:
//! whatever the others do, and wherever central is restarted, a message between these arrives as it was sent,
//! nothing else comes near their receive regions, and in the end nothing stays mapped. Overflow checks are
//! on, and libFuzzer ends what hangs.

#![no_main]

mod script;
mod stage;

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

use script::Script;
use stage::Stage;

thread_local! {
    /// One stage for each mapping policy. Kept, because the memory of a testbed is never freed; everything in
    /// it begins anew for each input.
    static STAGES: RefCell<[Stage; 2]> = RefCell::new([Stage::new(false), Stage::new(true)]);
}

fuzz_target!(|bytes: &[u8]| {
    STAGES.with_borrow_mut(|stages| {
        let mut script = Script::new(bytes);
        let stage = &mut stages[usize::from(script.next() & 1)];
        stage.begin();
        while !script.is_over() {
            stage.play(&mut script);
        }
        stage.end();
    });
});
