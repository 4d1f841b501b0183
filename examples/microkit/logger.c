// Prints what arrives.
#include <ferry.h>
#include <microkit.h>

// Gets each message. The buffer is posted again.
static bool print(void *context, const uint8_t *bytes, const ferry_arrival *message)
{
    (void)context;
    if (message->length == 1) {
        ferry_puts("reading ");
        ferry_put_number(message->tag);
        ferry_puts(": ");
        ferry_put_number(bytes[0]);
        ferry_puts(" degrees\n");
    }
    return true;
}

static void work(void)
{
    if (ferry_begins()) {
        ferry_rx_buffer buffer;
        while (ferry_rx_take(&buffer) == FERRY_OK && ferry_post(buffer, FERRY_ANYONE, NULL) == FERRY_OK) {
        }
    }
    do {
        if (ferry_receive_each(print, NULL) != FERRY_OK) {
            ferry_puts("a message was not taken\n");
        }
    } while (ferry_rest());
}

void init(void)
{
    if (ferry_init(0, 64) == FERRY_OK) {
        work();
    }
}

void notified(microkit_channel channel)
{
    (void)channel;
    work();
}
