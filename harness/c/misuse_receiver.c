// Misuse of the receiving half: each is refused with its result. Two messages arrive, and no more.
#define BUFFER_BYTES 4096
#include "play.h"

static void play(void)
{
    ferry_rx_buffer buffer = rx();
    ferry_request request;
    ENSURE(ferry_post(buffer, 9, NULL) == FERRY_NO_PEER, "nobody has this number");
    ENSURE(ferry_open_window(buffer, FERRY_ANYONE, NULL) == FERRY_NO_PEER, "a window is for one client");
    ENSURE(ferry_post(buffer, ALPHA, &request) == FERRY_OK, "there is room");
    ENSURE(ferry_post(buffer, ALPHA, NULL) == FERRY_STALE, "a buffer is posted once");
    ENSURE(ferry_open_window(buffer, ALPHA, NULL) == FERRY_STALE, "and then is no window");
    ENSURE(ferry_rx_bytes(buffer) == NULL, "nor is it read");
    ENSURE(ferry_rx_give(buffer) == FERRY_STALE, "nor given back");
    ferry_place place;
    ENSURE(ferry_rx_place(buffer, &place) == FERRY_STALE, "nor does it have a place");
    ferry_request forged = {request.handle + 0x20000};
    ENSURE(ferry_withdraw(forged) == FERRY_STALE, "a forged request is refused");

    // A window that is withdrawn, twice.
    ferry_rx_buffer window = rx();
    ferry_request open;
    uint8_t bytes[8];
    ENSURE(ferry_open_window(window, ALPHA, &open) == FERRY_OK, "there is room");
    ENSURE(ferry_copy_out(open, 0, bytes, sizeof(bytes)) == FERRY_OK, "a window can be read");
    ENSURE(ferry_copy_out(open, BUFFER_BYTES - 7, bytes, 8) == FERRY_BEYOND_BUFFER, "not past its end");
    ENSURE(ferry_copy_out(open, UINT32_MAX, bytes, 8) == FERRY_BEYOND_BUFFER, "not past its end");
    ENSURE(ferry_copy_out(open, 0, NULL, 8) == FERRY_NULL, "null is refused");
    ENSURE(ferry_withdraw(open) == FERRY_OK, "it is withdrawn");
    ENSURE(ferry_withdraw(open) == FERRY_STALE, "once");
    ferry_flush();
    ferry_event event = {0};
    int messages = 0;
    while (event.kind != FERRY_RETURNED) {
        WAIT(ferry_receive(&event), "the window comes back");
        messages += event.kind == FERRY_MESSAGE;
        ENSURE(ferry_rx_give(event.buffer) == FERRY_OK, "what comes back is the program's");
    }
    ENSURE(ferry_copy_out(open, 0, bytes, sizeof(bytes)) == FERRY_STALE, "it is no window any more");
    ENSURE(ferry_withdraw(open) == FERRY_STALE, "nor is it withdrawn again");

    post(ALPHA);
    for (; messages < 2; messages++) {
        event = message();
        ENSURE(event.source == ALPHA && event.sequence == (uint64_t)messages, "each arrives once");
        ENSURE(memcmp(ferry_rx_bytes(event.buffer), "once", 4) == 0, "with its bytes");
        ENSURE(ferry_rx_give(event.buffer) == FERRY_OK, "the buffer is the program's");
    }
    rest();
    ENSURE(!ferry_receive(&event), "nothing else arrives");
}
