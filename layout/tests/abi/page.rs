//! The reference page and its tables.

/// The reference page.
pub(crate) const PAGE: &str = include_str!("../../../docs/abi.md");

/// The rows of the tables under a heading, as trimmed cells, without their heads.
pub(crate) fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("docs/abi.md has no section {heading}"));
    let lines = section.lines().filter(|line| line.starts_with('|'));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>()).skip(2).collect()
}

/// The row whose field begins with `field`.
pub(crate) fn row(heading: &str, field: &str) -> Vec<&'static str> {
    let rows = rows(heading);
    let row = rows.into_iter().find(|row| row[2].starts_with(field));
    row.unwrap_or_else(|| panic!("{heading} has no field {field}"))
}

/// The offset in that row.
pub(crate) fn offset(heading: &str, field: &str) -> usize {
    let cell = row(heading, field)[0];
    cell.strip_prefix("0x").map_or_else(|| cell.parse(), |hex| usize::from_str_radix(hex, 16)).unwrap()
}

/// Asserts that one row of a table, or one paragraph, contains all `parts`.
#[track_caller]
pub(crate) fn says(parts: &[String]) {
    let paragraphs =
        PAGE.split("\n\n").filter(|text| !text.starts_with('|')).map(|text| text.replace('\n', " "));
    let rows = PAGE.lines().filter(|line| line.starts_with('|')).map(str::to_owned);
    assert!(
        paragraphs.chain(rows).any(|text| parts.iter().all(|part| text.contains(part.as_str()))),
        "docs/abi.md has no row or paragraph with {parts:?}"
    );
}
