//! The table of mutations, and the check that it covers every synchronising ordering of the source.

use std::fs;
use std::path::Path;

use crate::error::Error;

/// One change of one file, and the loom test that must fail for it.
pub(crate) struct Mutation {
    /// Name of the file under `layout/src`.
    pub(crate) file: &'static str,
    /// The change in words.
    pub(crate) change: &'static str,
    /// The text that is replaced. It occurs once in the file.
    from: &'static str,
    /// The text that replaces it.
    to: &'static str,
    /// Name of the test that must fail.
    pub(crate) test: &'static str,
}

const RING: &str = "rings::an_entry_is_whole_when_it_is_seen_and_its_slot_is_free_when_it_is_taken";
const CENTRAL_SLEEPS: &str = "wakes::a_client_that_publishes_is_seen_or_signals";
const CLIENT_SLEEPS: &str = "wakes::ends_and_deliveries_are_seen_or_signalled";
const BOTH_SLEEP: &str = "wakes::two_that_sleep_and_wake_each_other_come_to_an_end";
const DONE: &str = "statuses::done_gives_the_buffer_back";
const ENDED: &str = "statuses::the_head_gives_the_buffers_before_it_back";
const ENDED_LATE: &str = "statuses::the_end_of_a_held_send_gives_its_buffer_back";
const FIRST_PART: &str = "statuses::the_first_part_is_done_after_all_others";
const SEND_LAP: &str = "laps::a_send_that_waits_keeps_its_slot_and_the_ring_goes_on";
const POST_LAP: &str = "laps::a_request_keeps_its_slot_until_its_delivery_is_seen";
const WITHDRAWN: &str = "withdrawals::a_withdrawn_request_is_answered_once";
const WITHDRAWN_OR_FILLED: &str = "withdrawals::a_withdrawn_request_is_answered_by_a_message_or_by_itself";
const RESTART: &str = "epochs::a_restart_is_no_breach";
const EPOCH: &str = "epochs::a_visible_epoch_is_complete";
const INTRODUCTION: &str = "epochs::a_visible_introduction_is_complete";

const ACKNOWLEDGED: &str = "restarts::what_is_acknowledged_has_its_status";
const HELD: &str = "restarts::what_is_held_no_more_was_delivered";
const POST_HEAD: &str = "restarts::what_the_post_head_has_passed_is_noted";
const SETTLED: &str = "restarts::what_is_settled_is_behind_the_post_head_and_acknowledged";
const HEAD: &str = "restarts::what_the_head_has_passed_has_a_status";
const RECORD: &str = "audit::a_record_that_is_counted_is_whole";
const LOG: &str = "audit::a_log_that_has_begun_is_empty";
const STANDING: &str = "restarts::a_standing_is_not_ahead_of_what_it_begins_with";

const PUBLISH: &str = "self.0.store(value, Ordering::Release);";
const OBSERVE: &str = "self.0.load(Ordering::Acquire)";
const ARM: &str = "self.0.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);";
const ASK: &str = "fence(Ordering::SeqCst);
        self.0.load(Ordering::Relaxed) != 0";
const GET: &str = "let word = self.0.load(Ordering::Acquire);
        // What nearly always comes";
const ENDS: &str = "fn observe(&self) -> u64 {
        self.0.load(Ordering::Acquire)";
const MAGIC_LAST: &str = "self.epoch_wanted.publish(epoch);
        self.magic.store(MAGIC, Ordering::Release);";
const MAGIC_FIRST: &str = "let is_valid = self.magic.load(Ordering::Acquire) == MAGIC
            && self.version.load(Ordering::Relaxed) == ABI_VERSION;
        let epoch = self.epoch_wanted.observe();";

/// Every mutation.
pub(crate) const MUTATIONS: &[Mutation] = &[
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed",
        from: PUBLISH,
        to: "self.0.store(value, Ordering::Relaxed);",
        test: RING,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed",
        from: OBSERVE,
        to: "self.0.load(Ordering::Relaxed)",
        test: RING,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for the statuses before a head",
        from: PUBLISH,
        to: "self.0.store(value, Ordering::Relaxed);",
        test: ENDED,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for the statuses before a head",
        from: OBSERVE,
        to: "self.0.load(Ordering::Relaxed)",
        test: ENDED,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for what an epoch begins with",
        from: PUBLISH,
        to: "self.0.store(value, Ordering::Relaxed);",
        test: EPOCH,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for what an epoch begins with",
        from: OBSERVE,
        to: "self.0.load(Ordering::Relaxed)",
        test: EPOCH,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for slots of sends that are passed over",
        from: PUBLISH,
        to: "self.0.store(value, Ordering::Relaxed);",
        test: SEND_LAP,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for slots of sends that are passed over",
        from: OBSERVE,
        to: "self.0.load(Ordering::Relaxed)",
        test: SEND_LAP,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for slots of requests that are passed over",
        from: PUBLISH,
        to: "self.0.store(value, Ordering::Relaxed);",
        test: POST_LAP,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for slots of requests that are passed over",
        from: OBSERVE,
        to: "self.0.load(Ordering::Relaxed)",
        test: POST_LAP,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for a withdrawal and its mark",
        from: PUBLISH,
        to: "self.0.store(value, Ordering::Relaxed);",
        test: WITHDRAWN,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for a withdrawal and its mark",
        from: OBSERVE,
        to: "self.0.load(Ordering::Relaxed)",
        test: WITHDRAWN,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for the answer to a withdrawal",
        from: PUBLISH,
        to: "self.0.store(value, Ordering::Relaxed);",
        test: WITHDRAWN_OR_FILLED,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for the answer to a withdrawal",
        from: OBSERVE,
        to: "self.0.load(Ordering::Relaxed)",
        test: WITHDRAWN_OR_FILLED,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for the journal before a post head",
        from: PUBLISH,
        to: "self.0.store(value, Ordering::Relaxed);",
        test: POST_HEAD,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for the journal before a post head",
        from: OBSERVE,
        to: "self.0.load(Ordering::Relaxed)",
        test: POST_HEAD,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for what is settled",
        from: PUBLISH,
        to: "self.0.store(value, Ordering::Relaxed);",
        test: SETTLED,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for what is settled",
        from: OBSERVE,
        to: "self.0.load(Ordering::Relaxed)",
        test: SETTLED,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for the statuses that a restart reads",
        from: PUBLISH,
        to: "self.0.store(value, Ordering::Relaxed);",
        test: HEAD,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for the statuses that a restart reads",
        from: OBSERVE,
        to: "self.0.load(Ordering::Relaxed)",
        test: HEAD,
    },
    Mutation {
        file: "wake.rs",
        change: "arm: no fence (central sleeps)",
        from: ARM,
        to: "self.0.store(1, Ordering::Relaxed);",
        test: CENTRAL_SLEEPS,
    },
    Mutation {
        file: "wake.rs",
        change: "arm: no fence (a client sleeps)",
        from: ARM,
        to: "self.0.store(1, Ordering::Relaxed);",
        test: CLIENT_SLEEPS,
    },
    Mutation {
        file: "wake.rs",
        change: "arm: no fence (both sleep and wake)",
        from: ARM,
        to: "self.0.store(1, Ordering::Relaxed);",
        test: BOTH_SLEEP,
    },
    Mutation {
        file: "wake.rs",
        change: "arm: fence SeqCst → AcqRel",
        from: ARM,
        to: "self.0.store(1, Ordering::Relaxed); fence(Ordering::AcqRel);",
        test: CENTRAL_SLEEPS,
    },
    Mutation {
        file: "wake.rs",
        change: "arm: a SeqCst store in place of the fence",
        from: ARM,
        to: "self.0.store(1, Ordering::SeqCst);",
        test: CENTRAL_SLEEPS,
    },
    Mutation {
        file: "wake.rs",
        change: "arm: the fence before the store",
        from: ARM,
        to: "fence(Ordering::SeqCst); self.0.store(1, Ordering::Relaxed);",
        test: CENTRAL_SLEEPS,
    },
    Mutation {
        file: "wake.rs",
        change: "asks_for_signal: no fence (central sleeps)",
        from: ASK,
        to: "self.0.load(Ordering::Relaxed) != 0",
        test: CENTRAL_SLEEPS,
    },
    Mutation {
        file: "wake.rs",
        change: "asks_for_signal: no fence (a client sleeps)",
        from: ASK,
        to: "self.0.load(Ordering::Relaxed) != 0",
        test: CLIENT_SLEEPS,
    },
    Mutation {
        file: "wake.rs",
        change: "asks_for_signal: no fence (both sleep and wake)",
        from: ASK,
        to: "self.0.load(Ordering::Relaxed) != 0",
        test: BOTH_SLEEP,
    },
    Mutation {
        file: "wake.rs",
        change: "asks_for_signal: fence SeqCst → AcqRel",
        from: ASK,
        to: "fence(Ordering::AcqRel); self.0.load(Ordering::Relaxed) != 0",
        test: CENTRAL_SLEEPS,
    },
    Mutation {
        file: "wake.rs",
        change: "asks_for_signal: the fence after the load",
        from: ASK,
        to: "let armed = self.0.load(Ordering::Relaxed) != 0; fence(Ordering::SeqCst); armed",
        test: CENTRAL_SLEEPS,
    },
    Mutation {
        file: "wake.rs",
        change: "announce: the hint is read before the index is published",
        from: "index.publish(value);
    peer.asks_for_signal()",
        to: "let asks = peer.asks_for_signal(); index.publish(value); asks",
        test: CENTRAL_SLEEPS,
    },
    Mutation {
        file: "wake.rs",
        change: "disarm leaves the hint, arm does nothing",
        from: ARM,
        to: "fence(Ordering::SeqCst);",
        test: BOTH_SLEEP,
    },
    Mutation {
        file: "status.rs",
        change: "store: release → relaxed",
        from: "self.0.store(word, Ordering::Release);",
        to: "self.0.store(word, Ordering::Relaxed);",
        test: DONE,
    },
    Mutation {
        file: "status.rs",
        change: "store: release → relaxed, for what ends late",
        from: "self.0.store(word, Ordering::Release);",
        to: "self.0.store(word, Ordering::Relaxed);",
        test: ENDED_LATE,
    },
    Mutation {
        file: "status.rs",
        change: "store: release → relaxed, for the parts of a chain",
        from: "self.0.store(word, Ordering::Release);",
        to: "self.0.store(word, Ordering::Relaxed);",
        test: FIRST_PART,
    },
    Mutation {
        file: "status.rs",
        change: "get: acquire → relaxed",
        from: GET,
        to: "let word = self.0.load(Ordering::Relaxed);
        // What nearly always comes",
        test: DONE,
    },
    Mutation {
        file: "status.rs",
        change: "ended: acquire → relaxed",
        from: ENDS,
        to: "fn observe(&self) -> u64 {
        self.0.load(Ordering::Relaxed)",
        test: ENDED_LATE,
    },
    Mutation {
        file: "status.rs",
        change: "get: the slot's use is not compared",
        from: "word >> 32 == u64::from(index) && ",
        to: "index < u32::MAX && ",
        test: DONE,
    },
    Mutation {
        file: "status.rs",
        change: "clear does nothing",
        from: "self.0.store(0, Ordering::Relaxed);",
        to: "",
        test: EPOCH,
    },
    Mutation {
        file: "in_region.rs",
        change: "introduce: release → relaxed",
        from: "self.magic.store(MAGIC, Ordering::Release);",
        to: "self.magic.store(MAGIC, Ordering::Relaxed);",
        test: INTRODUCTION,
    },
    Mutation {
        file: "in_region.rs",
        change: "is_introduced: acquire → relaxed",
        from: "self.magic.load(Ordering::Acquire) == MAGIC",
        to: "self.magic.load(Ordering::Relaxed) == MAGIC",
        test: INTRODUCTION,
    },
    Mutation {
        file: "in_region.rs",
        change: "set_standing: release → relaxed",
        from: "standing as u32, Ordering::Release",
        to: "standing as u32, Ordering::Relaxed",
        test: STANDING,
    },
    Mutation {
        file: "journal.rs",
        change: "acknowledge: release → relaxed",
        from: ".store(count, Ordering::Release);",
        to: ".store(count, Ordering::Relaxed);",
        test: ACKNOWLEDGED,
    },
    Mutation {
        file: "journal.rs",
        change: "set_open: release → relaxed",
        from: "word.store(now, Ordering::Release);",
        to: "word.store(now, Ordering::Relaxed);",
        test: HELD,
    },
    Mutation {
        file: "journal.rs",
        change: "set_open: the second word is left as it was",
        from: "if now != before {",
        to: "if now != before && before != 0 {",
        test: POST_HEAD,
    },
    Mutation {
        file: "journal.rs",
        change: "forget_requests does nothing",
        from: "word.store(0, Ordering::Relaxed);",
        to: "let _ = word;",
        test: EPOCH,
    },
    Mutation {
        file: "entry.rs",
        change: "publish: release → relaxed, for a record of the audit log",
        from: "self.0[NUMBER].store(value, Ordering::Release);",
        to: "self.0[NUMBER].store(value, Ordering::Relaxed);",
        test: RECORD,
    },
    Mutation {
        file: "entry.rs",
        change: "observe: acquire → relaxed, for a record of the audit log",
        from: "self.0[NUMBER].load(Ordering::Acquire)",
        to: "self.0[NUMBER].load(Ordering::Relaxed)",
        test: RECORD,
    },
    Mutation {
        file: "audit.rs",
        change: "has_begun: the capacity is read relaxed",
        from: "self.header.observe::<{ header::CAPACITY }>() == self.capacity()",
        to: "self.header.word::<{ header::CAPACITY }>() == self.capacity()",
        test: LOG,
    },
    Mutation {
        file: "audit.rs",
        change: "begin: the count is cleared last",
        from: "self.header.publish::<{ header::COUNT }>(0);
        self.header.publish::<{ header::STARTS }>(0);
        self.header.publish::<{ header::VERSION }>(u64::from(AUDIT_VERSION));
        self.header.publish::<{ header::CAPACITY }>(self.capacity());
        self.header.publish::<{ header::MAGIC }>(AUDIT_MAGIC);",
        to: "self.header.publish::<{ header::STARTS }>(0);
        self.header.publish::<{ header::VERSION }>(u64::from(AUDIT_VERSION));
        self.header.publish::<{ header::CAPACITY }>(self.capacity());
        self.header.publish::<{ header::MAGIC }>(AUDIT_MAGIC);
        self.header.publish::<{ header::COUNT }>(0);",
        test: LOG,
    },
    Mutation {
        file: "entry.rs",
        change: "set_bits: the rest of the word is lost",
        from: "cell.load(Ordering::Relaxed) | bits",
        to: "bits",
        test: WITHDRAWN,
    },
    Mutation {
        file: "out_region.rs",
        change: "pass_over_send does nothing",
        from: "self.descriptors.slot(index).set_bits::<2>(u64::from(flags::PASSED_OVER) << 56);",
        to: "let _ = (index, flags::PASSED_OVER);",
        test: SEND_LAP,
    },
    Mutation {
        file: "out_region.rs",
        change: "pass_over_post does nothing",
        from: "self.posts.slot(index).set_bits::<1>(u64::from(Post::PASSED_OVER) << 56);",
        to: "let _ = (index, Post::PASSED_OVER);",
        test: POST_LAP,
    },
    Mutation {
        file: "out_region.rs",
        change: "withdraw does nothing",
        from: "self.posts.slot(index).set_bits::<1>(u64::from(Post::WITHDRAWN) << 56);",
        to: "let _ = (index, Post::WITHDRAWN);",
        test: WITHDRAWN,
    },
    Mutation {
        file: "out_region.rs",
        change: "clear_magic does nothing",
        from: "self.magic.store(0, Ordering::Relaxed);",
        to: "",
        test: RESTART,
    },
    Mutation {
        file: "out_region.rs",
        change: "ask_for_epoch: the magic is stored relaxed",
        from: MAGIC_LAST,
        to: "self.epoch_wanted.publish(epoch); self.magic.store(MAGIC, Ordering::Relaxed);",
        test: RESTART,
    },
    Mutation {
        file: "out_region.rs",
        change: "ask_for_epoch: the magic comes before the epoch",
        from: MAGIC_LAST,
        to: "self.magic.store(MAGIC, Ordering::Release); self.epoch_wanted.publish(epoch);",
        test: RESTART,
    },
    Mutation {
        file: "out_region.rs",
        change: "wanted_epoch: the magic is read relaxed",
        from: "self.magic.load(Ordering::Acquire) == MAGIC",
        to: "self.magic.load(Ordering::Relaxed) == MAGIC",
        test: RESTART,
    },
    Mutation {
        file: "out_region.rs",
        change: "wanted_epoch: the epoch is read before the magic",
        from: MAGIC_FIRST,
        to: "let epoch = self.epoch_wanted.observe();
        let is_valid = self.magic.load(Ordering::Acquire) == MAGIC
            && self.version.load(Ordering::Relaxed) == ABI_VERSION;",
        test: RESTART,
    },
];

impl Mutation {
    /// The file's text with the change made.
    pub(crate) fn apply(&self, text: &str) -> Result<String, Error> {
        match text.matches(self.from).count() {
            1 => Ok(text.replace(self.from, self.to)),
            found => Err(Error::Stale { file: self.file, change: self.change, found }),
        }
    }
}

/// Orderings that synchronise. A relaxed access cannot be weakened; a comment beside it says why it suffices.
const SYNCHRONISING: [&str; 4] =
    ["Ordering::Acquire", "Ordering::Release", "Ordering::AcqRel", "Ordering::SeqCst"];

/// Checks that every synchronising ordering in the directory `source` is inside the text that some mutation
/// replaces.
pub(crate) fn check_complete(source: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(source).map_err(Error::at(source))? {
        let path = entry.map_err(Error::at(source))?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).map_err(Error::at(&path))?;
        let mut covered = Vec::new();
        for mutation in MUTATIONS.iter().filter(|mutation| mutation.file == file) {
            mutation.apply(&text)?;
            covered
                .extend(text.match_indices(mutation.from).map(|(start, found)| start..start + found.len()));
        }
        for ordering in SYNCHRONISING {
            for (place, _) in text.match_indices(ordering) {
                if !covered.iter().any(|range| range.contains(&place)) {
                    let line = text[..place].lines().count();
                    return Err(Error::Uncovered { file, line, text: ordering.to_owned() });
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever adds an ordering adds a mutation, or `make mutants` would not run.
    #[test]
    fn every_ordering_is_touched_by_a_mutation() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
        check_complete(&source).unwrap_or_else(|error| panic!("{error}"));
    }

    /// The table in `docs/model-checking.md` equals this one.
    #[test]
    fn every_mutation_is_on_the_page() {
        let page = include_str!("../../../docs/model-checking.md");
        let (_, table) = page.split_once("| file | change | found by |").expect("the table");
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|')).count();
        assert_eq!(rows, MUTATIONS.len());
        for Mutation { file, change, test, .. } in MUTATIONS {
            let row = table.lines().find(|line| line.starts_with(&format!("| `{file}` | {change} |")));
            let found_by =
                row.and_then(|row| row.split('`').nth(3)).unwrap_or_else(|| panic!("no row: {change}"));
            assert!(test.starts_with(found_by.trim_end_matches('…')), "{change}: {found_by}");
        }
    }
}
