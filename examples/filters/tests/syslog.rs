//! The filter for lines of a log against a second statement of the grammar: a regular expression.

mod variations;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ferry_example_filters::corpus::SYSLOG;
use ferry_example_filters::syslog::{MOST_BYTES, Reason, judge};
use proptest::prelude::*;
use regex::bytes::Regex;

/// The grammar of RFC 5424, section 6, with the stricter rules of the filter.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let long = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])";
    let short = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)";
    let february = "02-(?:0[1-9]|1[0-9]|2[0-8])";
    let leap = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29";
    let date = format!("(?:[0-9]{{4}}-(?:{long}|{short}|{february})|{leap})");
    let clock = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
    let time = format!(r"(?:-|{date}T{clock}:[0-5][0-9](?:\.[0-9]{{1,6}})?(?:Z|[+-]{clock}))");
    let priority = "(?:[0-9]|[1-9][0-9]|1[0-8][0-9]|19[01])";
    let name = r"[!#-<>-\\^-~]{1,32}";
    let value = r#"(?:[^"\\\]\p{Cc}]|\\["\\\]])*"#;
    let element = format!(r#"\[{name}(?: {name}="{value}")*\]"#);
    let header = format!("<{priority}>1 {time} [!-~]{{1,255}} [!-~]{{1,48}} [!-~]{{1,128}} [!-~]{{1,32}}");
    let line = format!(r"\A{header} (?:-|(?<data>(?:{element})+))(?: \P{{Cc}}*)?\z");
    Regex::new(&line).unwrap()
});

static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"\[([^ \]]+)(?: [^=]+="(?:[^"\\]|\\.)*")*\]"#).unwrap());

/// Whether a line may pass, said in another way.
fn may_pass(line: &[u8]) -> bool {
    let Some(found) = LINE.captures(line) else { return false };
    let data = found.name("data").map_or(b"".as_slice(), |data| data.as_bytes());
    let names: Vec<&[u8]> = NAME.captures_iter(data).map(|found| found.get(1).unwrap().as_bytes()).collect();
    let different: BTreeSet<&[u8]> = names.iter().copied().collect();
    line.len() <= 2048 && names.len() <= 16 && different.len() == names.len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_passes_is_what_may_pass(line in variations::of(&SYSLOG)) {
        prop_assert_eq!(judge(&line).is_ok(), may_pass(&line), "{:?}", judge(&line));
    }

    #[test]
    fn every_priority_up_to_191_passes_and_no_other(number in 0..2000_u32) {
        let line = format!("<{number}>1 - - - - - -");
        prop_assert_eq!(judge(line.as_bytes()), if number <= 191 { Ok(()) } else { Err(Reason::Priority) });
    }

    #[test]
    fn every_day_of_the_calendar_passes_and_no_other(year in 0..10_000_u32, month in 0..100_u32, day in 0..100_u32) {
        let line = format!("<0>1 {year:04}-{month:02}-{day:02}T00:00:00Z - - - - -");
        prop_assert_eq!(judge(line.as_bytes()).is_ok(), may_pass(line.as_bytes()));
    }
}

/// Each field of the header is as long as it may be, or too long by one.
#[test]
fn fields_have_their_lengths() {
    let reasons = [Reason::Host, Reason::Application, Reason::Process, Reason::MessageId];
    for (place, (most, reason)) in [255, 48, 128, 32].into_iter().zip(reasons).enumerate() {
        let line = |length: usize| {
            let mut fields = ["-".to_owned(), "-".to_owned(), "-".to_owned(), "-".to_owned()];
            fields[place] = "x".repeat(length);
            format!("<0>1 - {} -", fields.join(" "))
        };
        assert_eq!(judge(line(most).as_bytes()), Ok(()), "{reason:?}");
        assert_eq!(judge(line(most + 1).as_bytes()), Err(reason));
        assert_eq!(judge(line(0).as_bytes()), Err(reason));
    }
}

/// A line that takes long to judge: it is all escapes, or all elements.
#[test]
fn long_lines_of_one_kind_are_judged() {
    let value = "\\\\".repeat((MOST_BYTES - 30) / 2);
    assert_eq!(judge(format!("<0>1 - - - - - [a b=\"{value}\"]").as_bytes()), Ok(()));
    let elements = ('a'..='p').flat_map(|name| ['[', name, ']']).collect::<String>();
    assert_eq!(judge(format!("<0>1 - - - - - {elements}").as_bytes()), Ok(()));
    assert_eq!(judge(format!("<0>1 - - - - - {elements}[x]").as_bytes()), Err(Reason::TooManyElements));
}
