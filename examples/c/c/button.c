// An ordinary protection domain of Microkit. It is no client of Ferry; it only prints by ferry.h, because a
// release kernel does not print. It signals the lamp, and says so when the lamp has answered.
#include <ferry.h>
#include <microkit.h>

// The channel to the lamp, of system.xml.
#define LAMP 3

void init(void)
{
    microkit_notify(LAMP);
}

void notified(microkit_channel channel)
{
    ferry_puts(channel == LAMP ? "the lamp has answered\n" : "ferry: error a signal came from nowhere\n");
}
