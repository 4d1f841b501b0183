// r17: an entry in the receive queue says what has arrived.
#define BUFFER_BYTES 100
#include "play.h"

static void play(void)
{
    static const struct {
        uint64_t tag;
        uint32_t offset;
        uint32_t length;
    } expected[] = {{0xfeed, 0, 33}, {0xbeef, 100, 44}};

    post(ALPHA);
    post(ALPHA);
    for (uint64_t number = 0; number < 2; number++) {
        ferry_event event = message();
        ferry_peer sender;
        ENSURE(ferry_peer_by_number(event.source, &sender) == FERRY_OK, "the sender is a peer");
        ENSURE(strlen(sender.name) == 5 && memcmp(sender.name, "alpha", 5) == 0, "central names the sender");
        ENSURE(event.tag == expected[number].tag, "the tag is right");
        ENSURE(event.sequence == number, "the number is right");
        ENSURE(event.place.frame == 0 && event.place.offset == expected[number].offset, "the place is right");
        ENSURE(event.length == expected[number].length, "the length is right");
        ENSURE(ferry_rx_bytes(event.buffer) != NULL, "the buffer is the program's");
    }
}
