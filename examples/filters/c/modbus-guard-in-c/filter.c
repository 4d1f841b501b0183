#include "filter.h"

#include <stdbool.h>
#include <stddef.h>

// The longest request, and the shortest: up to the function.
#define MOST_BYTES 260
#define LEAST_BYTES 8
// Bytes before the unit, and before the data of the function.
#define BEFORE_UNIT 6
#define BEFORE_DATA 8

// The functions that can be allowed, with the numbers of the Modbus specification.
enum function {
    READ_COILS = 1,
    READ_DISCRETE_INPUTS = 2,
    READ_HOLDING_REGISTERS = 3,
    READ_INPUT_REGISTERS = 4,
    WRITE_SINGLE_COIL = 5,
    WRITE_SINGLE_REGISTER = 6,
    WRITE_MULTIPLE_COILS = 15,
    WRITE_MULTIPLE_REGISTERS = 16,
};

// What is allowed.
struct rule {
    uint8_t unit;
    uint8_t function;
    // The coils, inputs or registers that may be named, with the last.
    uint16_t first, last;
    // The most of them in one request.
    uint16_t most;
    // What may be written to a register.
    uint16_t lowest, highest;
};

static const struct rule PLANT[] = {
    // The boiler: its measurements, and its set points, in tenths of a degree.
    {1, READ_HOLDING_REGISTERS, 0, 0x1f, 16, 0, 0},
    {1, READ_INPUT_REGISTERS, 0, 0x3f, 64, 0, 0},
    {1, WRITE_SINGLE_REGISTER, 0x10, 0x13, 1, 200, 900},
    {1, WRITE_MULTIPLE_REGISTERS, 0x10, 0x13, 4, 200, 900},
    // Its burner may be switched off and on by the first coil of the operator's panel, no other.
    {1, WRITE_SINGLE_COIL, 0, 0, 1, 0, 0},
    // The valve: its state, and its drive.
    {2, READ_COILS, 0, 15, 16, 0, 0},
    {2, READ_DISCRETE_INPUTS, 0, 7, 8, 0, 0},
    {2, WRITE_MULTIPLE_COILS, 8, 15, 8, 0, 0},
};

#define RULES (sizeof(PLANT) / sizeof(PLANT[0]))

// What a request names. The last address does not fit into 16 bits if there is no such address.
struct request {
    uint32_t first, last, count;
    // What is written to registers, two bytes for each.
    const uint8_t *values;
    uint32_t registers;
};

static uint32_t word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

// How many values one request may name, by the specification.
static uint32_t most(uint8_t function)
{
    switch (function) {
    case READ_COILS:
    case READ_DISCRETE_INPUTS:
        return 2000;
    case READ_HOLDING_REGISTERS:
    case READ_INPUT_REGISTERS:
        return 125;
    case WRITE_MULTIPLE_COILS:
        return 1968;
    case WRITE_MULTIPLE_REGISTERS:
        return 123;
    default:
        return 1;
    }
}

// Whether the bits after the last coil are 0.
static bool has_no_more_coils(const uint8_t *values, uint32_t bytes, uint32_t count)
{
    uint32_t used = count % 8;
    return bytes > 0 && (used == 0 || values[bytes - 1] >> used == 0);
}

// Reads the data of a function.
static enum modbus_reason read_request(
    uint8_t function, const uint8_t *data, uint32_t length, struct request *request)
{
    if (length < 4) {
        return MODBUS_FORM;
    }
    uint32_t second = word(data + 2);
    *request = (struct request){.first = word(data), .count = 1};
    // What follows the two numbers, and how much has to.
    const uint8_t *values = data + 4;
    uint32_t bytes = length - 4, expected = 0;
    bool is_multiple = function == WRITE_MULTIPLE_COILS || function == WRITE_MULTIPLE_REGISTERS;
    if (function == WRITE_SINGLE_COIL) {
        if (second != 0 && second != 0xff00) {
            return MODBUS_FORM;
        }
    } else if (function == WRITE_SINGLE_REGISTER) {
        if (bytes != 0) {
            return MODBUS_FORM;
        }
        request->values = data + 2;
        request->registers = 1;
    } else {
        request->count = second;
    }
    if (is_multiple) {
        if (bytes == 0 || bytes - 1 != values[0]) {
            return MODBUS_FORM;
        }
        values++;
        bytes--;
    }
    if (request->count == 0 || request->count > most(function)) {
        return MODBUS_QUANTITY;
    }
    request->last = request->first + request->count - 1;
    if (request->last > UINT16_MAX) {
        return MODBUS_QUANTITY;
    }
    if (function == WRITE_MULTIPLE_COILS) {
        if (!has_no_more_coils(values, bytes, request->count)) {
            return MODBUS_FORM;
        }
        expected = (request->count + 7) / 8;
    } else if (function == WRITE_MULTIPLE_REGISTERS) {
        expected = request->count * 2;
        request->values = values;
        request->registers = request->count;
    }
    return bytes == expected ? MODBUS_PASSES : MODBUS_FORM;
}

// Compares a request with a rule.
static enum modbus_reason check(const struct request *request, const struct rule *rule)
{
    if (request->count > rule->most) {
        return MODBUS_QUANTITY;
    }
    if (request->first < rule->first || request->last > rule->last) {
        return MODBUS_ADDRESS;
    }
    for (uint32_t number = 0; number < request->registers; number++) {
        uint32_t value = word(request->values + 2 * number);
        if (value < rule->lowest || value > rule->highest) {
            return MODBUS_VALUE;
        }
    }
    return MODBUS_PASSES;
}

enum modbus_reason modbus_judge(const uint8_t *bytes, uint32_t length)
{
    if (length < LEAST_BYTES || length > MOST_BYTES) {
        return MODBUS_SIZE;
    }
    if (word(bytes + 2) != 0) {
        return MODBUS_PROTOCOL;
    }
    if (word(bytes + 4) != length - BEFORE_UNIT) {
        return MODBUS_LENGTH;
    }
    uint8_t unit = bytes[BEFORE_UNIT], function = bytes[BEFORE_UNIT + 1];
    enum modbus_reason nearest = MODBUS_UNIT;
    struct request request = {0};
    for (size_t number = 0; number < RULES; number++) {
        const struct rule *rule = &PLANT[number];
        enum modbus_reason reason = MODBUS_FUNCTION;
        if (rule->unit != unit) {
            continue;
        }
        if (rule->function == function) {
            reason = read_request(function, bytes + BEFORE_DATA, length - BEFORE_DATA, &request);
            if (reason != MODBUS_PASSES) {
                return reason;
            }
            reason = check(&request, rule);
        }
        if (reason == MODBUS_PASSES) {
            return MODBUS_PASSES;
        }
        if (reason > nearest) {
            nearest = reason;
        }
    }
    return nearest;
}
