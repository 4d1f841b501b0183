//! Clients and central begin anew.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use ferry_client::{Message, Status};
use ferry_layout::config::Mapping;
use ferry_layout::observe::{Access, AccessKind, set_hook};
use ferry_layout::{Delivery, Descriptor, InRegion, Index, OutRegion, Post, Standing, flags};
use ferry_testbed::{Action, Memory, Testbed, Topology};

use crate::pair::Pair;

/// Brings a client's page to its beginning and asks for `epoch`, as the client library does.
pub(crate) fn enter(from_client: &OutRegion, epoch: u32) {
    from_client.reset();
    from_client.ask_for_epoch(epoch);
}

/// What a client sees of an epoch, but for the numbers of its flows, which go on.
#[derive(PartialEq, Eq, Debug)]
struct Page {
    statuses: Vec<Option<Status>>,
    /// Transmit head, post head, delivery tail, settled, ended late.
    indices: [u32; 5],
    deliveries: Vec<(u64, u32, u8)>,
    journal: [u64; 2],
    standing: Standing,
}

impl Page {
    fn of(page: &InRegion) -> Self {
        let tail = page.delivery_tail.observe();
        let deliveries = (0..tail).map(|index| page.deliveries.load(index));
        Self {
            statuses: (0..128).map(|index| page.status(index).get(index)).collect(),
            indices: [
                page.transmit_head.observe(),
                page.post_head.observe(),
                tail,
                page.settled.observe(),
                page.ended_late.observe(),
            ],
            deliveries: deliveries.map(|it: Delivery| (it.tag, it.request, it.kind)).collect(),
            journal: page.journal.open(),
            standing: page.standing(),
        }
    }
}

/// What happens before an epoch.
type History = fn(&mut Pair);

/// Plays the beginning of an epoch of client 0, after `before`, which leaves clients 1 and 2 alone. Client 0
/// publishes its sends at the moment when it sees the epoch. Returns what it sees then and at three later
/// times, and what central does.
fn beginning(before: History) -> (Vec<Page>, Vec<Action>) {
    let mut topology = Topology::mesh(4, 16, Mapping::Each);
    // Enough for one short message in each round.
    topology.bytes_per_round = 100;
    let mut pair = Pair::new(&topology, 4096);
    before(&mut pair);
    for client in [1, 2] {
        (pair.ports[client], ..) = pair.bed.open(u16::try_from(client).unwrap());
        pair.receive[client].truncate(8);
    }
    pair.post(1, None);
    pair.post(1, None);
    pair.bed.run_for(1);
    let memory = pair.bed.clients[0];
    enter(memory.from_client, 99);
    for (index, target) in [1, 1, 2].into_iter().enumerate() {
        let message = Descriptor { target, length: 8, tag: index as u64, ..Descriptor::default() };
        memory.from_client.descriptors.store(u32::try_from(index).unwrap(), message);
    }
    pair.bed.machine.actions.clear();
    let pages = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&pages);
    let epoch = &raw const memory.to_client.epoch as usize;
    set_hook(Some(Box::new(move |access: Access| {
        if access.kind == AccessKind::Store && access.address == epoch {
            seen.borrow_mut().push(Page::of(memory.to_client));
            memory.from_client.transmit_tail.publish(3);
        }
    })));
    pair.bed.run_for(0);
    set_hook(None);
    let see = || pages.borrow_mut().push(Page::of(memory.to_client));
    see();
    let post = Post { length: 64, from: Post::ANYONE, ..Post::default() };
    memory.from_client.posts.store(0, post);
    memory.from_client.post_tail.publish(1);
    pair.send(1, 0, b"back", Message::tagged(3));
    pair.bed.run();
    see();
    pair.post(2, None);
    pair.bed.run();
    see();
    (pages.take(), std::mem::take(&mut pair.bed.machine.actions))
}

#[test]
fn an_epoch_begins_clean() {
    let clean = beginning(|_| {});
    let empty = Page {
        statuses: vec![None; 128],
        indices: [0; 5],
        deliveries: Vec::new(),
        journal: [0; 2],
        standing: Standing::Open,
    };
    assert_eq!(clean.0[0], empty, "whoever sees the epoch sees that it begins with nothing");
    // Whether the second send, for which the first round has no bytes, ends late depends on the lane.
    let [head @ .., late] = clean.0[1].indices;
    assert_eq!((head, late <= 1), ([3, 0, 0, 0], true), "nothing but the last send waits");
    assert_eq!(clean.0[3].indices, [3, 1, 1, 1, late + 1]);
    let histories: [(&str, History); 6] = [
        ("it is shut out", |pair| {
            pair.bed.clients[0].from_client.transmit_tail.publish(200);
            pair.bed.run();
        }),
        ("sends wait", |pair| {
            for time_to_live in [0, 2, 0] {
                pair.send(0, 3, b"waits", Message { time_to_live, ..Message::default() });
            }
            pair.bed.run();
        }),
        ("sends have ended late", |pair| {
            pair.send(0, 3, b"waits", Message::default());
            pair.bed.run();
            pair.post(3, None);
            pair.bed.run();
        }),
        ("a chain was too long, and goes on", |pair| {
            let from_client = pair.bed.clients[0].from_client;
            for index in 0..20 {
                let part = Descriptor { target: 3, flags: flags::CHAINED, ..Descriptor::default() };
                from_client.descriptors.store(index, part);
            }
            from_client.transmit_tail.publish(20);
            pair.bed.run();
        }),
        ("requests are held", |pair| {
            for from in [None, Some(1), Some(3)] {
                pair.post(0, from);
            }
            pair.open_window(0, 3);
            pair.bed.run();
        }),
        ("central has restarted while the client did, and was to take sends again", |pair| {
            for _ in 0..4 {
                pair.send(0, 3, b"waits", Message::default());
            }
            pair.bed.run();
            pair.bed.clients[0].from_client.clear_magic();
            pair.bed.restart();
            pair.bed.run();
        }),
    ];
    for (history, before) in histories {
        assert_eq!(beginning(before), clean, "after an epoch in which {history}");
    }
}

#[test]
fn a_quarantine_outlasts_central() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Each), 4096);
    let offender = pair.bed.clients[1];
    offender.from_client.transmit_tail.publish(200);
    pair.bed.run();
    assert_eq!(offender.to_client.standing(), Standing::Quarantined);
    offender.from_client.transmit_tail.publish(0);
    pair.bed.restart();
    pair.bed.run();
    assert_eq!(offender.to_client.standing(), Standing::Quarantined);
    pair.post(2, None);
    pair.send(1, 2, b"unread", Message::default());
    pair.send(0, 1, b"unheard", Message::default());
    pair.bed.run();
    assert_eq!(pair.receive(2), None);
    assert_eq!(pair.reap(0), Some(Status::Quarantined));
}

#[test]
fn a_restarted_central_goes_on_with_what_was_under_way_and_signals_everyone() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Each), 4096);
    pair.send(0, 1, b"waits", Message::tagged(1));
    pair.bed.run();
    pair.post(1, None);
    pair.bed.machine.actions.clear();
    pair.bed.restart();
    // The signal of the client that has posted went to the central before.
    pair.bed.run_for(2);
    assert_eq!(pair.receive(1), Some((0, 1, b"waits".to_vec())));
    let signals = [0, 1, 2].map(|client| pair.bed.machine.signals(client));
    assert_eq!(signals, [1, 1, 1], "whatever was published may not have been signalled");
}

#[test]
fn who_is_let_in_or_shut_out_is_signalled() {
    let mut bed = Testbed::new(&Topology::mesh(2, 16, Mapping::Each));
    let from_client = bed.clients[0].from_client;
    from_client.wake.arm();
    for (signals, event) in [(1, "let in"), (2, "let in again"), (3, "shut out")] {
        match signals {
            3 => from_client.transmit_tail.publish(200),
            epoch => enter(from_client, epoch),
        }
        bed.run_for(0);
        assert_eq!(bed.machine.signals(0), signals as usize, "{event}");
    }
}

#[test]
fn a_restarted_central_does_not_read_a_client_that_has_cleared_its_magic() {
    let mut pair = Pair::new(&Topology::mesh(3, 16, Mapping::Each), 4096);
    pair.send(0, 1, b"waits", Message::default());
    pair.bed.run();
    pair.bed.clients[0].from_client.clear_magic();
    pair.bed.restart();
    pair.post(1, None);
    pair.bed.run();
    assert_eq!(pair.receive(1), None, "its descriptors may be those of its next start");
    let memory = pair.bed.clients[0];
    memory.from_client.ask_for_epoch(memory.to_client.epoch.observe());
    pair.bed.run();
    assert_eq!(pair.receive(1), Some((0, 0, b"waits".to_vec())), "it has not begun anew");
}

#[test]
fn a_send_that_a_restarted_central_refuses_is_counted_after_its_status() {
    let mut pair = Pair::two(Mapping::Each);
    pair.send(0, 1, b"waits", Message::default());
    pair.bed.run();
    let memory = pair.bed.clients[0];
    memory.from_client.descriptors.store(0, Descriptor { target: 30, ..Descriptor::default() });
    pair.bed.restart();
    pair.bed.run();
    assert_eq!(memory.to_client.status(0).get(0), Some(Status::NoTarget));
    // The first count is for whatever the central before has not told.
    assert_eq!(memory.to_client.ended_late.observe(), 2);
}

/// The client has marked the slot of a send that waits, because its ring has come round to it.
#[test]
fn a_send_in_a_marked_slot_outlasts_central() {
    let mut pair = Pair::two(Mapping::Each);
    pair.send(0, 1, b"waits", Message::default());
    pair.bed.run();
    let memory = pair.bed.clients[0];
    let sent: Descriptor = memory.from_client.descriptors.load(0);
    memory.from_client.descriptors.store(0, Descriptor { flags: sent.flags | flags::PASSED_OVER, ..sent });
    pair.bed.restart();
    pair.bed.run();
    assert_eq!(memory.to_client.status(0).get(0), Some(Status::Queued));
    pair.post(1, None);
    pair.bed.run();
    assert_eq!(memory.to_client.status(0).get(0), Some(Status::Done));
}

/// Runs central for `client` up to the moment when it makes a delivery to client 1 visible, and restarts it.
fn stop_at_delivery(pair: &mut Pair, client: u16) {
    let tail = &raw const pair.bed.clients[1].to_client.delivery_tail as usize;
    set_hook(Some(Box::new(move |access: Access| {
        if access.kind == AccessKind::Store && access.address == tail {
            resume_unwind(Box::new("stopped"));
        }
    })));
    assert!(catch_unwind(AssertUnwindSafe(|| pair.bed.run_for(client))).is_err());
    set_hook(None);
    pair.bed.restart();
}

#[test]
fn an_answer_that_is_visible_is_not_given_again_by_a_restarted_central() {
    for withdrawn in [true, false] {
        let mut pair = Pair::two(Mapping::Each);
        let client = pair.bed.clients[1];
        if withdrawn {
            pair.post(1, Some(0));
            pair.bed.run();
            client.from_client.withdraw(0);
            client.from_client.withdrawals.publish(1);
        } else {
            client.from_client.posts.store(0, Post { length: 8, from: 40, ..Post::default() });
            client.from_client.post_tail.publish(1);
        }
        stop_at_delivery(&mut pair, 1);
        pair.bed.run();
        assert_eq!(client.to_client.delivery_tail.observe(), 1, "withdrawn: {withdrawn}");
    }
}

#[test]
fn what_a_restarted_central_has_settled_is_all_that_the_next_one_needs() {
    let mut pair = Pair::two(Mapping::Each);
    let client = pair.bed.clients[1];
    for tag in 0..3 {
        pair.post(1, None);
        pair.send(0, 1, b"used at once", Message::tagged(tag));
    }
    stop_at_delivery(&mut pair, 0);
    // Nobody has been looked at yet.
    let indices = [&client.to_client.delivery_tail, &client.to_client.settled, &client.to_client.post_head];
    assert_eq!(indices.map(Index::observe), [3; 3]);
    assert_eq!(pair.bed.clients[0].to_client.journal.acknowledged(ferry_testbed::id(1)), 3);
}

/// The first words of a page are the magic and the version.
#[test]
fn a_page_of_another_version_or_without_magic_is_not_introduced() {
    let pair = Pair::two(Mapping::Each);
    let to_client = pair.bed.clients[0].to_client;
    let page = Memory::of(to_client);
    for word in [0, 4] {
        let bytes = page.read(word, 4);
        assert!(to_client.is_introduced());
        page.write(word, &[0xff; 4]);
        assert!(!to_client.is_introduced(), "at {word}");
        page.write(word, &bytes);
    }
}
