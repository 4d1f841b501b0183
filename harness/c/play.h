// play.h: what every role in C has. A role runs in `init`, looks at its queues without sleeping, and tells
// the umpire at the end, as the roles in Rust do (harness/src/actor.rs). A program defines BUFFER_BYTES and
// has a function `play`.
#ifndef PLAY_H
#define PLAY_H

#include <ferry.h>
#include <microkit.h>
#include <string.h>

// The clients, by number (harness/src/role.rs).
enum { ALPHA = 0, BETA = 1, GAMMA = 2, MALLORY = 3 };

// How often a role looks before it gives up. The host has a shorter limit; this makes the failure a message.
#define PATIENCE 12000000

// Tag of the message by which a role tells the umpire that it has passed: "PASSED" (harness/src/actor.rs).
#define TAG_PASSED 0x444553534150u

// What the role does.
static void play(void);

static inline void fail(const char *what, int line)
{
    ferry_puts("harness: fail in C: expected: ");
    ferry_puts(what);
    ferry_puts(" (line ");
    ferry_put_number((uint64_t)line);
    ferry_puts(")\n");
    ferry_exit(1);
}

// Ends the scenario with a failure unless the condition holds.
#define ENSURE(condition, what)     \
    do {                            \
        if (!(condition)) {         \
            fail(what, __LINE__);   \
        }                           \
    } while (0)

// Lets others run until the condition holds.
#define WAIT(condition, what)                                   \
    do {                                                        \
        int patience = PATIENCE;                                \
        while (!(condition)) {                                  \
            ENSURE(patience-- > 0, what " (in time)");          \
            ferry_yield();                                      \
        }                                                       \
    } while (0)

static inline ferry_tx_buffer tx(void)
{
    ferry_tx_buffer buffer;
    ENSURE(ferry_tx_take(&buffer) == FERRY_OK, "a transmit buffer is free");
    return buffer;
}

static inline ferry_rx_buffer rx(void)
{
    ferry_rx_buffer buffer;
    ENSURE(ferry_rx_take(&buffer) == FERRY_OK, "a receive buffer is free");
    return buffer;
}

// Sends `length` bytes with a tag.
static inline void send(uint16_t target, uint32_t length, uint64_t tag)
{
    ferry_message message = {.tag = tag};
    ENSURE(ferry_send(target, tx(), length, message) == FERRY_OK, "there is room for a send");
    ferry_flush();
}

// Waits for the next send that has ended, and gives its buffer back.
static inline ferry_done end_of_send(void)
{
    ferry_done done;
    WAIT(ferry_reap(&done), "a send ends");
    ENSURE(ferry_tx_give(done.buffer) == FERRY_OK, "its buffer is the program's");
    return done;
}

// Waits for the next message.
static inline ferry_event message(void)
{
    ferry_event event;
    WAIT(ferry_receive(&event), "a message arrives");
    ENSURE(event.kind == FERRY_MESSAGE, "it is a message");
    return event;
}

static inline void post(uint16_t from)
{
    ENSURE(ferry_post(rx(), from, NULL) == FERRY_OK, "there is room for a buffer");
    ferry_flush();
}

// Lets others run for a while.
static inline void rest(void)
{
    for (int turn = 0; turn < 1000; turn++) {
        ferry_yield();
    }
}

// Tells the umpire that this role has passed; again if the umpire's own script has restarted it meanwhile.
static inline void report_pass(void)
{
    for (;;) {
        send(GAMMA, 0, TAG_PASSED);
        ferry_done done = end_of_send();
        if (done.status == FERRY_STATUS_DONE) {
            return;
        }
        bool is_back_soon =
            done.status == FERRY_STATUS_PEER_RESET || done.status == FERRY_STATUS_QUARANTINED;
        ENSURE(is_back_soon, "the umpire can be told");
        rest();
    }
}

void init(void)
{
    ENSURE(ferry_init(BUFFER_BYTES, BUFFER_BYTES) == FERRY_OK, "the client starts");
    WAIT(ferry_begins(), "central lets the client in");
    play();
    ferry_puts("harness: pass\n");
    report_pass();
}

void notified(microkit_channel channel)
{
    (void)channel;
}

#endif
