//! A record as a line of text, for a logger whose way out is a console.

use core::fmt;

use ferry_layout::AuditRecord;
use zerocopy::{FromBytes, IntoBytes};

/// What stands before the digits of a record in a line. Anything may stand before it.
pub const LINE_MARK: &str = "ferry-audit ";

/// A record as [`LINE_MARK`] and 256 hexadecimal digits, without a line end.
pub struct Line<'a>(pub &'a AuditRecord);

impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(LINE_MARK)?;
        self.0.as_bytes().iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// The record in a line. `None` if the line has no [`LINE_MARK`], and an error if something else follows it
/// than the digits of one record.
#[must_use]
pub fn read_line(line: &str) -> Option<Result<AuditRecord, fmt::Error>> {
    let (_, digits) = line.split_once(LINE_MARK)?;
    let mut bytes = [0; size_of::<AuditRecord>()];
    let mut digits = digits.trim_end().bytes();
    for byte in &mut bytes {
        let mut digit = || char::from(digits.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else { return Some(Err(fmt::Error)) };
        #[expect(clippy::cast_possible_truncation, reason = "two digits of four bits")]
        {
            *byte = (high << 4 | low) as u8;
        }
    }
    if digits.next().is_some() {
        return Some(Err(fmt::Error));
    }
    Some(AuditRecord::read_from_bytes(&bytes).map_err(|_| fmt::Error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_from_its_line() {
        let bytes: [u8; 128] = core::array::from_fn(|number| number.to_le_bytes()[0].wrapping_mul(37));
        let record: AuditRecord = zerocopy::transmute!(bytes);
        let line = Line(&record).to_string();
        assert_eq!(line.len(), LINE_MARK.len() + 256);
        assert_eq!(read_line(&format!("[logger] {line}\r")), Some(Ok(record)));
        assert_eq!(read_line("[logger] hello"), None);
        assert_eq!(read_line(&line[..line.len() - 1]), Some(Err(fmt::Error)));
        assert_eq!(read_line(&format!("{line}0")), Some(Err(fmt::Error)));
        assert_eq!(read_line(&line.replace("00", "0x")), Some(Err(fmt::Error)));
    }
}
