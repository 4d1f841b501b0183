// r16: entries are removed many at a time, and their buffers are used again. Both ends are in C.
#define BUFFER_BYTES 4096
#include "play.h"

enum { UNDER_WAY = 8, ALL = 32 };

static void play(void)
{
    post(BETA);
    (void)message();
    for (uint64_t tag = 0; tag < UNDER_WAY; tag++) {
        send(BETA, 10, tag);
    }
    uint64_t next = 0;
    while (next < ALL) {
        ferry_done done[UNDER_WAY];
        uint32_t count = ferry_reap_many(done, UNDER_WAY);
        for (uint32_t number = 0; number < count; number++, next++) {
            ENSURE(done[number].status == FERRY_STATUS_DONE, "all are done");
            ENSURE(done[number].tag == next, "all come back in order");
            ferry_message again = {.tag = next + UNDER_WAY};
            if (again.tag < ALL) {
                ENSURE(ferry_send(BETA, done[number].buffer, 10, again) == FERRY_OK, "there is room");
            } else {
                ENSURE(ferry_tx_give(done[number].buffer) == FERRY_OK, "the buffer is the program's");
            }
        }
        ferry_flush();
        ferry_yield();
    }
    ENSURE(ferry_outstanding() == 0 && ferry_room() == 128, "and have left the queue");
}
