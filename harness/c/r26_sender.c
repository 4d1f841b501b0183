// r26: a finished message leaves the queue, and its slot is used again: four laps of the ring, in batches
// that fill it.
#define BUFFER_BYTES 512
#include "play.h"

enum { SLOTS = 128, LAPS = 4 };

static void play(void)
{
    for (uint64_t lap = 0; lap < LAPS; lap++) {
        // What the flow to gamma keeps for itself is not beta's.
        uint32_t room = ferry_room_for(BETA);
        ENSURE(room > 0 && room <= SLOTS, "there is room for a batch");
        ferry_tx_buffer last = {0};
        for (uint64_t slot = 0; slot < SLOTS;) {
            ferry_message tagged = {.tag = lap * SLOTS + slot};
            last = tx();
            ferry_result sent = ferry_send(BETA, last, 8, tagged);
            if (sent == FERRY_OK) {
                slot++;
                continue;
            }
            ENSURE(sent == FERRY_FULL, "only the room is missing");
            ENSURE(ferry_tx_give(last) == FERRY_OK, "the buffer stayed the program's");
            ferry_flush();
            ferry_yield();
            ferry_done done;
            while (ferry_reap(&done)) {
                ENSURE(done.status == FERRY_STATUS_DONE, "each is done");
                ENSURE(ferry_tx_give(done.buffer) == FERRY_OK, "its buffer comes back");
            }
        }
        ferry_flush();
        while (ferry_outstanding() > 0) {
            ENSURE(end_of_send().status == FERRY_STATUS_DONE, "each is done");
        }
    }
    ENSURE(ferry_room() == SLOTS, "all slots are free again");
}
