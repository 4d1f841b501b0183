//! Each message of the corpus has the verdict of its directory, for the reason that its name begins with.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ferry_example_filters::corpus::{Corpus, MODBUS, SCHEMA, SYSLOG};
use ferry_example_filters::modbus::PLANT;
use ferry_example_filters::schema::TELEMETRY;
use ferry_example_filters::syslog::Syslog;

ferry_guard_check::corpus!(schema, "corpus/schema", TELEMETRY);
ferry_guard_check::corpus!(syslog, "corpus/syslog", Syslog);
ferry_guard_check::corpus!(modbus, "corpus/modbus", PLANT);

/// The system sends what is listed, so a file that is not listed would not be sent.
#[test]
fn the_list_for_programs_is_the_directory() {
    for corpus in [&SCHEMA, &SYSLOG, &MODBUS] {
        for (folder, samples) in [("pass", corpus.pass), ("refuse", corpus.refuse)] {
            let path =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(corpus.directory).join(folder);
            let files: BTreeSet<String> = fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            let listed: BTreeSet<String> = samples.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(listed, files, "{}/{folder}: correct src/corpus.rs", corpus.directory);
        }
    }
}

/// Every reason that a filter has is one for which it refuses a message of the corpus.
#[test]
fn no_reason_is_without_a_message() {
    let reasons = |corpus: &Corpus| -> BTreeSet<u32> {
        let number = |name: &str| name.split_once('-').unwrap().0.parse().unwrap();
        corpus.refuse.iter().map(|(name, _)| number(name)).collect()
    };
    for (corpus, last) in [(&SCHEMA, 11), (&SYSLOG, 12), (&MODBUS, 9)] {
        assert_eq!(reasons(corpus), (1..=last).collect(), "{}", corpus.directory);
    }
}
