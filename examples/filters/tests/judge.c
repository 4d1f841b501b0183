// Reads messages, each after its length in two bytes, and writes one byte for each: the verdict of the filter
// in C. Each message is judged in memory of its own, so that a sanitizer sees a look beyond its end.
#include "../c/modbus-guard-in-c/filter.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    unsigned char head[2];
    while (fread(head, 1, 2, stdin) == 2) {
        uint32_t length = head[0] | (uint32_t)head[1] << 8;
        uint8_t *message = malloc(length > 0 ? length : 1);
        if (message == NULL || fread(message, 1, length, stdin) != length) {
            return 1;
        }
        putchar((int)modbus_judge(message, length));
        free(message);
    }
    return 0;
}
