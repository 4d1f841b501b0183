// microkit.h: the names of Microkit that a C client of Ferry uses, for the platforms classic and hosted. On
// Microkit itself a program includes the SDK's own file of this name. So one source runs on all platforms.
//
// Only the names below exist here. What a program does with channels to others is the same everywhere;
// protected procedure calls, interrupts and virtual machines are on Microkit only.
#ifndef FERRY_PORTABLE_MICROKIT_H
#define FERRY_PORTABLE_MICROKIT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned int microkit_channel;

#define MICROKIT_MAX_CHANNELS 62
#define MICROKIT_MAX_CHANNEL_ID (MICROKIT_MAX_CHANNELS - 1)

// The program has these two. init is called once; then notified for each channel that was signalled.
void init(void);
void notified(microkit_channel channel);

// Signals the other end of a channel. A number that no channel can have is reported on the console.
void microkit_notify(microkit_channel channel);
// The same, when init or notified returns.
void microkit_deferred_notify(microkit_channel channel);

// Print on the console: a character, a string that ends with a zero byte, a number in decimal.
void microkit_dbg_putc(int character);
void microkit_dbg_puts(const char *text);
void microkit_dbg_put8(uint8_t number);
void microkit_dbg_put32(uint32_t number);

#ifdef __cplusplus
}
#endif

#endif
