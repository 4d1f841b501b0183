//! Where central is stopped, what clients do meanwhile, and what a run has shown.

use std::collections::BTreeSet;

use super::actor::Book;
use super::watch::Place;

/// What clients do when central is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meanwhile {
    /// They wait until the next central rests.
    Wait,
    /// They look before the next central starts.
    Down,
    /// They look when the next central has made this many steps.
    Amid(u32),
}

impl Meanwhile {
    /// One of the three in turn, for a stop after this step.
    pub(crate) fn in_turn(step: u32) -> Self {
        match step % 3 {
            0 => Self::Wait,
            1 => Self::Down,
            _ => Self::Amid(1 + step / 3 % 40),
        }
    }

    /// Whether clients wait, or look while central is down.
    pub(crate) const fn down_if(is_down: bool) -> Self {
        if is_down { Self::Down } else { Self::Wait }
    }
}

/// The stops of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stops {
    /// Steps after which central is stopped, and after which the next central is.
    pub(crate) first: Option<u32>,
    pub(crate) second: Option<u32>,
    pub(crate) meanwhile: Meanwhile,
}

impl Stops {
    pub(crate) const NONE: Self = Self { first: None, second: None, meanwhile: Meanwhile::Wait };

    pub(crate) const fn after(step: u32, meanwhile: Meanwhile) -> Self {
        Self { first: Some(step), second: None, meanwhile }
    }

    /// Stops the next central too, after so many steps of it.
    pub(crate) const fn and_after(self, second: u32) -> Self {
        Self { second: Some(second), ..self }
    }
}

/// What a run has shown.
pub(crate) struct Seen {
    /// The book of each client, and how many buffers it holds.
    pub(crate) books: Vec<(Book, usize)>,
    /// Steps that central has made.
    pub(crate) steps: u32,
    /// How often it was stopped, and where messages were then.
    pub(crate) stopped: u32,
    pub(crate) places: BTreeSet<Place>,
}
