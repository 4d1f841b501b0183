//! Makes text of the user's files harmless in a drawing. Names and reasons can hold anything.

/// Text for an element or an attribute of XML. What XML cannot hold, and marks that change the direction of
/// the text around them, become replacement characters.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(visible(letter)),
        }
    }
    escaped
}

/// Text for a string of DOT, between its quotes.
pub(super) fn dot(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            escaped.push('\\');
        }
        escaped.push(visible(letter));
    }
    escaped
}

/// At most `width` characters of a text; the end of a longer one is cut off.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

fn visible(letter: char) -> char {
    let changes_direction = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_no_character = matches!(letter, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}');
    if letter.is_control() || changes_direction || is_no_character { '\u{fffd}' } else { letter }
}

#[cfg(test)]
mod tests {
    use super::{cut, dot, xml};

    #[test]
    fn markup_and_invisible_characters_lose_their_meaning() {
        assert_eq!(xml("a<b>&\"'\u{202e}\u{1b}\n"), "a&lt;b&gt;&amp;&quot;&#39;\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(dot("a\"b\\c\n"), "a\\\"b\\\\c\u{fffd}");
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(cut("sender", 6), "sender");
        assert_eq!(cut("sensors", 6), "senso…");
    }
}
