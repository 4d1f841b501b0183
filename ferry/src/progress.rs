//! Says what takes long: a spinner with the seconds on a terminal, one plain line per step elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// A step that takes long. It ends when it is dropped; on a terminal its line disappears then.
pub(crate) struct Step {
    bar: Option<ProgressBar>,
    last: Instant,
}

impl Step {
    /// Begins a step; `what` is a half-sentence as in "building the programs".
    pub(crate) fn begin(what: impl Into<String>) -> Self {
        let what = what.into();
        if !std::io::stderr().is_terminal() {
            eprintln!("ferry: {what}");
            return Self { bar: None, last: Instant::now() };
        }
        let bar = ProgressBar::new_spinner().with_message(what);
        // The template is a constant, so it is valid or the first run shows that it is not.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar: Some(bar), last: Instant::now() }
    }

    /// Says more about the step, where that does not fill a log.
    pub(crate) fn detail(&mut self, what: impl Into<String>) {
        if let Some(bar) = &self.bar
            && self.last.elapsed() > Duration::from_millis(50)
        {
            bar.set_message(what.into());
            self.last = Instant::now();
        }
    }

    /// Prints a line without disturbing the spinner.
    pub(crate) fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }
}

/// What keeps Cargo from talking where a spinner shows the step. Elsewhere its lines are the progress.
pub(crate) fn quiet() -> Option<&'static str> {
    std::io::stderr().is_terminal().then_some("--quiet")
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
