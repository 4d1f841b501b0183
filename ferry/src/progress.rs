//! Shows the steps that take long. On a terminal this is a spinner with the elapsed seconds, elsewhere one
//! plain line for each step.

use crate::output::{can_move, note};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// A step that takes long. It ends when it is dropped. On a terminal its line disappears then.
pub(crate) struct Step {
    bar: Option<ProgressBar>,
    last: Instant,
}

impl Step {
    /// Begins a step. `what` is a phrase like "building the programs".
    pub(crate) fn begin(what: impl Into<String>) -> Self {
        let what = what.into();
        if !can_move() {
            note(format_args!("ferry: {what}"));
            return Self { bar: None, last: Instant::now() };
        }
        let bar = ProgressBar::new_spinner().with_message(what);
        // The template is a constant. If it were invalid, the first run would show it.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar: Some(bar), last: Instant::now() }
    }

    /// Prints something while the step goes on, without mixing with its line.
    pub(crate) fn beside<R>(&self, print: impl FnOnce() -> R) -> R {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Shows more about the step, on a terminal only: elsewhere it would fill the log.
    pub(crate) fn detail(&mut self, what: impl Into<String>) {
        if self.bar.is_some() && self.last.elapsed() > Duration::from_millis(50) {
            self.say(what);
            self.last = Instant::now();
        }
    }

    /// As [`detail`](Self::detail), for what seldom changes: nothing is passed over.
    pub(crate) fn say(&self, what: impl Into<String>) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.into());
        }
    }
}

/// The option that silences Cargo where a spinner shows the step. Elsewhere Cargo's own lines show the
/// progress.
pub(crate) fn quiet() -> Option<&'static str> {
    can_move().then_some("--quiet")
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
