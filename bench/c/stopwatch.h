// stopwatch.h: times rounds of batches, and marks the last one for an observer outside, as
// `bench/src/pd/stopwatch.rs` does. Functions whose names begin with `bench_` belong to the measurement
// itself.
#ifndef STOPWATCH_H
#define STOPWATCH_H

#include "order.h"

// Instructions of the loop that `calibrate` times: ITERATIONS of two.
#define ITERATIONS 10000u
// Number of attempts. The shortest counts, because an interrupt can only lengthen an attempt.
#define ATTEMPTS 8

// Which round of which case is under way.
struct stopwatch {
    const struct bench_order *order;
    uint32_t number;
    // Number of finished rounds of this case.
    uint32_t rounds;
    uint64_t begun;
    uint64_t least;
    uint64_t total;
};

// The cheapest clock of the processor. `bench/src/pd/clock.rs` says why these are readable.
static inline uint64_t now(void)
{
    uint64_t ticks;
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    ticks = (uint64_t)high << 32 | low;
#elif defined(__aarch64__)
    __asm__ volatile("isb\n\tmrs %0, cntpct_el0" : "=r"(ticks));
#elif defined(__riscv)
    __asm__ volatile("rdcycle %0" : "=r"(ticks));
#endif
    return ticks;
}

// Ticks that the loop takes.
static uint64_t calibrate(void)
{
    uint64_t least = UINT64_MAX;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t count = ITERATIONS;
        uint64_t begun = now();
#if defined(__x86_64__)
        __asm__ volatile("2: dec %0\n\tjnz 2b" : "+r"(count) : : "cc");
#elif defined(__aarch64__)
        __asm__ volatile("2: subs %0, %0, #1\n\tb.ne 2b" : "+r"(count) : : "cc");
#elif defined(__riscv)
        __asm__ volatile("2: addi %0, %0, -1\n\tbnez %0, 2b" : "+r"(count));
#endif
        uint64_t ticks = now() - begun;
        least = ticks < least ? ticks : least;
    }
    return least;
}

void bench_begin(void);
void bench_end(void);
bool bench_round_is_over(struct stopwatch *watch);

// The measured section begins when this function returns. What the two do not do must differ, or the compiler
// could make them one.
__attribute__((noinline)) void bench_begin(void)
{
    __asm__ volatile("" : : "r"(0));
}

// The measured section ends when this function is called.
__attribute__((noinline)) void bench_end(void)
{
    __asm__ volatile("" : : "r"(1));
}

// Prints a name and a number.
static void put(const char *name, uint64_t number)
{
    ferry_puts(name);
    ferry_put_number(number);
}

static struct stopwatch begin_watch(const struct bench_order *order)
{
    put("bench: calibration instructions=", 2 * ITERATIONS);
    put(" ticks=", calibrate());
    ferry_puts("\n");
    return (struct stopwatch){.order = order, .least = UINT64_MAX};
}

// The case under way.
static inline const struct bench_case *current(const struct stopwatch *watch)
{
    return &watch->order->cases[watch->number];
}

// Call this after the flush of the last batch of a round. Returns whether another case has begun.
__attribute__((noinline)) bool bench_round_is_over(struct stopwatch *watch)
{
    // Read first: whatever comes after this is not part of the round.
    uint64_t ticks = now() - watch->begun;
    const struct bench_case *this = current(watch);
    watch->rounds++;
    if (watch->rounds > this->unmeasured + this->rounds) {
        bench_end();
        put("bench: payload=", this->payload);
        put(" batch=", this->batch);
        put(" messages=", this->batches * this->batch);
        put(" ticks=", watch->least);
        put(" rounds=", this->rounds);
        put(" total=", watch->total);
        ferry_puts("\n");
        *watch = (struct stopwatch){
            .order = watch->order, .number = watch->number + 1, .least = UINT64_MAX};
        if (watch->number == watch->order->count) {
            ferry_exit(0);
        }
        return true;
    }
    if (watch->rounds > this->unmeasured) {
        watch->least = ticks < watch->least ? ticks : watch->least;
        watch->total += ticks;
    }
    if (watch->rounds == this->unmeasured + this->rounds) {
        bench_begin();
    }
    watch->begun = now();
    return false;
}

#endif
