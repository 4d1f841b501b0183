// waiting.h: a send that waits for beta, whose end is what the scenario is about. Gamma tells beta when it
// waits.
#ifndef WAITING_H
#define WAITING_H

#include "play.h"

// Gives the status with which a send to beta ends that was waiting when beta was told.
static inline ferry_status end_of_waiting_send(void)
{
    send(BETA, 100, 1);
    WAIT(ferry_status_of(0) == FERRY_STATUS_QUEUED, "the send waits");
    send(GAMMA, 0, 2);
    ferry_status status = FERRY_STATUS_FREE;
    for (int ends = 0; ends < 2; ends++) {
        ferry_done done = end_of_send();
        if (done.tag == 1) {
            status = done.status;
        }
    }
    return status;
}

#endif
