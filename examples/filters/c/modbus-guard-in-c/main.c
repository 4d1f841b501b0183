// The guard of requests of Modbus/TCP, in C. filter.c judges; this file is the protection domain around it.
// Ferry's docs/guards.md explains the functions of ferry.h.

#include "filter.h"

#include <ferry.h>
#include <microkit.h>

// Bytes of a buffer: the longest message of the flow.
#define BUFFER_BYTES 512
// Central hands out at most so many messages at a time.
#define BUFFERS 64

// Buffers that central may have and does not: none before it has let this guard in.
static int missing;

static void ensure(ferry_result result)
{
    if (result != FERRY_OK) {
        ferry_puts("ferry: error the guard: ");
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
            ensure(ferry_post(buffer, FERRY_ANYONE, NULL));
            missing--;
        }
        ferry_inspection inspection;
        while (ferry_inspect(&inspection)) {
            const uint8_t *bytes = ferry_inspection_bytes(inspection.ticket);
            enum modbus_reason reason = modbus_judge(bytes, inspection.length);
            ensure(ferry_answer(inspection.ticket, reason == MODBUS_PASSES, reason));
        }
    } while (ferry_rest());
}

void init(void)
{
    ensure(ferry_init(0, BUFFER_BYTES));
    work();
}

void notified(microkit_channel channel)
{
    (void)channel;
    work();
}
