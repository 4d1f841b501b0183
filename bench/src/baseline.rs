//! The committed instruction counts, and their comparison with new counts.

use crate::carrier::Carrier;
use std::fmt;

/// A count may be at most this many times the baseline's.
const TOLERANCE: f64 = 1.03;

/// A case that costs more or less than the baseline says.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    carrier: String,
    case: String,
    was: f64,
    is: f64,
}

/// The cases that differ by more than 3 %: first those that cost more now, then those that cost less.
#[must_use]
pub fn compare(baseline: &[Carrier], now: &[Carrier]) -> (Vec<Change>, Vec<Change>) {
    let mut changes = (Vec::new(), Vec::new());
    for carrier in now {
        let Some(before) = baseline.iter().find(|before| before.name == carrier.name) else { continue };
        for row in &carrier.rows {
            let was = before.row(row.case).and_then(|row| row.instructions);
            let (Some(was), Some(is)) = (was, row.instructions) else { continue };
            let change = || Change { carrier: carrier.name.clone(), case: row.case.to_string(), was, is };
            if is > was * TOLERANCE {
                changes.0.push(change());
            } else if was > is * TOLERANCE {
                changes.1.push(change());
            }
        }
    }
    changes
}

/// The names of carriers that only the baseline has, and of those that only this run has.
#[must_use]
pub fn differences(baseline: &[Carrier], now: &[Carrier]) -> (Vec<String>, Vec<String>) {
    let only = |these: &[Carrier], others: &[Carrier]| {
        let missing = |carrier: &&Carrier| others.iter().all(|other| other.name != carrier.name);
        these.iter().filter(missing).map(|carrier| carrier.name.clone()).collect()
    };
    (only(baseline, now), only(now, baseline))
}

/// How many cases of carriers in the baseline it does not have.
#[must_use]
pub fn new_cases(baseline: &[Carrier], now: &[Carrier]) -> usize {
    let of_carrier = |carrier: &Carrier| {
        let before = baseline.iter().find(|before| before.name == carrier.name);
        before.map_or(0, |before| carrier.rows.iter().filter(|row| before.row(row.case).is_none()).count())
    };
    now.iter().map(of_carrier).sum()
}

/// The baseline with the new counts. What was not measured now keeps its counts: whole carriers, and single
/// cases.
#[must_use]
pub fn merged(baseline: Vec<Carrier>, mut now: Vec<Carrier>) -> Vec<Carrier> {
    for before in baseline {
        match now.iter_mut().find(|carrier| carrier.name == before.name) {
            Some(carrier) => {
                let mut rows = before.rows;
                rows.retain(|row| carrier.row(row.case).is_none());
                rows.append(&mut carrier.rows);
                carrier.rows = rows;
            }
            None => now.push(before),
        }
    }
    now
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { carrier, case, was, is } = self;
        let percent = (is / was - 1.0) * 100.0;
        write!(formatter, "{carrier}, {case}: {was:.1} -> {is:.1} instructions a message ({percent:+.1} %)")
    }
}

#[cfg(test)]
mod tests {
    use super::{compare, differences, merged, new_cases};
    use crate::carrier::{Carrier, Row};
    use crate::case::{Case, Policy};

    fn carrier(instructions: f64) -> Vec<Carrier> {
        let row = Row { instructions: Some(instructions), ..Row::of(Case::pair(64, 32, Policy::Keep)) };
        vec![Carrier { name: "engine".to_owned(), rows: vec![row] }]
    }

    #[test]
    fn more_than_three_percent_is_named() {
        assert_eq!(compare(&carrier(100.0), &carrier(102.9)), (vec![], vec![]));
        let (more, fewer) = compare(&carrier(100.0), &carrier(104.0));
        assert!(fewer.is_empty());
        assert_eq!(
            more[0].to_string(),
            "engine, 64 bytes, batch 32, keep: 100.0 -> 104.0 instructions a message (+4.0 %)"
        );
        assert_eq!(compare(&carrier(104.0), &carrier(100.0)).1.len(), 1);
    }

    #[test]
    fn a_carrier_that_did_not_run_is_named_and_not_compared() {
        let engine = carrier(100.0);
        assert_eq!(differences(&engine, &[]), (vec!["engine".to_owned()], vec![]));
        assert_eq!(differences(&[], &engine), (vec![], vec!["engine".to_owned()]));
        assert_eq!(compare(&engine, &[]), (vec![], vec![]));
    }

    #[test]
    fn what_was_not_measured_keeps_its_counts() {
        let in_batch = |instructions, batch| Row {
            instructions: Some(instructions),
            ..Row::of(Case::pair(64, batch, Policy::Keep))
        };
        let of = |name: &str, rows: &[Row]| Carrier { name: name.to_owned(), rows: rows.to_vec() };
        let (old, alone, new) = (in_batch(100.0, 32), in_batch(700.0, 1), in_batch(90.0, 32));
        let before = vec![of("engine", &[alone, old]), of("pipe", &[old])];
        let now = vec![of("engine", &[new, in_batch(80.0, 128)])];
        assert_eq!(new_cases(&before, &now), 1);
        let rows = [alone, new, in_batch(80.0, 128)];
        assert_eq!(merged(before, now), [of("engine", &rows), of("pipe", &[old])]);
    }
}
