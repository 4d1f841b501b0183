//! The functions of `ferry.h`, called as C calls them, with a real central: what they say before the client
//! is started, what stops a start, and what comes of null pointers and of numbers that are no handles. What C
//! programs do on all platforms is in `harness/c`.
//!
//! A program has one client, so there is one test, in the order of a client's life.

mod platform {
    mod ends;
}

use std::cell::RefCell;
use std::ffi::CStr;
use std::ptr;

use ferry_client_c::exports::{console, receiving, sending, start};
use ferry_client_c::{ANYONE, EventKind, Given, Message, RxBuffer, TxBuffer};
use ferry_client_c::{Place, Request, Result};
use ferry_layout::Status;
use ferry_platform::{Channel, ChannelSet, Handler};
use ferry_testbed::runtime;

thread_local! {
    static PRINTED: RefCell<String> = const { RefCell::new(String::new()) };
    /// Whether the description gives the program its receive region.
    static HAS_RX: RefCell<bool> = const { RefCell::new(false) };
}

#[unsafe(no_mangle)]
extern "Rust" fn ferry_platform_given() -> Given {
    let region = |symbol: &str| match symbol {
        "ferry_rx" if !HAS_RX.take() => None,
        symbol => runtime::region_of(symbol),
    };
    let regions = ["ferry_out", "ferry_in", "ferry_tx", "ferry_rx"].map(region);
    HAS_RX.set(true);
    Given { regions, central: Channel::new(0) }
}

#[unsafe(no_mangle)]
extern "C" fn ferry_platform_signal(channel: u32) {
    assert_eq!(channel, 0);
    runtime::notify_above(Channel::new(0).unwrap());
    // The library is in the middle of a call: it lets nobody in.
    assert_eq!(sending::ferry_tx_give(TxBuffer::default()), Result::FerryBusy);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ferry_platform_print(text: *const u8, bytes: usize) {
    // SAFETY: the library passes the pointer and the length of a slice.
    let text = unsafe { std::slice::from_raw_parts(text, bytes) };
    PRINTED.with_borrow_mut(|printed| printed.push_str(std::str::from_utf8(text).unwrap()));
}

/// What was printed since the last call.
fn printed() -> String {
    PRINTED.take()
}

fn text(of: *const std::ffi::c_char) -> &'static str {
    // SAFETY: the library gives a string that is there for ever.
    unsafe { CStr::from_ptr(of) }.to_str().unwrap()
}

struct Program {
    posted: Request,
}

#[test]
fn the_life_of_a_client() {
    runtime::run(|| {
        before_the_start();
        what_stops_a_start();
        assert_eq!(start::ferry_start(1, 2048, 2048), Result::FerryOk);
        assert_eq!(start::ferry_start(1, 2048, 2048), Result::FerryStarted);
        // Central has let the client in, because it runs when it is signalled.
        assert!(start::ferry_begins());
        assert!(!start::ferry_begins());
        numbers_that_are_no_handles();
        let mut buffer = RxBuffer::default();
        let mut posted = Request::default();
        // SAFETY: pointers to variables.
        assert_eq!(unsafe { receiving::ferry_rx_take(&raw mut buffer) }, Result::FerryOk);
        // SAFETY: as above.
        let done = unsafe { receiving::ferry_post(buffer, ANYONE, &raw mut posted) };
        assert_eq!(done, Result::FerryOk);
        assert!(!start::ferry_rest(), "nothing has come yet");
        Program { posted }
    });
}

impl Handler for Program {
    fn notified(&mut self, _: ChannelSet) {
        let mut events = std::mem::MaybeUninit::<[ferry_client_c::Event; 4]>::uninit();
        // SAFETY: room for four.
        let count = unsafe { receiving::ferry_receive_many(events.as_mut_ptr().cast(), 4) };
        assert_eq!(count, 1);
        // SAFETY: the first one was written.
        let event = unsafe { events.as_ptr().cast::<ferry_client_c::Event>().read() };
        assert_eq!((event.kind, event.tag, event.length, event.source), (EventKind::FerryMessage, 7, 5, 1));
        let bytes = receiving::ferry_rx_bytes(event.buffer);
        // SAFETY: the buffer is the program's, and the message has five bytes.
        assert_eq!(unsafe { std::slice::from_raw_parts(bytes, 5) }, b"hello");
        // The request has come back, so it is none any more.
        assert_eq!(receiving::ferry_withdraw(self.posted), Result::FerryStale);
        assert_eq!(receiving::ferry_rx_give(event.buffer), Result::FerryOk);
        assert_eq!(receiving::ferry_rx_give(event.buffer), Result::FerryStale);
        // `ferry_rest` is true once for what the program leaves where it is.
        let turns = (0..10).take_while(|_| start::ferry_rest()).count();
        assert!(turns < 2, "{turns}");
        every_buffer_can_be_taken_once();
        console::ferry_put_number(u64::MAX);
        // SAFETY: a string with a zero byte at its end.
        unsafe { console::ferry_puts(c" is printed\nwhat is not ended".as_ptr()) };
        assert_eq!(printed(), "18446744073709551615 is printed\n");
    }
}

/// Before the start every function says so, and touches nothing.
fn before_the_start() {
    assert!(!start::ferry_begins() && !start::ferry_rest());
    start::ferry_flush();
    start::ferry_publish();
    start::ferry_disarm();
    let (tx, rx, ordinary) = (TxBuffer::default(), RxBuffer::default(), Message::default());
    assert_eq!(sending::ferry_send(1, tx, 1, ordinary), Result::FerryNotOpen);
    assert_eq!(sending::ferry_send_to(1, Place::default(), tx, 1, ordinary), Result::FerryNotOpen);
    // SAFETY: null is allowed.
    assert_eq!(unsafe { receiving::ferry_post(rx, 1, ptr::null_mut()) }, Result::FerryNotOpen);
    assert_eq!(receiving::ferry_withdraw(Request::default()), Result::FerryStale);
    assert_eq!(sending::ferry_status_of(0), Status::Free);
    assert_eq!((sending::ferry_room(), sending::ferry_outstanding()), (0, 0));
    assert_eq!((start::ferry_standing(), start::ferry_number()), (0, 0));
    let mut buffer = tx;
    // SAFETY: a pointer to a variable.
    assert_eq!(unsafe { sending::ferry_tx_take(&raw mut buffer) }, Result::FerryNoBuffer);
}

/// A start that is refused says why on the console, and can be tried again.
fn what_stops_a_start() {
    assert_eq!(printed(), "");
    assert_eq!(start::ferry_start(2, 2048, 2048), Result::FerryWrongAbi);
    assert_eq!(
        printed(),
        "ferry: error ferry.h has ABI version 2, and libferry.a has 1; compile with the ferry.h that came with the \
         library\n"
    );
    assert_eq!(start::ferry_start(1, 2048, 2048), Result::FerryNoRegion);
    assert_eq!(
        printed(),
        "ferry: error the system description does not set the symbol `ferry_rx` of this client; `ferry check` says \
         what to add\n"
    );
    assert_eq!(start::ferry_start(1, 2048, u32::MAX), Result::FerryBadSize);
    let said = printed();
    assert!(
        said.starts_with("ferry: error buffers of 4294967295 bytes do not fit into the region"),
        "{said}"
    );
}

fn numbers_that_are_no_handles() {
    for handle in (0..64).map(|shift| 1_u64 << shift).chain([0, u64::MAX, 0x1_ffff, 0x1_0000_0001]) {
        let (tx, rx, request) = (TxBuffer { handle }, RxBuffer { handle }, Request { handle });
        assert!(sending::ferry_tx_bytes(tx).is_null() && receiving::ferry_rx_bytes(rx).is_null());
        assert_eq!(sending::ferry_send(1, tx, 1, Message::default()), Result::FerryStale);
        assert_eq!(sending::ferry_tx_give(tx), Result::FerryStale);
        assert_eq!(receiving::ferry_rx_give(rx), Result::FerryStale);
        // SAFETY: null is allowed.
        assert_eq!(unsafe { receiving::ferry_post(rx, ANYONE, ptr::null_mut()) }, Result::FerryStale);
        assert_eq!(receiving::ferry_withdraw(request), Result::FerryStale);
    }
}

fn every_buffer_can_be_taken_once() {
    let mut taken = Vec::new();
    let mut buffer = TxBuffer::default();
    // SAFETY: a pointer to a variable.
    while unsafe { sending::ferry_tx_take(&raw mut buffer) } == Result::FerryOk {
        let bytes = sending::ferry_tx_bytes(buffer);
        assert!(!bytes.is_null() && !taken.contains(&(bytes, buffer)));
        taken.push((bytes, buffer));
    }
    assert!(taken.len() > 8, "{}", taken.len());
    assert!(taken.windows(2).all(|pair| pair[1].0.addr() - pair[0].0.addr() == 2048), "one after the other");
    assert!(taken.iter().all(|(_, buffer)| sending::ferry_tx_give(*buffer) == Result::FerryOk));
    assert!(taken.iter().all(|(_, buffer)| sending::ferry_tx_give(*buffer) == Result::FerryStale));
}

#[test]
fn every_number_has_its_name() {
    assert_eq!(text(console::ferry_status_name(Status::PeerReset as u32)), "PeerReset");
    for status in Status::ALL {
        assert_eq!(text(console::ferry_status_name(status as u32)), format!("{status:?}"));
    }
    assert_eq!(text(console::ferry_result_name(Result::FerryBadParts as u32)), "FERRY_BAD_PARTS");
    let names: Vec<&str> = (0..15).map(|number| text(console::ferry_result_name(number))).collect();
    assert!(names.iter().all(|name| name.starts_with("FERRY_")), "{names:?}");
    assert_eq!([15, u32::MAX].map(|number| text(console::ferry_result_name(number))), ["?", "?"]);
    assert_eq!(text(console::ferry_status_name(u32::MAX)), "?");
}
