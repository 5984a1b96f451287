/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h: what every harness uses: the input as a stream, and a check that
 * ends the run so that a fuzzer keeps the input.
 */
#ifndef VMRING_TESTS_FUZZ_H
#define VMRING_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ALWAYS(cond)                                                           \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* An input, read from its front; past its end it reads as zeros. */
struct input {
    const uint8_t *at, *end;
};

static inline bool input_is_over(const struct input *in)
{
    return in->at == in->end;
}

static inline uint8_t take8(struct input *in)
{
    return input_is_over(in) ? 0 : *in->at++;
}

static inline uint16_t take16(struct input *in)
{
    uint16_t low = take8(in);

    return (uint16_t)(low | take8(in) << 8);
}

static inline uint64_t take64(struct input *in)
{
    uint64_t v = 0;

    for (unsigned int i = 0; i < 64; i += 8)
        v |= (uint64_t)take8(in) << i;
    return v;
}

#endif /* VMRING_TESTS_FUZZ_H */
