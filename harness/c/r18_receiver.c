// r18: a receiver that polls needs no signal. Both ends are in C.
#define BUFFER_BYTES 4096
#include "play.h"

static void play(void)
{
    ferry_disarm();
    post(FERRY_ANYONE);
    ferry_event event = message();
    ENSURE(event.tag == 5 && event.length == 8, "polling finds the entry");
    ENSURE(memcmp(ferry_rx_bytes(event.buffer), "in order", 8) == 0, "and the bytes are the sender's");
}
