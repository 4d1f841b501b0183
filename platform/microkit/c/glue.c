/*
 * The C half of the library on Microkit: what the library needs of the platform, by the functions of the
 * SDK's own microkit.h. `ferry` compiles it for each board and configuration.
 *
 * Console and end of the machine go through Ferry's supervisor, as those of Rust programs do
 * (platform/microkit/runtime/src/supervisor.rs has the protocol). An image of a product or of the stock tool
 * has no supervisor that prints; then the kernel prints, in its debug configuration only.
 */

#include <microkit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The labels of requests to the supervisor. */
enum { PRINT = 1, EXIT = 2, STOP = 3 };

/* Bytes of text in one request. */
enum { BURST = 512 };

#define NO_CHANNEL (~(seL4_Word)0)

/*
 * The channel to the supervisor. The image builder stores it here; a program that has the symbol is one that
 * uses the supervisor. It is in .data, because the image builder can only patch what the file has bytes for.
 */
volatile seL4_Word ferry_supervisor = NO_CHANNEL;

void ferry_platform_signal(uint32_t channel);
void ferry_platform_print(const uint8_t *text, size_t bytes);
_Noreturn void ferry_platform_exit(uint8_t code);
_Noreturn void ferry_platform_stop(void);
void ferry_platform_yield(void);

/* Central has a higher priority. seL4_NBSend goes past a fast path that fails for such a receiver. */
void ferry_platform_signal(uint32_t channel)
{
    if (channel > MICROKIT_MAX_CHANNEL_ID || (microkit_notifications & (1ULL << channel)) == 0) {
        /* Reports the wrong channel. */
        microkit_notify(channel);
        return;
    }
    seL4_NBSend(BASE_OUTPUT_NOTIFICATION_CAP + channel, seL4_MessageInfo_new(0, 0, 0, 0));
}

/* Prints by the kernel, with the name of this PD before each line. */
static void print_alone(const uint8_t *text, size_t bytes)
{
    static bool has_begun;
    for (size_t place = 0; place < bytes; place++) {
        if (!has_begun) {
            microkit_dbg_puts(microkit_name);
            microkit_dbg_puts(" | ");
        }
        microkit_dbg_putc(text[place]);
        has_begun = text[place] != '\n';
    }
}

/* Prints one piece by the supervisor: the number of bytes, and the bytes. */
static void print_piece(const uint8_t *text, size_t bytes)
{
    size_t words = 0;
    microkit_mr_set(0, bytes);
    for (size_t place = 0; place < bytes; place += sizeof(seL4_Word)) {
        seL4_Word word = 0;
        for (size_t byte = 0; byte < sizeof(seL4_Word) && place + byte < bytes; byte++) {
            word |= (seL4_Word)text[place + byte] << (8 * byte);
        }
        words++;
        microkit_mr_set(words, word);
    }
    (void)microkit_ppcall(ferry_supervisor, microkit_msginfo_new(PRINT, 1 + words));
}

void ferry_platform_print(const uint8_t *text, size_t bytes)
{
    if (ferry_supervisor == NO_CHANNEL) {
        print_alone(text, bytes);
        return;
    }
    while (bytes > 0) {
        size_t piece = bytes < BURST ? bytes : BURST;
        print_piece(text, piece);
        text += piece;
        bytes -= piece;
    }
}

_Noreturn void ferry_platform_exit(uint8_t code)
{
    if (ferry_supervisor != NO_CHANNEL) {
        microkit_mr_set(0, code);
        (void)microkit_ppcall(ferry_supervisor, microkit_msginfo_new(EXIT, 1));
    }
    static const char why[] =
        "ferry: error this image cannot end the machine; build it with `ferry image`\n";
    ferry_platform_print((const uint8_t *)why, sizeof(why) - 1);
    ferry_platform_stop();
}

_Noreturn void ferry_platform_stop(void)
{
    if (ferry_supervisor != NO_CHANNEL) {
        (void)microkit_ppcall(ferry_supervisor, microkit_msginfo_new(STOP, 0));
    }
    /* Nobody has stopped this PD. A fault stops it for whoever is its parent. */
    for (;;) {
        __builtin_trap();
    }
}

void ferry_platform_yield(void)
{
    seL4_Yield();
}
