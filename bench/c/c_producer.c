// Sends batches and measures what they cost: `bench/src/pd/producer.rs`, in C. It does only what a sender
// must do: it takes a buffer back and sends it again.

#include "stopwatch.h"

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

// Sends each buffer again that comes back.
static ferry_next fill(void *context, uint8_t *bytes, uint64_t tag, ferry_status status)
{
    ferry_next *next = context;
    (void)bytes;
    (void)tag;
    if (status != FERRY_STATUS_DONE) {
        fail("a message has not arrived");
    }
    ferry_next this = *next;
    // Cannot go below 0: only the messages of one batch are under way.
    next->tag = this.tag - 1;
    return this;
}

// Runs until only central can go on, and flushes when a batch is complete.
static void pump(void)
{
    ferry_disarm();
    for (;;) {
        // The tag of a message is the number of those that the batch lacks before it.
        ferry_next next = {.tag = missing, .length = current(&watch)->payload, .target = consumer};
        if (ferry_reap_each(fill, &next) != FERRY_OK) {
            fail("a message was not enqueued");
        }
        missing = (uint32_t)next.tag;
        if (missing == 0) {
            batch_is_complete();
        } else if (!ferry_rest()) {
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
