// r16: the sender removes the entry when it sees the status, once.
#define BUFFER_BYTES 4096
#include "play.h"

static void play(void)
{
    send(BETA, 10, 1);
    ENSURE(ferry_outstanding() == 1 && ferry_room() == 127, "the entry is in the queue");
    ferry_done done;
    WAIT(ferry_reap(&done), "the send ends");
    ENSURE(done.status == FERRY_STATUS_DONE && done.tag == 1, "it comes back, done");
    ENSURE(ferry_outstanding() == 0 && ferry_room() == 128, "and has left the queue");
    ENSURE(!ferry_reap(&done), "once");
    ENSURE(ferry_tx_give(done.buffer) == FERRY_OK, "its buffer is the program's");
}
