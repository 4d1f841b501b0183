//! Numbers with nouns, as sentences need them.

use std::fmt::Display;

/// The number with its noun, in the singular or in the plural: "1 client", "2 clients", "0 entries".
pub fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if number == N::from(1) => format!("{number} {noun}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn nouns_agree_with_their_numbers() {
        assert_eq!(count(0_usize, "flow"), "0 flows");
        assert_eq!(count(1_u64, "flow"), "1 flow");
        assert_eq!(count(2_u8, "entry"), "2 entries");
    }
}
