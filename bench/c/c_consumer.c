// Takes what the producer sends, and posts each buffer again at once: `bench/src/pd/consumer.rs`, in C.

#include "order.h"

// Messages that are taken at once.
enum { AT_ONCE = 32 };

// Posts a buffer, and waits for a free slot if there is none: central frees one a moment after the delivery.
static void post(ferry_rx_buffer buffer)
{
    ferry_result result;
    while ((result = ferry_post(buffer, FERRY_ANYONE, NULL)) != FERRY_OK) {
        if (result != FERRY_FULL) {
            fail("a buffer was not posted");
        }
        ferry_yield();
    }
}

static void work(void)
{
    static ferry_event events[AT_ONCE];
    if (ferry_begins()) {
        ferry_rx_buffer buffer;
        for (int number = 0; number < BUFFERS && ferry_rx_take(&buffer) == FERRY_OK; number++) {
            post(buffer);
        }
    }
    do {
        uint32_t count;
        while ((count = ferry_receive_many(events, AT_ONCE)) != 0) {
            for (uint32_t number = 0; number < count; number++) {
                if (events[number].kind != FERRY_MESSAGE) {
                    fail("something else than a message arrived");
                }
                post(events[number].buffer);
            }
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
