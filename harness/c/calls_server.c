// Answers calls, each at most once.
#include "calls.h"

static char text[BUFFER_BYTES];

static bool is(const char *request)
{
    return strlen(text) == strlen(request) && memcmp(text, request, strlen(request)) == 0;
}

static void reply(ferry_caller caller, const char *answer)
{
    ferry_tx_buffer buffer = filled(answer);
    ENSURE(ferry_reply(caller, buffer, BUFFER_BYTES + 1, 0) == FERRY_BEYOND_BUFFER, "it is too long");
    ENSURE(ferry_reply(caller, buffer, (uint32_t)strlen(answer), 0) == FERRY_OK, "there is room");
    ENSURE(ferry_reply(caller, buffer, 1, 0) == FERRY_STALE, "a call is answered once");
    ferry_tx_buffer second = tx();
    ENSURE(ferry_reply(caller, second, 1, 0) == FERRY_STALE, "with any buffer");
    ENSURE(ferry_tx_give(second) == FERRY_OK, "which stays the program's");
    ENSURE(ferry_caller_drop(caller) == FERRY_STALE, "nor is it refused then");
    ferry_flush();
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "the answer arrives");
}

static void play(void)
{
    for (int number = 0; number < POSTED; number++) {
        post(ALPHA);
    }
    ferry_caller kept = {0};
    ferry_incoming means = incoming(text);
    for (; means.kind == FERRY_CALLED; means = incoming(text)) {
        if (is("one")) {
            reply(means.caller, "reply one");
        } else if (is("keep")) {
            kept = means.caller;
        } else if (is("answer both")) {
            reply(means.caller, "second");
            reply(kept, "first");
        } else {
            ENSURE(is("refuse"), "nothing else is asked");
            ENSURE(ferry_caller_drop(means.caller) == FERRY_OK, "a call can be refused");
            ENSURE(ferry_caller_drop(means.caller) == FERRY_STALE, "once");
        }
    }
    ENSURE(means.kind == FERRY_ORDINARY, "the last message is no call");
}
