//! The table of mutations, and the check that it covers every synchronising ordering of the source.

use std::fs;
use std::path::Path;

use crate::error::Error;

/// One change of one file, and the loom test that must fail for it.
pub(crate) struct Mutation {
    /// Under `layout/src`.
    pub(crate) file: &'static str,
    /// The change in words.
    pub(crate) change: &'static str,
    /// What is replaced; occurs once in the file.
    from: &'static str,
    /// By what.
    to: &'static str,
    /// The test.
    pub(crate) test: &'static str,
}

const RING: &str = "rings::an_entry_is_whole_when_it_is_seen_and_its_slot_is_free_when_it_is_given_back";
const CENTRAL_SLEEPS: &str = "wakes::a_client_that_publishes_is_seen_or_signals";
const CLIENT_SLEEPS: &str = "wakes::a_completion_and_a_delivery_are_seen_or_signalled";
const BOTH_SLEEP: &str = "wakes::two_that_sleep_and_wake_each_other_come_to_an_end";
const DONE: &str = "statuses::who_sees_done_owns_the_buffer_again";
const ENDED: &str = "statuses::who_sees_the_head_owns_the_buffers_before_it_again";
const RESTART: &str = "epochs::a_restart_is_no_offence";
const EPOCH: &str = "epochs::who_sees_the_epoch_sees_its_beginning";
const INTRODUCTION: &str = "epochs::who_sees_the_introduction_sees_all_of_it";

const ACKNOWLEDGED: &str = "restarts::what_is_acknowledged_has_its_status";
const CONSUMED: &str = "restarts::what_is_consumed_was_delivered";
const CLOSED: &str = "restarts::a_closed_window_has_its_answer";
const WINDOW: &str = "restarts::a_window_is_the_old_one_or_none_or_the_new_one";
const STANDING: &str = "restarts::a_standing_is_not_ahead_of_what_it_begins_with";

const ARM: &str = "self.0.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);";
const ASK: &str = "fence(Ordering::SeqCst);
        self.0.load(Ordering::Relaxed) != 0";
const HELLO: &str = "self.epoch_wanted.publish(epoch);
        self.magic.store(MAGIC, Ordering::Release);";
const GREETED: &str = "let greeted = self.magic.load(Ordering::Acquire) == MAGIC
            && self.version.load(Ordering::Relaxed) == ABI_VERSION;
        let epoch = self.epoch_wanted.observe();";

/// Every mutation.
pub(crate) const MUTATIONS: &[Mutation] = &[
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed",
        from: "self.0.store(value, Ordering::Release);",
        to: "self.0.store(value, Ordering::Relaxed);",
        test: RING,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed",
        from: "self.0.load(Ordering::Acquire)",
        to: "self.0.load(Ordering::Relaxed)",
        test: RING,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for the statuses before a head",
        from: "self.0.store(value, Ordering::Release);",
        to: "self.0.store(value, Ordering::Relaxed);",
        test: ENDED,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for the statuses before a head",
        from: "self.0.load(Ordering::Acquire)",
        to: "self.0.load(Ordering::Relaxed)",
        test: ENDED,
    },
    Mutation {
        file: "index.rs",
        change: "publish: release → relaxed, for what an epoch begins with",
        from: "self.0.store(value, Ordering::Release);",
        to: "self.0.store(value, Ordering::Relaxed);",
        test: EPOCH,
    },
    Mutation {
        file: "index.rs",
        change: "observe: acquire → relaxed, for what an epoch begins with",
        from: "self.0.load(Ordering::Acquire)",
        to: "self.0.load(Ordering::Relaxed)",
        test: EPOCH,
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
        change: "get: acquire → relaxed",
        from: "self.0.load(Ordering::Acquire);",
        to: "self.0.load(Ordering::Relaxed);",
        test: DONE,
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
        change: "consume: release → relaxed",
        from: "word.store(bits | bit, Ordering::Release);",
        to: "word.store(bits | bit, Ordering::Relaxed);",
        test: CONSUMED,
    },
    Mutation {
        file: "journal.rs",
        change: "set_window: closing is relaxed",
        from: "valid.store(0, Ordering::Release);",
        to: "valid.store(0, Ordering::Relaxed);",
        test: CLOSED,
    },
    Mutation {
        file: "journal.rs",
        change: "set_window: the old record stays valid while the new one is written",
        from: "valid.store(0, Ordering::Release);",
        to: "if window.is_none() { valid.store(0, Ordering::Release); }",
        test: WINDOW,
    },
    Mutation {
        file: "journal.rs",
        change: "set_window: the place is relaxed",
        from: "u64::from(window.place.offset),
                Ordering::Release,",
        to: "u64::from(window.place.offset),
                Ordering::Relaxed,",
        test: WINDOW,
    },
    Mutation {
        file: "journal.rs",
        change: "set_window: the extent is relaxed",
        from: "u64::from(window.from), Ordering::Release);",
        to: "u64::from(window.from), Ordering::Relaxed);",
        test: WINDOW,
    },
    Mutation {
        file: "journal.rs",
        change: "set_window: the mark is relaxed",
        from: "u64::from(window.request), Ordering::Release);",
        to: "u64::from(window.request), Ordering::Relaxed);",
        test: WINDOW,
    },
    Mutation {
        file: "journal.rs",
        change: "forget_requests keeps what was consumed",
        from: "for word in &self.consumed {
            word.store(0, Ordering::Relaxed);",
        to: "for word in &self.consumed {
            let _ = word;",
        test: EPOCH,
    },
    Mutation {
        file: "journal.rs",
        change: "forget_requests keeps the windows",
        from: "for [_, _, valid] in &self.windows {
            valid.store(0, Ordering::Relaxed);",
        to: "for [_, _, valid] in &self.windows {
            let _ = valid;",
        test: EPOCH,
    },
    Mutation {
        file: "out_region.rs",
        change: "take_leave does nothing",
        from: "self.magic.store(0, Ordering::Relaxed);",
        to: "",
        test: RESTART,
    },
    Mutation {
        file: "out_region.rs",
        change: "ask_for_epoch: the hello is relaxed",
        from: HELLO,
        to: "self.epoch_wanted.publish(epoch); self.magic.store(MAGIC, Ordering::Relaxed);",
        test: RESTART,
    },
    Mutation {
        file: "out_region.rs",
        change: "ask_for_epoch: the hello comes before the epoch",
        from: HELLO,
        to: "self.magic.store(MAGIC, Ordering::Release); self.epoch_wanted.publish(epoch);",
        test: RESTART,
    },
    Mutation {
        file: "out_region.rs",
        change: "wanted_epoch: the hello is read relaxed",
        from: "self.magic.load(Ordering::Acquire) == MAGIC",
        to: "self.magic.load(Ordering::Relaxed) == MAGIC",
        test: RESTART,
    },
    Mutation {
        file: "out_region.rs",
        change: "wanted_epoch: the epoch is read before the hello",
        from: GREETED,
        to: "let epoch = self.epoch_wanted.observe();
        let greeted = self.magic.load(Ordering::Acquire) == MAGIC
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

/// Orderings that synchronise. A relaxed access is not to be weakened; why it suffices is said where it
/// stands.
const SYNCHRONISING: [&str; 4] =
    ["Ordering::Acquire", "Ordering::Release", "Ordering::AcqRel", "Ordering::SeqCst"];

/// What only central reads, in a later life: its orderings keep its own stores in order, which no
/// interleaving with a client shows. `testbed/tests/restart` stops central after each of them.
const CENTRAL_ALONE: &str = "journal.rs";

/// Checks that every synchronising ordering in the directory `source` is inside the text that some mutation
/// replaces.
pub(crate) fn check_complete(source: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(source).map_err(Error::at(source))? {
        let path = entry.map_err(Error::at(source))?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if file == CENTRAL_ALONE {
            continue;
        }
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
