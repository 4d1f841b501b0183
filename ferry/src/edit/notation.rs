//! How a file writes numbers: `4096`, `0x1000`, `0x2104_0000` or `0x21_040_000`. New numbers are written like
//! those beside them.

/// A way to write numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Notation {
    is_hexadecimal: bool,
    /// Number of digits between two underscores.
    group: Option<usize>,
}

impl Notation {
    /// The way in which this number is written.
    pub(super) fn of(number: &str) -> Self {
        let group = number.rsplit_once('_').map(|(_, last)| last.len()).filter(|digits| *digits > 0);
        Self { is_hexadecimal: number.starts_with("0x"), group }
    }

    /// The way of several addresses: that of the first with underscores, because a short number shows none.
    pub(super) fn of_addresses<'a>(numbers: impl Iterator<Item = &'a str>) -> Self {
        let ways = numbers.map(|number| Self { is_hexadecimal: true, ..Self::of(number) });
        let plain = Self { is_hexadecimal: true, group: None };
        ways.into_iter().find(|way| way.group.is_some()).unwrap_or(plain)
    }

    /// Writes a number in this way.
    pub(super) fn write(self, number: u64) -> String {
        let (prefix, digits) =
            if self.is_hexadecimal { ("0x", format!("{number:x}")) } else { ("", number.to_string()) };
        let mut written = prefix.to_owned();
        for (place, digit) in digits.chars().enumerate() {
            let left = digits.len() - place;
            if place > 0 && self.group.is_some_and(|group| left.is_multiple_of(group)) {
                written.push('_');
            }
            written.push(digit);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::Notation;

    #[test]
    fn numbers_are_written_like_others() {
        for (like, number, written) in [
            ("4096", 8192, "8192"),
            ("4_096", 1_048_576, "1_048_576"),
            ("0x1000", 0x2104_0000, "0x21040000"),
            ("0x2103_0000", 0x2104_0000, "0x2104_0000"),
            ("0x2103_0000", 0x3000, "0x3000"),
            ("0x1_000", 0x2104_0000, "0x21_040_000"),
            ("0x1_", 0x1000, "0x1000"),
        ] {
            assert_eq!(Notation::of(like).write(number), written, "{like}");
        }
    }

    #[test]
    fn the_first_address_with_underscores_shows_the_way() {
        let way = Notation::of_addresses(["0x1000", "0x2103_0000"].into_iter());
        assert_eq!(way.write(0x1_0000), "0x1_0000");
        assert_eq!(Notation::of_addresses(std::iter::empty()).write(4096), "0x1000");
    }
}
