// r25: each fault of the sender has its status, as far as the library lets the sender make it.
#define BUFFER_BYTES 16384
#include "play.h"

static void ends_with(ferry_status status)
{
    ENSURE(end_of_send().status == status, "the status is the one for this fault");
}

static void play(void)
{
    send(7, 1, 0);
    ends_with(FERRY_STATUS_NO_TARGET);
    send(ALPHA, 1, 0);
    ends_with(FERRY_STATUS_DENIED);
    ferry_message ordinary = {0};
    ferry_place outside = {.frame = 0, .offset = 0};
    ENSURE(ferry_send_to(BETA, outside, tx(), 1, ordinary) == FERRY_OK, "there is room");
    ferry_flush();
    ends_with(FERRY_STATUS_BAD_DESTINATION);
    ferry_message short_lived = {.time_to_live = 2};
    ENSURE(ferry_send(BETA, tx(), 1, short_lived) == FERRY_OK, "there is room");
    ferry_flush();
    ends_with(FERRY_STATUS_EXPIRED);
    // The buffer that gamma has posted is larger, and so is this one. The flow's length counts.
    send(GAMMA, 8193, 0);
    ends_with(FERRY_STATUS_BAD_LENGTH);
    send(GAMMA, 8192, 0);
    ends_with(FERRY_STATUS_DONE);
}
