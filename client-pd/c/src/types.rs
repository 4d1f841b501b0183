//! The types and constants that C sees. Their comments are those of `ferry.h`. Numbers, sizes and offsets are
//! ABI: whoever changes one raises [`ABI_VERSION`].

use core::ffi::{c_char, c_void};
use core::mem::offset_of;

use ferry_layout::geometry::{MAX_CHAIN, MAX_NAME};
use ferry_layout::{Delivery, Post, Status};

/// The version of the interface between this header and the library. `ferry_init` refuses a library of
/// another version, and the linker does not find the symbol `ferry_abi_1` in it.
pub const ABI_VERSION: u32 = 1;

/// At most this many buffers of each kind. What is left over of the memory stays unused.
pub const MAX_BUFFERS: usize = 256;

/// At most this many parts of one message.
pub const MAX_PARTS: u32 = 16;

/// Bytes of a client's name, with the zero byte at its end.
pub const NAME_BYTES: usize = 49;

/// At most this many calls of this client under way at a time.
pub const MAX_CALLS: usize = 128;

/// At most this many calls by peers that were not answered.
pub const MAX_CALLERS: usize = 128;

/// Instead of a client's number: a posted buffer is for a message from anyone.
pub const ANYONE: u16 = 0xffff;

/// Instead of a client's number: a buffer is sent to nobody, and goes into the pool.
pub const NOBODY: u16 = 0xffff;

/// Flag of a message: put it in the urgent class. The flow must grant it.
pub const URGENT: u32 = 1;

/// Flag of a message: do not signal the receiver for it.
pub const NO_SIGNAL: u32 = 2;

const _: () = assert!(MAX_PARTS as usize == MAX_CHAIN && NAME_BYTES == MAX_NAME + 1);
const _: () = assert!(ANYONE == Post::ANYONE && NOBODY == ANYONE);

/// What a function says.
///
/// cbindgen:rename-all=ScreamingSnakeCase
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Result {
    /// It did what it is for.
    FerryOk = 0,
    /// Header and library have different ABI versions: compile with the header that came with the library.
    FerryWrongAbi = 1,
    /// `ferry_init` was called before.
    FerryStarted = 2,
    /// The system description does not give this program the regions and the channel of a client, or one that
    /// does not fit. The console says which. `ferry check` says what to add.
    FerryNoRegion = 3,
    /// A size of buffers is larger than their region.
    FerryBadSize = 4,
    /// `ferry_init` was not called, or central has not let this client in yet (see `ferry_begins`).
    FerryNotOpen = 5,
    /// The library is in the middle of another call: the caller is a function that `ferry_reap_each` or
    /// `ferry_receive_each` has called.
    FerryBusy = 6,
    /// A pointer is null.
    FerryNull = 7,
    /// The handle is not the program's: it was sent, posted or given back before, or never was one.
    FerryStale = 8,
    /// The length is larger than the buffer.
    FerryBeyondBuffer = 9,
    /// There is no room for it now. Reap or receive, or wait for central.
    FerryFull = 10,
    /// All buffers are in use.
    FerryNoBuffer = 11,
    /// No flow connects this client with one of that number or name.
    FerryNoPeer = 12,
    /// A message has 1 to `FERRY_MAX_PARTS` parts.
    FerryBadParts = 13,
    /// The next event is no message: take it by `ferry_receive`.
    FerryOtherEvent = 14,
}

/// A buffer of `<client>_tx`, while it is the program's. The handle ends when the buffer is sent or given
/// back. When the buffer comes back, it has a new handle. No handle is 0.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct TxBuffer {
    /// For the library.
    pub handle: u64,
}

/// A buffer of `<client>_rx`, while it is the program's. The handle ends when the buffer is posted, opened as
/// a window, or given back. When the buffer comes back, it has a new handle. No handle is 0.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct RxBuffer {
    /// For the library.
    pub handle: u64,
}

/// A posted buffer or an open window, while it is central's. No handle is 0.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Request {
    /// For the library.
    pub handle: u64,
}

/// A place in a receive region.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Place {
    /// Number of the 4096-byte frame within the region, from 0.
    pub frame: u32,
    /// Byte within the frame, below 4096.
    pub offset: u32,
}

/// How a message is to be sent. All zero is an ordinary message with tag 0.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Message {
    /// Carried to the receiver unchanged. Tags with the highest bit set belong to calls (see docs/client.md).
    pub tag: u64,
    /// Ticks that the message may wait before it expires; 0 means that it may wait for ever.
    pub time_to_live: u32,
    /// `FERRY_URGENT`, `FERRY_NO_SIGNAL`, both, or 0. Other bits are ignored.
    pub flags: u32,
}

/// A part of a message: a buffer, and how many of its bytes to send.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Part {
    /// The buffer.
    pub buffer: TxBuffer,
    /// Bytes from its beginning.
    pub length: u32,
}

/// A message under inspection, until it is answered.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct InspectionTicket {
    /// For the library.
    pub handle: u64,
}

/// A message that a guard has to inspect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Inspection {
    /// Names it in the answer. The handle ends by that.
    pub ticket: InspectionTicket,
    /// The sender's tag.
    pub tag: u64,
    /// Bytes of the message.
    pub length: u32,
    /// Number of the sender. Central has stamped it, so it cannot be forged.
    pub source: u16,
    /// Number of the client that shall receive the message.
    pub target: u16,
}

/// A send that has ended, or the answer of a guard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Done {
    /// The tag that it was sent with. Of an answer, the handle of the ticket.
    pub tag: u64,
    /// Its buffer, to be filled again or given back. Of an answer, 0.
    pub buffer: TxBuffer,
    /// What became of it.
    pub status: Status,
}

/// What `ferry_receive` found.
///
/// cbindgen:rename-all=ScreamingSnakeCase
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum EventKind {
    /// A message has arrived in a posted buffer.
    FerryMessage = 1,
    /// A message has arrived in an open window, at a place that the sender chose. `buffer` is 0.
    FerryPlaced = 2,
    /// A request was withdrawn, or central did not accept it. Only `buffer` and `kind` have a meaning.
    FerryReturned = 3,
}

/// A message that has arrived, or a buffer that has come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Event {
    /// The sender's tag.
    pub tag: u64,
    /// Number of the message in its flow, from 0, over all restarts.
    pub sequence: u64,
    /// The buffer, which is the program's again. Its first `length` bytes are the message.
    pub buffer: RxBuffer,
    /// Where the message lies in `<client>_rx`.
    pub place: Place,
    /// Bytes that arrived.
    pub length: u32,
    /// What has happened.
    pub kind: EventKind,
    /// Number of the sender. Central has stamped it, so it cannot be forged.
    pub source: u16,
}

/// What to send next, in a buffer that `ferry_reap_each` has brought back.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Next {
    /// Carried to the receiver unchanged. Tags with the highest bit set belong to calls (see docs/client.md).
    pub tag: u64,
    /// Bytes from the beginning of the buffer.
    pub length: u32,
    /// Number of the client that shall receive it; `FERRY_NOBODY`: nothing is sent. Central refuses a message
    /// for which there is no flow.
    pub target: u16,
    /// `FERRY_URGENT`, `FERRY_NO_SIGNAL`, both, or 0. Other bits are ignored.
    pub flags: u16,
}

/// A function of the program that `ferry_reap_each` calls for each send that has ended. `bytes` is the whole
/// buffer, which is the program's until the function returns; `tag` and `status` are those of the send.
pub type Fill =
    Option<unsafe extern "C" fn(context: *mut c_void, bytes: *mut u8, tag: u64, status: Status) -> Next>;

/// What `ferry_receive_each` tells of a message: what central has written of it. It lies in `<client>_in`,
/// and is valid until the function that got it returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Arrival {
    /// The sender's tag.
    pub tag: u64,
    /// Number of the message in its flow, from 0, over all restarts.
    pub sequence: u64,
    /// First byte of the message in `<client>_rx`.
    pub position: u32,
    /// For the library.
    pub request: u32,
    /// Bytes that arrived.
    pub length: u32,
    /// Number of the sender. Central has stamped it, so it cannot be forged.
    pub source: u16,
    /// For the library.
    pub kind: u8,
    /// How many stages of guards have passed the message; 0 if its flow has none.
    pub stages: u8,
}

// It is a delivery, as it lies in memory.
const _: () = assert!(
    size_of::<Arrival>() == size_of::<Delivery>()
        && offset_of!(Arrival, tag) == offset_of!(Delivery, tag)
        && offset_of!(Arrival, sequence) == offset_of!(Delivery, sequence)
        && offset_of!(Arrival, position) == offset_of!(Delivery, position)
        && offset_of!(Arrival, request) == offset_of!(Delivery, request)
        && offset_of!(Arrival, length) == offset_of!(Delivery, length)
        && offset_of!(Arrival, source) == offset_of!(Delivery, source)
        && offset_of!(Arrival, kind) == offset_of!(Delivery, kind)
        && offset_of!(Arrival, stages) == offset_of!(Delivery, detail)
);

/// A function of the program that `ferry_receive_each` calls for each message, whose bytes are at `bytes`. It
/// returns whether the buffer is to be posted again.
pub type Take =
    Option<unsafe extern "C" fn(context: *mut c_void, bytes: *const u8, message: *const Arrival) -> bool>;

/// Names a call of this client. No other call of this client has the same ticket, not even before a restart.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Ticket {
    /// For the library.
    pub number: u64,
}

/// The right to answer one call. The handle ends when the call is answered or refused. No handle is 0.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Caller {
    /// For the library.
    pub handle: u64,
}

/// How a call is to be made. All zero waits for ever.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct CallOptions {
    /// The instant at which the caller gives up, on the clock by which it tells `ferry_call_expire` the time;
    /// 0 means never.
    pub deadline: u64,
    /// Ticks that the request may wait for a buffer of the server; 0 means that it may wait for ever.
    pub time_to_live: u32,
    /// `FERRY_URGENT` or 0. Other bits are ignored.
    pub flags: u32,
}

/// What the end of a send means for the calls.
///
/// cbindgen:rename-all=ScreamingSnakeCase
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum CallEndKind {
    /// The send was no request of a call.
    FerryNoCall = 0,
    /// The buffer of a request is back. The call goes on, or has ended before.
    FerryCallGoesOn = 1,
    /// The request did not reach the server, and the call has ended. The status of the send says why.
    FerryCallFailed = 2,
}

/// What the end of a send means for the calls, and for which one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct CallEnd {
    /// The call. 0 if the send was no request.
    pub ticket: Ticket,
    /// What has become of it.
    pub kind: CallEndKind,
}

/// What an event means for a client that makes or serves calls.
///
/// cbindgen:rename-all=ScreamingSnakeCase
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum IncomingKind {
    /// The event has nothing to do with calls.
    FerryOrdinary = 0,
    /// The reply to the call `ticket`, which has ended with this.
    FerryReply = 1,
    /// A peer calls this client: answer `caller` by `ferry_reply`, now or later.
    FerryCalled = 2,
    /// A reply to a call that has ended before. A server that is late does this, and so does one that answers
    /// twice.
    FerryStrayEnded = 3,
    /// A reply by another peer than the one that was called. Only a peer that breaks the rules does this.
    FerryStrayElsewhere = 4,
    /// A reply to a call that there never was. Only a peer that breaks the rules does this.
    FerryStrayNever = 5,
}

/// What an event means, and for which call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Incoming {
    /// Of `FERRY_REPLY`, the call. Otherwise 0.
    pub ticket: Ticket,
    /// Of `FERRY_CALLED`, whom to answer. Otherwise 0.
    pub caller: Caller,
    /// What the event means.
    pub kind: IncomingKind,
}

/// A client with which this one shares a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Peer {
    /// Longest message that this client may send to it, in bytes.
    pub max_message: u32,
    /// Its number.
    pub number: u16,
    /// Whether this client may send to it.
    pub may_send: bool,
    /// Whether it may send to this client.
    pub may_receive: bool,
    /// Its name in the system description, with a zero byte at the end.
    pub name: [c_char; NAME_BYTES],
}
