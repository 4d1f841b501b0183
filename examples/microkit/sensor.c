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

static void send_next(ferry_tx_buffer buffer)
{
    if (sent == READINGS) {
        ferry_puts("all readings have arrived\n");
        return;
    }
    uint8_t reading = readings[sent];
    ferry_message message = {.tag = sent};
    *ferry_tx_bytes(buffer) = reading;
    if (ferry_send(logger, buffer, 1, message) != FERRY_OK) {
        ferry_puts("a reading was not sent\n");
        return;
    }
    sent++;
    if (reading < COLD) {
        microkit_notify(HEATER);
    }
}

static void work(void)
{
    ferry_peer peer;
    ferry_tx_buffer buffer;
    if (ferry_begins() && ferry_peer_by_name("logger", &peer) == FERRY_OK &&
        ferry_tx_take(&buffer) == FERRY_OK) {
        logger = peer.number;
        send_next(buffer);
    }
    do {
        ferry_done done;
        while (ferry_reap(&done)) {
            if (done.status != FERRY_STATUS_DONE) {
                ferry_puts("a reading ended with ");
                ferry_puts(ferry_status_name(done.status));
                ferry_puts("\n");
            }
            send_next(done.buffer);
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
