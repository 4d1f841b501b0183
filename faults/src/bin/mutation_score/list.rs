//! The list of mutants that may survive, and how it compares with those that do.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::Error;
use crate::run::Crate;

/// The list as it stands in its file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Survivors {
    survivor: Vec<Entry>,
}

/// A mutant that may survive. Mutants are known by a text without line numbers, so a text may occur often.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    package: String,
    mutant: String,
    #[serde(default = "once")]
    times: usize,
    /// Why it changes nothing, or why no test can see it.
    #[expect(dead_code, reason = "for whoever reads the list; an entry without it is an error")]
    reason: String,
}

const fn once() -> usize {
    1
}

/// Where the list and the survivors differ.
#[derive(Default, PartialEq, Eq, Debug)]
pub(crate) struct Difference {
    /// Survivors that are not in the list, and entries that have no survivor.
    pub(crate) new: Vec<String>,
    pub(crate) stale: Vec<String>,
}

impl Survivors {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        Ok(ferry_faults::table(path)?)
    }

    fn of(&self, package: &str) -> impl Iterator<Item = &Entry> {
        self.survivor.iter().filter(move |entry| entry.package == package)
    }

    /// Compares the list with the mutants of a crate that survive.
    pub(crate) fn compare(&self, it: &Crate, survivors: &[String]) -> Difference {
        let mut left = BTreeMap::new();
        for entry in self.of(&it.package) {
            *left.entry(entry.mutant.as_str()).or_insert(0) += entry.times;
        }
        let mut difference = Difference::default();
        for mutant in survivors {
            match left.get_mut(without_place(mutant).as_str()) {
                Some(count) if *count > 0 => *count -= 1,
                _ => difference.new.push(mutant.clone()),
            }
        }
        let stale = left.into_iter().filter(|(_, count)| *count > 0);
        difference.stale = stale.map(|(mutant, count)| format!("{mutant} ({count} times)")).collect();
        difference
    }

    /// Finds entries that are no mutants of the crate at all, or not so often.
    pub(crate) fn without_mutant(&self, it: &Crate, mutants: &[String]) -> Difference {
        Difference { new: Vec::new(), ..self.compare(it, mutants) }
    }
}

/// The text of a mutant without line and column.
fn without_place(mutant: &str) -> String {
    let mut parts = mutant.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(line), Some(column), Some(rest)) if is_number(line) && is_number(column) => {
            format!("{file}:{rest}")
        }
        _ => mutant.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"
[[survivor]]
package = "x"
mutant = "a.rs: replace + with - in f"
times = 2
reason = "both are the same there"
"#;

    fn compare(survivors: &[&str]) -> Difference {
        let list: Survivors = toml::from_str(LIST).unwrap();
        let it = Crate { package: "x".to_owned(), files: Vec::new(), stages: Vec::new() };
        let survivors: Vec<String> = survivors.iter().map(|mutant| (*mutant).to_owned()).collect();
        list.compare(&it, &survivors)
    }

    #[test]
    fn the_list_agrees_wherever_the_mutants_are_in_their_file() {
        let both = ["a.rs:1:2: replace + with - in f", "a.rs:70:1: replace + with - in f"];
        assert_eq!(compare(&both), Difference::default());
    }

    #[test]
    fn a_survivor_too_many_is_new_and_one_too_few_is_stale() {
        let plus = "a.rs:1:2: replace + with - in f";
        assert_eq!(compare(&[plus, plus, plus]).new, [plus]);
        assert_eq!(compare(&["b.rs:1:2: g"]).new, ["b.rs:1:2: g"]);
        assert_eq!(compare(&[plus]).stale, ["a.rs: replace + with - in f (1 times)"]);
    }
}
