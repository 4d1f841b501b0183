// An ordinary protection domain of Microkit, which does not know Ferry.
#include <microkit.h>

void init(void)
{
}

// Printed by a debug kernel only, as everywhere in Microkit.
void notified(microkit_channel channel)
{
    (void)channel;
    microkit_dbg_puts("heater: on\n");
}
