//! What a guard has to inspect, without an engine around it.

extern crate std;

use ferry_layout::PostKind;

use super::*;
use crate::dice::Dice;

fn guard(number: u16) -> DomainId {
    DomainId::new(number).unwrap()
}

fn span(start: u32, length: u32) -> Span {
    Address { frame: 0, offset: start }.span(length, 4096).unwrap()
}

fn inspection(ticket: u64, place: Span) -> Inspection {
    Inspection::new(ticket, Subject::message(guard(0), 7), place)
}

#[test]
fn a_verdict_is_taken_once_and_only_for_its_own_ticket() {
    let mut inspections = Inspections::new();
    let ticket = Inspections::ticket(0, u32::MAX, 3);
    inspections.begin(0, inspection(ticket, span(0, 16)));
    for wrong in [ticket + 1, ticket ^ 1 << 8, ticket ^ 1 << 40, ticket ^ 0x80, 0] {
        assert!(inspections.judge(wrong, 1).is_none(), "{wrong:#x}");
    }
    assert_eq!(inspections.judge(ticket, 5).map(|it| it.subject.index()), Some(7));
    assert!(inspections.judge(ticket, 6).is_none(), "it is judged already");
    assert_eq!(inspections.end(0), Some(5));
    assert!(inspections.judge(ticket, 6).is_none(), "it has ended");
}

#[test]
fn what_overlaps_a_pinned_place_is_no_buffer() {
    let mut inspections = Inspections::new();
    let offered = |inspections: &Inspections, offset, length| {
        inspections.buffer(Address { frame: 0, offset }, length, core::iter::empty()).is_some()
    };
    assert!(!offered(&inspections, 0, 16), "not a guard");
    inspections.configure(4096);
    inspections.offer(span(64, 64));
    inspections.begin(3, inspection(1, span(64, 64)));
    for (offset, length, is_free) in
        [(0, 64, true), (0, 65, false), (127, 1, false), (128, 1, true), (80, 8, false), (0, 4096, false)]
    {
        assert_eq!(offered(&inspections, offset, length), is_free, "{offset} {length}");
    }
    assert!(!offered(&inspections, 4090, 7) && !offered(&inspections, 0, 0));
    inspections.end(3);
    assert!(offered(&inspections, 80, 8));
}

#[test]
fn slots_are_used_until_there_is_none() {
    let mut inspections = Inspections::new();
    for number in 0..SLOTS {
        let slot = inspections.free_slot().unwrap();
        assert_eq!(slot, number);
        inspections.begin(slot, inspection(number.into(), Span::EMPTY));
    }
    assert_eq!(inspections.free_slot(), None);
    inspections.end(5);
    assert_eq!(inspections.free_slot(), Some(5));
}

#[test]
fn a_ticket_says_slot_delivery_and_epoch() {
    for delivery in [0, 1, 127, 128, 0x0102_0304, u32::MAX] {
        for (slot, epoch) in [(0, 0), (5, 1), (127, 0xff_ffff), (66, 0x0a0b_0c0d)] {
            let ticket = Inspections::ticket(slot, delivery, epoch);
            assert_eq!((Inspections::slot(ticket), Inspections::delivery(ticket)), (slot, delivery));
            assert!(Inspections::is_of_epoch(ticket, epoch));
            assert!(!Inspections::is_of_epoch(ticket, epoch ^ 1));
        }
    }
}

/// The tickets of a run follow each other, over the end of the table too.
#[cfg(feature = "express")]
#[test]
fn the_next_ticket_is_that_of_the_next_delivery() {
    for delivery in 0..300 {
        let [ticket, next] = [delivery, delivery + 1].map(|it| Inspections::ticket_of_run(it, 3));
        assert_eq!(Inspections::next_ticket(ticket), next, "{delivery}");
        assert_eq!(Inspections::slot(ticket), delivery % SLOTS);
    }
}

#[cfg(feature = "express")]
#[test]
fn an_inspection_is_about_one_message_with_one_ticket() {
    let subject = Subject::message(guard(3), 9);
    let mut inspection = Inspection::new(5, Subject::relay(guard(3), 9), span(0, 16));
    assert!(!inspection.is_about(5, subject), "another kind of flow");
    inspection.begin(7, subject);
    assert!(inspection.is_about(7, subject));
    assert!(!inspection.is_about(8, subject) && !inspection.is_about(7, subject.next()));
    assert!(!inspection.is_about(7, Subject::message(guard(4), 9)));
    let mut inspections = Inspections::new();
    inspections.begin(2, inspection);
    inspections.note_verdicts(2, [0].into_iter());
    assert!(!inspections.table[2].is_about(7, subject), "it has a verdict");
}

/// A run of inspections ends together, with their snapshots, up to the first that is about another message,
/// alone has no verdict, or has one elsewhere in the ring.
#[cfg(feature = "express")]
#[test]
fn a_run_of_inspections_ends_up_to_the_first_that_is_not_next() {
    // Of six from slot 3 on: how many have verdicts, where in the ring the third one is, which inspection is
    // about another message, and which has ended already.
    for (judged, third, other, gone, most, ended) in [
        (6, 42, 9, 9, 128, 6),
        (6, 42, 9, 9, 4, 4),
        (4, 42, 9, 9, 128, 4),
        (6, 43, 9, 9, 128, 2),
        (6, 42, 5, 9, 128, 5),
        (6, 42, 1, 9, 128, 1),
        (6, 42, 0, 9, 128, 0),
        (6, 42, 9, 3, 128, 3),
        (6, 42, 9, 0, 128, 0),
        (0, 42, 9, 9, 128, 6),
        (0, 42, 2, 9, 128, 2),
    ] {
        let mut inspections = Inspections::new();
        inspections.configure(4096);
        // The second one is longer than a granule.
        let places = [(0, 64), (64, 100), (192, 1), (256, 8), (320, 8), (384, 8)];
        let places = places.map(|(at, bytes)| span(at, bytes));
        for (number, place) in (0..).zip(places) {
            let subject = Subject::message(guard(if number == other { 2 } else { 1 }), 70 + number);
            inspections.offer(place);
            inspections.begin(3 + number, Inspection::new(0, subject, place));
        }
        inspections.note_verdicts(3, [40, 41, third, 43, 44, 45].into_iter().take(judged));
        if gone < 6 {
            inspections.end(3 + gone);
        }
        let (count, verdict) = inspections.end_run_about(3, Subject::message(guard(1), 70), most);
        assert_eq!(count, ended);
        assert!(count == 0 || verdict == (judged != 0).then_some(40));
        for (number, place) in (0..).zip(places) {
            let is_over = number < ended || number == gone;
            assert_eq!(inspections.used.contains(3 + number), !is_over);
            assert_eq!(inspections.places.are_free(place), Some(is_over), "{place:?}");
        }
    }
}

/// Without granules inspections end one by one, each once: what is in its place afterwards is not given back.
#[cfg(feature = "express")]
#[test]
fn an_inspection_ends_once() {
    let (mut inspections, subject) = (Inspections::new(), Subject::message(guard(1), 70));
    inspections.configure(4096);
    inspections.offer(span(1, 8));
    inspections.begin(3, Inspection::new(3, subject, span(1, 8)));
    inspections.note_verdicts(3, [7].into_iter());
    assert_eq!(inspections.end_run_about(3, subject, 1).0, 0);
    assert_eq!(inspections.end(3), Some(7));
    inspections.clear();
    inspections.offer(span(0, 8));
    inspections.table[3].place = span(0, 8);
    assert_eq!(inspections.end(3), None);
    assert_eq!(inspections.places.are_free(span(0, 8)), Some(false), "it is offered still");
}

/// Runs of free and of used slots, as they are over the end of the table.
#[cfg(feature = "express")]
#[test]
fn runs_end_where_another_inspection_begins() {
    let mut inspections = Inspections::new();
    assert_eq!(inspections.free_run(77), 128);
    inspections.begin_run(250, 10);
    assert_eq!([0, 3, 4, 121, 122, 127].map(|at| inspections.free_run(at)), [0, 0, 118, 1, 0, 0]);
    let run_from =
        |inspections: &Inspections, delivery| inspections.run_from(Inspections::ticket_of_run(delivery, 1));
    assert_eq!([250, 255, 256, 259, 260].map(|at| run_from(&inspections, at)), [10, 5, 4, 1, 0]);
    inspections.end_run(Inspections::ticket_of_run(250, 1), 7);
    assert_eq!([250, 257, 258].map(|at| run_from(&inspections, at)), [0, 3, 2]);
    assert_eq!(inspections.free_run(4), 125);
}

/// How a guard's receive buffer is divided, which is told only while every offer begins a granule.
#[cfg(feature = "express")]
#[test]
fn the_granules_are_those_of_the_buffer() {
    for (bytes, bits) in [(4096, 6), (256 << 10, 6), ((256 << 10) + 1, 7), (1 << 20, 8)] {
        let mut inspections = Inspections::new();
        inspections.configure(bytes);
        inspections.offer(span(0, 8));
        assert_eq!(inspections.granule_bits(), Some(bits), "{bytes} bytes");
        inspections.offer(span(1, 8));
        assert_eq!(inspections.granule_bits(), None);
        inspections.clear();
        assert_eq!(inspections.granule_bits(), Some(bits));
    }
}

/// A buffer that a guard offers shares no byte with one that it offers already, or with a place that is
/// pinned. Some begin elsewhere than a granule, and then bytes are compared.
#[test]
fn nothing_is_offered_twice() {
    const BYTES: u16 = 4096;
    let post = |span: Span| Post {
        place: Address { frame: 0, offset: u32::try_from(span.start()).unwrap() },
        length: span.length(),
        from: Post::ANYONE,
        kind: PostKind::Buffer as u8,
        marks: 0,
    };
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let mut inspections = Inspections::new();
        inspections.configure(BYTES.into());
        let aligns = seed % 4 != 0;
        let (mut is_exact, mut offered) = (true, std::vec::Vec::<Span>::new());
        let mut pinned = std::vec::Vec::<(u32, Span)>::new();
        for _ in 0..60 {
            let start = if aligns { dice.below(BYTES / 64) * 64 } else { dice.below(BYTES - 1) };
            let length = (1 + dice.below(700)).min(BYTES - start);
            let wanted = span(start.into(), length.into());
            let in_use = offered.iter().chain(pinned.iter().map(|(_, place)| place));
            let is_free = !in_use.into_iter().any(|it| it.overlaps(wanted));
            let begins_granule = start % 64 == 0;
            match dice.below(8) {
                0..=2 => {
                    let at_once = inspections.offer_for_anyone(&post(wanted));
                    assert_eq!(at_once.is_some(), is_free && is_exact && begins_granule, "{wanted:?}");
                    let place = post(wanted).place;
                    let buffer = inspections.buffer(place, length.into(), offered.iter().copied());
                    if at_once.is_none() {
                        assert_eq!(buffer.is_some(), is_free, "{wanted:?}");
                    }
                    if is_free {
                        if at_once.is_none() {
                            inspections.offer(wanted);
                            is_exact &= begins_granule;
                        }
                        offered.push(wanted);
                    }
                }
                3 if !offered.is_empty() => {
                    let count = u16::try_from(offered.len()).unwrap();
                    inspections.withdraw(offered.swap_remove(dice.below(count).into()));
                }
                4..=5 if !offered.is_empty() => {
                    let count = u16::try_from(offered.len()).unwrap();
                    let buffer = offered.swap_remove(dice.below(count).into());
                    let most = u16::try_from(buffer.length()).unwrap();
                    let place = buffer.part(0, (1 + dice.below(most)).into()).unwrap();
                    let slot = inspections.free_slot().unwrap();
                    inspections.pin(buffer, place);
                    inspections.begin(slot, inspection(slot.into(), place));
                    pinned.push((slot, place));
                }
                6 if !pinned.is_empty() => {
                    let count = u16::try_from(pinned.len()).unwrap();
                    let (slot, _) = pinned.swap_remove(dice.below(count).into());
                    assert_eq!(inspections.end(slot), None);
                }
                7 if dice.below(8) == 0 => {
                    inspections.clear();
                    (is_exact, offered, pinned) = (true, std::vec::Vec::new(), std::vec::Vec::new());
                }
                _ => {}
            }
        }
    }
}
