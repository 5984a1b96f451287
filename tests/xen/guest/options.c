/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stddef.h>

#include "hypercall.h"
#include "print.h"
#include "work.h"

struct options options = {
    .nr_vcpus = 1,
    .cr0_bit = 3,      /* TS: of no effect without floating point */
    .cr4_bit = 2,      /* TSD: of no effect in ring 0 */
    .msr = 0xc0000082, /* LSTAR: of no effect in 32-bit mode */
};

#define MSR_HYPERVISOR_FIRST 0x40000000
#define MSR_HYPERVISOR_LAST  0x40001fff

static uint32_t order, loop, told, verbose, timed, hold, plant, probe_all, self,
    ports;
static uint32_t beat = UINT32_MAX;

static const struct {
    const char *name;
    uint32_t *value;
    uint32_t min, max;
} numbers[] = {
    {"vcpus", &options.nr_vcpus, 1, MAX_VCPUS},
    {"cr0bit", &options.cr0_bit, 1, 30}, /* neither PE nor PG */
    {"cr4bit", &options.cr4_bit, 0, 31},
    {"msrnr", &options.msr, 0, UINT32_MAX},
    {"pace", &options.pace_us, 0, 60000000},
    {"busy", &options.busy_us, 0, 60000000},
    {"spin", &options.spin, 0, UINT32_MAX},
    {"beat", &beat, 0, 3600},
    {"loop", &loop, 0, 1},
    {"told", &told, 0, 1},
    {"verbose", &verbose, 0, 1},
    {"timed", &timed, 0, 1},
    {"scan", &options.scan, 0, 65536},
    {"plant", &plant, 0, 1},
    {"probeall", &probe_all, 0, 1},
    {"hold", &hold, 0, 1},
    {"ports", &ports, 0, 1},
    {"self", &self, 0, 1},
};

struct word {
    const char *start;
    unsigned int len;
};

static bool same(struct word w, const char *text)
{
    unsigned int i;

    for (i = 0; i < w.len; i++) {
        if (text[i] != w.start[i])
            return false;
    }
    return !text[i];
}

static bool complain(const char *what, struct word w)
{
    struct line l;
    char text[40];
    unsigned int i;

    for (i = 0; i < w.len && i < sizeof(text) - 1; i++)
        text[i] = w.start[i];
    text[i] = '\0';
    line_begin(&l, "error: ");
    line_text(&l, what);
    line_text(&l, ": ");
    line_text(&l, text);
    line_end(&l);
    return false;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static bool parse_number(struct word w, uint32_t *value)
{
    uint64_t sum = 0;
    int base = 10;

    if (w.len > 2 && w.start[0] == '0' && w.start[1] == 'x') {
        base = 16;
        w.start += 2;
        w.len -= 2;
    }
    if (!w.len)
        return false;
    for (unsigned int i = 0; i < w.len; i++) {
        int d = digit(w.start[i]);

        if (d < 0 || d >= base)
            return false;
        sum = sum * (unsigned int)base + (unsigned int)d;
        if (sum > UINT32_MAX)
            return false;
    }
    *value = (uint32_t)sum;
    return true;
}

static bool parse_order(struct word whole, struct word value)
{
    if (same(value, "mixed"))
        order = 1;
    else if (same(value, "sequential"))
        order = 0;
    else
        return complain("order is mixed or sequential", whole);
    return true;
}

static bool set(struct word whole, struct word key, struct word value)
{
    uint32_t number;
    uint32_t min = 0, max = UINT32_MAX, *to = NULL;

    if (same(key, "order"))
        return parse_order(whole, value);
    for (unsigned int k = 0; k < NR_KINDS; k++) {
        if (same(key, kind_name(k)))
            to = &options.asked[k];
    }
    for (unsigned int i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        if (same(key, numbers[i].name)) {
            to = numbers[i].value;
            min = numbers[i].min;
            max = numbers[i].max;
        }
    }
    if (!to)
        return complain("unknown option", whole);
    if (!parse_number(value, &number))
        return complain("not a number", whole);
    if (number < min || number > max)
        return complain("out of range", whole);
    *to = number;
    return true;
}

static bool parse_word(struct word w)
{
    struct word key = w, value;

    for (key.len = 0; key.len < w.len && key.start[key.len] != '=';)
        key.len++;
    if (key.len == w.len)
        return complain("not key=value", w);
    value.start = w.start + key.len + 1;
    value.len = w.len - key.len - 1;
    return set(w, key, value);
}

static bool check(void)
{
    uint32_t any = 0;

    for (unsigned int k = 0; k < NR_KINDS; k++)
        any |= options.asked[k];
    if (options.told && !options.loop) {
        print("error: told=1 is an end of loop=1");
        return false;
    }
    if (options.loop && !any) {
        print("error: loop=1 with nothing to do");
        return false;
    }
    if (options.scan && options.nr_vcpus == 1) {
        print("error: scan needs a vCPU of its own: vcpus=2 or more");
        return false;
    }
    /* The boot has written the hypercall page's: its count would be wrong. */
    if (options.msr >= MSR_HYPERVISOR_FIRST &&
        options.msr <= MSR_HYPERVISOR_LAST) {
        print("error: msrnr is one of the hypervisor's");
        return false;
    }
    return true;
}

bool parse_command_line(const char *text)
{
    struct word w;

    while (*text) {
        if (*text == ' ') {
            text++;
            continue;
        }
        for (w.start = text; *text && *text != ' ';)
            text++;
        w.len = (unsigned int)(text - w.start);
        if (!parse_word(w))
            return false;
    }
    options.mixed = order;
    options.loop = loop;
    options.told = told;
    options.verbose = verbose;
    options.timed = timed;
    options.hold = hold;
    options.plant = plant;
    options.probe_all = probe_all;
    options.self = self;
    options.ports = ports;
    options.beat_s = beat == UINT32_MAX ? loop : beat;
    return check();
}
