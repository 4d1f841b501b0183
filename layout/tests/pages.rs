//! Words that one side writes and the other one reads: each comes out as it went in.

use ferry_layout::geometry::MAX_CLIENTS;
use ferry_layout::{
    AuditKind, AuditRecord, Delivery, DeliveryKind, Descriptor, DomainId, DomainName, InRegion, Kind,
    OutRegion, Peer, Plain, Post, PostKind, Route, Status, Verdict, flags,
};

fn client(number: u16) -> DomainId {
    DomainId::new(number).unwrap()
}

#[test]
fn an_introduction() {
    let page = Box::<InRegion>::default();
    assert!(!page.is_introduced());
    let peer = Peer { name: DomainName::new("peer").unwrap(), domain: 3, ..Peer::default() };
    page.introduce(7, 0x2000, 0x3000, [peer; 2].into_iter());
    assert!(page.is_introduced());
    assert_eq!((page.domain(), page.peer_count()), (7, 2));
    assert_eq!((page.transmit_bytes(), page.receive_bytes()), (0x2000, 0x3000));
    assert_eq!(page.directory.load::<Peer>(1), peer);
}

/// Bits 0 to 15 of a route are the target, 16 to 23 the kind, and 24 to 31 the flags.
#[test]
fn a_plain_message_has_no_kind_and_no_flags() {
    let page = Box::<OutRegion>::default();
    let route = |descriptor: Descriptor| {
        page.descriptors.store(0, descriptor);
        Route::of(page.descriptors.slot(0))
    };
    for target in [0, 5, 31] {
        let plain = Descriptor { target, length: 9, ..Descriptor::default() };
        assert_eq!(route(plain).plain_target(), Some(client(target)));
        let placed = Descriptor { kind: Kind::Placed as u8, ..plain };
        let urgent = Descriptor { flags: flags::URGENT, ..plain };
        for other in [placed, urgent] {
            assert_eq!((route(other).plain_target(), route(other).target()), (None, target), "{other:?}");
            assert!(!route(other).is_passed_over());
        }
        let route = route(plain);
        assert_eq!(Plain::load(page.descriptors.slot(0), route).map(|plain| plain.length), Some(9));
    }
    assert_eq!(route(Descriptor { target: 32, ..Descriptor::default() }).plain_target(), None);
}

#[test]
fn marks_leave_the_rest_of_an_entry() {
    let page = Box::<OutRegion>::default();
    let sent = Descriptor { target: 3, tag: 8, length: 9, flags: flags::URGENT, ..Descriptor::default() };
    let posted = Post { length: 5, from: Post::ANYONE, kind: PostKind::Buffer as u8, ..Post::default() };
    page.descriptors.store(130, sent);
    page.posts.store(130, posted);
    assert!(posted.is_for_anyone());
    page.pass_over_send(130);
    let marked = Descriptor { flags: flags::URGENT | flags::PASSED_OVER, ..sent };
    assert_eq!(page.descriptors.load::<Descriptor>(2), marked);
    assert!(Route::of(page.descriptors.slot(2)).is_passed_over());
    page.pass_over_post(130);
    page.withdraw(130);
    let marked = Post { marks: Post::PASSED_OVER | Post::WITHDRAWN, ..posted };
    assert_eq!(page.posts.load::<Post>(2), marked);
    let others = [marked, Post { from: 3, ..posted }, Post { kind: PostKind::Window as u8, ..posted }];
    assert!(others.iter().all(|post| !post.is_for_anyone()));
}

#[test]
fn each_flow_has_its_own_word_in_the_journal() {
    let page = Box::<InRegion>::default();
    let all = || (0..u16::try_from(MAX_CLIENTS).unwrap()).map(client);
    for target in all() {
        page.journal.acknowledge(target, 100 + target.index() as u64);
    }
    assert!(all().all(|target| page.journal.acknowledged(target) == 100 + target.index() as u64));
}

#[test]
fn kinds_of_deliveries() {
    for kind in [
        DeliveryKind::Message,
        DeliveryKind::Withdrawn,
        DeliveryKind::Refused,
        DeliveryKind::Placed,
        DeliveryKind::Inspection,
    ] {
        let delivery = Delivery { kind: kind as u8, ..Delivery::default() };
        assert_eq!(DeliveryKind::from_number(delivery.kind), Some(kind));
    }
    assert_eq!(DeliveryKind::from_number(5), None);
}

#[test]
fn a_verdict() {
    for passes in [true, false] {
        let verdict = Verdict { ticket: 1 << 50 | 3, passes, reason: 7 };
        assert_eq!(Verdict::of(&verdict.descriptor()), Some(verdict));
    }
}

#[test]
fn a_record_is_about_nobody_until_it_is_said_about_whom() {
    let AuditRecord { kind, source, target, guard, .. } = AuditRecord::of(AuditKind::Quarantined);
    assert_eq!(kind, AuditKind::Quarantined as u8);
    assert_eq!([source, target, guard], [AuditRecord::NOBODY; 3]);
}

#[test]
fn a_status_is_of_one_index_and_not_of_the_same_slot_in_another_lap() {
    let page = Box::<InRegion>::default();
    for (index, other) in [(0, 128), (128, 0), (5, 133), (133, 5)] {
        for status in [Status::Queued, Status::Done, Status::Denied] {
            page.status(index).set(index, status);
            assert_eq!(page.status(index).get(index), Some(status));
            assert_eq!(page.status(other).get(other), None, "{status:?} of {index}");
        }
    }
}

#[test]
fn sends_that_have_not_ended_are_counted_up_to_the_first_that_has() {
    let page = Box::<InRegion>::default();
    for first in [3, 120] {
        for ended in 0..12_u32 {
            for more in [false, true] {
                for age in 0..12 {
                    let has_ended = age == ended || (more && age > ended);
                    let status = if has_ended { Status::Done } else { Status::Queued };
                    page.status(first + age).set(first + age, status);
                }
                assert_eq!(page.not_ended(first, 12), ended, "{first}, {more}");
            }
        }
    }
}
