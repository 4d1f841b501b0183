// The client `listener`. It prints who sent each message that it receives, and its length. Ferry's docs/c.md
// explains the functions of ferry.h.

#include <ferry.h>
#include <microkit.h>

// Bytes of one buffer. A longer message does not arrive.
#define BUFFER_BYTES 4096
// How many messages can arrive before this client has looked at the first.
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

// Gets each message. Returns whether to post its buffer again, for the next one.
static bool take(void *context, const uint8_t *bytes, const ferry_arrival *message)
{
    // The message is in the first `message->length` bytes of `bytes`.
    (void)bytes;
    (void)context;
    ferry_peer sender;
    bool is_there = ferry_peer_by_number(message->source, &sender) == FERRY_OK;
    ferry_put_number(message->length);
    ferry_puts(" bytes from ");
    ferry_puts(is_there ? sender.name : "a client that is gone");
    ferry_puts("\n");
    return true;
}

// Called whenever there may be something new.
static void work(void)
{
    ferry_result result;
    if (ferry_begins()) {
        ferry_rx_buffer buffer;
        for (int number = 0; number < BUFFERS && ferry_rx_take(&buffer) == FERRY_OK; number++) {
            result = ferry_post(buffer, FERRY_ANYONE, NULL);
            if (result != FERRY_OK) {
                fail("a buffer was not posted", result);
            }
        }
    }
    do {
        result = ferry_receive_each(take, NULL);
        if (result != FERRY_OK) {
            fail("a message was not taken", result);
        }
    } while (ferry_rest());
}

void init(void)
{
    ferry_result result = ferry_init(0, BUFFER_BYTES);
    if (result != FERRY_OK) {
        fail("the client was not started", result);
    }
    work();
}

void notified(microkit_channel channel)
{
    (void)channel;
    work();
}
