// r16: the other end of r16_many_sender. It posts each buffer again.
#define BUFFER_BYTES 4096
#include "play.h"

enum { UNDER_WAY = 8, ALL = 32 };

static void play(void)
{
    for (int number = 0; number < UNDER_WAY; number++) {
        post(FERRY_ANYONE);
    }
    send(ALPHA, 0, 0);
    uint64_t next = 0;
    while (next < ALL) {
        ferry_event event[UNDER_WAY];
        uint32_t count = ferry_receive_many(event, UNDER_WAY);
        for (uint32_t number = 0; number < count; number++, next++) {
            ENSURE(event[number].kind == FERRY_MESSAGE, "it is a message");
            ENSURE(event[number].length == 10 && event[number].tag == next, "all arrive, in order");
            ENSURE(ferry_post(event[number].buffer, FERRY_ANYONE, NULL) == FERRY_OK, "there is room");
        }
        ferry_flush();
        ferry_yield();
    }
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "the sign has arrived");
}
