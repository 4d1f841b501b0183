// Misuse of the sending half: each is refused with its result, and nothing happens by it. Beta counts.
#define BUFFER_BYTES 4096
#include "play.h"

static void start_again(void)
{
    ENSURE(ferry_init(BUFFER_BYTES, BUFFER_BYTES) == FERRY_STARTED, "a client starts once");
    ENSURE(!ferry_begins(), "a client begins once");
}

static void null_pointers(void)
{
    ferry_message ordinary = {0};
    ferry_peer peer;
    ENSURE(ferry_tx_take(NULL) == FERRY_NULL && ferry_rx_take(NULL) == FERRY_NULL, "null is refused");
    ENSURE(!ferry_reap(NULL) && !ferry_receive(NULL), "null takes nothing");
    ENSURE(ferry_reap_many(NULL, 8) == 0 && ferry_receive_many(NULL, 8) == 0, "null takes nothing");
    ENSURE(ferry_peer_by_name(NULL, &peer) == FERRY_NULL, "null is refused");
    ENSURE(ferry_peer_by_name("beta", NULL) == FERRY_NULL, "null is refused");
    ENSURE(ferry_send_parts(BETA, NULL, 1, ordinary) == FERRY_NULL, "null is refused");
    ferry_puts(NULL);
}

static void forged_handles(void)
{
    ferry_message ordinary = {0};
    static const uint64_t forged[] = {0, 1, 0x10000, 0x10fff, 0xffff, 0x1ffff, UINT64_MAX, UINT64_MAX << 16};
    for (size_t number = 0; number < sizeof(forged) / sizeof(forged[0]); number++) {
        // The second buffer is never taken, so no generation of it is the program's.
        ferry_tx_buffer buffer = {forged[number] | 9};
        ENSURE(ferry_tx_bytes(buffer) == NULL, "a forged handle has no bytes");
        ENSURE(ferry_send(BETA, buffer, 1, ordinary) == FERRY_STALE, "a forged handle is not sent");
        ENSURE(ferry_tx_give(buffer) == FERRY_STALE, "nor given back");
    }
}

static void play(void)
{
    start_again();
    null_pointers();
    forged_handles();
    ferry_peer peer;
    ENSURE(ferry_peer_by_name("nobody", &peer) == FERRY_NO_PEER, "there is no such client");
    ENSURE(ferry_peer_by_number(9, &peer) == FERRY_NO_PEER, "there is no such client");
    ENSURE(ferry_peer_at(1000, &peer) == FERRY_NO_PEER, "the list of peers ends");
    ENSURE(ferry_peer_by_name("beta", &peer) == FERRY_OK && peer.number == BETA, "beta is a peer");

    ferry_message first = {.tag = 1};
    ferry_tx_buffer buffer = tx();
    ENSURE(ferry_send(BETA, buffer, BUFFER_BYTES + 1, first) == FERRY_BEYOND_BUFFER, "it is too long");
    ENSURE(ferry_send(BETA, buffer, UINT32_MAX, first) == FERRY_BEYOND_BUFFER, "it is too long");
    ENSURE(ferry_send(FERRY_ANYONE, buffer, 1, first) == FERRY_NO_PEER, "nobody has this number");
    ENSURE(ferry_tx_bytes(buffer) != NULL, "what is refused stays the program's");
    memcpy(ferry_tx_bytes(buffer), "once", 4);
    ENSURE(ferry_send(BETA, buffer, 4, first) == FERRY_OK, "there is room");
    ENSURE(ferry_send(BETA, buffer, 4, first) == FERRY_STALE, "a second send is refused");
    ENSURE(ferry_tx_bytes(buffer) == NULL, "a use after the send is refused");
    ENSURE(ferry_tx_give(buffer) == FERRY_STALE, "and so is giving it back");
    ferry_part parts[] = {{tx(), 1}, {buffer, 1}};
    ENSURE(ferry_send_parts(BETA, parts, 2, first) == FERRY_STALE, "a part that was sent is refused");
    parts[1] = parts[0];
    ENSURE(ferry_send_parts(BETA, parts, 2, first) == FERRY_STALE, "a part that is there twice is refused");
    ENSURE(ferry_send_parts(BETA, parts, 0, first) == FERRY_BAD_PARTS, "a message has parts");
    ENSURE(ferry_send_parts(BETA, parts, 17, first) == FERRY_BAD_PARTS, "and not too many");
    parts[0].length = BUFFER_BYTES + 1;
    ENSURE(ferry_send_parts(BETA, parts, 1, first) == FERRY_BEYOND_BUFFER, "a part is too long");
    ENSURE(ferry_tx_give(parts[0].buffer) == FERRY_OK, "the first part stayed the program's");
    ENSURE(ferry_tx_give(parts[0].buffer) == FERRY_STALE, "it is given back once");
    ferry_flush();

    ferry_done done;
    WAIT(ferry_reap(&done), "the send ends");
    ENSURE(done.status == FERRY_STATUS_DONE && done.tag == 1, "it was done");
    ENSURE(done.buffer.handle != buffer.handle, "the buffer has a new handle");
    ENSURE(ferry_tx_bytes(buffer) == NULL, "the old handle stays used up");
    ENSURE(ferry_send(BETA, buffer, 4, first) == FERRY_STALE, "for ever");
    ferry_message last = {.tag = 2};
    ENSURE(ferry_send(BETA, done.buffer, 4, last) == FERRY_OK, "the new handle is good");
    ferry_flush();
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "it arrives");
}
