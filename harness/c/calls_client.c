// Calls beta, several at a time. Each call ends once: by its reply, by its deadline, or given up.
#include "calls.h"

static char text[BUFFER_BYTES];

static ferry_ticket call(const char *request, uint64_t deadline)
{
    ferry_ticket ticket;
    ferry_call_options options = {.deadline = deadline};
    ferry_tx_buffer buffer = filled(request);
    uint32_t length = (uint32_t)strlen(request);
    ENSURE(ferry_call(BETA, buffer, length, options, &ticket) == FERRY_OK, "there is room for a call");
    ENSURE(ferry_call(BETA, buffer, length, options, &ticket) == FERRY_STALE, "a request is sent once");
    ferry_flush();
    ferry_done done;
    ferry_call_end end;
    WAIT(ferry_reap(&done), "the request ends");
    ENSURE(ferry_call_reaped(&done, &end) == FERRY_OK, "the library says what that means");
    ENSURE(end.kind == FERRY_CALL_GOES_ON && end.ticket.number == ticket.number, "the call goes on");
    ENSURE(ferry_tx_give(done.buffer) == FERRY_OK, "its buffer is the program's");
    return ticket;
}

static void expect_reply(ferry_ticket ticket, const char *reply)
{
    ferry_incoming means = incoming(text);
    ENSURE(means.kind == FERRY_REPLY && means.ticket.number == ticket.number, "the reply is to this call");
    ENSURE(strlen(text) == strlen(reply) && memcmp(text, reply, strlen(reply)) == 0, "and as it was sent");
}

static void play(void)
{
    for (int number = 0; number < POSTED; number++) {
        post(BETA);
    }
    expect_reply(call("one", 0), "reply one");

    // Two at a time, which are answered in the other order.
    ferry_ticket first = call("keep", 0);
    ferry_ticket second = call("answer both", 0);
    ENSURE(ferry_calls() == 2, "two calls are under way");
    ENSURE(ferry_ticket_slot(first) != ferry_ticket_slot(second), "with places of their own");
    expect_reply(second, "second");
    expect_reply(first, "first");

    // One that is refused ends by its deadline, and only then.
    ferry_ticket refused = call("refuse", 50);
    ferry_ticket late = {0};
    uint64_t deadline = 0;
    ENSURE(ferry_call_deadline(&deadline) && deadline == 50, "the next deadline is known");
    ENSURE(!ferry_call_expire(49, &late), "it is not yet over");
    ENSURE(ferry_call_expire(50, &late) && late.number == refused.number, "now it is");
    ENSURE(!ferry_call_expire(50, &late) && ferry_calls() == 0, "a call ends once");

    // One that is given up: its reply is a stray.
    ferry_ticket given_up = call("one", 0);
    ENSURE(ferry_call_cancel(given_up) && !ferry_call_cancel(given_up), "it is given up once");
    ENSURE(incoming(text).kind == FERRY_STRAY_ENDED, "its reply is a stray");

    send(BETA, 0, 1);
    ENSURE(end_of_send().status == FERRY_STATUS_DONE, "beta knows that there are no more");
}
