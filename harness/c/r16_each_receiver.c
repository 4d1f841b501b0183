// r16: the other end of r16_each_sender. It posts each buffer again, and the last ones not.
#define BUFFER_BYTES 4096
#include "play.h"

enum { UNDER_WAY = 8, ALL = 32 };

static bool take(void *context, const uint8_t *bytes, const ferry_arrival *message)
{
    uint64_t *next = context;
    ENSURE(message->source == ALPHA && message->length == 10, "what was sent arrives");
    ENSURE(message->tag == *next && message->sequence == *next, "all arrive, in order");
    ENSURE(memcmp(bytes, "once again", 10) == 0, "with their bytes");
    (*next)++;
    return *next + UNDER_WAY <= ALL;
}

static void play(void)
{
    for (int number = 0; number < UNDER_WAY; number++) {
        post(FERRY_ANYONE);
    }
    send(ALPHA, 0, 0);
    uint64_t next = 0;
    WAIT((ferry_flush(), ferry_receive_each(take, &next) == FERRY_OK && next == ALL), "all arrive");
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "the sign has arrived");
    ferry_rx_buffer buffer;
    uint32_t count = 0;
    while (ferry_rx_take(&buffer) == FERRY_OK) {
        count++;
    }
    ENSURE(count == 32, "what is not posted again is in the pool");
}
