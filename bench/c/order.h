// order.h: reads the region `bench`, which says what cases to run, as `bench/src/pd/order.rs` does.
#ifndef ORDER_H
#define ORDER_H

#include <ferry.h>
#include <microkit.h>

// First word of the region: "BNCH".
#define MAGIC 0x48434e42u
// Number of buffers on either side: one for each slot of a ring.
enum { BUFFERS = 128 };

// One case.
struct bench_case {
    // Bytes of a message.
    uint32_t payload;
    // Messages of a batch.
    uint32_t batch;
    // Batches of a round.
    uint32_t batches;
    // Rounds to warm up, which are not timed.
    uint32_t unmeasured;
    // Rounds that are timed. One more round follows for an observer outside.
    uint32_t rounds;
};

// All cases.
struct bench_order {
    uint32_t magic;
    // Distance between two buffers in bytes, which is also their size.
    uint32_t stride;
    uint32_t count;
    struct bench_case cases[];
};

// The image builder writes the address of the region here. It can only patch what the file has bytes for.
volatile uintptr_t ferry_bench = UINTPTR_MAX;
volatile uintptr_t ferry_bench_size = UINTPTR_MAX;

// Ends the measurement, and prints the reason.
FERRY_NO_RETURN static inline void fail(const char *reason)
{
    ferry_puts("ferry: error ");
    ferry_puts(reason);
    ferry_puts("\n");
    ferry_exit(1);
}

// The cases in the region. It was filled before the system started, and nobody can write it.
static inline const struct bench_order *read_order(void)
{
    const struct bench_order *order = (const struct bench_order *)ferry_bench;
    if (ferry_bench == UINTPTR_MAX || order->magic != MAGIC || order->count == 0) {
        fail("the region bench is not filled in");
    }
    return order;
}

#endif
