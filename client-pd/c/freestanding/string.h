// string.h: the functions of C's string.h that libferry.a has, for compilers that come without a C library.
#ifndef FERRY_FREESTANDING_STRING_H
#define FERRY_FREESTANDING_STRING_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *memcpy(void *into, const void *from, size_t bytes);
void *memmove(void *into, const void *from, size_t bytes);
void *memset(void *into, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *text);

#ifdef __cplusplus
}
#endif

#endif
