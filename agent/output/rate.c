/* SPDX-License-Identifier: MIT */
/* rate.c: how many a second, for people. */
#include "rate.h"

#include <bsd/stdlib.h>
#include <stdint.h>
#include <stdio.h>

const char *rate_text(char text[RATE_LEN], double rate)
{
    char number[6];

    /* A rate is never exact, and short ones are compared at a glance. */
    if (humanize_number(number, sizeof(number), (int64_t)(rate + 0.5), "",
                        HN_AUTOSCALE,
                        HN_NOSPACE | HN_DECIMAL | HN_DIVISOR_1000) < 0)
        number[0] = '\0';
    snprintf(text, RATE_LEN, "%s/s", number);
    return text;
}
