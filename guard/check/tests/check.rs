//! What the checks of a filter notice.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use ferry_guard::{Message, Verdict};
use ferry_guard_check::{judge_corpus, judge_row_twice, judge_twice};

/// Refuses messages that begin with a digit, which is the reason.
fn digits(message: &Message<'_>) -> Verdict {
    match message.bytes.first() {
        Some(digit @ b'0'..=b'9') => Verdict::Refuse { reason: u32::from(digit & 0xf) },
        _ => Verdict::Pass,
    }
}

fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn every_message_of_a_corpus_has_the_verdict_of_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let right =
        [("pass/word", "word"), ("refuse/4-four", "4 words"), ("refuse/any", "7"), ("pass/.hidden", "1")];
    write(directory.path(), &right);
    assert_eq!(judge_corpus(directory.path(), || digits), Ok(()));

    let wrong = [("pass/digit", "5"), ("refuse/5-six", "6"), ("refuse/word", "word")];
    write(directory.path(), &wrong);
    let mistakes = judge_corpus(directory.path(), || digits).unwrap_err();
    let said: Vec<&str> = mistakes.lines().map(|line| line.rsplit_once(['/', '\\']).unwrap().1).collect();
    assert_eq!(
        said,
        [
            "digit: it is refused for reason 5",
            "5-six: it is refused for reason 6, and not for the one in its name",
            "word: it passes, and is to be refused"
        ]
    );
}

#[test]
fn a_corpus_has_messages_of_both_kinds() {
    let directory = tempfile::tempdir().unwrap();
    assert!(judge_corpus(directory.path(), || digits).unwrap_err().contains("pass"));
    write(directory.path(), &[("pass/word", "word"), ("refuse/.keep", "")]);
    let mistakes = judge_corpus(directory.path(), || digits).unwrap_err();
    assert!(mistakes.ends_with("refuse: put a message into this directory\n"), "{mistakes}");
}

/// A filter that passes only what it sees first.
fn once() -> impl FnMut(&Message<'_>) -> Verdict {
    let mut seen = false;
    move |_| if std::mem::replace(&mut seen, true) { Verdict::Refuse { reason: 1 } } else { Verdict::Pass }
}

#[test]
#[should_panic(expected = "a filter says the same of a message each time")]
fn a_filter_that_changes_its_mind_is_noticed() {
    judge_twice(once, b"word");
}

#[test]
fn a_filter_may_judge_by_what_it_has_seen_if_it_says_so() {
    judge_row_twice(once, b"\x02\x00ab\x01\x00c\xff\xffrest");
}

#[test]
#[should_panic(expected = "a new filter says what the first one says")]
fn a_filter_that_depends_on_anything_else_is_noticed() {
    let count = Cell::new(0);
    let other = || {
        count.set(count.get() + 1);
        let number = count.get();
        move |_: &Message<'_>| Verdict::Refuse { reason: number }
    };
    judge_row_twice(other, b"\x01\x00a");
}
