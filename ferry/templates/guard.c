// The guard `my_guard`. It passes printable ASCII and refuses everything else, until you write another rule
// into `judge`. To run the test at the end of this file on this machine:
//
//     mkdir -p target
//     gcc -std=c11 -Wall -Wextra -Werror -DHOST_TEST -o target/my_guard c/my_guard.c && target/my_guard
//
// Ferry's docs/guards.md explains the functions of ferry.h.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Why a message is refused. The numbers are this guard's own; sender and receiver do not see them.
enum reason {
    PASSES = 0,
    EMPTY = 1,
    NOT_PRINTABLE = 2,
};

// What this guard lets through.
static enum reason judge(const uint8_t *bytes, uint32_t length)
{
    if (length == 0) {
        return EMPTY;
    }
    for (uint32_t place = 0; place < length; place++) {
        if (bytes[place] < ' ' || bytes[place] > '~') {
            return NOT_PRINTABLE;
        }
    }
    return PASSES;
}

#ifndef HOST_TEST

#include <ferry.h>
#include <microkit.h>

// Bytes of one buffer. A longer message is refused.
#define BUFFER_BYTES 4096
// Central hands out at most so many messages at a time.
#define BUFFERS 64

// Buffers that central may have and does not: none before it has let this guard in.
static int missing;

static void fail_unless(ferry_result result)
{
    if (result != FERRY_OK) {
        ferry_puts("ferry: error ");
        ferry_puts(ferry_result_name(result));
        ferry_puts("\n");
        ferry_exit(1);
    }
}

// Called whenever there may be something new.
static void work(void)
{
    if (ferry_begins()) {
        missing = BUFFERS;
    }
    do {
        ferry_done done;
        while (ferry_reap(&done)) { // an answer has ended: its buffer is in the pool again
            missing++;
        }
        ferry_rx_buffer buffer;
        while (missing > 0 && ferry_rx_take(&buffer) == FERRY_OK) {
            fail_unless(ferry_post(buffer, FERRY_ANYONE, NULL));
            missing--;
        }
        ferry_inspection inspection;
        while (ferry_inspect(&inspection)) {
            enum reason reason = judge(ferry_inspection_bytes(inspection.ticket), inspection.length);
            fail_unless(ferry_answer(inspection.ticket, reason == PASSES, reason));
        }
    } while (ferry_rest());
}

void init(void)
{
    fail_unless(ferry_init(0, BUFFER_BYTES));
    work();
}

void notified(microkit_channel channel)
{
    (void)channel;
    work();
}

#else

#include <assert.h>
#include <string.h>

static enum reason of(const char *text)
{
    return judge((const uint8_t *)text, (uint32_t)strlen(text));
}

int main(void)
{
    assert(of("21 degrees") == PASSES);
    assert(of("") == EMPTY);
    assert(of("21\x1b[2J") == NOT_PRINTABLE);
    assert(of("\xff") == NOT_PRINTABLE);
    return 0;
}

#endif
