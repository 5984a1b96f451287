/* SPDX-License-Identifier: MIT */
/* Description: counts, sizes and times of the command lines, and remedies. */
#include "../../terminal/number.h"

#include "../unit/check.h"

static const struct number plain = {NUMBER_PLAIN, 0,   1,   64,
                                    "a number",   "4", NULL};
static const struct number count = {NUMBER_COUNT, 0,     1,   UINT64_MAX,
                                    "a count",    "10k", NULL};
static const struct number size = {NUMBER_SIZE, 0,     1,   UINT64_C(64) << 20,
                                   "bytes",     "64k", NULL};
static const struct number wait = {
    NUMBER_TIME, NUMBER_S, NUMBER_MS, 24 * NUMBER_H, "a time", "10s", "none"};
static const struct number slow = {NUMBER_TIME, NUMBER_US, 0,   10 * NUMBER_S,
                                   "a time",    "5ms",     NULL};

static const struct {
    const struct number *number;
    const char *text;
    uint64_t value; /* BAD: refused */
} numbers[] = {
#define BAD UINT64_C(0xbad)
    {&plain, "1", 1},
    {&plain, "0x40", 64},
    {&plain, "65", BAD},
    {&plain, "0", BAD},
    {&plain, "1k", BAD},
    {&plain, "01", BAD},
    {&plain, "0X1", BAD},
    {&plain, "0x", BAD},
    {&plain, "-1", BAD},
    {&plain, "+1", BAD},
    {&plain, " 1", BAD},
    {&plain, "1 ", BAD},
    {&plain, "", BAD},
    {&count, "1000", 1000},
    {&count, "1k", 1000},
    {&count, "1K", 1000},
    {&count, "12m", 12000000},
    {&count, "3g", UINT64_C(3000000000)},
    {&count, "0x10", 16},
    {&count, "18446744073709551615", UINT64_MAX},
    {&count, "18446744073709551616", BAD},
    {&count, "18446744073709552k", BAD},
    {&count, "0x1k", BAD},
    {&count, "01k", BAD},
    {&count, "1kk", BAD},
    {&count, "k", BAD},
    {&count, "1x", BAD},
    {&count, "1.5k", BAD},
    {&count, "0k", BAD},
    {&size, "65536", 65536},
    {&size, "64k", 65536},
    {&size, "64K", 65536},
    {&size, "1m", 1 << 20},
    {&size, "0x1000", 4096},
    {&size, "64M", 64 << 20},
    {&size, "65M", BAD},
    {&size, "17179869184g", BAD},
    {&size, "010k", BAD},
    {&size, "0x1k", BAD},
    {&size, "1kb", BAD},
    {&size, "1t", BAD},
    {&size, "-1k", BAD},
    {&wait, "1", NUMBER_S},
    {&wait, "1.5", 1500 * NUMBER_MS},
    {&wait, "500ms", 500 * NUMBER_MS},
    {&wait, "0.25s", 250 * NUMBER_MS},
    {&wait, "5m", 300 * NUMBER_S},
    {&wait, "1h", NUMBER_H},
    {&wait, "1500us", 1500 * NUMBER_US},
    {&wait, "2000000ns", BAD},
    {&wait, "0x10", 16 * NUMBER_S},
    {&wait, "none", 0},
    {&wait, "24h", 24 * NUMBER_H},
    {&wait, "24.1h", BAD},
    {&wait, "0", BAD},
    {&wait, "999us", BAD},
    {&wait, "1x", BAD},
    {&wait, "1sm", BAD},
    {&wait, "1 s", BAD},
    {&wait, "0x10s", BAD},
    {&wait, ".5", BAD},
    {&wait, "1.", BAD},
    {&wait, "1..5", BAD},
    {&wait, "1.5.5", BAD},
    {&wait, "01.5", BAD},
    {&wait, "nan", BAD},
    {&wait, "inf", BAD},
    {&wait, "1e3", BAD},
    {&wait, "99999999999999999999h", BAD},
    {&wait, "18446744073.709551616", BAD},
    {&wait, "1111111111111111111111111111111111111111111s", BAD},
    {&slow, "5", 5 * NUMBER_US},
    {&slow, "0", 0},
    {&slow, "0.0", 0},
    {&slow, "0.4", BAD},
    {&slow, "0.4us", BAD},
    {&slow, "0.0000000001s", BAD},
    {&slow, "1.4us", 1400},
    {&slow, "none", BAD},
};

static void check_remedy(const struct number *number, const char *wanted)
{
    char text[160];

    CHECK_STR(number_remedy(number, text, sizeof(text)), wanted);
}

int main(void)
{
    const struct number odd = {NUMBER_SIZE, 0, 1, 100001, "bytes", "64k", NULL};

    for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint64_t value = BAD;
        bool good = number_parse(numbers[i].number, numbers[i].text, &value);

        if (good != (numbers[i].value != BAD) ||
            (good && value != numbers[i].value)) {
            fprintf(stderr, "'%s': %s, %llu\n", numbers[i].text,
                    good ? "taken" : "refused", (unsigned long long)value);
            return 1;
        }
    }
    check_remedy(&plain, "give a number, from 1 to 64, as in 4");
    check_remedy(&size, "give bytes, from 1 to 64M, as in 64k");
    check_remedy(&wait, "give a time, from 1ms to 24h, as in 10s; or none");
    check_remedy(&slow, "give a time, from 0 to 10s, as in 5ms");
    /* What is no round size is not rounded. */
    check_remedy(&odd, "give bytes, from 1 to 100001, as in 64k");
    return 0;
}
