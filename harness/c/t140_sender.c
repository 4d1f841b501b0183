// t140: the sender of a one-way flow. Its sends are done, whatever became of them. Beta posts when gamma
// tells it to.
#define BUFFER_BYTES 4096
#include "play.h"

enum { MISSED = 3 };

static void send_one(uint64_t tag)
{
    send(BETA, 64, tag);
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "the send is done, whatever became of it");
}

static void play(void)
{
    for (uint64_t tag = 0; tag < MISSED; tag++) {
        send_one(tag);
    }
    ENSURE(ferry_dropped() == 0, "what was dropped is not the sender's to see");
    send(GAMMA, 0, 0);
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "gamma is told");
    post(BETA);
    (void)message();
    send_one(MISSED);
    send_one(MISSED + 1);
}
