//! A broken rule at a place, and all of them together.

use crate::name::shown;
use crate::problem::Problem;
use crate::source::Place;
use crate::words::count;
use std::collections::BTreeMap;
use std::fmt;

/// How many mistakes of one rule are shown. One cause often breaks a rule many times.
const SHOWN: usize = 10;

/// What is wrong, and where. `Display` prints one line: where, what, what to do.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// Where it is wrong.
    pub place: Place,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = format!("{}: {}; {}", self.place, self.problem, self.problem.remedy());
        formatter.write_str(&shown(&line))
    }
}

impl std::error::Error for Mistake {}

/// All mistakes of a description, at least one, in the order of the rules. `Display` prints one line for
/// each. Where a rule is broken very often, `Display` prints the first few lines and the number of the
/// others.
#[derive(Clone, Debug)]
pub struct Mistakes(pub(crate) Vec<Mistake>);

impl Mistakes {
    /// The mistakes to show: of each rule the first few.
    pub(crate) fn first(&self) -> impl Iterator<Item = &Mistake> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        self.iter().filter(move |mistake| {
            let count = counts.entry(mistake.problem.rule()).or_default();
            *count += 1;
            *count <= SHOWN
        })
    }

    /// For each rule of which not all mistakes are shown, a line that says how many there are.
    pub(crate) fn others(&self) -> Vec<String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for mistake in self {
            *counts.entry(mistake.problem.rule()).or_default() += 1;
        }
        let others = counts.into_iter().filter(|(_, count)| *count > SHOWN);
        others
            .map(|(rule, number)| {
                let more = count(number - SHOWN, "more mistake");
                format!("{more} like these, of the rule `{rule}`; mend the first ones, and check again")
            })
            .collect()
    }

    /// Iterates over the mistakes, in the order of the rules.
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Mistakes {
    type Item = &'a Mistake;
    type IntoIter = std::slice::Iter<'a, Mistake>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.first().map(ToString::to_string).chain(self.others()).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Mistakes {}
