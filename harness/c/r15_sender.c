// r15: the status says whether a send waits or is complete. Beta posts its buffer when gamma tells it to.
#define BUFFER_BYTES 4096
#include "play.h"

static void play(void)
{
    send(BETA, 100, 1);
    WAIT(ferry_status_of(0) == FERRY_STATUS_QUEUED, "the send waits");
    rest();
    ENSURE(ferry_status_of(0) == FERRY_STATUS_QUEUED, "as long as it waits the status says so");
    ENSURE(ferry_status_of(1) == FERRY_STATUS_FREE, "there is no second send");
    send(GAMMA, 0, 2);
    for (int ends = 0; ends < 2; ends++) {
        ferry_done done = end_of_send();
        ENSURE(done.status == FERRY_STATUS_DONE, "when it is complete the status says so");
    }
    ENSURE(ferry_status_of(0) == FERRY_STATUS_FREE, "and says nothing of the next send");
}
