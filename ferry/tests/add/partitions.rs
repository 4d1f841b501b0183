//! `ferry add partition` and `ferry remove partition`, and clients in a system that has partitions.

use crate::project::{Project, read};

/// The system of the partition trials. Its announcers are written by hand.
fn apart() -> Project {
    Project::new(&read("harness/schedule/system.xml"), &read("harness/schedule/flows.toml"))
}

#[test]
fn partitions_that_are_added_and_removed_leave_no_trace() {
    let project = apart();
    let by_hand = project.check().partitions;
    project.run(&["remove", "partition", "low", "high"]);
    assert!(project.check().partitions.is_empty());
    let before = project.files();
    assert!(!before[0].contains("begins\"") && !before[1].contains("[[partition]]"), "{before:?}");

    let said = project.run(&["add", "partition", "low", "high"]);
    assert_eq!(
        said,
        "added the partition `low`\n  \
         system.xml: its announcer `low-begins` of priority 230, every 2100 us, channel 7 of central\n\
         added the partition `high`\n  \
         system.xml: its announcer `high-begins` of priority 230, every 2100 us, channel 8 of central\n  \
         flows.toml: a [[partition]] for each\n\
         next: `ferry check` shows who is in which partition\n"
    );
    let again = project.check().partitions;
    let names = |partitions: &[ferry_description::Partition]| {
        partitions.iter().map(|partition| partition.domain.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&again), names(&by_hand));
    assert!(project.run(&["check"]).contains("  low: low; `low-begins` announces its time slots\n"));
    project.run(&["remove", "partition", "high", "low"]);
    assert_eq!(project.files(), before);
}

#[test]
fn a_client_and_a_guard_are_put_into_a_partition() {
    let project = apart();
    let before = project.files();
    let refused = project.refused(&["add", "client", "office"]);
    assert_eq!(
        refused,
        "ferry: the system has partitions; say which one it is in: --domain NAME, of low, high\n"
    );
    project.run(&["add", "client", "office", "--domain", "high"]);
    project.run(&["add", "flow", "noise-a", "office"]);
    project.run(&["add", "guard", "form", "--flow", "noise-a:office", "--domain", "high"]);
    let shown = project.run(&["check"]);
    assert!(shown.contains("  high: high, noise-a, noise-b, office, form; `high-begins` "), "{shown}");
    project.run(&["remove", "guard", "form"]);
    project.run(&["remove", "client", "office", "--with-flows"]);
    assert_eq!(project.files(), before);
    let refused = project.refused(&["add", "client", "office", "--domain", "exchange"]);
    assert!(refused.contains("`office` is in the scheduling domain `exchange` of central"), "{refused}");
}

#[test]
fn what_is_no_partition_is_refused() {
    let refused = Project::demo().refused(&["add", "partition", "low"]);
    assert!(refused.contains("the system has no domain schedule; add <domains> to it first"), "{refused}");
    let refused = Project::demo().refused(&["add", "client", "office", "--domain", "low"]);
    assert!(refused.contains("the system has no domain schedule"), "{refused}");

    let project = apart();
    let refused = project.refused(&["add", "partition", "low"]);
    assert!(refused.contains("the scheduling domain `low` is a partition already"), "{refused}");
    let refused = project.refused(&["remove", "partition", "low"]);
    assert!(refused.contains("nobody announces the scheduling domain `low` of `low`"), "{refused}");
    let refused = project.refused(&["remove", "partition", "lo"]);
    assert!(refused.contains("there is no partition `lo`; did you mean `low`?"), "{refused}");

    project.run(&["remove", "partition", "low", "high"]);
    for (domains, says) in [
        (["low", "low"], "the scheduling domain `low` is a partition already"),
        (["low", "hihg"], "the schedule has no scheduling domain `hihg`; did you mean `high`?"),
        (["low", "exchange"], "`exchange-begins` is in the scheduling domain `exchange` of central"),
    ] {
        let refused = project.refused(&["add", "partition", domains[0], domains[1]]);
        assert!(refused.contains(says), "{refused}");
    }
    let refused = project.refused(&["add", "partition", "low"]);
    assert!(refused.contains("nobody announces the scheduling domain `high` of `high`"), "{refused}");
}
