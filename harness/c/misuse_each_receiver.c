// Misuse of ferry_receive_each. Two messages arrive, and no more; then an event that is no message.
#define BUFFER_BYTES 4096
#include "play.h"

static uint64_t arrived;

static bool take(void *context, const uint8_t *bytes, const ferry_arrival *message)
{
    // The library is in the middle of a call.
    ferry_rx_buffer *earlier = context;
    ferry_event event;
    ENSURE(ferry_post(*earlier, FERRY_ANYONE, NULL) == FERRY_BUSY, "a call inside a call is refused");
    ENSURE(ferry_receive_each(take, context) == FERRY_BUSY, "also of the same function");
    ENSURE(ferry_rx_bytes(*earlier) == NULL && !ferry_receive(&event) && !ferry_rest(),
           "nothing else is done");
    ENSURE(message->source == ALPHA && message->sequence == arrived, "each message arrives once");
    ENSURE(message->length == 4 && memcmp(bytes, "once", 4) == 0, "with its bytes");
    arrived++;
    return true;
}

static void play(void)
{
    ENSURE(ferry_receive_each(NULL, NULL) == FERRY_NULL, "null is refused");
    ferry_rx_buffer buffer = rx();
    ferry_request request;
    ENSURE(ferry_post(buffer, FERRY_ANYONE, &request) == FERRY_OK, "there is room");
    ENSURE(ferry_receive_each(take, &buffer) == FERRY_OK && arrived == 0, "nothing has arrived");
    WAIT((ferry_flush(), ferry_receive_each(take, &buffer) == FERRY_OK && arrived == 2), "two arrive");

    // The buffer was posted again and again, in one slot after the other. Its first request is none any more.
    ENSURE(ferry_withdraw(request) == FERRY_STALE, "a request that was used up is not withdrawn");
    ENSURE(ferry_rx_bytes(buffer) == NULL && ferry_rx_give(buffer) == FERRY_STALE, "nor is its buffer read");

    // A request that comes back is an event, which only ferry_receive takes.
    ferry_rx_buffer window = rx();
    ferry_request open;
    ENSURE(ferry_open_window(window, ALPHA, &open) == FERRY_OK, "there is room");
    ENSURE(ferry_withdraw(open) == FERRY_OK, "it is withdrawn");
    ferry_flush();
    WAIT(ferry_receive_each(take, &buffer) == FERRY_OTHER_EVENT, "the window comes back");
    ENSURE(ferry_receive_each(take, &buffer) == FERRY_OTHER_EVENT, "it waits to be taken");
    ferry_event event;
    ENSURE(ferry_receive(&event) && event.kind == FERRY_RETURNED, "it is taken");
    ENSURE(ferry_rx_give(event.buffer) == FERRY_OK, "its buffer is the program's");
    rest();
    ENSURE(ferry_receive_each(take, &buffer) == FERRY_OK && arrived == 2, "nothing else arrives");
}
