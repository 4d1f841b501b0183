// The client `my_client`. It sends each message that it receives back to the client that it came from.
// Ferry's docs/c.md explains the functions of ferry.h.

#include <ferry.h>
#include <microkit.h>
#include <string.h>

// Bytes of one buffer. A longer message does not arrive.
#define BUFFER_BYTES 4096
// How many messages can be on their way in each direction.
#define BUFFERS 16

static void fail(const char *reason, ferry_result result)
{
    ferry_puts("ferry: error ");
    ferry_puts(reason);
    ferry_puts(": ");
    ferry_puts(ferry_result_name(result));
    ferry_puts("\n");
    ferry_exit(1);
}

static void check(ferry_result result, const char *reason)
{
    if (result != FERRY_OK) {
        fail(reason, result);
    }
}

static void answer(const ferry_event *event, ferry_tx_buffer buffer)
{
    ferry_peer sender;
    bool has_flow = ferry_peer_by_number(event->source, &sender) == FERRY_OK && sender.may_send;
    if (!has_flow) {
        check(ferry_tx_give(buffer), "a buffer was not taken back");
        return;
    }
    memcpy(ferry_tx_bytes(buffer), ferry_rx_bytes(event->buffer), event->length);
    ferry_message message = {.tag = event->tag};
    check(ferry_send(sender.number, buffer, event->length, message), "a message was not enqueued");
}

// Called whenever there may be something new.
static void work(void)
{
    if (ferry_begins()) {
        ferry_rx_buffer buffer;
        for (int number = 0; number < BUFFERS && ferry_rx_take(&buffer) == FERRY_OK; number++) {
            check(ferry_post(buffer, FERRY_ANYONE, NULL), "a buffer was not posted");
        }
    }
    do {
        ferry_done done;
        while (ferry_reap(&done)) {
            check(ferry_tx_give(done.buffer), "a buffer was not taken back");
        }
        // Without a free buffer a message stays where it is, until a buffer comes back.
        ferry_tx_buffer free;
        while (ferry_tx_take(&free) == FERRY_OK) {
            ferry_event event;
            if (!ferry_receive(&event)) {
                check(ferry_tx_give(free), "a buffer was not taken back");
                break;
            }
            if (event.kind == FERRY_MESSAGE) {
                answer(&event, free);
            } else {
                check(ferry_tx_give(free), "a buffer was not taken back");
            }
            check(ferry_post(event.buffer, FERRY_ANYONE, NULL), "a buffer was not posted");
        }
    } while (ferry_rest());
}

void init(void)
{
    check(ferry_init(BUFFER_BYTES, BUFFER_BYTES), "the client was not started");
    work();
}

void notified(microkit_channel channel)
{
    (void)channel;
    work();
}
