// t140: the receiver of a one-way flow counts what it has missed.
#define BUFFER_BYTES 4096
#include "play.h"

enum { MISSED = 3 };

static uint64_t arrived;

static bool take(void *context, const uint8_t *bytes, const ferry_arrival *message)
{
    (void)context;
    (void)bytes;
    ENSURE(message->tag == MISSED + arrived, "what there was no buffer for never comes");
    ENSURE(message->sequence == MISSED + arrived, "its numbers are missing");
    ENSURE(ferry_missed(message->source, message->sequence) == 0, "none is missing between two that came");
    arrived++;
    return true;
}

static void play(void)
{
    post(GAMMA);
    ENSURE(message().source == GAMMA, "the sign is gamma's");
    ENSURE(ferry_dropped() == MISSED, "they are counted where only the receiver reads");
    // Two, because the second message may come before the first buffer is posted again.
    post(ALPHA);
    post(ALPHA);
    send(ALPHA, 0, 0);
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "alpha is told");
    WAIT((ferry_flush(), ferry_receive_each(take, NULL) == FERRY_OK && arrived == 2), "two come");
    ENSURE(ferry_dropped() == MISSED && ferry_missed_in_all() == 0, "no more are missing");
}
