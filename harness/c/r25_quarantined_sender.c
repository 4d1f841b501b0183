// r25: a target in quarantine ends what waits for it.
#define BUFFER_BYTES 4096
#include "waiting.h"

static void play(void)
{
    ENSURE(end_of_waiting_send() == FERRY_STATUS_QUARANTINED, "the waiting send is ended");
    send(BETA, 100, 3);
    ENSURE(end_of_send().status == FERRY_STATUS_QUARANTINED, "a later one as well");
}
