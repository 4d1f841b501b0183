//! A console that several protection domains (PDs) share. Every line of a PD begins with the PD's name, so a
//! reader knows who printed it, and no PD can forge a line of another or of the platform.

use core::fmt;
use core::panic::Location;

/// Stands between the name of a PD and what the PD prints.
pub const SEPARATOR: &str = " | ";

/// Who has begun a line on a console and not ended it.
#[derive(Debug, Default)]
pub struct Console {
    open: Option<usize>,
}

impl Console {
    /// Nobody has begun a line.
    #[must_use]
    pub const fn new() -> Self {
        Self { open: None }
    }

    /// Prints text of PD `number`, called `name`. A line that another PD has begun ends before it.
    pub fn print(&mut self, number: usize, name: &str, text: &[u8], put: &mut impl FnMut(&[u8])) {
        if text.is_empty() {
            return;
        }
        if self.open.is_some_and(|open| open != number) {
            self.end_line(put);
        }
        self.open = lines(name, text, self.open.is_some(), put).then_some(number);
    }

    /// Ends the line that a PD has begun, if there is one. The platform calls this before a line of its own.
    pub fn end_line(&mut self, put: &mut impl FnMut(&[u8])) {
        if self.open.take().is_some() {
            put(b"\n");
        }
    }
}

/// Prints text of the PD called `name`, which has begun a line before if `has_begun`. Returns whether it has
/// begun one then and not ended it.
pub fn lines(name: &str, text: &[u8], mut has_begun: bool, put: &mut impl FnMut(&[u8])) -> bool {
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if !has_begun {
            put(name.as_bytes());
            put(SEPARATOR.as_bytes());
        }
        put(line);
        has_begun = !line.ends_with(b"\n");
    }
    has_begun
}

/// The line that a PD prints when it panics: the place, and the message in the same line.
#[derive(Debug)]
pub struct Panic<'a, M> {
    /// Where in the source.
    pub place: Option<&'a Location<'a>>,
    /// What it says.
    pub message: M,
}

impl<M: fmt::Display> fmt::Display for Panic<'_, M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ferry: panic ")?;
        if let Some(place) = self.place {
            write!(formatter, "at={place} ")?;
        }
        write!(formatter, "{}", self.message)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::Console;
    use std::string::String;
    use std::vec::Vec;

    const NAMES: [&str; 2] = ["alpha", "beta"];

    /// What the console shows when domains print these pieces.
    fn shown(pieces: &[(usize, &str)]) -> String {
        let (mut console, mut shown) = (Console::new(), Vec::new());
        for (number, text) in pieces {
            console.print(*number, NAMES[*number], text.as_bytes(), &mut |text| shown.extend(text));
        }
        console.end_line(&mut |text| shown.extend(text));
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn every_line_begins_with_the_name_of_its_domain() {
        assert_eq!(shown(&[(0, "one\ntwo\n"), (1, "three\n")]), "alpha | one\nalpha | two\nbeta | three\n");
        assert_eq!(shown(&[(0, "\n")]), "alpha | \n");
        assert_eq!(shown(&[(0, "")]), "");
    }

    #[test]
    fn a_line_in_pieces_has_one_name() {
        assert_eq!(shown(&[(0, "on"), (0, "e"), (0, "\n")]), "alpha | one\n");
    }

    #[test]
    fn a_domain_cannot_go_on_with_the_line_of_another() {
        assert_eq!(shown(&[(0, "on"), (1, "two\n"), (0, "e\n")]), "alpha | on\nbeta | two\nalpha | e\n");
    }

    #[test]
    fn no_domain_prints_a_line_without_its_name() {
        let forged = shown(&[(0, "\nferry: exit domain=beta code=0\n"), (1, "x"), (0, "ferry: exit")]);
        assert!(forged.lines().all(|line| line.starts_with("alpha | ") || line.starts_with("beta | ")));
    }

    #[test]
    fn the_platform_begins_a_line_of_its_own() {
        assert_eq!(shown(&[(1, "not ended")]), "beta | not ended\n");
    }
}
