// The filter of src/modbus.rs with its list PLANT, in C. It gives the same verdicts for the same reasons;
// tests/in_c.rs compares the two.
#ifndef FILTER_H
#define FILTER_H

#include <stdint.h>

// Why a request is refused. If several rules of the list come near, it is that of the nearest.
enum modbus_reason {
    MODBUS_PASSES = 0,
    MODBUS_SIZE = 1,     // shorter than 8 bytes or longer than 260
    MODBUS_PROTOCOL = 2, // the protocol is not 0
    MODBUS_LENGTH = 3,   // the length that it states is not that of what follows
    MODBUS_UNIT = 4,     // no rule is for this unit
    MODBUS_FUNCTION = 5, // no rule lets this unit do that
    MODBUS_FORM = 6,     // the data is not what the function has
    MODBUS_QUANTITY = 7, // nothing, more than the rule allows, or past the last address
    MODBUS_ADDRESS = 8,  // an address is outside those of the rule
    MODBUS_VALUE = 9,    // a value is outside those of the rule
};

// Judges the bytes of a request.
enum modbus_reason modbus_judge(const uint8_t *bytes, uint32_t length);

#endif
