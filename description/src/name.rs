//! What may be a name or a path in a description, and how text of a file is shown. A name ends up in reports,
//! on consoles and in names of files, so it has only letters that mean the same everywhere. No text of a file
//! reaches a terminal unless [`shown`] has made it harmless.

use std::borrow::Cow;

/// Whether this may name a protection domain, a memory region or a scheduling domain: ASCII letters, digits,
/// `_`, `-` and `.`, and no `..`.
pub(crate) fn is_name(text: &str) -> bool {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    !text.is_empty() && text != "." && !text.contains("..") && text.chars().all(is_allowed)
}

/// Whether this may be a symbol of a program, as compilers make them.
pub(crate) fn is_symbol(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.$".contains(letter))
}

/// Whether this may be the path of a file: no letter that a terminal obeys, and no blank at an end.
pub(crate) fn is_path(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains(is_harmful)
}

/// Whether a terminal obeys this letter, or shows it so that a reader is deceived.
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text as it can be shown in one line on a terminal. Letters that a terminal obeys become escapes.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let escape = |letter: char| {
        if is_harmful(letter) { letter.escape_default().to_string() } else { letter.to_string() }
    };
    Cow::Owned(text.chars().map(escape).collect())
}

/// The lines of a file as they can be shown on a terminal. Each byte keeps its position, so that places in
/// the file are places in what is shown.
pub(crate) fn shown_lines(text: &str) -> Cow<'_, str> {
    let is_layout = |letter: char| matches!(letter, '\n' | '\r' | '\t');
    if !text.contains(|letter| is_harmful(letter) && !is_layout(letter)) {
        return Cow::Borrowed(text);
    }
    let replaced = |letter: char| match letter.len_utf8() {
        _ if !is_harmful(letter) || is_layout(letter) => letter,
        1 => '?',
        2 => '¿',
        _ => char::REPLACEMENT_CHARACTER,
    };
    Cow::Owned(text.chars().map(replaced).collect())
}

#[cfg(test)]
mod tests {
    use super::{is_name, is_path, is_symbol, shown, shown_lines};

    #[test]
    fn names_are_plain() {
        for name in ["a", "eth_rx", "net-0", "v1.2", "_", "-"] {
            assert!(is_name(name), "{name}");
        }
        for name in
            ["", " ", "a ", "a b", "..", ".", "a..b", "a/b", "a\n", "\u{202e}a", "ä", "a\u{1b}[31m", "a\""]
        {
            assert!(!is_name(name), "{name:?}");
        }
        assert!(is_symbol("ferry_out") && is_symbol("_ZN3foo.llvm") && !is_symbol("a-b") && !is_symbol(""));
        assert!(is_path("../a b/ü.elf") && !is_path("a\nb") && !is_path(" a") && !is_path("\u{200f}a"));
    }

    #[test]
    fn lines_keep_their_places() {
        let text = "a\tä\u{1b}\u{9b}\u{202e}\n";
        assert_eq!(shown_lines(text), "a\tä?¿\u{fffd}\n");
        assert_eq!(shown_lines(text).len(), text.len());
        assert_eq!(shown_lines("a\u{202e}b"), "a\u{fffd}b");
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(shown("plain ü"), "plain ü");
        assert_eq!(shown("\u{1b}[31m\n\u{202e}x\u{9b}"), "\\u{1b}[31m\\n\\u{202e}x\\u{9b}");
    }
}
