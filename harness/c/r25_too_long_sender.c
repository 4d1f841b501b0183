// r25: one byte too many for the buffer that beta has posted.
#define BUFFER_BYTES 4096
#include "play.h"

static void play(void)
{
    send(BETA, 17, 1);
    ferry_done done = end_of_send();
    ENSURE(done.status == FERRY_STATUS_TOO_LONG && done.tag == 1, "one byte too many");
    send(BETA, 16, 2);
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "the buffer was still there");
}
