// Sends five readings to the logger, one when the one before has arrived, and signals the heater when it is
// cold.
#include <ferry.h>
#include <microkit.h>

#define READINGS 5
#define COLD 18
// The channel to the heater, of greenhouse.system.
#define HEATER 1

static const uint8_t readings[READINGS] = {21, 19, 17, 16, 20};
static uint16_t logger;
static uint32_t sent;

// Puts the next reading into a buffer. Returns what to send.
static ferry_next fill(uint8_t *bytes)
{
    if (sent == READINGS) {
        ferry_puts("all readings have arrived\n");
        return (ferry_next){.target = FERRY_NOBODY};
    }
    uint8_t reading = readings[sent];
    if (reading < COLD) {
        microkit_notify(HEATER);
    }
    bytes[0] = reading;
    return (ferry_next){.tag = sent++, .length = 1, .target = logger};
}

// Gets each buffer that comes back.
static ferry_next fill_again(void *context, uint8_t *bytes, uint64_t tag, ferry_status status)
{
    (void)context;
    (void)tag;
    if (status != FERRY_STATUS_DONE) {
        ferry_puts("a reading ended with ");
        ferry_puts(ferry_status_name(status));
        ferry_puts("\n");
    }
    return fill(bytes);
}

static void send_first(void)
{
    ferry_peer peer;
    ferry_tx_buffer buffer;
    if (ferry_peer_by_name("logger", &peer) != FERRY_OK || ferry_tx_take(&buffer) != FERRY_OK) {
        ferry_puts("there is no flow to the logger, or no buffer\n");
        return;
    }
    logger = peer.number;
    ferry_next first = fill(ferry_tx_bytes(buffer));
    ferry_message message = {.tag = first.tag};
    if (ferry_send(first.target, buffer, first.length, message) != FERRY_OK) {
        ferry_puts("a reading was not sent\n");
    }
}

static void work(void)
{
    if (ferry_begins()) {
        send_first();
    }
    do {
        if (ferry_reap_each(fill_again, NULL) != FERRY_OK) {
            ferry_puts("a reading was not sent\n");
        }
    } while (ferry_rest());
}

void init(void)
{
    if (ferry_init(64, 0) == FERRY_OK) {
        work();
    }
}

void notified(microkit_channel channel)
{
    (void)channel;
    work();
}
