//! Says of a log whether it is what central wrote, and if not, which record is wrong.
//!
//! Three questions are asked one after the other. Has each record the hash of its contents? Do the records
//! stand in the order of their numbers, each once? Does each record name the hash of the one before? A record
//! that fails a question is not blamed for the next ones.

use std::collections::HashMap;

use ferry_layout::AuditRecord;

use crate::chain::{Hash, ORIGIN, is_sound};
use crate::finding::Finding;

/// Hashes that were noted elsewhere.
#[derive(Clone, Copy, Default, Debug)]
pub struct Anchors {
    /// The hash of the record before the first one of this log.
    pub after: Option<Hash>,
    /// The hash of a record that this log must contain.
    pub expect: Option<Hash>,
}

/// What a log is. It is intact if there is no finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The numbers of the first and the last record. None if there is no record.
    pub range: Option<(u64, u64)>,
    /// The hash of the last record: what to note elsewhere.
    pub newest: Option<Hash>,
}

/// A record of the log, and the number that it has or must have had.
struct Numbered<'a> {
    number: u64,
    is_sound: bool,
    record: &'a AuditRecord,
}

/// Verifies records in the order in which they were kept.
#[must_use]
pub fn verify(records: &[AuditRecord], anchors: Anchors) -> Verified {
    let mut findings = Vec::new();
    let kept = numbered(records);
    let changed = kept.iter().filter(|one| !one.is_sound);
    findings.extend(changed.map(|one| Finding::Changed { record: one.number }));

    let mut sorted: Vec<&Numbered<'_>> = kept.iter().collect();
    sorted.sort_by_key(|one| one.number);
    findings.extend(misplaced(&kept, &sorted));
    let again = sorted.windows(2).filter(|pair| pair[0].number == pair[1].number);
    findings.extend(again.map(|pair| Finding::Repeated { record: pair[1].number }));
    sorted.dedup_by_key(|one| one.number);
    findings.extend(sorted.windows(2).filter_map(|pair| missing(pair[0].number, pair[1].number)));
    findings.extend(broken(&sorted));
    findings.extend(unanchored(&sorted, anchors));
    findings.dedup();

    let ends = sorted.first().zip(sorted.last());
    Verified {
        findings,
        range: ends.map(|(first, last)| (first.number, last.number)),
        newest: sorted.last().map(|last| last.record.hash),
    }
}

/// Gives each record a number. A record that was changed may have another one now than central gave it. It
/// gets the number that its neighbours leave for it.
fn numbered(records: &[AuditRecord]) -> Vec<Numbered<'_>> {
    let sound: HashMap<u64, usize> = (0..)
        .zip(records)
        .filter(|(_, record)| is_sound(record))
        .map(|(place, record)| (record.sequence, place))
        .collect();
    let mut numbered: Vec<Numbered<'_>> = Vec::new();
    for (place, record) in records.iter().enumerate() {
        let is_sound = is_sound(record);
        let after = numbered.last().map(|before| before.number.wrapping_add(1));
        let before = || {
            let next = records.get(place + 1).filter(|next| crate::is_sound(next));
            next.map(|next| next.sequence.wrapping_sub(1))
        };
        let free = |number: &u64| !sound.contains_key(number);
        let number = if is_sound {
            record.sequence
        } else {
            // Its own number, if that is not the one that was changed, is one of the two.
            let own = Some(record.sequence).filter(|own| Some(*own) == after || Some(*own) == before());
            own.filter(free)
                .or_else(|| after.filter(free))
                .or_else(|| before().filter(free))
                .unwrap_or(record.sequence)
        };
        numbered.push(Numbered { number, is_sound, record });
    }
    numbered
}

/// The records that stand where another one belongs.
fn misplaced(kept: &[Numbered<'_>], sorted: &[&Numbered<'_>]) -> Vec<Finding> {
    let pairs = kept.iter().zip(sorted).filter(|(found, belongs)| found.number != belongs.number);
    pairs
        .map(|(found, belongs)| Finding::Misplaced { record: found.number, instead_of: belongs.number })
        .collect()
}

fn missing(before: u64, after: u64) -> Option<Finding> {
    let first = before.checked_add(1).filter(|first| *first < after)?;
    Some(Finding::Missing { first, last: after - 1 })
}

/// The records whose hash is not the one that the next record names.
///
/// If a record fits neither to the one before nor to the one after, it is itself the one that was replaced.
fn broken(sorted: &[&Numbered<'_>]) -> Vec<Finding> {
    let fits = |place: usize| {
        let (Some(before), Some(after)) =
            (place.checked_sub(1).and_then(|p| sorted.get(p)), sorted.get(place))
        else {
            return true;
        };
        let are_neighbours = before.number.checked_add(1) == Some(after.number);
        !are_neighbours || !before.is_sound || !after.is_sound || after.record.previous == before.record.hash
    };
    let mut findings = Vec::new();
    let mut place = 0;
    while place < sorted.len() {
        if !fits(place) {
            let is_itself = !fits(place + 1);
            let blamed = if is_itself { place } else { place - 1 };
            findings.push(Finding::Replaced { record: sorted[blamed].number });
            place += usize::from(is_itself);
        }
        place += 1;
    }
    // The first record of all follows upon nothing.
    if let Some(first) = sorted.first().filter(|first| first.number == 0 && first.is_sound)
        && first.record.previous != ORIGIN
    {
        findings.push(Finding::Replaced { record: 0 });
    }
    findings
}

fn unanchored(sorted: &[&Numbered<'_>], anchors: Anchors) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return findings };
    if anchors.after.is_some_and(|hash| first.is_sound && first.record.previous != hash) {
        findings.push(Finding::OtherBeginning { first: first.number });
    }
    let has = |hash: &Hash| sorted.iter().any(|one| one.is_sound && one.record.hash == *hash);
    if anchors.expect.is_some_and(|hash| !has(&hash)) {
        findings.push(Finding::EndMissing { last: last.number });
    }
    findings
}
