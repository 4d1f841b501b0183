// An ordinary protection domain of Microkit, as the button is. It answers each signal.
#include <ferry.h>
#include <microkit.h>

// The channel to the button, of system.xml.
#define BUTTON 5

void init(void)
{
}

void notified(microkit_channel channel)
{
    if (channel != BUTTON) {
        ferry_puts("ferry: error a signal came from nowhere\n");
        return;
    }
    ferry_puts("on, says the button\n");
    microkit_deferred_notify(BUTTON);
}
