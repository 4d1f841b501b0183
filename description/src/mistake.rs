//! A broken rule at a place, and all of them together.

use crate::problem::Problem;
use crate::source::Place;
use std::fmt;

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
        write!(formatter, "{}: {}; {}", self.place, self.problem, self.problem.remedy())
    }
}

impl std::error::Error for Mistake {}

/// All mistakes of a description, at least one, in the order of the rules. `Display` prints one line for
/// each.
#[derive(Clone, Debug)]
pub struct Mistakes(pub(crate) Vec<Mistake>);

impl Mistakes {
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
        for (number, mistake) in self.iter().enumerate() {
            if number > 0 {
                formatter.write_str("\n")?;
            }
            fmt::Display::fmt(mistake, formatter)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
