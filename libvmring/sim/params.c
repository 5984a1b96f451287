/* SPDX-License-Identifier: MIT */
#include "params.h"

#include "../vmring.h"
#include "../word.h"

#include <errno.h>
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

        more = vmring_word_cut(&value, '/', &weight);
        if (!vmring_word_cut(&weight, ':', &name))
            return false;
        while (k < NR_SIM_WORK && !vmring_word_is(name, work_names[k]))
            k++;
        if (k == NR_SIM_WORK || params->weight[k] ||
            vmring_word_number(weight, MAX_WEIGHT, &params->weight[k]) ||
            !params->weight[k])
            return false;
    } while (more);
    return true;
}

static bool parse_start(struct sim_params *params, struct word value)
{
    params->start_now = vmring_word_is(value, "now");
    return params->start_now || vmring_word_is(value, "subscribe");
}

static bool parse_on_deadline(struct sim_params *params, struct word value)
{
    bool pause = vmring_word_is(value, "pause");

    params->on_deadline =
        pause ? VMRING_DEADLINE_PAUSE : VMRING_DEADLINE_NEUTRAL;
    return pause || vmring_word_is(value, "neutral");
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

#define NUMBER(KEY, MEMBER, MIN, MAX)                                          \
    {                                                                          \
        .name = (KEY), .form = KEY "=" #MIN " to " #MAX,                       \
        .offset = offsetof(struct sim_params, MEMBER), .min = (MIN),           \
        .max = (MAX)                                                           \
    }
#define WORK(KEY, INDEX)                                                       \
    {                                                                          \
        .name = (KEY), .form = KEY "=0 to 2^40",                               \
        .offset = offsetof(struct sim_params, asked[INDEX]), .max = MAX_COUNT, \
        .counts = true                                                         \
    }

static const struct key {
    const char *name, *form;
    parse_fn *parse; /* NULL: a number, stored at offset */
    size_t offset;
    uint64_t min, max;
    bool counts;   /* says how much work of a kind there is */
    bool endpoint; /* of the in-process endpoint only */
} keys[] = {
    NUMBER("vcpus", nr_vcpus, 1, 4096),
    {.name = "count",
     .form = "count=0 to 2^40",
     .offset = offsetof(struct sim_params, count),
     .max = MAX_COUNT},
    {.name = "mix",
     .form = "mix=KIND:WEIGHT/KIND:WEIGHT..., weights 1 to 1000000, "
             "kinds cpuid cr0 cr3 cr4 msr greq int3 db",
     .parse = parse_mix},
    WORK("cpuid", SIM_CPUID),
    WORK("cr0", SIM_CR0),
    WORK("cr3", SIM_CR3),
    WORK("cr4", SIM_CR4),
    WORK("msr", SIM_MSR),
    WORK("greq", SIM_GREQ),
    WORK("int3", SIM_INT3),
    WORK("db", SIM_DB),
    NUMBER("msrnr", msr, 0, 0xffffffff),
    NUMBER("rate", rate, 0, 1000000000),
    {.name = "seed",
     .form = "seed=0 to 2^64 - 1",
     .offset = offsetof(struct sim_params, seed),
     .max = UINT64_MAX},
    NUMBER("batch", batch, 1, 4096),
    {.name = "start",
     .form = "start=subscribe or start=now",
     .parse = parse_start},
    {.name = "truth",
     .form = "truth=FILE, less than 1024 bytes",
     .parse = parse_truth},
    {.name = "name",
     .form = "name=TEXT, less than 64 printable characters, no quotes",
     .parse = parse_name},
    {.name = "deadline",
     .form = "deadline=1 to 3600000 (ms)",
     .offset = offsetof(struct sim_params, deadline_ms),
     .min = 1,
     .max = 3600000,
     .endpoint = true},
    {.name = "on-deadline",
     .form = "on-deadline=neutral or on-deadline=pause",
     .parse = parse_on_deadline,
     .endpoint = true},
    {.name = "verdicts",
     .form = "verdicts=NAME/NAME..., as deny/set_registers, or none, or all",
     .parse = parse_verdicts,
     .endpoint = true},
    {.name = "max-async",
     .form = "max-async=256 to 1073741824 (bytes)",
     .offset = offsetof(struct sim_params, max_async),
     .min = 256,
     .max = XEN_VM_RING_MAX_ASYNC,
     .endpoint = true},
};

#define SIM_KEYS                                                               \
    "vcpus count mix cpuid cr0 cr3 cr4 msr greq int3 db msrnr rate seed "      \
    "batch start truth name"

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
    if (vmring_word_number(value, key->max, &number) || number < key->min)
        return -EINVAL;
    memcpy((char *)params + key->offset, &number, sizeof(number));
    params->counted |= key->counts;
    return 0;
}

static int parse_key(struct input *in, struct sim_params *params,
                     struct word whole)
{
    struct word value = whole, name;
    unsigned int k = 0;

    vmring_word_cut(&value, '=', &name);
    while (k < NR(keys) && (!vmring_word_is(name, keys[k].name) ||
                            (keys[k].endpoint && !in->endpoint)))
        k++;
    if (k == NR(keys))
        return vmring_word_refuse(in->error, in->error_len, "unknown key", name,
                                  "the simulated guest knows " SIM_KEYS "%s",
                                  in->endpoint ? " deadline on-deadline "
                                                 "verdicts max-async"
                                               : "");
    if (in->seen & 1u << k)
        return vmring_word_refuse(in->error, in->error_len,
                                  "key given twice:", whole, "leave one out");
    in->seen |= 1u << k;
    if (parse_value(&keys[k], params, value))
        return vmring_word_refuse(in->error, in->error_len, "bad value in",
                                  whole, "write %s", keys[k].form);
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
    return vmring_word_refuse(
        in->error, in->error_len,
        "contradiction:", (struct word){other, strlen(other)},
        "give count and mix, or how much of each kind of work");
}

int sim_params_parse(const char *text, bool endpoint, struct sim_params *params,
                     char *error, size_t error_len)
{
    struct input in = {error, error_len, endpoint, 0};
    struct word whole;

    *params = defaults;
    while (vmring_word_next(&text, ",", &whole)) {
        int err = parse_key(&in, params, whole);

        if (err)
            return err;
    }
    return check(&in, params);
}

const char *sim_work_name(enum sim_work work)
{
    return work_names[work];
}
