// Prints what arrives.
#include <ferry.h>
#include <microkit.h>

static void print(const ferry_event *event)
{
    if (event->kind == FERRY_MESSAGE && event->length == 1) {
        ferry_puts("reading ");
        ferry_put_number(event->tag);
        ferry_puts(": ");
        ferry_put_number(*ferry_rx_bytes(event->buffer));
        ferry_puts(" degrees\n");
    }
}

static void work(void)
{
    if (ferry_begins()) {
        ferry_rx_buffer buffer;
        while (ferry_rx_take(&buffer) == FERRY_OK && ferry_post(buffer, FERRY_ANYONE, NULL) == FERRY_OK) {
        }
    }
    do {
        ferry_event event;
        while (ferry_receive(&event)) {
            print(&event);
            if (ferry_post(event.buffer, FERRY_ANYONE, NULL) != FERRY_OK) {
                ferry_puts("a buffer was not posted\n");
            }
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
