// r25: a target that restarts resets what waits for it.
#define BUFFER_BYTES 4096
#include "waiting.h"

static void play(void)
{
    ENSURE(end_of_waiting_send() == FERRY_STATUS_PEER_RESET, "the waiting send is ended");
    send(BETA, 100, 3);
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "the restarted client receives");
}
