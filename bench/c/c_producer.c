// Sends batches and measures what they cost: `bench/src/pd/producer.rs`, in C. It does only what a sender
// must do: it takes a buffer back and sends it again.

#include "stopwatch.h"

// Sends that are taken back at once.
enum { AT_ONCE = 32 };

static struct stopwatch watch;
static uint16_t consumer;
// Number of messages that the current batch still lacks, and of batches until the end of the round.
static uint32_t missing, left;

static void send(ferry_tx_buffer buffer, uint32_t number)
{
    ferry_message message = {.tag = number};
    if (ferry_send(consumer, buffer, current(&watch)->payload, message) != FERRY_OK) {
        fail("a message was not enqueued");
    }
}

// Sends the first batch of a case.
static void begin(void)
{
    const struct bench_case *this = current(&watch);
    for (uint32_t number = 0; number < this->batch; number++) {
        ferry_tx_buffer buffer;
        if (ferry_tx_take(&buffer) != FERRY_OK) {
            fail("a buffer is missing");
        }
        send(buffer, number);
    }
    missing = this->batch;
    left = this->batches;
    ferry_flush();
}

// Takes all buffers back and begins the next case.
static void next_case(void)
{
    while (ferry_outstanding() != 0) {
        ferry_done done;
        if (!ferry_reap(&done)) {
            ferry_yield();
        } else if (ferry_tx_give(done.buffer) != FERRY_OK) {
            fail("a buffer has not come back");
        }
    }
    begin();
}

static void batch_is_complete(void)
{
    ferry_flush();
    missing = current(&watch)->batch;
    left--;
    if (left == 0) {
        left = current(&watch)->batches;
        if (bench_round_is_over(&watch)) {
            next_case();
        }
    }
}

// Runs until only central can go on. Sends each buffer again that comes back, and flushes when a batch is
// complete.
static void pump(void)
{
    static ferry_done done[AT_ONCE];
    ferry_disarm();
    for (;;) {
        uint32_t count = ferry_reap_many(done, AT_ONCE);
        for (uint32_t number = 0; number < count; number++) {
            if (done[number].status != FERRY_STATUS_DONE) {
                fail("a message has not arrived");
            }
            send(done[number].buffer, missing);
            // Cannot go below 0: only the messages of one batch are under way.
            missing--;
        }
        if (missing == 0) {
            batch_is_complete();
        } else if (count == 0 && !ferry_rest()) {
            return;
        }
    }
}

static void work(void)
{
    if (ferry_begins()) {
        ferry_peer peer;
        if (ferry_peer_by_name("consumer", &peer) != FERRY_OK) {
            fail("no flow to consumer");
        }
        consumer = peer.number;
        watch = begin_watch(read_order());
        begin();
    }
    if (watch.order != NULL) {
        pump();
    }
}

void init(void)
{
    if (ferry_init(read_order()->stride, 0) != FERRY_OK) {
        fail("the client does not start");
    }
    work();
}

void notified(microkit_channel channel)
{
    (void)channel;
    work();
}
