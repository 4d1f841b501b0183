// Takes what the producer sends, and posts each buffer again at once: `bench/src/pd/consumer.rs`, in C.

#include "order.h"

// Posts a buffer of the pool, and waits for a free slot if there is none: central frees one a moment after
// the delivery.
static void post(void)
{
    ferry_rx_buffer buffer;
    if (ferry_rx_take(&buffer) != FERRY_OK) {
        fail("a buffer is missing");
    }
    ferry_result result;
    while ((result = ferry_post(buffer, FERRY_ANYONE, NULL)) != FERRY_OK) {
        if (result != FERRY_FULL) {
            fail("a buffer was not posted");
        }
        ferry_yield();
    }
}

// Every buffer is posted again.
static bool take(void *context, const uint8_t *bytes, const ferry_arrival *message)
{
    (void)context;
    (void)bytes;
    (void)message;
    return true;
}

static void work(void)
{
    if (ferry_begins()) {
        for (int number = 0; number < BUFFERS; number++) {
            post();
        }
    }
    do {
        ferry_result result;
        while ((result = ferry_receive_each(take, NULL)) == FERRY_FULL) {
            post();
        }
        if (result != FERRY_OK) {
            fail("something else than a message arrived");
        }
    } while (ferry_rest());
}

void init(void)
{
    if (ferry_init(0, read_order()->stride) != FERRY_OK) {
        fail("the client does not start");
    }
    work();
}

void notified(microkit_channel channel)
{
    (void)channel;
    work();
}
