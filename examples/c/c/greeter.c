// The client `greeter`. It sends one message to each client that it may send to, and prints what became of
// it. Ferry's docs/c.md explains the functions of ferry.h.

#include <ferry.h>
#include <microkit.h>
#include <string.h>

// Bytes of one buffer.
#define BUFFER_BYTES 4096
// What is sent.
static const char GREETING[] = "hello from greeter";

static void fail(const char *reason, ferry_result result)
{
    ferry_puts("ferry: error ");
    ferry_puts(reason);
    ferry_puts(": ");
    ferry_puts(ferry_result_name(result));
    ferry_puts("\n");
    ferry_exit(1);
}

static void greet(const ferry_peer *peer)
{
    ferry_tx_buffer buffer;
    ferry_result result = ferry_tx_take(&buffer);
    if (result != FERRY_OK) {
        fail("there is no buffer for a message", result);
    }
    memcpy(ferry_tx_bytes(buffer), GREETING, sizeof(GREETING) - 1);
    // The tag is carried along. It says in `work` which message has ended.
    ferry_message message = {.tag = peer->number};
    result = ferry_send(peer->number, buffer, sizeof(GREETING) - 1, message);
    if (result != FERRY_OK) {
        fail("a message was not enqueued", result);
    }
}

// Called whenever there may be something new.
static void work(void)
{
    ferry_peer peer;
    if (ferry_begins()) {
        for (uint32_t position = 0; ferry_peer_at(position, &peer) == FERRY_OK; position++) {
            if (peer.may_send) {
                greet(&peer);
            }
        }
    }
    do {
        ferry_done done;
        while (ferry_reap(&done)) {
            bool is_there = ferry_peer_by_number((uint16_t)done.tag, &peer) == FERRY_OK;
            ferry_puts("the message to ");
            ferry_puts(is_there ? peer.name : "a client that is gone");
            ferry_puts(" ended with ");
            ferry_puts(ferry_status_name(done.status));
            ferry_puts("\n");
            // `done.buffer` could be filled and sent again.
            ferry_result result = ferry_tx_give(done.buffer);
            if (result != FERRY_OK) {
                fail("a buffer was not taken back", result);
            }
        }
    } while (ferry_rest());
}

void init(void)
{
    ferry_result result = ferry_init(BUFFER_BYTES, 0);
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
