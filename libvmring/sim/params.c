/* SPDX-License-Identifier: MIT */
#include "params.h"

#include "../text/suggest.h"
#include "../text/word.h"
#include "../vmring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NR(array) (sizeof(array) / sizeof(*(array)))

#define MAX_COUNT  (UINT64_C(1) << 40)
#define MAX_WEIGHT 1000000

static const char *const work_names[NR_SIM_WORK] = {
    [SIM_CPUID] = "cpuid", [SIM_CR0] = "cr0", [SIM_CR3] = "cr3",
    [SIM_CR4] = "cr4",     [SIM_MSR] = "msr", [SIM_GREQ] = "greq",
    [SIM_INT3] = "int3",   [SIM_DB] = "db",
};

/* A guest that mostly switches between processes. */
static const struct sim_params defaults = {
    .nr_vcpus = 4,
    .count = 1000,
    .seed = 1,
    .batch = 256,
    .msr = SIM_NO_MSR,
    .weight = {[SIM_CPUID] = 4,
               [SIM_CR0] = 1,
               [SIM_CR3] = 60,
               [SIM_CR4] = 2,
               [SIM_MSR] = 20,
               [SIM_GREQ] = 5,
               [SIM_INT3] = 6,
               [SIM_DB] = 2},
    .name = "sim",
    .verdicts = XEN_VM_RING_VERDICTS,
};

/* A value's parser returns false if the value will not do. */
typedef bool parse_fn(struct sim_params *params, struct word value);

static bool parse_mix(struct sim_params *params, struct word value)
{
    bool more;

    memset(params->weight, 0, sizeof(params->weight));
    do {
        struct word weight, name;
        unsigned int k = 0;

        more = word_cut(&value, '/', &weight);
        if (!word_cut(&weight, ':', &name))
            return false;
        while (k < NR_SIM_WORK && !word_is(name, work_names[k]))
            k++;
        if (k == NR_SIM_WORK || params->weight[k] ||
            word_number(weight, MAX_WEIGHT, &params->weight[k]) ||
            !params->weight[k])
            return false;
    } while (more);
    return true;
}

static bool parse_start(struct sim_params *params, struct word value)
{
    params->start_now = word_is(value, "now");
    return params->start_now || word_is(value, "subscribe");
}

static bool parse_on_deadline(struct sim_params *params, struct word value)
{
    bool pause = word_is(value, "pause");

    params->on_deadline =
        pause ? VMRING_DEADLINE_PAUSE : VMRING_DEADLINE_NEUTRAL;
    return pause || word_is(value, "neutral");
}

static bool copy(char *to, size_t size, struct word value)
{
    if (!value.len || value.len >= size)
        return false;
    memcpy(to, value.at, value.len);
    to[value.len] = '\0';
    return true;
}

/* Commas separate keys, so that within the list it is a slash. */
static bool parse_verdicts(struct sim_params *params, struct word value)
{
    char list[128];

    if (!copy(list, sizeof(list), value))
        return false;
    for (char *c = list; *c; c++)
        if (*c == '/')
            *c = ',';
    return !vmring_verdicts_parse(list, &params->verdicts, NULL, 0);
}

static bool parse_truth(struct sim_params *params, struct word value)
{
    return copy(params->truth, sizeof(params->truth), value);
}

/* It goes into JSON and onto terminals as it is. */
static bool parse_name(struct sim_params *params, struct word value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < ' ' || value.at[i] > '~' || value.at[i] == '"' ||
            value.at[i] == '\\')
            return false;
    }
    return copy(params->name, sizeof(params->name), value);
}

#define OF(MEMBER) .offset = offsetof(struct sim_params, MEMBER)
#define WORK(KEY, INDEX, WHAT)                                                 \
    {                                                                          \
        .name = (KEY), .values = "0 to 2^40", .meaning = WHAT " of each vCPU", \
        .standard = "-", OF(asked[INDEX]), .max = MAX_COUNT, .counts = true    \
    }

static const struct key {
    const char *name;
    const char *values; /* what may be behind the '=' */
    const char *more;   /* of that, for a value that is refused; or NULL */
    const char *meaning;
    const char *standard; /* NULL: the number at offset of `defaults` */
    parse_fn *parse;      /* NULL: a number, stored at offset */
    size_t offset;
    uint64_t min, max;
    bool counts;   /* says how much work of a kind there is */
    bool endpoint; /* of the in-process endpoint only */
} keys[] = {
    {.name = "vcpus",
     .values = "1 to 4096",
     .meaning = "vCPUs that it has",
     OF(nr_vcpus),
     .min = 1,
     .max = 4096},
    {.name = "count",
     .values = "0 to 2^40",
     .meaning = "events of each vCPU; 0: no end",
     OF(count),
     .max = MAX_COUNT},
    {.name = "mix",
     .values = "KIND:WEIGHT/...",
     .more = ", weights 1 to 1000000, kinds cpuid cr0 cr3 cr4 msr greq int3 db",
     .meaning = "weights of the kinds of work",
     .standard = "below",
     .parse = parse_mix},
    WORK("cpuid", SIM_CPUID, "CPUIDs"),
    WORK("cr0", SIM_CR0, "writes to CR0"),
    WORK("cr3", SIM_CR3, "writes to CR3"),
    WORK("cr4", SIM_CR4, "writes to CR4"),
    WORK("msr", SIM_MSR, "writes to MSRs"),
    WORK("greq", SIM_GREQ, "guest requests"),
    WORK("int3", SIM_INT3, "breakpoints"),
    WORK("db", SIM_DB, "debug exceptions"),
    {.name = "msrnr",
     .values = "0 to 0xffffffff",
     .meaning = "the only MSR that it writes",
     .standard = "several",
     OF(msr),
     .max = 0xffffffff},
    {.name = "rate",
     .values = "0 to 1000000000",
     .meaning = "events/s of all; 0: no limit",
     OF(rate),
     .max = 1000000000},
    {.name = "seed",
     .values = "0 to 2^64 - 1",
     .meaning = "another one, another guest",
     OF(seed),
     .max = UINT64_MAX},
    {.name = "batch",
     .values = "1 to 4096",
     .meaning = "events between two doorbells",
     OF(batch),
     .min = 1,
     .max = 4096},
    {.name = "start",
     .values = "subscribe or now",
     .meaning = "when it begins to run",
     .standard = "subscribe",
     .parse = parse_start},
    {.name = "truth",
     .values = "FILE",
     .more = ", less than 1024 bytes",
     .meaning = "its own account, at the end",
     .standard = "none",
     .parse = parse_truth},
    {.name = "name",
     .values = "TEXT",
     .more = ", less than 64 printable characters, no quotes",
     .meaning = "what it is called",
     .standard = "sim",
     .parse = parse_name},
    {.name = "deadline",
     .values = "1 to 3600000 ms",
     .meaning = "a verdict may take so long",
     .standard = "1000",
     OF(deadline_ms),
     .min = 1,
     .max = 3600000,
     .endpoint = true},
    {.name = "on-deadline",
     .values = "neutral or pause",
     .meaning = "then: it goes on, or is paused",
     .standard = "neutral",
     .parse = parse_on_deadline,
     .endpoint = true},
    {.name = "verdicts",
     .values = "NAME/NAME...",
     .more = ", as deny/set_registers, or none, or all",
     .meaning = "those that it takes",
     .standard = "all",
     .parse = parse_verdicts,
     .endpoint = true},
    {.name = "max-async",
     .values = "256 to 2^30 bytes",
     .meaning = "room that an agent may ask for",
     .standard = "67108864",
     OF(max_async),
     .min = 256,
     .max = XEN_VM_RING_MAX_ASYNC,
     .endpoint = true},
};

_Static_assert(NR(keys) <= 32, "keys must fit a mask");

struct input {
    char *error;
    size_t error_len;
    bool endpoint;
    uint32_t seen; /* bit per key */
};

static int parse_value(const struct key *key, struct sim_params *params,
                       struct word value)
{
    uint64_t number;

    if (key->parse)
        return key->parse(params, value) ? 0 : -EINVAL;
    if (word_number(value, key->max, &number) || number < key->min)
        return -EINVAL;
    memcpy((char *)params + key->offset, &number, sizeof(number));
    params->counted |= key->counts;
    return 0;
}

static int unknown_key(const struct input *in, struct word name)
{
    struct suggest near = suggest_for(name.at, name.len);
    char text[SUGGEST_TEXT];

    for (unsigned int k = 0; k < NR(keys); k++)
        if (!keys[k].endpoint || in->endpoint)
            suggest_try(&near, keys[k].name);
    if (!word_is(name, "help"))
        suggest_try(&near, "help");
    return word_refuse(in->error, in->error_len, "unknown key", name,
                       "%ssim:help lists them", suggest_text(&near, text));
}

static int parse_key(struct input *in, struct sim_params *params,
                     struct word whole)
{
    struct word value = whole, name;
    unsigned int k = 0;

    word_cut(&value, '=', &name);
    while (k < NR(keys) && (!word_is(name, keys[k].name) ||
                            (keys[k].endpoint && !in->endpoint)))
        k++;
    if (k == NR(keys))
        return unknown_key(in, name);
    if (in->seen & 1u << k)
        return word_refuse(in->error, in->error_len, "key given twice:", whole,
                           "leave one out");
    in->seen |= 1u << k;
    if (parse_value(&keys[k], params, value))
        return word_refuse(in->error, in->error_len, "bad value in", whole,
                           "write %s=%s%s", keys[k].name, keys[k].values,
                           keys[k].more ? keys[k].more : "");
    return 0;
}

static bool given(const struct input *in, const char *name)
{
    for (unsigned int k = 0; k < NR(keys); k++) {
        if (!strcmp(keys[k].name, name))
            return in->seen >> k & 1;
    }
    return false;
}

/* How much work there is can be said in one of two ways. */
static int check(const struct input *in, const struct sim_params *params)
{
    const char *other = given(in, "count") ? "count" : "mix";

    if (!params->counted || !given(in, other))
        return 0;
    return word_refuse(in->error, in->error_len,
                       "contradiction:", (struct word){other, strlen(other)},
                       "give count and mix, or how much of each kind of work");
}

int sim_params_parse(const char *text, bool endpoint, struct sim_params *params,
                     char *error, size_t error_len)
{
    struct input in = {error, error_len, endpoint, 0};
    struct word whole;

    *params = defaults;
    while (word_next(&text, ",", &whole)) {
        int err = parse_key(&in, params, whole);

        if (err)
            return err;
    }
    return check(&in, params);
}

static int help_key(const struct key *key, char *text, size_t len)
{
    char standard[24];
    uint64_t number;

    if (key->standard) {
        snprintf(standard, sizeof(standard), "%s", key->standard);
    } else {
        memcpy(&number, (const char *)&defaults + key->offset, sizeof(number));
        snprintf(standard, sizeof(standard), "%" PRIu64, number);
    }
    return snprintf(text, len, "  %-11s  %-17s  %-9s  %s", key->name,
                    key->values, standard, key->meaning);
}

static int help_mix(char *text, size_t len)
{
    int at = snprintf(text, len, "mix=");

    for (unsigned int k = 0; k < NR_SIM_WORK; k++)
        at += snprintf(text + at, len - (size_t)at, "%s%s:%" PRIu64,
                       k ? "/" : "", work_names[k], defaults.weight[k]);
    return at;
}

int sim_params_help(bool endpoint, unsigned int i, char text[VMRING_LINE])
{
    if (i == 0)
        return snprintf(text, VMRING_LINE,
                        "sim:KEY=VALUE,... is a simulated guest; for example "
                        "sim:vcpus=2,count=100");
    if (i == 1)
        return snprintf(text, VMRING_LINE, "  %-11s  %-17s  %-9s  %s", "key",
                        "values", "default", "meaning");
    i -= 2;
    for (unsigned int k = 0; k < NR(keys); k++)
        if ((!keys[k].endpoint || endpoint) && !i--)
            return help_key(&keys[k], text, VMRING_LINE);
    if (i == 0)
        return snprintf(text, VMRING_LINE,
                        "Either count and mix, or how much of each kind of "
                        "work, cpuid to db. Default:");
    return i == 1 ? help_mix(text, VMRING_LINE) : -ENOENT;
}

const char *sim_work_name(enum sim_work work)
{
    return work_names[work];
}
