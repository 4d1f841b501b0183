// r18: sends without a signal, to a receiver that polls.
#define BUFFER_BYTES 4096
#include "play.h"

static void play(void)
{
    ferry_tx_buffer buffer = tx();
    memcpy(ferry_tx_bytes(buffer), "in order", 8);
    ferry_message quiet = {.tag = 5, .flags = FERRY_NO_SIGNAL};
    ENSURE(ferry_send(BETA, buffer, 8, quiet) == FERRY_OK, "there is room");
    ferry_flush();
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "the send is done");
}
