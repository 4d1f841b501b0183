//! `ferry_reap_each`, `ferry_receive_each` and what tells of gaps, called as C calls them, with a real
//! central and a peer in Rust: what the functions of the program get, where each buffer is afterwards, and
//! what is refused. What two programs in C do is in `harness/c`.
//!
//! A program has one client, so there is one test, in the order of a client's life.

mod platform {
    mod client;
    mod ends;
}

use std::collections::HashSet;
use std::ffi::c_void;
use std::ptr;

use ferry_client_c::exports::{one_way, receiving, runs, sending, start};
use ferry_client_c::{ANYONE, Arrival, Fill, Message, NOBODY, Next, Request, Result, RxBuffer, TxBuffer};
use ferry_layout::Status;
use ferry_testbed::{runtime, stage::Side};

/// The number of the peer.
const PEER: u16 = 1;
/// Bytes of a buffer.
const BYTES: u32 = 256;

/// What the function of the program has to answer, and what it was asked.
struct Filling {
    answers: Vec<Next>,
    asked: Vec<(*mut u8, u64, Status)>,
}

unsafe extern "C" fn fill(context: *mut c_void, bytes: *mut u8, tag: u64, status: Status) -> Next {
    // SAFETY: the tests pass one of these.
    let filling = unsafe { &mut *context.cast::<Filling>() };
    filling.asked.push((bytes, tag, status));
    nothing_else_can_be_called();
    // SAFETY: a whole buffer, which is the program's now.
    unsafe { bytes.write_bytes(b'x', BYTES as usize) };
    filling.answers.pop().unwrap_or(Next { target: NOBODY, ..Next::default() })
}

/// What the function of the program got, and for how many messages it wants to have the buffer posted again.
struct Taking {
    got: Vec<(Vec<u8>, Arrival)>,
    again: usize,
}

unsafe extern "C" fn take(context: *mut c_void, bytes: *const u8, message: *const Arrival) -> bool {
    // SAFETY: the tests pass one of these.
    let taking = unsafe { &mut *context.cast::<Taking>() };
    // SAFETY: the message is there during the call.
    let arrival = unsafe { message.read() };
    // SAFETY: it has this many bytes.
    let bytes = unsafe { std::slice::from_raw_parts(bytes, arrival.length as usize) };
    nothing_else_can_be_called();
    taking.got.push((bytes.to_vec(), arrival));
    taking.got.len() <= taking.again
}

/// The library is in the middle of a call: it lets nobody in.
fn nothing_else_can_be_called() {
    let mut buffer = TxBuffer::default();
    // SAFETY: a pointer to a variable.
    assert_eq!(unsafe { sending::ferry_tx_take(&raw mut buffer) }, Result::FerryBusy);
    // SAFETY: the function is not called.
    assert_eq!(unsafe { runs::ferry_reap_each(Some(fill), ptr::null_mut()) }, Result::FerryBusy);
    // SAFETY: as above.
    assert_eq!(unsafe { runs::ferry_receive_each(Some(take), ptr::null_mut()) }, Result::FerryBusy);
    // What is only looked up is found.
    assert_eq!((start::ferry_number(), start::ferry_standing()), (0, 1));
    assert!(!start::ferry_rest());
}

fn reap_each(answers: impl IntoIterator<Item = Next>) -> (Result, Vec<(*mut u8, u64, Status)>) {
    reap(answers, |fill, context| {
        // SAFETY: the context is what the function takes.
        unsafe { runs::ferry_reap_each(fill, context) }
    })
}

fn reap(
    answers: impl IntoIterator<Item = Next>,
    reap: impl FnOnce(Fill, *mut c_void) -> Result,
) -> (Result, Vec<(*mut u8, u64, Status)>) {
    let mut answers: Vec<Next> = answers.into_iter().collect();
    answers.reverse();
    let mut filling = Filling { answers, asked: Vec::new() };
    let result = reap(Some(fill), (&raw mut filling).cast());
    assert!(filling.answers.is_empty() || result != Result::FerryOk, "an answer was not asked for");
    start::ferry_flush();
    (result, filling.asked)
}

fn receive_each(again: usize) -> (Result, Vec<(Vec<u8>, Arrival)>) {
    let mut taking = Taking { got: Vec::new(), again };
    // SAFETY: the context is what the function takes.
    let result = unsafe { runs::ferry_receive_each(Some(take), (&raw mut taking).cast()) };
    start::ferry_flush();
    (result, taking.got)
}

fn tx() -> Option<TxBuffer> {
    let mut buffer = TxBuffer::default();
    // SAFETY: a pointer to a variable.
    (unsafe { sending::ferry_tx_take(&raw mut buffer) } == Result::FerryOk).then_some(buffer)
}

fn rx() -> Option<RxBuffer> {
    let mut buffer = RxBuffer::default();
    // SAFETY: a pointer to a variable.
    (unsafe { receiving::ferry_rx_take(&raw mut buffer) } == Result::FerryOk).then_some(buffer)
}

/// Takes all that are in the pool, and gives them back. Each has an address of its own.
fn free_tx() -> HashSet<*mut u8> {
    let taken: Vec<TxBuffer> = std::iter::from_fn(tx).collect();
    let addresses: HashSet<_> = taken.iter().map(|buffer| sending::ferry_tx_bytes(*buffer)).collect();
    assert_eq!(addresses.len(), taken.len());
    assert!(taken.iter().rev().all(|buffer| sending::ferry_tx_give(*buffer) == Result::FerryOk));
    addresses
}

fn free_rx() -> usize {
    let taken: Vec<RxBuffer> = std::iter::from_fn(rx).collect();
    assert!(taken.iter().rev().all(|buffer| receiving::ferry_rx_give(*buffer) == Result::FerryOk));
    taken.len()
}

fn send(tag: u64) -> TxBuffer {
    let buffer = tx().unwrap();
    let message = Message { tag, ..Message::default() };
    assert_eq!(sending::ferry_send(PEER, buffer, 1, message), Result::FerryOk);
    start::ferry_flush();
    buffer
}

fn post() -> (RxBuffer, Request) {
    let (buffer, mut request) = (rx().unwrap(), Request::default());
    // SAFETY: a pointer to a variable.
    assert_eq!(unsafe { receiving::ferry_post(buffer, ANYONE, &raw mut request) }, Result::FerryOk);
    start::ferry_flush();
    (buffer, request)
}

fn to_peer(tag: u64, length: u32) -> Next {
    Next { tag, length, target: PEER, flags: 0 }
}

/// The tags and the bytes of what the peer has got.
fn arrived(peer: &mut Side) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| peer.take()).collect()
}

#[test]
fn the_batches_of_a_client() {
    nothing_happens_before_the_start();
    assert_eq!(start::ferry_start(1, BYTES, BYTES), Result::FerryOk);
    assert!(start::ferry_begins());
    let mut peer = runtime::other();
    a_buffer_is_sent_again_and_its_old_handle_is_none(&mut peer);
    as_many_are_taken_back_as_are_asked_for(&mut peer);
    what_is_sent_to_nobody_goes_into_the_pool(&mut peer);
    what_cannot_be_sent_ends_the_run(&mut peer);
    a_message_that_the_flow_does_not_allow_ends_with_its_status(&mut peer);
    a_message_is_looked_at_and_its_buffer_posted_again(&mut peer);
    a_request_ends_when_its_buffer_comes_back(&mut peer);
    what_is_no_message_is_left(&mut peer);
    gaps_are_counted_for_each_source();
}

fn nothing_happens_before_the_start() {
    // SAFETY: null is no function, and is refused.
    assert_eq!(unsafe { runs::ferry_reap_each(None, ptr::null_mut()) }, Result::FerryNull);
    // SAFETY: as above.
    assert_eq!(unsafe { runs::ferry_receive_each(None, ptr::null_mut()) }, Result::FerryNull);
    assert_eq!(reap_each([]), (Result::FerryOk, Vec::new()));
    assert_eq!(receive_each(0), (Result::FerryOk, Vec::new()));
    assert_eq!(one_way::ferry_dropped(), 0);
}

fn a_buffer_is_sent_again_and_its_old_handle_is_none(peer: &mut Side) {
    let all = free_tx();
    (0..4).for_each(|_| peer.post());
    let sent: Vec<TxBuffer> = (10..12).map(send).collect();
    let (result, asked) = reap_each([to_peer(12, 3), to_peer(13, BYTES)]);
    assert_eq!(result, Result::FerryOk);
    let ends: Vec<_> = asked.iter().map(|(_, tag, status)| (*tag, *status)).collect();
    assert_eq!(ends, [(10, Status::Done), (11, Status::Done)]);
    assert_eq!(sending::ferry_outstanding(), 2);
    // The buffers are central's again, and so the program has no handle of them.
    for buffer in &sent {
        assert!(sending::ferry_tx_bytes(*buffer).is_null());
        assert_eq!(sending::ferry_send(PEER, *buffer, 1, Message::default()), Result::FerryStale);
        assert_eq!(sending::ferry_tx_give(*buffer), Result::FerryStale);
    }
    assert_eq!(free_tx().len(), all.len() - 2);
    let lengths: Vec<usize> = arrived(peer).iter().map(Vec::len).collect();
    assert_eq!(lengths, [1, 1, 3, BYTES as usize]);

    let (result, asked) = reap_each([]);
    assert_eq!((result, asked.len()), (Result::FerryOk, 2));
    assert_eq!(free_tx(), all, "every buffer is in the pool, once");
    assert_eq!(reap_each([]), (Result::FerryOk, Vec::new()));
}

fn as_many_are_taken_back_as_are_asked_for(peer: &mut Side) {
    // SAFETY: the context is what the function takes.
    let most = |most| move |fill, context| unsafe { runs::ferry_reap_most(most, fill, context) };
    let all = free_tx();
    (0..4).for_each(|_| peer.post());
    for tag in 0..3 {
        send(tag);
    }
    assert_eq!(arrived(peer).len(), 3);
    assert_eq!(reap([], most(0)), (Result::FerryOk, Vec::new()));
    let (result, asked) = reap([to_peer(3, 5)], most(2));
    let tags: Vec<u64> = asked.iter().map(|(_, tag, _)| *tag).collect();
    assert_eq!((result, tags, sending::ferry_outstanding()), (Result::FerryOk, vec![0, 1], 2));
    assert_eq!(arrived(peer), [b"xxxxx"]);
    let (result, asked) = reap([], most(3));
    let tags: Vec<u64> = asked.iter().map(|(_, tag, _)| *tag).collect();
    assert_eq!((result, tags), (Result::FerryOk, vec![2, 3]), "only two are left");
    assert_eq!(free_tx(), all);
}

fn what_is_sent_to_nobody_goes_into_the_pool(peer: &mut Side) {
    let all = free_tx();
    peer.post();
    let old = send(1);
    assert!(!arrived(peer).is_empty());
    let nobody = Next { tag: u64::MAX, length: u32::MAX, target: NOBODY, flags: u16::MAX };
    let (result, asked) = reap_each([nobody]);
    assert_eq!((result, sending::ferry_outstanding()), (Result::FerryOk, 0));
    assert_eq!(free_tx(), all);
    let again = tx().unwrap();
    assert_eq!(sending::ferry_tx_bytes(again), asked[0].0, "it is the next one that is taken");
    assert_ne!(again, old);
    assert_eq!(sending::ferry_tx_give(again), Result::FerryOk);
}

fn what_cannot_be_sent_ends_the_run(peer: &mut Side) {
    let all = free_tx();
    for too_long in [BYTES + 1, u32::MAX] {
        (0..3).for_each(|_| peer.post());
        for tag in 0..3 {
            send(tag);
        }
        arrived(peer);
        let (result, asked) = reap_each([to_peer(9, too_long)]);
        assert_eq!((result, asked.len()), (Result::FerryBeyondBuffer, 1));
        assert_eq!(sending::ferry_outstanding(), 2, "no send after it was taken back");
        assert_eq!(free_tx().len(), all.len() - 2);
        let (result, asked) = reap_each([]);
        assert_eq!((result, asked[0].1, asked.len()), (Result::FerryOk, 1, 2));
        assert_eq!(free_tx(), all);
    }
}

fn a_message_that_the_flow_does_not_allow_ends_with_its_status(peer: &mut Side) {
    peer.post();
    send(0);
    arrived(peer);
    let urgent = u16::try_from(ferry_client_c::URGENT).unwrap();
    let quiet = u16::try_from(ferry_client_c::NO_SIGNAL).unwrap();
    peer.post();
    let all = [
        (Next { target: 9, ..to_peer(1, 1) }, Status::Done),
        (Next { target: 31, flags: 0xfffc, ..to_peer(2, 1) }, Status::NoTarget),
        (Next { target: 32, ..to_peer(3, 1) }, Status::NoTarget),
        (Next { target: NOBODY - 1, ..to_peer(4, 1) }, Status::NoTarget),
        (Next { flags: urgent, ..to_peer(5, 1) }, Status::NoTarget),
        (Next { flags: quiet, ..to_peer(6, 2) }, Status::Denied),
        (Next { target: NOBODY, ..to_peer(7, 1) }, Status::Done),
    ];
    for (number, (next, status)) in (0..).zip(all) {
        let (result, asked) = reap_each([next]);
        let (_, tag, ended) = asked[0];
        assert_eq!((result, asked.len(), tag, ended), (Result::FerryOk, 1, number, status), "{next:?}");
    }
    let got = arrived(peer);
    assert_eq!(got.len(), 1, "only the one without a signal was for the peer");
    assert_eq!(got[0], b"xx");
}

fn a_message_is_looked_at_and_its_buffer_posted_again(peer: &mut Side) {
    let all = free_rx();
    post();
    post();
    peer.send(20, b"first");
    peer.send(21, b"");
    let (result, got) = receive_each(1);
    assert_eq!((result, got.len()), (Result::FerryOk, 2));
    let [(first, one), (second, two)] = &got[..] else { panic!("{got:?}") };
    assert_eq!((&first[..], one.tag, one.sequence, one.length), (&b"first"[..], 20, 0, 5));
    assert_eq!((&second[..], two.tag, two.sequence, two.length), (&b""[..], 21, 1, 0));
    assert_eq!((one.source, one.stages, two.source), (PEER, 0, PEER));
    assert_eq!((two.position - one.position) % BYTES, 0, "it says where the message lies");
    assert_eq!(free_rx(), all - 1, "one is posted again, and one is in the pool");
    peer.send(22, b"third");
    let (result, got) = receive_each(0);
    assert_eq!((result, got.len(), free_rx()), (Result::FerryOk, 1, all));
}

/// The handle of a request says which of the requests of a buffer it is, also when the same buffer lies in
/// the same slot again, a whole lap of the ring later.
fn a_request_ends_when_its_buffer_comes_back(peer: &mut Side) {
    let (buffer, request) = post();
    for tag in 0..128 {
        assert!(receiving::ferry_rx_bytes(buffer).is_null());
        peer.send(tag, b"again");
        assert_eq!(receive_each(1).1.len(), 1);
        while let Some(done) = peer.port.reap() {
            peer.transmit.push(done.buffer);
        }
        assert_eq!(receiving::ferry_withdraw(request), Result::FerryStale, "{tag}");
        let mut byte = 0_u8;
        // SAFETY: a pointer to a variable.
        let copied = unsafe { receiving::ferry_copy_out(request, 0, (&raw mut byte).cast(), 1) };
        assert_eq!(copied, Result::FerryStale, "{tag}");
    }
    peer.send(0, b"last");
    assert_eq!(receive_each(0).1.len(), 1);
    assert_eq!(receiving::ferry_rx_give(buffer), Result::FerryStale);
}

fn what_is_no_message_is_left(peer: &mut Side) {
    let all = free_rx();
    post();
    peer.send(30, b"before");
    let (_, request) = post();
    assert_eq!(receiving::ferry_withdraw(request), Result::FerryOk);
    start::ferry_flush();
    post();
    peer.send(31, b"after");
    let (result, got) = receive_each(2);
    assert_eq!((result, got.len()), (Result::FerryOtherEvent, 1), "up to the first that is none");
    assert_eq!((receive_each(2).0, free_rx()), (Result::FerryOtherEvent, all - 3));
    let mut event = std::mem::MaybeUninit::<ferry_client_c::Event>::uninit();
    // SAFETY: room for one.
    assert!(unsafe { receiving::ferry_receive(event.as_mut_ptr()) });
    // SAFETY: it was written.
    let event = unsafe { event.assume_init() };
    assert_eq!(event.kind, ferry_client_c::EventKind::FerryReturned);
    assert_eq!(receiving::ferry_rx_give(event.buffer), Result::FerryOk);
    let (result, got) = receive_each(0);
    assert_eq!((result, got.len(), got[0].1.tag), (Result::FerryOk, 1, 31));
}

fn gaps_are_counted_for_each_source() {
    let missed = [(1, 7), (1, 8), (2, 0), (1, 11), (2, 2), (1, 11), (32, 5), (ANYONE, 9)];
    let missed = missed.map(|(source, sequence)| one_way::ferry_missed(source, sequence));
    assert_eq!(missed, [0, 0, 0, 2, 1, 0, 0, 0]);
    assert_eq!(one_way::ferry_missed_in_all(), 3);
    assert_eq!(one_way::ferry_dropped(), 0, "this system has no one-way flow");
}
