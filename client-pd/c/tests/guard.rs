//! The functions of `ferry.h` for guards, called as C calls them, with a real central: a message arrives
//! when the guard has passed it, a ticket is used up, and a place can be posted again only when central
//! needs it no more.
//!
//! A program has one client, so there is one test, in the order of a guard's life.

mod platform {
    mod ends;
}

use std::cell::RefCell;
use std::ptr;

use ferry_client::{Event, Message, Port, Status, TransmitMemory};
use ferry_client_c::exports::{guarding, receiving, sending, start};
use ferry_client_c::{ANYONE, Done, Given, Inspection, InspectionTicket, Result, RxBuffer, TxBuffer};
use ferry_layout::config::Mapping;
use ferry_platform::Channel;
use ferry_testbed::{Memory, Silent, Testbed, Topology};

const SENDER: u16 = 0;
const RECEIVER: u16 = 1;
const GUARD: u16 = 2;

thread_local! {
    static BED: RefCell<Testbed> =
        RefCell::new(Testbed::new(&Topology::guarded(&[(&[GUARD], 1)], Mapping::Each, 50)));
}

#[unsafe(no_mangle)]
extern "Rust" fn ferry_platform_given() -> Given {
    let memory = BED.with_borrow(|bed| bed.clients[usize::from(GUARD)]);
    let regions = [
        Memory::of(memory.from_client).region(),
        Memory::of(memory.to_client).region(),
        memory.transmit.region(),
        memory.receive.region(),
    ];
    Given { regions, central: Channel::new(0) }
}

#[unsafe(no_mangle)]
extern "C" fn ferry_platform_signal(_: u32) {
    BED.with_borrow_mut(|bed| bed.run_for(GUARD));
    // The library is in the middle of a call: it lets nobody in.
    assert_eq!(guarding::ferry_answer(InspectionTicket::default(), true, 0), Result::FerryBusy);
    assert!(guarding::ferry_inspection_bytes(InspectionTicket::default()).is_null());
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ferry_platform_print(_: *const u8, _: usize) {}

/// The two ends of the guard's flow.
struct Ends {
    sender: Port<Silent>,
    transmit: TransmitMemory,
    receiver: Port<Silent>,
}

impl Ends {
    fn open() -> Self {
        BED.with_borrow_mut(|bed| {
            let (sender, transmit, _) = bed.open(SENDER);
            let (mut receiver, _, receive) = bed.open(RECEIVER);
            for buffer in receive.split::<8>(2048) {
                receiver.post(buffer, None).unwrap();
            }
            receiver.flush();
            Self { sender, transmit, receiver }
        })
    }
}

fn run() {
    BED.with_borrow_mut(Testbed::run);
}

fn inspect() -> Option<Inspection> {
    let mut inspection = std::mem::MaybeUninit::uninit();
    // SAFETY: room for one.
    let is_there = unsafe { guarding::ferry_inspect(inspection.as_mut_ptr()) };
    // SAFETY: it was written.
    is_there.then(|| unsafe { inspection.assume_init() })
}

fn reap() -> Option<Done> {
    let mut done = std::mem::MaybeUninit::uninit();
    // SAFETY: room for one.
    let is_there = unsafe { sending::ferry_reap(done.as_mut_ptr()) };
    // SAFETY: it was written.
    is_there.then(|| unsafe { done.assume_init() })
}

/// Takes a receive buffer and posts it. Whether there was one.
fn post() -> bool {
    let mut buffer = RxBuffer::default();
    // SAFETY: a pointer to a variable.
    let taken = unsafe { receiving::ferry_rx_take(&raw mut buffer) };
    // SAFETY: null is allowed.
    taken == Result::FerryOk
        && unsafe { receiving::ferry_post(buffer, ANYONE, ptr::null_mut()) } == Result::FerryOk
}

#[test]
fn the_life_of_a_guard() {
    assert_eq!(inspect(), None);
    assert_eq!(guarding::ferry_answer(InspectionTicket { handle: 1 }, true, 0), Result::FerryNotOpen);
    assert_eq!(start::ferry_start(1, 0, 2048), Result::FerryOk);
    assert!(start::ferry_begins());
    let Ends { mut sender, transmit, mut receiver } = Ends::open();
    let mut transmit = transmit.split::<4>(2048);
    let peer = sender.peer("client1").unwrap();
    // Two buffers are central's, the others are in the pool.
    assert!(post() && post());
    assert!(!start::ferry_rest());

    // Three messages, of which the second does not pass.
    for (tag, text) in [(7, b"21 degrees"), (8, b"22 \x1b[2J..."), (9, b"23 degrees")] {
        let mut buffer = transmit.pop().unwrap();
        buffer.bytes_mut()[..10].copy_from_slice(text);
        sender.send(peer, buffer, 10, Message::tagged(tag)).unwrap();
    }
    sender.flush();
    run();
    let [first, second] = [inspect().unwrap(), inspect().unwrap()];
    assert_eq!(inspect(), None, "the third one waits for a place");
    assert_eq!((first.tag, first.length, first.source, first.target), (7, 10, SENDER, RECEIVER));
    assert_eq!(second.tag, 8);
    let bytes = guarding::ferry_inspection_bytes(first.ticket);
    // SAFETY: the ticket is the program's, and the message has ten bytes.
    assert_eq!(unsafe { std::slice::from_raw_parts(bytes, 10) }, b"21 degrees");

    // Tickets that are none.
    for handle in (0..64).map(|bit| first.ticket.handle ^ 1 << bit).chain([0, u64::MAX]) {
        if handle != second.ticket.handle {
            assert!(guarding::ferry_inspection_bytes(InspectionTicket { handle }).is_null(), "{handle:x}");
            assert_eq!(guarding::ferry_answer(InspectionTicket { handle }, true, 0), Result::FerryStale);
        }
    }

    // Each is answered once.
    assert_eq!(guarding::ferry_answer(first.ticket, true, 0), Result::FerryOk);
    assert_eq!(guarding::ferry_answer(first.ticket, false, 1), Result::FerryStale);
    assert!(guarding::ferry_inspection_bytes(first.ticket).is_null());
    assert_eq!(guarding::ferry_answer(second.ticket, false, 5), Result::FerryOk);
    // Nothing of it has reached central, so the places are not free.
    assert_eq!(reap(), None);
    start::ferry_flush();
    run();
    // The places are the library's again only when their answers have been reaped.
    let pool = || {
        let mut buffer = RxBuffer::default();
        let mut taken = Vec::new();
        // SAFETY: a pointer to a variable.
        while unsafe { receiving::ferry_rx_take(&raw mut buffer) } == Result::FerryOk {
            taken.push(buffer);
        }
        assert!(taken.iter().all(|buffer| receiving::ferry_rx_give(*buffer) == Result::FerryOk));
        taken.len()
    };
    let before = pool();
    for (number, inspection) in [first, second].into_iter().enumerate() {
        let done = reap().unwrap();
        assert_eq!((done.tag, done.buffer), (inspection.ticket.handle, TxBuffer::default()));
        assert_eq!(sending::ferry_tx_give(done.buffer), Result::FerryStale, "it has no buffer");
        assert_eq!(pool(), before + number + 1);
        assert_eq!(guarding::ferry_answer(inspection.ticket, true, 0), Result::FerryStale);
    }
    assert_eq!(reap(), None);

    // The third message is handed out when there is a place again, which has a ticket of its own.
    assert!(post());
    assert!(start::ferry_rest(), "it has come meanwhile");
    let third = inspect().unwrap();
    assert!(third.tag == 9 && third.ticket != first.ticket && third.ticket != second.ticket);
    assert_eq!(guarding::ferry_answer(third.ticket, true, 0), Result::FerryOk);
    start::ferry_flush();
    run();

    // What the two ends see of it.
    let statuses: Vec<(u64, Status)> =
        std::iter::from_fn(|| sender.reap()).map(|done| (done.tag, done.status)).collect();
    assert_eq!(statuses, [(7, Status::Done), (8, Status::Refused), (9, Status::Done)]);
    let arrived = std::iter::from_fn(|| receiver.receive());
    let arrived: Vec<(u64, Vec<u8>)> = arrived
        .map(|event| {
            let Event::Message { tag, buffer, length, .. } = event else { panic!("{event:?}") };
            (tag, buffer.bytes()[..length as usize].to_vec())
        })
        .collect();
    assert_eq!(arrived, [(7, b"21 degrees".to_vec()), (9, b"23 degrees".to_vec())]);
}
