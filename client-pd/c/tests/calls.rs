//! Calls by the functions of `ferry.h`, with a real central and a peer in Rust: who owns what when, what is
//! refused, and that a call ends once and is answered once. What two programs in C do is in `harness/c`.
//!
//! A program has one client, so there is one test, in the order of a client's life.

mod platform {
    mod client;
    mod ends;
}

use std::ptr;

use ferry_client_c::exports::{calls, receiving, sending, start};
use ferry_client_c::{ANYONE, CallEnd, CallEndKind, CallOptions, Caller, Done, Event, Incoming};
use ferry_client_c::{IncomingKind, MAX_CALLERS, MAX_CALLS, Result, RxBuffer, Ticket, TxBuffer};
use ferry_layout::Status;
use ferry_testbed::{runtime, stage::Side};

/// The number of the peer, and the highest bits of the tags of requests and of replies.
const PEER: u16 = 1;
const REQUEST: u64 = 1 << 63;
const REPLY: u64 = 1 << 62;
const SERIAL: u64 = 1 << 8;

fn tx() -> TxBuffer {
    let mut buffer = TxBuffer::default();
    // SAFETY: a pointer to a variable.
    assert_eq!(unsafe { sending::ferry_tx_take(&raw mut buffer) }, Result::FerryOk);
    buffer
}

fn post() {
    let mut buffer = RxBuffer::default();
    // SAFETY: a pointer to a variable.
    assert_eq!(unsafe { receiving::ferry_rx_take(&raw mut buffer) }, Result::FerryOk);
    // SAFETY: null is allowed.
    assert_eq!(unsafe { receiving::ferry_post(buffer, ANYONE, ptr::null_mut()) }, Result::FerryOk);
    start::ferry_flush();
}

fn call(
    server: u16,
    buffer: TxBuffer,
    length: u32,
    options: CallOptions,
) -> core::result::Result<Ticket, Result> {
    let mut ticket = Ticket::default();
    // SAFETY: a pointer to a variable.
    match unsafe { calls::ferry_call(server, buffer, length, options, &raw mut ticket) } {
        Result::FerryOk => Ok(ticket),
        why => Err(why),
    }
}

fn reap() -> Option<Done> {
    let mut done = Done { tag: 0, buffer: TxBuffer::default(), status: Status::Free };
    // SAFETY: a pointer to a variable.
    unsafe { sending::ferry_reap(&raw mut done) }.then_some(done)
}

fn reaped(done: Done) -> core::result::Result<CallEnd, Result> {
    let mut end = CallEnd { ticket: Ticket::default(), kind: CallEndKind::FerryNoCall };
    // SAFETY: pointers to variables.
    match unsafe { calls::ferry_call_reaped(&raw const done, &raw mut end) } {
        Result::FerryOk => Ok(end),
        why => Err(why),
    }
}

fn receive() -> Event {
    let mut event = std::mem::MaybeUninit::uninit();
    // SAFETY: room for one.
    assert!(unsafe { receiving::ferry_receive(event.as_mut_ptr()) }, "something has arrived");
    // SAFETY: it was written.
    unsafe { event.assume_init() }
}

fn received(event: Event) -> core::result::Result<Incoming, Result> {
    let mut incoming = std::mem::MaybeUninit::uninit();
    // SAFETY: pointers to variables.
    match unsafe { calls::ferry_call_received(&raw const event, incoming.as_mut_ptr()) } {
        // SAFETY: it was written.
        Result::FerryOk => Ok(unsafe { incoming.assume_init() }),
        why => Err(why),
    }
}

/// What the next event is, whose buffer is given back.
fn next_kind() -> IncomingKind {
    let event = receive();
    let kind = received(event).unwrap().kind;
    assert_eq!(receiving::ferry_rx_give(event.buffer), Result::FerryOk);
    kind
}

/// The caller of the next request.
fn next_caller() -> Caller {
    let event = receive();
    let Incoming { caller, kind, ticket } = received(event).unwrap();
    assert_eq!((kind, ticket), (IncomingKind::FerryCalled, Ticket::default()));
    assert_eq!(receiving::ferry_rx_give(event.buffer), Result::FerryOk);
    caller
}

fn give_back_all_sends() {
    while let Some(done) = reap() {
        assert_eq!(sending::ferry_tx_give(done.buffer), Result::FerryOk);
    }
}

#[test]
fn the_calls_of_a_client() {
    nothing_happens_before_the_start();
    assert_eq!(start::ferry_start(1, 256, 256), Result::FerryOk);
    assert!(start::ferry_begins());
    let mut peer = runtime::other();
    a_call_is_answered(&mut peer);
    a_request_that_does_not_arrive_fails_its_call(&mut peer);
    a_late_reply_is_a_stray(&mut peer);
    a_call_is_answered_once(&mut peer);
    no_more_calls_than_there_is_room_for(&mut peer);
    no_more_callers_than_there_is_room_for(&mut peer);
}

fn nothing_happens_before_the_start() {
    assert_eq!(call(PEER, TxBuffer::default(), 4, CallOptions::default()), Err(Result::FerryNotOpen));
    assert_eq!(calls::ferry_reply(Caller { handle: 1 << 16 }, TxBuffer::default(), 1, 0), Result::FerryStale);
    assert_eq!(calls::ferry_caller_drop(Caller::default()), Result::FerryStale);
    assert_eq!(calls::ferry_calls(), 0);
    // SAFETY: null is allowed.
    unsafe {
        assert!(!calls::ferry_call_expire(u64::MAX, ptr::null_mut()));
    }
}

fn a_call_is_answered(peer: &mut Side) {
    post();
    peer.post();
    let buffer = tx();
    let options = CallOptions { deadline: 20, ..CallOptions::default() };
    // SAFETY: null is allowed.
    let no_room = unsafe { calls::ferry_call(PEER, buffer, 4, options, ptr::null_mut()) };
    assert_eq!(no_room, Result::FerryNull);
    assert_eq!(call(9, buffer, 4, options), Err(Result::FerryNoPeer));
    assert_eq!(call(PEER, buffer, 257, options), Err(Result::FerryBeyondBuffer));
    let bytes = sending::ferry_tx_bytes(buffer);
    assert!(!bytes.is_null(), "what is refused stays the program's");
    // SAFETY: the buffer is the program's, and has more bytes.
    unsafe { bytes.copy_from_nonoverlapping(b"ping".as_ptr(), 4) };
    let ticket = call(PEER, buffer, 4, options).unwrap();
    assert_eq!(call(PEER, buffer, 4, options), Err(Result::FerryStale));
    assert!(sending::ferry_tx_bytes(buffer).is_null());
    assert!(calls::ferry_ticket_slot(ticket) < 128 && calls::ferry_calls() == 1);
    let mut deadline = 0;
    // SAFETY: a pointer to a variable.
    assert!(unsafe { calls::ferry_call_deadline(&raw mut deadline) });
    assert_eq!(deadline, 20);
    start::ferry_flush();
    peer.serve(<[u8]>::to_ascii_uppercase);

    let done = reap().unwrap();
    let end = reaped(done).unwrap();
    assert_eq!((end.kind, end.ticket), (CallEndKind::FerryCallGoesOn, ticket));
    assert_eq!(sending::ferry_tx_give(done.buffer), Result::FerryOk);
    assert_eq!(reaped(done), Err(Result::FerryStale), "the buffer is not the program's any more");
    let event = receive();
    let incoming = received(event).unwrap();
    assert_eq!((incoming.kind, incoming.ticket), (IncomingKind::FerryReply, ticket));
    assert_eq!((calls::ferry_calls(), incoming.caller), (0, Caller::default()));
    // SAFETY: the buffer is the program's, and the reply has four bytes.
    let reply = unsafe { std::slice::from_raw_parts(receiving::ferry_rx_bytes(event.buffer), 4) };
    assert_eq!((reply, event.length), (b"PING".as_slice(), 4));
    assert_eq!(received(event), Err(Result::FerryStale), "it is asked about once");
    assert_eq!(receiving::ferry_rx_give(event.buffer), Result::FerryOk);
    assert!(!calls::ferry_call_cancel(ticket), "it has ended");
}

fn a_request_that_does_not_arrive_fails_its_call(peer: &mut Side) {
    let options = CallOptions { time_to_live: 1, ..CallOptions::default() };
    let ticket = call(PEER, tx(), 4, options).unwrap();
    start::ferry_flush();
    peer.ticks(3);
    let done = reap().unwrap();
    assert_eq!(done.status, Status::Expired);
    let end = reaped(done).unwrap();
    assert_eq!((end.kind, end.ticket, calls::ferry_calls()), (CallEndKind::FerryCallFailed, ticket, 0));
    assert_eq!(reaped(done).unwrap().kind, CallEndKind::FerryCallGoesOn, "a call fails once");
    assert_eq!(sending::ferry_tx_give(done.buffer), Result::FerryOk);
}

fn a_late_reply_is_a_stray(peer: &mut Side) {
    post();
    peer.post();
    let ticket = call(PEER, tx(), 4, CallOptions { deadline: 7, ..CallOptions::default() }).unwrap();
    start::ferry_flush();
    let mut late = Ticket::default();
    // SAFETY: a pointer to a variable.
    let mut expire = |now| unsafe { calls::ferry_call_expire(now, &raw mut late) };
    assert!(!expire(6) && expire(7) && !expire(7));
    assert_eq!((late, calls::ferry_calls()), (ticket, 0));
    peer.serve(<[u8]>::to_vec);
    assert_eq!(next_kind(), IncomingKind::FerryStrayEnded);
    post();
    peer.send(ticket.number | REPLY | (1000 * SERIAL), b"no such call");
    assert_eq!(next_kind(), IncomingKind::FerryStrayNever);
    post();
    peer.send(1, b"a message");
    let event = receive();
    for _ in 0..2 {
        assert_eq!(
            received(event),
            Ok(Incoming { kind: IncomingKind::FerryOrdinary, ..received(event).unwrap() })
        );
    }
    assert_eq!(receiving::ferry_rx_give(event.buffer), Result::FerryOk);
    give_back_all_sends();
}

fn a_call_is_answered_once(peer: &mut Side) {
    post();
    let ticket = peer.call(b"ping");
    let event = receive();
    let caller = received(event).unwrap().caller;
    assert_eq!(received(event), Err(Result::FerryStale), "one request makes one caller");
    assert_eq!(receiving::ferry_rx_give(event.buffer), Result::FerryOk);
    assert_eq!(received(event), Err(Result::FerryStale));
    let answer = tx();
    assert_eq!(calls::ferry_reply(caller, answer, 257, 0), Result::FerryBeyondBuffer);
    let stale = TxBuffer { handle: answer.handle ^ (1 << 40) };
    assert_eq!(calls::ferry_reply(caller, stale, 4, 0), Result::FerryStale);
    for forged in [Caller::default(), Caller { handle: caller.handle + 1 }, Caller { handle: u64::MAX }] {
        assert_eq!(calls::ferry_reply(forged, answer, 4, 0), Result::FerryStale);
    }
    // SAFETY: the buffer is the program's, and has more bytes.
    unsafe { sending::ferry_tx_bytes(answer).copy_from_nonoverlapping(b"pong".as_ptr(), 4) };
    assert_eq!(calls::ferry_reply(caller, answer, 4, 0), Result::FerryOk);
    let second = tx();
    assert_eq!(calls::ferry_reply(caller, second, 4, 0), Result::FerryStale, "it is answered once");
    assert_eq!(sending::ferry_tx_give(second), Result::FerryOk, "the buffer stays the program's");
    assert_eq!(calls::ferry_caller_drop(caller), Result::FerryStale);
    start::ferry_flush();
    assert_eq!(peer.answer_to(ticket), b"pong");
    // A call that is refused is not answered either.
    post();
    let _ = peer.call(b"ping");
    let refused = next_caller();
    assert_eq!(calls::ferry_caller_drop(refused), Result::FerryOk);
    let buffer = tx();
    assert_eq!(calls::ferry_reply(refused, buffer, 4, 0), Result::FerryStale);
    assert_eq!(sending::ferry_tx_give(buffer), Result::FerryOk);
    give_back_all_sends();
}

/// Takes what the peer has got, and gives it its own buffers back.
fn empty(peer: &mut Side) {
    while peer.take().is_some() {}
    while let Some(done) = peer.port.reap() {
        peer.transmit.push(done.buffer);
    }
}

fn no_more_calls_than_there_is_room_for(peer: &mut Side) {
    let mut tickets = Vec::new();
    while tickets.len() < MAX_CALLS {
        peer.post();
        tickets.push(call(PEER, tx(), 4, CallOptions::default()).unwrap());
        start::ferry_flush();
        give_back_all_sends();
        empty(peer);
    }
    let mut slots: Vec<u32> = tickets.iter().map(|ticket| calls::ferry_ticket_slot(*ticket)).collect();
    slots.sort_unstable();
    assert!(slots.iter().copied().eq(0..128), "{slots:?}");
    let buffer = tx();
    assert_eq!(call(PEER, buffer, 4, CallOptions::default()), Err(Result::FerryFull));
    assert_eq!(sending::ferry_tx_give(buffer), Result::FerryOk);
    assert!(tickets.iter().all(|ticket| calls::ferry_call_cancel(*ticket)));
    assert!(!calls::ferry_call_cancel(Ticket { number: u64::MAX }));
    assert_eq!(calls::ferry_calls(), 0);
}

fn no_more_callers_than_there_is_room_for(peer: &mut Side) {
    let mut callers = Vec::new();
    for number in 0..MAX_CALLERS as u64 {
        post();
        peer.send(REQUEST | (number * SERIAL), b"ping");
        callers.push(next_caller());
        empty(peer);
    }
    post();
    peer.send(REQUEST, b"ping");
    let event = receive();
    assert_eq!(received(event), Err(Result::FerryFull));
    assert_eq!(calls::ferry_caller_drop(callers[5]), Result::FerryOk);
    let incoming = received(event).unwrap();
    assert_eq!(incoming.kind, IncomingKind::FerryCalled);
    assert!(!callers.contains(&incoming.caller), "no handle comes again");
    assert_eq!(receiving::ferry_rx_give(event.buffer), Result::FerryOk);
}
