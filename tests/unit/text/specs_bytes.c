/* SPDX-License-Identifier: MIT */
/* Description: arbitrary bytes are taken or refused; errors are printable. */
#include "check.h"
#include "vmring.h"

#include <errno.h>

static uint64_t state = 1;

static unsigned int draw(unsigned int below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned int)(state >> 33) % below;
}

static const char *const pieces[] = {
    "cr3", "msr",  "mem", "cpuid", "guest_request", ":",     ":", "@", "-",
    "0x",  " ",    ",",   "7",     "c0000082",      "async", "w", "r", "9",
    "1",   "user",
};

static void make(char *text, size_t len)
{
    size_t at = 0;

    while (at + 20 < len && draw(12)) {
        if (draw(8))
            at +=
                (size_t)sprintf(text + at, "%s",
                                pieces[draw(sizeof(pieces) / sizeof(*pieces))]);
        else
            text[at++] = (char)(1 + draw(255));
    }
    text[at] = '\0';
}

int main(void)
{
    struct vmring_spec specs[8], again[1];
    unsigned int taken = 0;

    for (unsigned int i = 0; i < 300000; i++) {
        char text[200], error[160] = "", form[100];
        int nr;

        make(text, sizeof(text));
        nr = vmring_specs_parse(text, specs, 8, error, sizeof(error));
        if (nr < 0) {
            CHECK(nr == -EINVAL || nr == -E2BIG);
            CHECK(*error);
            for (const char *c = error; *c; c++)
                CHECK(*c >= ' ' && *c <= '~');
        }
        for (int s = 0; s < nr; s++) {
            CHECK(vmring_spec_format(&specs[s], form, sizeof(form)) > 0);
            CHECK_EQ(vmring_specs_parse(form, again, 1, error, 160), 1);
            CHECK(!memcmp(&specs[s], again, sizeof(*again)));
            taken++;
        }
    }
    CHECK(taken > 1000);
    return 0;
}
