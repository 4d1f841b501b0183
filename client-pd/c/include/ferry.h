// ferry.h: the client library of Ferry, for programs in C.
//
// cbindgen makes this file from client-pd/c (`make header`). Do not change it by hand.
//
// A client sends messages to other clients and receives messages from them, through a central protection
// domain that both sides trust. The two share no memory. docs/c.md has a program and explains it.
//
// START
//   init      calls ferry_init, and then does what notified does.
//   notified  asks ferry_begins first: it is true once, when central has let the client in, and then the
//             client posts its first buffers. Then it takes what has come by ferry_reap and ferry_receive,
//             enqueues what it wants to, and repeats that while ferry_rest is true.
//   Every function may be called from init and from notified, and none blocks. There is one client in a
//   program. A signal handler or a second thread must not call anything here.
//
// WHO OWNS A BUFFER
//                 the program's                    central's
//   transmit      from ferry_tx_take or ferry_reap  from ferry_send, ferry_send_to, ferry_send_parts
//                 until it is sent or given back    until ferry_reap returns it, with a status
//   receive       from ferry_rx_take or             from ferry_post, ferry_open_window
//                 ferry_receive until it is posted   until ferry_receive returns it: FERRY_MESSAGE, or
//                 or given back                     FERRY_RETURNED after ferry_withdraw
//   inspected     never; the ticket is, from         from ferry_post until ferry_reap returns the end of
//                 ferry_inspect until ferry_answer   the answer. Then it is in the pool, for ferry_rx_take
//
//   In whole batches buffers have no handles: ferry_reap_each and ferry_receive_each call a function of the
//   program, whose the buffer is until that function returns. Then it is sent or posted again, or in the
//   pool. These functions may print and look up peers. Whatever else they call of this header says
//   FERRY_BUSY.
//
//   A handle is used up when its buffer changes hands. Whoever uses it again gets FERRY_STALE, and nothing
//   happens: a second send, a use after the send, a buffer that is posted twice, a second answer. A function
//   that returns anything but FERRY_OK has changed nothing, and the buffer stays the program's. What the
//   library cannot check are pointers: the address of a buffer (ferry_tx_bytes) is only good while the buffer
//   is the program's, and pointers to variables must be valid or null.
//
// GUARDS
//   A guard inspects the messages of flows that name it in flows.toml. It posts receive buffers as any client
//   does, and answers each inspection. docs/guards.md has a program.
//
// CALLS (docs/client.md explains them)
//   A client calls by ferry_call, and passes everything that comes to ferry_call_reaped and
//   ferry_call_received before it uses the buffers. A call ends once: by its reply, by the failure of its
//   request, by ferry_call_expire or by ferry_call_cancel. A server passes its events to ferry_call_received,
//   and answers by ferry_reply. The handle of a caller is used up by that, as one of a buffer is: a call is
//   answered once, and a second answer is FERRY_STALE. Tags with the highest bit set belong to calls.
//
// UNITS AND RANGES
//   Lengths and sizes are in bytes. Times to live are in ticks of the system (flows.toml), and 0 is for ever.
//   Clients have numbers below 32, by which deliveries name them; ferry_peer_by_name finds the number.
//   At most 128 messages and 128 posted buffers are under way at a time.
//
// WHAT A STATUS ASKS FOR (the type ferry_status below; docs/client.md says more)
//   DONE            delivered: use the buffer again
//   TOO_LONG        longer than the buffer that the receiver posted: send less
//   EXPIRED         its time to live ran out before the transfer began
//   PEER_RESET      the receiver restarted while the message waited: begin anew with it
//   QUARANTINED     the receiver broke the protocol: wait until it is back
//   FAILED          central could not map a frame: try again
//   REFUSED         the guards of the flow have not passed the message: do not send it again
//   DENIED, NO_TARGET, BAD_LENGTH   a mistake in the program or in flows.toml
//   BAD_DESTINATION                 not inside a window that the receiver holds open: ask it for a place
//   BAD_SOURCE, MALFORMED           cannot happen with this library
//   FREE, QUEUED                    no ends; ferry_status_of returns them

#ifndef FERRY_H
#define FERRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define FERRY_MUST_USE __attribute__((warn_unused_result))
#define FERRY_NO_RETURN __attribute__((noreturn))
#else
#define FERRY_MUST_USE
#define FERRY_NO_RETURN
#endif

#ifdef __cplusplus
#define FERRY_ASSERT(condition) static_assert(condition, #condition)
#else
#define FERRY_ASSERT(condition) _Static_assert(condition, #condition)
#endif

// The version of the interface between this header and the library. `ferry_init` refuses a library of
// another version, and the linker does not find the symbol `ferry_abi_1` in it.
#define FERRY_ABI_VERSION 1

// At most this many buffers of each kind. What is left over of the memory stays unused.
#define FERRY_MAX_BUFFERS 256

// At most this many parts of one message.
#define FERRY_MAX_PARTS 16

// Bytes of a client's name, with the zero byte at its end.
#define FERRY_NAME_BYTES 49

// At most this many calls of this client under way at a time.
#define FERRY_MAX_CALLS 128

// At most this many calls by peers that were not answered.
#define FERRY_MAX_CALLERS 128

// Instead of a client's number: a posted buffer is for a message from anyone.
#define FERRY_ANYONE 65535

// Instead of a client's number: a buffer is sent to nobody, and goes into the pool.
#define FERRY_NOBODY 65535

// Flag of a message: put it in the urgent class. The flow must grant it.
#define FERRY_URGENT 1

// Flag of a message: do not signal the receiver for it.
#define FERRY_NO_SIGNAL 2

// What a function says.
//
enum ferry_result
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // It did what it is for.
    FERRY_OK = 0,
    // Header and library have different ABI versions: compile with the header that came with the library.
    FERRY_WRONG_ABI = 1,
    // `ferry_init` was called before.
    FERRY_STARTED = 2,
    // The system description does not give this program the regions and the channel of a client, or one that
    // does not fit. The console says which. `ferry check` says what to add.
    FERRY_NO_REGION = 3,
    // A size of buffers is larger than their region.
    FERRY_BAD_SIZE = 4,
    // `ferry_init` was not called, or central has not let this client in yet (see `ferry_begins`).
    FERRY_NOT_OPEN = 5,
    // The library is in the middle of another call: the caller is a function that `ferry_reap_each` or
    // `ferry_receive_each` has called.
    FERRY_BUSY = 6,
    // A pointer is null.
    FERRY_NULL = 7,
    // The handle is not the program's: it was sent, posted or given back before, or never was one.
    FERRY_STALE = 8,
    // The length is larger than the buffer.
    FERRY_BEYOND_BUFFER = 9,
    // There is no room for it now. Reap or receive, or wait for central.
    FERRY_FULL = 10,
    // All buffers are in use.
    FERRY_NO_BUFFER = 11,
    // No flow connects this client with one of that number or name.
    FERRY_NO_PEER = 12,
    // A message has 1 to `FERRY_MAX_PARTS` parts.
    FERRY_BAD_PARTS = 13,
    // The next event is no message: take it by `ferry_receive`.
    FERRY_OTHER_EVENT = 14,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ferry_result ferry_result;
#else
typedef uint32_t ferry_result;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What became of a send. Central writes it, once for each outcome. The numbers are ABI.
enum ferry_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // The slot was never used in this epoch.
    FERRY_STATUS_FREE = 0,
    // Central has taken the descriptor, and it waits: for a posted buffer, for room at the target, or for
    // its turn. In a one-way flow it waits for the next tick.
    FERRY_STATUS_QUEUED = 1,
    // Copied, filed with the target, and (mapping policy `each`) both buffers are unmapped again. In a
    // one-way flow: central has done with it, whether it was delivered or dropped.
    FERRY_STATUS_DONE = 2,
    // The system has no flow from this client to that target, or the flow does not grant the urgent class,
    // or the flow is one-way and the message is a chain or placed.
    FERRY_STATUS_DENIED = 3,
    // The system has no client of that number.
    FERRY_STATUS_NO_TARGET = 4,
    // The source range does not lie inside the client's transmit region.
    FERRY_STATUS_BAD_SOURCE = 5,
    // The destination range does not lie inside a window that the target holds open for this client.
    FERRY_STATUS_BAD_DESTINATION = 6,
    // The message is longer than the flow allows, or its chain has too many parts or parts for several
    // targets.
    FERRY_STATUS_BAD_LENGTH = 7,
    // The message is longer than the buffer that the target posted for it. The buffer stays posted.
    FERRY_STATUS_TOO_LONG = 8,
    // The time-to-live ran out before the transfer began.
    FERRY_STATUS_EXPIRED = 9,
    // The target broke the protocol and is in quarantine.
    FERRY_STATUS_QUARANTINED = 10,
    // The target restarted while the message waited.
    FERRY_STATUS_PEER_RESET = 11,
    // The descriptor's kind or flags mean nothing in this version of the ABI.
    FERRY_STATUS_MALFORMED = 12,
    // Central could not map a frame. Not the client's fault; it may try again.
    FERRY_STATUS_FAILED = 13,
    // The guards of the flow have not passed the message. The sender learns neither which guard nor why.
    FERRY_STATUS_REFUSED = 14,
    // A verdict about nothing: the guard has no inspection with this ticket, or has answered it already, or
    // the message has ended meanwhile.
    FERRY_STATUS_NO_INSPECTION = 15,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ferry_status ferry_status;
#else
typedef uint32_t ferry_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What the end of a send means for the calls.
//
enum ferry_call_end_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // The send was no request of a call.
    FERRY_NO_CALL = 0,
    // The buffer of a request is back. The call goes on, or has ended before.
    FERRY_CALL_GOES_ON = 1,
    // The request did not reach the server, and the call has ended. The status of the send says why.
    FERRY_CALL_FAILED = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ferry_call_end_kind ferry_call_end_kind;
#else
typedef uint32_t ferry_call_end_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What `ferry_receive` found.
//
enum ferry_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // A message has arrived in a posted buffer.
    FERRY_MESSAGE = 1,
    // A message has arrived in an open window, at a place that the sender chose. `buffer` is 0.
    FERRY_PLACED = 2,
    // A request was withdrawn, or central did not accept it. Only `buffer` and `kind` have a meaning.
    FERRY_RETURNED = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ferry_event_kind ferry_event_kind;
#else
typedef uint32_t ferry_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What an event means for a client that makes or serves calls.
//
enum ferry_incoming_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // The event has nothing to do with calls.
    FERRY_ORDINARY = 0,
    // The reply to the call `ticket`, which has ended with this.
    FERRY_REPLY = 1,
    // A peer calls this client: answer `caller` by `ferry_reply`, now or later.
    FERRY_CALLED = 2,
    // A reply to a call that has ended before. A server that is late does this, and so does one that answers
    // twice.
    FERRY_STRAY_ENDED = 3,
    // A reply by another peer than the one that was called. Only a peer that breaks the rules does this.
    FERRY_STRAY_ELSEWHERE = 4,
    // A reply to a call that there never was. Only a peer that breaks the rules does this.
    FERRY_STRAY_NEVER = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum ferry_incoming_kind ferry_incoming_kind;
#else
typedef uint32_t ferry_incoming_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A buffer of `<client>_tx`, while it is the program's. The handle ends when the buffer is sent or given
// back. When the buffer comes back, it has a new handle. No handle is 0.
typedef struct {
    // For the library.
    uint64_t handle;
} ferry_tx_buffer;

// How a call is to be made. All zero waits for ever.
typedef struct {
    // The instant at which the caller gives up, on the clock by which it tells `ferry_call_expire` the time;
    // 0 means never.
    uint64_t deadline;
    // Ticks that the request may wait for a buffer of the server; 0 means that it may wait for ever.
    uint32_t time_to_live;
    // `FERRY_URGENT` or 0. Other bits are ignored.
    uint32_t flags;
} ferry_call_options;

// Names a call of this client. No other call of this client has the same ticket, not even before a restart.
typedef struct {
    // For the library.
    uint64_t number;
} ferry_ticket;

// A send that has ended, or the answer of a guard.
typedef struct {
    // The tag that it was sent with. Of an answer, the handle of the ticket.
    uint64_t tag;
    // Its buffer, to be filled again or given back. Of an answer, 0.
    ferry_tx_buffer buffer;
    // What became of it.
    ferry_status status;
} ferry_done;

// What the end of a send means for the calls, and for which one.
typedef struct {
    // The call. 0 if the send was no request.
    ferry_ticket ticket;
    // What has become of it.
    ferry_call_end_kind kind;
} ferry_call_end;

// A buffer of `<client>_rx`, while it is the program's. The handle ends when the buffer is posted, opened as
// a window, or given back. When the buffer comes back, it has a new handle. No handle is 0.
typedef struct {
    // For the library.
    uint64_t handle;
} ferry_rx_buffer;

// A place in a receive region.
typedef struct {
    // Number of the 4096-byte frame within the region, from 0.
    uint32_t frame;
    // Byte within the frame, below 4096.
    uint32_t offset;
} ferry_place;

// A message that has arrived, or a buffer that has come back.
typedef struct {
    // The sender's tag.
    uint64_t tag;
    // Number of the message in its flow, from 0, over all restarts.
    uint64_t sequence;
    // The buffer, which is the program's again. Its first `length` bytes are the message.
    ferry_rx_buffer buffer;
    // Where the message lies in `<client>_rx`.
    ferry_place place;
    // Bytes that arrived.
    uint32_t length;
    // What has happened.
    ferry_event_kind kind;
    // Number of the sender. Central has stamped it, so it cannot be forged.
    uint16_t source;
} ferry_event;

// The right to answer one call. The handle ends when the call is answered or refused. No handle is 0.
typedef struct {
    // For the library.
    uint64_t handle;
} ferry_caller;

// What an event means, and for which call.
typedef struct {
    // Of `FERRY_REPLY`, the call. Otherwise 0.
    ferry_ticket ticket;
    // Of `FERRY_CALLED`, whom to answer. Otherwise 0.
    ferry_caller caller;
    // What the event means.
    ferry_incoming_kind kind;
} ferry_incoming;

// A message under inspection, until it is answered.
typedef struct {
    // For the library.
    uint64_t handle;
} ferry_inspection_ticket;

// A message that a guard has to inspect.
typedef struct {
    // Names it in the answer. The handle ends by that.
    ferry_inspection_ticket ticket;
    // The sender's tag.
    uint64_t tag;
    // Bytes of the message.
    uint32_t length;
    // Number of the sender. Central has stamped it, so it cannot be forged.
    uint16_t source;
    // Number of the client that shall receive the message.
    uint16_t target;
} ferry_inspection;

// A posted buffer or an open window, while it is central's. No handle is 0.
typedef struct {
    // For the library.
    uint64_t handle;
} ferry_request;

// What to send next, in a buffer that `ferry_reap_each` has brought back.
typedef struct {
    // Carried to the receiver unchanged. Tags with the highest bit set belong to calls (see docs/client.md).
    uint64_t tag;
    // Bytes from the beginning of the buffer.
    uint32_t length;
    // Number of the client that shall receive it; `FERRY_NOBODY`: nothing is sent. Central refuses a message
    // for which there is no flow.
    uint16_t target;
    // `FERRY_URGENT`, `FERRY_NO_SIGNAL`, both, or 0. Other bits are ignored.
    uint16_t flags;
} ferry_next;

// A function of the program that `ferry_reap_each` calls for each send that has ended. `bytes` is the whole
// buffer, which is the program's until the function returns; `tag` and `status` are those of the send.
typedef ferry_next (*ferry_fill)(void *context, uint8_t *bytes, uint64_t tag, ferry_status status);

// What `ferry_receive_each` tells of a message: what central has written of it. It lies in `<client>_in`,
// and is valid until the function that got it returns.
typedef struct {
    // The sender's tag.
    uint64_t tag;
    // Number of the message in its flow, from 0, over all restarts.
    uint64_t sequence;
    // First byte of the message in `<client>_rx`.
    uint32_t position;
    // For the library.
    uint32_t request;
    // Bytes that arrived.
    uint32_t length;
    // Number of the sender. Central has stamped it, so it cannot be forged.
    uint16_t source;
    // For the library.
    uint8_t kind;
    // How many stages of guards have passed the message; 0 if its flow has none.
    uint8_t stages;
} ferry_arrival;

// A function of the program that `ferry_receive_each` calls for each message, whose bytes are at `bytes`. It
// returns whether the buffer is to be posted again.
typedef bool (*ferry_take)(void *context, const uint8_t *bytes, const ferry_arrival *message);

// How a message is to be sent. All zero is an ordinary message with tag 0.
typedef struct {
    // Carried to the receiver unchanged. Tags with the highest bit set belong to calls (see docs/client.md).
    uint64_t tag;
    // Ticks that the message may wait before it expires; 0 means that it may wait for ever.
    uint32_t time_to_live;
    // `FERRY_URGENT`, `FERRY_NO_SIGNAL`, both, or 0. Other bits are ignored.
    uint32_t flags;
} ferry_message;

// A part of a message: a buffer, and how many of its bytes to send.
typedef struct {
    // The buffer.
    ferry_tx_buffer buffer;
    // Bytes from its beginning.
    uint32_t length;
} ferry_part;

// A client with which this one shares a flow.
typedef struct {
    // Longest message that this client may send to it, in bytes.
    uint32_t max_message;
    // Its number.
    uint16_t number;
    // Whether this client may send to it.
    bool may_send;
    // Whether it may send to this client.
    bool may_receive;
    // Its name in the system description, with a zero byte at the end.
    char name[FERRY_NAME_BYTES];
} ferry_peer;



#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The ABI version of the library. Its name has the version too, so that a program which was compiled with
// the header of another version does not link.
extern const uint32_t ferry_abi_1;

// Enqueues the first `length` bytes of a buffer as a request to the client `server`, and writes the ticket
// of the call. If it is `FERRY_OK`, the buffer is central's, and comes back by `ferry_reap`. Otherwise it
// stays the program's. `FERRY_FULL`: also if `FERRY_MAX_CALLS` calls are under way. Post a buffer for the
// reply before. Central sees the request after the next `ferry_rest` or `ferry_flush`.
FERRY_MUST_USE
ferry_result ferry_call(uint16_t server,
                        ferry_tx_buffer buffer,
                        uint32_t length,
                        ferry_call_options options,
                        ferry_ticket *ticket);

// What a send that `ferry_reap` has brought back means for the calls. A client that makes calls asks this of
// each, before it uses the buffer. The buffer stays the program's. `FERRY_STALE`: it is not.
FERRY_MUST_USE
ferry_result ferry_call_reaped(const ferry_done *done,
                               ferry_call_end *end);

// What an event that `ferry_receive` has brought means for the calls. A client that makes or serves calls
// asks this of each, once, before it uses the buffer. The buffer stays the program's. `FERRY_STALE`: it is
// not, or was asked about before. `FERRY_FULL`: `FERRY_MAX_CALLERS` calls wait for an answer; answer or
// refuse one and ask again, or refuse this one by posting the buffer.
FERRY_MUST_USE
ferry_result ferry_call_received(const ferry_event *event,
                                 ferry_incoming *incoming);

// Enqueues the first `length` bytes of a buffer as the answer to a call. If it is `FERRY_OK`, the buffer
// is central's, and comes back by `ferry_reap`, and the caller's handle ends. Otherwise both stay the
// program's. `FERRY_STALE`: the call was answered or refused before, or the buffer is not the program's.
// `time_to_live` is in ticks, and 0 is for ever: a caller that posts no buffer would keep this one as long
// as it likes.
FERRY_MUST_USE
ferry_result ferry_reply(ferry_caller caller,
                         ferry_tx_buffer buffer,
                         uint32_t length,
                         uint32_t time_to_live);

// Refuses a call: nobody will answer it, and its handle ends. The caller is told nothing; its deadline ends
// the call.
FERRY_MUST_USE
ferry_result ferry_caller_drop(ferry_caller caller);

// Ends a call whose deadline is not after `now`: true, and `ticket` says which. False: there is none. Its
// reply, if one comes, is a stray. The server may carry the request out all the same.
FERRY_MUST_USE
bool ferry_call_expire(uint64_t now,
                       ferry_ticket *ticket);

// The earliest deadline of all calls: true, and `deadline` says when. Set a timer for it. False: no call has
// one.
FERRY_MUST_USE
bool ferry_call_deadline(uint64_t *deadline);

// Gives a call up. True if it was under way.
FERRY_MUST_USE bool ferry_call_cancel(ferry_ticket ticket);

// Number of calls under way.
FERRY_MUST_USE uint32_t ferry_calls(void);

// A number below `FERRY_MAX_CALLS` that no other call under way has: the place of the call in an array of
// the program's own.
FERRY_MUST_USE
uint32_t ferry_ticket_slot(ferry_ticket ticket);

// Prints text that ends with a zero byte. A line appears when it is complete, with the name of the PD before
// it. Nothing appears in the image of a product. Null prints nothing.
void ferry_puts(const char *text);

// Prints a number, in decimal.
void ferry_put_number(uint64_t number);

// The name of a status, as docs/client.md has it, or "?".
FERRY_MUST_USE const char *ferry_status_name(uint32_t status);

// The name of a result, as this header has it, or "?".
FERRY_MUST_USE const char *ferry_result_name(uint32_t result);

// Gives other PDs of the same priority the processor.
void ferry_yield(void);

// Ends the whole system with this code, for demonstrations and tests. Does not return.
void ferry_exit(uint8_t code) FERRY_NO_RETURN;

// The oldest message that this client, a guard, has to inspect and has not taken: true, and `inspection`
// says what it is. False: none. A guard takes all of them before it calls `ferry_receive`, which passes
// over them.
FERRY_MUST_USE
bool ferry_inspect(ferry_inspection *inspection);

// The bytes of a message to inspect. Null if the ticket is not the program's. Nobody changes them: the
// target gets these very bytes, if all guards pass them. Do not use the address after the answer.
FERRY_MUST_USE
const uint8_t *ferry_inspection_bytes(ferry_inspection_ticket ticket);

// Enqueues the answer to an inspection: whether the message may go on, and why, in the guard's own numbers.
// Nobody but an operator sees the reason. If it is `FERRY_OK`, the ticket ends, and `ferry_reap` returns the
// end of the answer. Only then is the buffer in the pool again, for `ferry_rx_take`, whatever the status is:
// until then central reads from it. `FERRY_STALE`: the ticket was answered before, or never was one.
// `FERRY_FULL`: reap first, then answer again.
FERRY_MUST_USE
ferry_result ferry_answer(ferry_inspection_ticket ticket,
                          bool passes,
                          uint32_t reason);

// How many messages of the same flow were dropped between the message before this one and this one. `source`
// and `sequence` are those of an event or arrival. Ask it of every message that comes, in order, once. It is
// 0 for the first message of a flow. Only a one-way flow drops messages: those for which there was no
// buffer.
FERRY_MUST_USE
uint64_t ferry_missed(uint16_t source,
                      uint64_t sequence);

// All that `ferry_missed` has returned, modulo 2^64. `ferry_dropped` also counts what was dropped before the
// first message and after the newest.
FERRY_MUST_USE
uint64_t ferry_missed_in_all(void);

// How many messages of one-way flows to this client were dropped since central started, modulo 2^64; 0
// before the client is let in.
FERRY_MUST_USE
uint64_t ferry_dropped(void);

// Takes a receive buffer out of the pool. `FERRY_NO_BUFFER`: all are in use.
FERRY_MUST_USE ferry_result ferry_rx_take(ferry_rx_buffer *buffer);

// Puts a receive buffer of the program's back into the pool. Its handle ends.
FERRY_MUST_USE ferry_result ferry_rx_give(ferry_rx_buffer buffer);

// The bytes of a receive buffer. Null if the buffer is not the program's. Do not use the address after the
// buffer was posted: central may be writing there.
FERRY_MUST_USE
const uint8_t *ferry_rx_bytes(ferry_rx_buffer buffer);

// Bytes of each receive buffer.
FERRY_MUST_USE uint32_t ferry_rx_capacity(void);

// Where a receive buffer of the program's lies in `_rx`, to be told to a sender. `FERRY_STALE` if it is not
// the program's.
FERRY_MUST_USE
ferry_result ferry_rx_place(ferry_rx_buffer buffer,
                            ferry_place *place);

// Offers a buffer for one message, from the client of the number `from` or from `FERRY_ANYONE`. If it is
// `FERRY_OK`, the buffer is central's, and comes back by `ferry_receive`. Otherwise it stays the program's.
// `request` may be null. Central sees it after the next `ferry_rest` or `ferry_flush`.
FERRY_MUST_USE
ferry_result ferry_post(ferry_rx_buffer buffer,
                        uint16_t from,
                        ferry_request *request);

// Opens a buffer as a window for the client of the number `from`, which may then send to any place in it, as
// often as it likes. The buffer is central's until the window is withdrawn. `request` may be null.
FERRY_MUST_USE
ferry_result ferry_open_window(ferry_rx_buffer buffer,
                               uint16_t from,
                               ferry_request *request);

// Withdraws a posted buffer or a window. The buffer comes back by `ferry_receive`, as `FERRY_RETURNED`, or
// as `FERRY_MESSAGE` if one has arrived meanwhile. `FERRY_STALE`: it was withdrawn or has come back before.
FERRY_MUST_USE
ferry_result ferry_withdraw(ferry_request request);

// Copies `bytes` bytes out of an open window, from byte `skip` on. A sender may write there meanwhile, so
// copy first, then check, then use. `FERRY_BEYOND_BUFFER`: they do not lie inside the window, and nothing
// was copied.
FERRY_MUST_USE
ferry_result ferry_copy_out(ferry_request request,
                            uint32_t skip,
                            void *into,
                            uint32_t bytes);

// What has arrived next: true, and `event` says what. Its buffer is the program's again: read it, then post
// it again or give it back. False: nothing.
FERRY_MUST_USE
bool ferry_receive(ferry_event *event);

// As `ferry_receive`, for up to `count` events. Returns how many. It costs less than to receive one by one.
FERRY_MUST_USE
uint32_t ferry_receive_many(ferry_event *events,
                            uint32_t count);

// Takes back every send that has ended. `fill` gets the buffer of each, fills it with the next message, and
// returns where that goes: the buffer is sent again, without a handle. With `FERRY_NOBODY` for a target the
// buffer goes into the pool instead, for `ferry_tx_take`. It costs a third of `ferry_reap_many` with
// `ferry_send`.
//
// Central sees the new messages after the next `ferry_rest` or `ferry_flush`. Sends that end during the call
// are left for the next one. `FERRY_BEYOND_BUFFER`, or `FERRY_FULL` if no more may be sent to that target
// now: the last message was not sent, its buffer is in the pool, and no send after it was taken back.
//
// `fill` is called during this call only. It may print and look up peers. Whatever else it calls of this
// header does nothing, and says `FERRY_BUSY`, or false, null or 0.
FERRY_MUST_USE
ferry_result ferry_reap_each(ferry_fill fill,
                             void *context);

// As `ferry_reap_each`, of at most `most` sends. So a program can flush some of its messages before it takes
// back the next: in a one-way flow, all sends end at the same time.
FERRY_MUST_USE
ferry_result ferry_reap_most(uint32_t most,
                             ferry_fill fill,
                             void *context);

// Takes every message that has arrived. `take` looks at each, and returns whether its buffer is to be posted
// again at once, for anyone. Otherwise the buffer goes into the pool, for `ferry_rx_take`. Either way it has
// no handle, and is not read after `take` has returned. It costs a third of `ferry_receive_many` with
// `ferry_post`.
//
// Central sees the posted buffers after the next `ferry_rest` or `ferry_flush`. Messages that arrive during
// the call are left for the next one. `FERRY_OTHER_EVENT`: the next event is no message; `ferry_receive`
// takes it. `FERRY_FULL`: there was no room to post the last buffer again, it is in the pool, and nothing
// after it was taken.
//
// `take` is called during this call only. It may print, look up peers, and ask what was missed. Whatever
// else it calls of this header does nothing, and says `FERRY_BUSY`, or false, null or 0.
FERRY_MUST_USE
ferry_result ferry_receive_each(ferry_take take,
                                void *context);

// Takes a transmit buffer out of the pool. `FERRY_NO_BUFFER`: all are in use, reap some.
FERRY_MUST_USE ferry_result ferry_tx_take(ferry_tx_buffer *buffer);

// Puts a transmit buffer of the program's back into the pool. Its handle ends.
FERRY_MUST_USE ferry_result ferry_tx_give(ferry_tx_buffer buffer);

// The bytes of a transmit buffer, to be filled. Null if the buffer is not the program's. Do not use the
// address after the buffer was sent: central may be reading, and the receiver gets what it finds there.
FERRY_MUST_USE
uint8_t *ferry_tx_bytes(ferry_tx_buffer buffer);

// Bytes of each transmit buffer.
FERRY_MUST_USE uint32_t ferry_tx_capacity(void);

// Enqueues the first `length` bytes of a buffer for the next buffer that the client `target` posts. If it is
// `FERRY_OK`, the buffer is central's, and comes back by `ferry_reap`. Otherwise it stays the program's.
// Central sees the message after the next `ferry_rest` or `ferry_flush`.
FERRY_MUST_USE
ferry_result ferry_send(uint16_t target,
                        ferry_tx_buffer buffer,
                        uint32_t length,
                        ferry_message message);

// As `ferry_send`, to a place inside a window that the client `target` holds open for this one.
FERRY_MUST_USE
ferry_result ferry_send_to(uint16_t target,
                           ferry_place place,
                           ferry_tx_buffer buffer,
                           uint32_t length,
                           ferry_message message);

// Enqueues `count` buffers as one message, 1 to `FERRY_MAX_PARTS`. It arrives in one piece. Either all parts
// are enqueued and their handles end, or none. Each part comes back by `ferry_reap`.
FERRY_MUST_USE
ferry_result ferry_send_parts(uint16_t target,
                              const ferry_part *parts,
                              uint32_t count,
                              ferry_message message);

// The next send that has ended: true, and `done` says which. Its buffer is the program's again. Sends to one
// client come back in their order, unless one expires or is refused. False: none.
FERRY_MUST_USE
bool ferry_reap(ferry_done *done);

// As `ferry_reap`, for up to `count` sends. Returns how many. It costs less than to reap one by one.
FERRY_MUST_USE
uint32_t ferry_reap_many(ferry_done *done,
                         uint32_t count);

// The status of the `age`-th oldest send that was not reaped, counted from 0. `FERRY_STATUS_FREE` if there
// is none, or if central has not said anything of it yet.
FERRY_MUST_USE
ferry_status ferry_status_of(uint32_t age);

// Number of sends that were enqueued and not reaped.
FERRY_MUST_USE uint32_t ferry_outstanding(void);

// Number of further sends that are possible now, to all clients together.
FERRY_MUST_USE uint32_t ferry_room(void);

// Number of further sends that are possible now to the client of this number. What is kept for other clients
// does not count.
FERRY_MUST_USE
uint32_t ferry_room_for(uint16_t number);

// Starts the client of this program: `ferry_init` calls it.
//
// Finds the four regions and the channel to central by the symbols that the system description sets, splits
// `_tx` into buffers of `tx_bytes` bytes and `_rx` into buffers of `rx_bytes` bytes, and asks central to let
// the client in. With a size of 0 there are no buffers of that kind.
//
// From: init, once.
FERRY_MUST_USE
ferry_result ferry_start(uint32_t abi,
                         uint32_t tx_bytes,
                         uint32_t rx_bytes);

// True once: when central has let the client in, so that it can post and send. Call it first at each
// wake-up, and at the end of init, because central may have let the client in already.
FERRY_MUST_USE
bool ferry_begins(void);

// The last thing at each wake-up: publishes what the program has enqueued, signals central if that is
// necessary, and asks for a signal. True if something came meanwhile: then look again, and call it again.
// False: return from notified. What the program has left in its queues does not make it true for ever.
FERRY_MUST_USE
bool ferry_rest(void);

// Publishes what the program has enqueued, and signals central if that is necessary. `ferry_rest` does it
// too.
void ferry_flush(void);

// Publishes what the program has enqueued, without a signal: central finds it at the next tick.
void ferry_publish(void);

// Tells central that the program looks at its queues by itself, and needs no signals until `ferry_rest`.
void ferry_disarm(void);

// Number of this client; 0 before it is let in.
FERRY_MUST_USE uint16_t ferry_number(void);

// How central regards this client: 0 closed, 1 open, 2 in quarantine.
FERRY_MUST_USE uint32_t ferry_standing(void);

// The client with this name, which ends with a zero byte.
FERRY_MUST_USE ferry_result ferry_peer_by_name(const char *name, ferry_peer *peer);

// The client of this number.
FERRY_MUST_USE ferry_result ferry_peer_by_number(uint16_t number, ferry_peer *peer);

// The client at this position of the list of peers, from 0. `FERRY_NO_PEER` at the end of the list.
FERRY_MUST_USE ferry_result ferry_peer_at(uint32_t position, ferry_peer *peer);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

// Starts the client of this program, see ferry_start. Compares the ABI version of this header with the one of
// the library: by the name of a symbol when the program is linked, and by its value now.
FERRY_MUST_USE static inline ferry_result ferry_init(uint32_t tx_bytes, uint32_t rx_bytes)
{
    // If the linker does not find this symbol, header and library have different ABI versions.
    (void)*(const volatile uint32_t *)&ferry_abi_1;
    return ferry_start(FERRY_ABI_VERSION, tx_bytes, rx_bytes);
}

// What C sees is what Rust has.
FERRY_ASSERT(sizeof(ferry_tx_buffer) == 8);
FERRY_ASSERT(offsetof(ferry_tx_buffer, handle) == 0);
FERRY_ASSERT(sizeof(ferry_rx_buffer) == 8);
FERRY_ASSERT(offsetof(ferry_rx_buffer, handle) == 0);
FERRY_ASSERT(sizeof(ferry_request) == 8);
FERRY_ASSERT(offsetof(ferry_request, handle) == 0);
FERRY_ASSERT(sizeof(ferry_place) == 8);
FERRY_ASSERT(offsetof(ferry_place, frame) == 0);
FERRY_ASSERT(offsetof(ferry_place, offset) == 4);
FERRY_ASSERT(sizeof(ferry_message) == 16);
FERRY_ASSERT(offsetof(ferry_message, tag) == 0);
FERRY_ASSERT(offsetof(ferry_message, time_to_live) == 8);
FERRY_ASSERT(offsetof(ferry_message, flags) == 12);
FERRY_ASSERT(sizeof(ferry_part) == 16);
FERRY_ASSERT(offsetof(ferry_part, buffer) == 0);
FERRY_ASSERT(offsetof(ferry_part, length) == 8);
FERRY_ASSERT(sizeof(ferry_inspection_ticket) == 8);
FERRY_ASSERT(offsetof(ferry_inspection_ticket, handle) == 0);
FERRY_ASSERT(sizeof(ferry_inspection) == 24);
FERRY_ASSERT(offsetof(ferry_inspection, ticket) == 0);
FERRY_ASSERT(offsetof(ferry_inspection, tag) == 8);
FERRY_ASSERT(offsetof(ferry_inspection, length) == 16);
FERRY_ASSERT(offsetof(ferry_inspection, source) == 20);
FERRY_ASSERT(offsetof(ferry_inspection, target) == 22);
FERRY_ASSERT(sizeof(ferry_done) == 24);
FERRY_ASSERT(offsetof(ferry_done, tag) == 0);
FERRY_ASSERT(offsetof(ferry_done, buffer) == 8);
FERRY_ASSERT(offsetof(ferry_done, status) == 16);
FERRY_ASSERT(sizeof(ferry_event) == 48);
FERRY_ASSERT(offsetof(ferry_event, tag) == 0);
FERRY_ASSERT(offsetof(ferry_event, sequence) == 8);
FERRY_ASSERT(offsetof(ferry_event, buffer) == 16);
FERRY_ASSERT(offsetof(ferry_event, place) == 24);
FERRY_ASSERT(offsetof(ferry_event, length) == 32);
FERRY_ASSERT(offsetof(ferry_event, kind) == 36);
FERRY_ASSERT(offsetof(ferry_event, source) == 40);
FERRY_ASSERT(sizeof(ferry_next) == 16);
FERRY_ASSERT(offsetof(ferry_next, tag) == 0);
FERRY_ASSERT(offsetof(ferry_next, length) == 8);
FERRY_ASSERT(offsetof(ferry_next, target) == 12);
FERRY_ASSERT(offsetof(ferry_next, flags) == 14);
FERRY_ASSERT(sizeof(ferry_arrival) == 32);
FERRY_ASSERT(offsetof(ferry_arrival, tag) == 0);
FERRY_ASSERT(offsetof(ferry_arrival, sequence) == 8);
FERRY_ASSERT(offsetof(ferry_arrival, position) == 16);
FERRY_ASSERT(offsetof(ferry_arrival, request) == 20);
FERRY_ASSERT(offsetof(ferry_arrival, length) == 24);
FERRY_ASSERT(offsetof(ferry_arrival, source) == 28);
FERRY_ASSERT(offsetof(ferry_arrival, kind) == 30);
FERRY_ASSERT(offsetof(ferry_arrival, stages) == 31);
FERRY_ASSERT(sizeof(ferry_ticket) == 8);
FERRY_ASSERT(offsetof(ferry_ticket, number) == 0);
FERRY_ASSERT(sizeof(ferry_caller) == 8);
FERRY_ASSERT(offsetof(ferry_caller, handle) == 0);
FERRY_ASSERT(sizeof(ferry_call_options) == 16);
FERRY_ASSERT(offsetof(ferry_call_options, deadline) == 0);
FERRY_ASSERT(offsetof(ferry_call_options, time_to_live) == 8);
FERRY_ASSERT(offsetof(ferry_call_options, flags) == 12);
FERRY_ASSERT(sizeof(ferry_call_end) == 16);
FERRY_ASSERT(offsetof(ferry_call_end, ticket) == 0);
FERRY_ASSERT(offsetof(ferry_call_end, kind) == 8);
FERRY_ASSERT(sizeof(ferry_incoming) == 24);
FERRY_ASSERT(offsetof(ferry_incoming, ticket) == 0);
FERRY_ASSERT(offsetof(ferry_incoming, caller) == 8);
FERRY_ASSERT(offsetof(ferry_incoming, kind) == 16);
FERRY_ASSERT(sizeof(ferry_peer) == 60);
FERRY_ASSERT(offsetof(ferry_peer, max_message) == 0);
FERRY_ASSERT(offsetof(ferry_peer, number) == 4);
FERRY_ASSERT(offsetof(ferry_peer, may_send) == 6);
FERRY_ASSERT(offsetof(ferry_peer, may_receive) == 7);
FERRY_ASSERT(offsetof(ferry_peer, name) == 8);

#endif // FERRY_H
