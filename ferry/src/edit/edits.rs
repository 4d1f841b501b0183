//! Changes of a text. Each names its place in the text as it was, so that places can be looked up once and
//! every byte that no change names stays what it is.

use std::ops::Range;

/// Changes that do not overlap. Insertions at one place keep their order.
#[derive(Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(super) fn insert(&mut self, at: usize, text: String) {
        self.0.push((at..at, text));
    }

    pub(super) fn remove(&mut self, range: Range<usize>) {
        self.0.push((range, String::new()));
    }

    pub(super) fn replace(&mut self, range: Range<usize>, text: String) {
        self.0.push((range, text));
    }

    /// The text with all changes.
    pub(super) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(range, _)| range.start);
        let (mut changed, mut done) = (String::with_capacity(text.len()), 0);
        for (range, new) in &self.0 {
            changed.push_str(text.get(done..range.start).unwrap_or_default());
            changed.push_str(new);
            done = range.end.max(done);
        }
        changed.push_str(text.get(done..).unwrap_or_default());
        changed
    }
}

/// Where the white space that ends at `at` begins.
pub(super) fn blank_start(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().trim_end().len()
}

/// The text from `at` to the end of its line.
pub(super) fn rest_of_line(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default().lines().next().unwrap_or_default()
}

/// How the text ends its lines.
pub(super) fn line_end(text: &str) -> &'static str {
    if text.lines().next().is_some_and(|first| text[first.len()..].starts_with("\r\n")) {
        "\r\n"
    } else {
        "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::{Edits, blank_start, line_end, rest_of_line};

    #[test]
    fn changes_are_about_the_text_as_it_was() {
        let mut edits = Edits::default();
        edits.insert(5, " one".into());
        edits.remove(0..1);
        edits.insert(5, " two".into());
        edits.replace(2..4, "LL".into());
        assert_eq!(edits.apply("hello world"), "eLLo one two world");
    }

    #[test]
    fn lines_and_blanks_are_found() {
        assert_eq!(blank_start("a \r\n  b", 6), 1);
        assert_eq!(blank_start(" \n", 2), 0);
        assert_eq!(rest_of_line("ab\r\ncd", 1), "b");
        assert_eq!(rest_of_line("ab", 2), "");
        assert_eq!([line_end("a\r\n"), line_end("a\n"), line_end("")], ["\r\n", "\n", "\n"]);
    }
}
