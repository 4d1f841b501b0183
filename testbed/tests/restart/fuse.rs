//! Counts central's stores to shared memory and its calls of the machine, and stops central after a chosen
//! one.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;

/// The panic payload that unwinds central.
pub(crate) struct Stopped;

/// Counts stores to shared memory and actions of the machine, and stops central after a chosen one.
#[derive(Clone, Default)]
pub(crate) struct Fuse {
    passed: Rc<Cell<u32>>,
    blows_at: Rc<Cell<Option<u32>>>,
    paused: Rc<Cell<bool>>,
    /// Copies that central makes before its steps count again.
    copies: Rc<Cell<u32>>,
}

impl Fuse {
    /// A fuse that stops central after this many steps, or never.
    pub(crate) fn after(steps: Option<u32>) -> Self {
        let fuse = Self::default();
        fuse.blows_at.set(steps);
        fuse
    }

    /// Steps that central has made.
    pub(crate) fn passed(&self) -> u32 {
        self.passed.get()
    }

    /// Stops central after so many more steps, or not again.
    pub(crate) fn set(&self, steps: Option<u32>) {
        self.blows_at.set(steps.map(|steps| self.passed() + steps));
    }

    /// Counts no steps while this is set.
    pub(crate) fn pause(&self, is_paused: bool) {
        self.paused.set(is_paused);
    }

    /// Counts no steps before central has copied so often.
    pub(crate) fn pause_for(&self, copies: u32) {
        self.paused.set(true);
        self.copies.set(copies);
    }

    /// Central has copied.
    pub(crate) fn copied(&self) {
        if self.copies.get() == 1 {
            self.paused.set(false);
        }
        self.copies.set(self.copies.get().saturating_sub(1));
    }

    /// Central has made a step. It is stopped here if this is the chosen one.
    pub(crate) fn step(&self) {
        if self.paused.get() {
            return;
        }
        self.passed.set(self.passed.get() + 1);
        if self.blows_at.get() == Some(self.passed.get()) {
            self.blows_at.set(None);
            resume_unwind(Box::new(Stopped));
        }
    }
}
