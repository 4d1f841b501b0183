// Misuse of ferry_reap_each: each is refused with its result, and nothing happens by it. Beta counts.
#define BUFFER_BYTES 4096
#include "play.h"

// What the function does in this call of it, and how often it was called.
static ferry_next answer;
static int calls;
static ferry_status last_status;

static ferry_next fill(void *context, uint8_t *bytes, uint64_t tag, ferry_status status)
{
    (void)tag;
    calls++;
    last_status = status;
    // The library is in the middle of a call.
    ferry_tx_buffer *earlier = context;
    ferry_message ordinary = {0};
    ENSURE(ferry_send(BETA, *earlier, 1, ordinary) == FERRY_BUSY, "a call inside a call is refused");
    ENSURE(ferry_reap_each(fill, context) == FERRY_BUSY, "also of the same function");
    ENSURE(ferry_tx_bytes(*earlier) == NULL && !ferry_rest() && ferry_room() == 0, "nothing else is done");
    memcpy(bytes, "once", 4);
    return answer;
}

// Reaps one send, whose buffer then has what `answer` says.
static ferry_result reap(ferry_tx_buffer *earlier)
{
    ferry_result result = FERRY_OK;
    calls = 0;
    ferry_flush();
    WAIT((result = ferry_reap_each(fill, earlier)) != FERRY_OK || calls != 0, "the send ends");
    ENSURE(calls == 1, "each send is asked about once");
    ENSURE(ferry_tx_bytes(*earlier) == NULL, "its old handle stays used up");
    return result;
}

static void play(void)
{
    ENSURE(ferry_reap_each(NULL, NULL) == FERRY_NULL, "null is refused");
    ENSURE(ferry_reap_each(fill, NULL) == FERRY_OK && calls == 0, "nothing was sent");
    ferry_tx_buffer buffer = tx();
    ferry_message first = {.tag = 1};
    memcpy(ferry_tx_bytes(buffer), "once", 4);
    ENSURE(ferry_send(BETA, buffer, 4, first) == FERRY_OK, "there is room");

    answer = (ferry_next){.tag = 2, .length = 4, .target = 9};
    ENSURE(reap(&buffer) == FERRY_OK && last_status == FERRY_STATUS_DONE, "the send was done");
    answer = (ferry_next){.tag = 3, .length = 4, .target = 500};
    ENSURE(reap(&buffer) == FERRY_OK && last_status == FERRY_STATUS_NO_TARGET, "there is no client 9");
    answer = (ferry_next){.tag = 4, .length = 4, .target = BETA, .flags = FERRY_URGENT};
    ENSURE(reap(&buffer) == FERRY_OK && last_status == FERRY_STATUS_NO_TARGET, "nor is there a client 500");
    answer = (ferry_next){.tag = 5, .length = 4, .target = BETA, .flags = FERRY_NO_SIGNAL};
    ENSURE(reap(&buffer) == FERRY_OK && last_status == FERRY_STATUS_DENIED, "the flow is not urgent");
    answer = (ferry_next){.tag = 6, .length = BUFFER_BYTES + 1, .target = BETA};
    ENSURE(reap(&buffer) == FERRY_BEYOND_BUFFER, "it is too long");
    ENSURE(last_status == FERRY_STATUS_DONE && ferry_outstanding() == 0, "and is not sent");

    // The buffer is in the pool, so it is the next one that is taken.
    ferry_tx_buffer again = tx();
    ENSURE(again.handle != buffer.handle, "it has a new handle");
    ENSURE(memcmp(ferry_tx_bytes(again), "once", 4) == 0, "it is the same buffer");
    ENSURE(ferry_tx_give(buffer) == FERRY_STALE && ferry_tx_give(again) == FERRY_OK, "it is given back once");
    ENSURE(ferry_reap_each(fill, NULL) == FERRY_OK && calls == 1, "nothing else comes back");
}
