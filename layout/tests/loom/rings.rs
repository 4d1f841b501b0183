//! Rings: an entry is used whole, once, in order, and only after it was published. Its slot is used again
//! only after the entry was taken.

use std::array;

use ferry_layout::{Consumer, Entry, Index, Producer, Slots};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

const SLOTS: usize = 2;
/// One more than there are slots, so that one slot is used twice.
const ENTRIES: u32 = 3;
/// Just before indices wrap.
const START: u32 = u32::MAX - 1;

/// Two words that belong together.
struct Twins(u64, u64);

impl Entry for Twins {
    type Words = [u64; 2];
    fn from_words([one, other]: [u64; 2]) -> Self {
        Self(one, other)
    }
    fn into_words(self) -> [u64; 2] {
        [self.0, self.1]
    }
}

/// A ring in shared memory. Whoever owns a slot accesses the slot's cell.
struct Ring {
    tail: Index,
    head: Index,
    slots: Slots<SLOTS, 2>,
    cells: [UnsafeCell<u32>; SLOTS],
}

impl Ring {
    fn new() -> Self {
        let ring = Self {
            tail: Index::default(),
            head: Index::default(),
            slots: Slots::default(),
            cells: array::from_fn(|_| UnsafeCell::new(0)),
        };
        ring.tail.publish(START);
        ring.head.publish(START);
        ring
    }

    fn fill(&self, index: u32) {
        self.cells[index as usize % SLOTS].with_mut(|_| ());
        self.slots.store(index, Twins(u64::from(index), u64::from(index)));
    }

    fn empty(&self, index: u32) {
        self.cells[index as usize % SLOTS].with(|_| ());
        let Twins(one, other) = self.slots.load(index);
        assert_eq!((one, other), (u64::from(index), u64::from(index)), "torn, stale, or not yet published");
    }
}

/// Takes every published entry and publishes the head.
fn take_all(ring: &Ring, consumer: &mut Consumer<SLOTS>, expected: &mut u32) {
    consumer.refresh(ring.tail.observe()).expect("an honest producer");
    while let Some(index) = consumer.take() {
        assert_eq!(index, *expected, "in order, and each once");
        *expected = expected.wrapping_add(1);
        ring.empty(index);
    }
    ring.head.publish(consumer.next());
}

#[test]
fn an_entry_is_whole_when_it_is_seen_and_its_slot_is_free_when_it_is_taken() {
    crate::check(None, || {
        let ring = Arc::new(Ring::new());
        let producer = thread::spawn({
            let ring = Arc::clone(&ring);
            move || {
                let mut producer = Producer::<SLOTS>::new(START);
                for _ in 0..ENTRIES {
                    if producer.free() == 0 {
                        producer.refresh(ring.head.observe()).expect("an honest consumer");
                    }
                    let Some(index) = producer.push() else { break };
                    ring.fill(index);
                    ring.tail.publish(producer.next());
                }
                producer.next()
            }
        });
        let mut consumer = Consumer::<SLOTS>::new(START);
        let mut expected = START;
        take_all(&ring, &mut consumer, &mut expected);
        take_all(&ring, &mut consumer, &mut expected);
        let produced = producer.join().unwrap();
        take_all(&ring, &mut consumer, &mut expected);
        assert_eq!(expected, produced, "nothing is lost");
    });
}
