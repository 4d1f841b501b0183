//! What became of the project's tests: `tests.txt` and `tests.json`, and how long they took.

use super::bundle::Bundle;
use super::gaps::Gaps;
use super::image;
use super::subject::{COMMAND, FORMAT, Subject};
use crate::built::Built;
use crate::error::Error;
use crate::test::{self, Outcome};
use ferry_description::{count, shown};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) const TESTS_TEXT: &str = "tests.txt";
pub(super) const TESTS: &str = "tests.json";
pub(super) const TIMES: &str = "times.json";

/// `tests.json`.
#[derive(Serialize)]
struct Results {
    format: u32,
    passed: usize,
    failed: usize,
    tests: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    passed: bool,
}

/// `times.json`.
#[derive(Serialize)]
struct Times {
    /// Seconds since the beginning of 1970, in UTC.
    made_unix_s: u64,
    /// Seconds that each test took.
    tests_s: BTreeMap<String, f64>,
}

/// Runs the tests on the target, if there are any and something boots it, and adds what became of them.
pub(super) fn add(
    subject: &Subject<'_>,
    built: Option<&Arc<Built>>,
    bundle: &mut Bundle,
    gaps: &mut Gaps,
) -> Result<(), Error> {
    let outcomes = run(subject, built)?;
    let took = |outcome: &Outcome| (outcome.name.clone(), outcome.took.as_secs_f64());
    let tests_s = outcomes.iter().flatten().map(took).collect();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    bundle.add_json(TIMES, &Times { made_unix_s: now.as_secs(), tests_s })?;
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(why) => {
            gaps.missing(TESTS_TEXT, why.as_str());
            gaps.missing(TESTS, why);
            return Ok(());
        }
    };
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    if failed > 0 {
        gaps.failure(format!("{} failed ({TESTS_TEXT})", count(failed, "test")));
    }
    bundle.add(TESTS_TEXT, text(&outcomes, failed));
    let row = |outcome: &Outcome| Row { name: outcome.name.clone(), passed: outcome.failure.is_none() };
    let tests = outcomes.iter().map(row).collect();
    bundle.add_json(TESTS, &Results { format: FORMAT, passed: outcomes.len() - failed, failed, tests })
}

/// Runs the tests. The inner error says why none ran.
fn run(subject: &Subject<'_>, built: Option<&Arc<Built>>) -> Result<Result<Vec<Outcome>, String>, Error> {
    let Some(built) = built else { return Ok(Err("nothing was built".into())) };
    if let Err(error) = image::boots(subject) {
        return Ok(Err(error.to_string()));
    }
    let outcomes = test::outcomes(COMMAND, &subject.project, subject.target, built)?;
    Ok(match outcomes {
        None => Err(format!("the project has no {}", test::FILE)),
        Some(none) if none.is_empty() => {
            Err(format!("no test of {} runs on {}", test::FILE, subject.target.platform.name()))
        }
        Some(outcomes) => Ok(outcomes),
    })
}

/// `tests.txt`.
fn text(outcomes: &[Outcome], failed: usize) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for outcome in outcomes {
        let verdict = if outcome.failure.is_some() { "FAILED" } else { "ok" };
        let _ = writeln!(text, "test {} ... {verdict}", outcome.name);
        for line in outcome.failure.iter().flat_map(|failure| failure.lines()) {
            // Protection domains print what they like.
            let _ = writeln!(text, "    {}", shown(line));
        }
    }
    let _ = writeln!(text, "{} passed, {failed} failed", outcomes.len() - failed);
    text
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::test::Outcome;
    use std::time::Duration;

    #[test]
    fn a_failure_is_written_with_what_was_printed_and_nothing_that_a_terminal_obeys() {
        let outcome = |name: &str, failure: Option<&str>| Outcome {
            name: name.into(),
            failure: failure.map(ToOwned::to_owned),
            took: Duration::ZERO,
        };
        let outcomes = [outcome("a", None), outcome("b", Some("no `x`\n  | \u{1b}[31m"))];
        let expected =
            "test a ... ok\ntest b ... FAILED\n    no `x`\n      | \\u{1b}[31m\n1 passed, 1 failed\n";
        assert_eq!(text(&outcomes, 1), expected);
    }
}
