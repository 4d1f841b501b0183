// calls.h: what both sides of calls in C have.
#ifndef CALLS_H
#define CALLS_H

#define BUFFER_BYTES 1024
#include "play.h"

// Buffers that each side has posted for the other. Posted again as soon as they are read.
enum { POSTED = 4 };

// Waits for what arrives next, and asks what it means for the calls. Its text goes to `text`.
static inline ferry_incoming incoming(char text[BUFFER_BYTES])
{
    ferry_event event = message();
    ferry_incoming means, again;
    ENSURE(ferry_call_received(&event, &means) == FERRY_OK, "the library says what it means");
    if (means.kind != FERRY_ORDINARY) {
        ENSURE(ferry_call_received(&event, &again) == FERRY_STALE, "it is asked about once");
    }
    memcpy(text, ferry_rx_bytes(event.buffer), event.length);
    text[event.length] = '\0';
    ENSURE(ferry_post(event.buffer, event.source, NULL) == FERRY_OK, "there is room for a buffer");
    ferry_flush();
    return means;
}

// A transmit buffer with a text in it.
static inline ferry_tx_buffer filled(const char *text)
{
    ferry_tx_buffer buffer = tx();
    memcpy(ferry_tx_bytes(buffer), text, strlen(text));
    return buffer;
}

#endif
