//! Messages that are nearly those of a corpus: what comes closest to fooling a filter.

use ferry_example_filters::corpus::Corpus;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change of a message.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
    /// Some bytes once more, at another place.
    Repeat(Index, Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(place, byte)| Change::Set(place, byte)),
        (place(), 0..8_u8).prop_map(|(place, bit)| Change::Flip(place, bit)),
        (place(), any::<u8>()).prop_map(|(place, byte)| Change::Insert(place, byte)),
        place().prop_map(Change::Remove),
        place().prop_map(Change::Cut),
        (place(), place(), 1..24_u8).prop_map(|(from, to, count)| Change::Repeat(from, to, count)),
    ]
}

fn make(change: &Change, bytes: &mut Vec<u8>) {
    let end = bytes.len() + 1;
    if let Change::Insert(place, byte) = change {
        bytes.insert(place.index(end), *byte);
    }
    if bytes.is_empty() {
        return;
    }
    match change {
        Change::Set(place, byte) => *place.get_mut(bytes) = *byte,
        Change::Flip(place, bit) => *place.get_mut(bytes) ^= 1 << bit,
        Change::Insert(..) => {}
        Change::Remove(place) => drop(bytes.remove(place.index(bytes.len()))),
        Change::Cut(place) => bytes.truncate(place.index(bytes.len())),
        Change::Repeat(from, to, count) => {
            let from = from.index(bytes.len());
            let some: Vec<u8> = bytes[from..].iter().take(usize::from(*count)).copied().collect();
            let to = to.index(bytes.len());
            bytes.splice(to..to, some);
        }
    }
}

/// A message of the corpus with up to three changes, or some bytes.
pub(crate) fn of(corpus: &'static Corpus) -> impl Strategy<Value = Vec<u8>> {
    let samples: Vec<&[u8]> = corpus.all().map(|(_, bytes)| *bytes).collect();
    let near = (proptest::sample::select(samples), proptest::collection::vec(change(), 0..4));
    let near = near.prop_map(|(sample, changes)| {
        let mut bytes = sample.to_vec();
        for change in &changes {
            make(change, &mut bytes);
        }
        bytes
    });
    prop_oneof![15 => near, 1 => proptest::collection::vec(any::<u8>(), 0..80)]
}
