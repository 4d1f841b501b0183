// r16: entries are removed all at once, and their buffers are sent again in the same loop.
#define BUFFER_BYTES 4096
#include "play.h"

enum { UNDER_WAY = 8, ALL = 32, BUFFERS = 16 };

// Sends each buffer again, with the next tag, until all were sent.
static ferry_next fill(void *context, uint8_t *bytes, uint64_t tag, ferry_status status)
{
    uint64_t *next = context;
    ENSURE(status == FERRY_STATUS_DONE, "all are done");
    ENSURE(tag == *next, "all come back in order");
    (*next)++;
    if (tag + UNDER_WAY >= ALL) {
        return (ferry_next){.target = FERRY_NOBODY};
    }
    memcpy(bytes, "once again", 10);
    return (ferry_next){.tag = tag + UNDER_WAY, .length = 10, .target = BETA};
}

static void play(void)
{
    post(BETA);
    (void)message();
    for (uint64_t tag = 0; tag < UNDER_WAY; tag++) {
        ferry_tx_buffer buffer = tx();
        memcpy(ferry_tx_bytes(buffer), "once again", 10);
        ferry_message first = {.tag = tag};
        ENSURE(ferry_send(BETA, buffer, 10, first) == FERRY_OK, "there is room for a send");
    }
    uint64_t next = 0;
    WAIT((ferry_flush(), ferry_reap_each(fill, &next) == FERRY_OK && next == ALL), "all come back");
    ENSURE(ferry_outstanding() == 0 && ferry_room() == 128, "and have left the queue");
    ferry_tx_buffer taken[BUFFERS + 1];
    uint32_t count = 0;
    while (count <= BUFFERS && ferry_tx_take(&taken[count]) == FERRY_OK) {
        count++;
    }
    ENSURE(count == BUFFERS, "every buffer is in the pool again");
    while (count > 0) {
        ENSURE(ferry_tx_give(taken[--count]) == FERRY_OK, "the buffer is the program's");
    }
}
