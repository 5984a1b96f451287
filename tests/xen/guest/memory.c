/* SPDX-License-Identifier: MIT */
/* The functions a compiler may call by itself, even freestanding. */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);

void *memcpy(void *to, const void *from, size_t len)
{
    void *start = to;

    __asm__ volatile("rep movsb"
                     : "+D"(to), "+S"(from), "+c"(len)
                     :
                     : "memory");
    return start;
}

void *memset(void *to, int value, size_t len)
{
    void *start = to;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(len) : "a"(value) : "memory");
    return start;
}
