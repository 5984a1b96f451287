/* SPDX-License-Identifier: MIT */
/*
 * Description: fuzzes what parses text: events, verdict names, parameters of
 * the simulated guest.  What is understood must come back from its canonical
 * spelling; what is not is refused in one printable line.
 *
 * The first byte of an input chooses the parser, the second how much room
 * there is; the rest is text (or a spec, for the formatter).
 */
#include "fuzz.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "sim/params.h"
#include "vmring.h"

/* A copy on the heap, with nothing behind its NUL. */
static char *text_of(const struct input *in)
{
    size_t len = (size_t)(in->end - in->at);
    char *text = malloc(len + 1);

    ALWAYS(text);
    if (len)
        memcpy(text, in->at, len);
    text[len] = '\0';
    return text;
}

/* Of a refusal: one line, terminated, printable, within its room. */
static void check_error(const char *error, size_t len)
{
    size_t i = 0;

    if (!len)
        return;
    while (i < len && error[i]) {
        ALWAYS(error[i] >= ' ' && error[i] <= '~');
        i++;
    }
    ALWAYS(i < len);
    ALWAYS(len < 16 || i > 0);
}

static bool same_spec(const struct vmring_spec *a, const struct vmring_spec *b)
{
    return a->reason == b->reason && a->mode == b->mode &&
           a->access == b->access && a->flags == b->flags &&
           a->first == b->first && a->last == b->last;
}

/* A spec that can be written comes back, and is written within its room. */
static int round_trip(const struct vmring_spec *spec)
{
    char text[160], *tight;
    struct vmring_spec back;
    int len = vmring_spec_format(spec, text, sizeof(text));

    if (len < 0) {
        ALWAYS(len == -EINVAL);
        return len;
    }
    ALWAYS(len > 0 && strlen(text) == (size_t)len);
    ALWAYS(vmring_specs_parse(text, &back, 1, NULL, 0) == 1);
    ALWAYS(same_spec(spec, &back));
    tight = malloc((size_t)len + 1);
    ALWAYS(tight);
    ALWAYS(vmring_spec_format(spec, tight, (size_t)len + 1) == len);
    ALWAYS(vmring_spec_format(spec, tight, (size_t)len) == -ENOSPC);
    free(tight);
    return len;
}

static void check_spec(const struct vmring_spec *spec)
{
    ALWAYS(vmring_reason_name(spec->reason));
    ALWAYS(vmring_reason_has_mode(spec->reason, spec->mode));
    ALWAYS(spec->first <= spec->last);
    ALWAYS(round_trip(spec) > 0);
}

static bool overlap(const struct vmring_spec *a, const struct vmring_spec *b)
{
    return a->reason == b->reason && a->first <= b->last && b->first <= a->last;
}

static void events(struct input *in)
{
    size_t error_len = take8(in);
    char *error = malloc(error_len + 1), *text = text_of(in);
    unsigned int max = error_len & 1 ? 64 : (unsigned int)error_len;
    struct vmring_spec *specs = malloc((max + 1) * sizeof(*specs));
    int nr;

    ALWAYS(error && specs);
    error[error_len] = 'e';
    nr = vmring_specs_parse(text, specs, max, error, error_len);
    ALWAYS(error[error_len] == 'e');
    ALWAYS(vmring_specs_parse(text, specs, max, NULL, 0) == nr);
    if (nr < 0) {
        ALWAYS(nr == -EINVAL || nr == -E2BIG);
        check_error(error, error_len);
    } else {
        ALWAYS((unsigned int)nr <= max);
    }
    for (int i = 0; i < nr; i++) {
        check_spec(&specs[i]);
        for (int j = 0; j < i; j++)
            ALWAYS(!overlap(&specs[i], &specs[j]));
    }
    free(specs);
    free(text);
    free(error);
}

/* Any spec at all, as a program may have put it together. */
static void format(struct input *in)
{
    struct vmring_spec spec = {
        .reason = take8(in) % 20,
        .mode = take8(in) % 5,
        .access = take8(in) % 10,
        .flags = take8(in) % 10,
    };
    uint8_t shape = take8(in);

    spec.first = shape & 1 ? take64(in) : take16(in);
    spec.last = shape & 2 ? take64(in) : spec.first + take16(in);
    if (shape & 4)
        spec.last = UINT64_MAX;
    if (round_trip(&spec) > 0)
        ALWAYS(vmring_reason_name(spec.reason));
}

static void verdicts(struct input *in)
{
    static const char *const names[] = {
        "deny",   "set_registers",  "emulate", "step",    "altp2m",
        "inject", "next_interrupt", "reset",   "continue"};
    size_t error_len = take8(in);
    char *error = malloc(error_len + 1), *text = text_of(in);
    char again[128] = "none";
    uint32_t mask = 0, back;

    ALWAYS(error);
    if (vmring_verdicts_parse(text, &mask, error, error_len)) {
        check_error(error, error_len);
    } else {
        ALWAYS(!(mask & ~XEN_VM_RING_VERDICTS));
        for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
            if (mask >> i & 1)
                strcat(strcat(again, ","), names[i]);
        ALWAYS(vmring_verdicts_parse(again, &back, NULL, 0) == 0);
        ALWAYS(back == mask);
    }
    free(text);
    free(error);
}

static void check_limits(const struct sim_params *p, bool endpoint)
{
    ALWAYS(p->nr_vcpus >= 1 && p->nr_vcpus <= XEN_VM_RING_MAX_VCPUS);
    ALWAYS(p->batch >= 1 && p->batch <= 4096);
    ALWAYS(p->count <= UINT64_C(1) << 40 && p->rate <= 1000000000);
    ALWAYS(p->deadline_ms <= 3600000);
    ALWAYS(p->max_async <= XEN_VM_RING_MAX_ASYNC);
    ALWAYS(!(p->verdicts & ~XEN_VM_RING_VERDICTS));
    ALWAYS(memchr(p->name, 0, sizeof(p->name)) && p->name[0]);
    ALWAYS(memchr(p->truth, 0, sizeof(p->truth)));
    ALWAYS(endpoint || (!p->deadline_ms && !p->max_async && !p->on_deadline));
}

/* The same guest, each key written out. */
static void spell(const struct sim_params *p, char *text, size_t len)
{
    size_t at =
        (size_t)snprintf(text, len,
                         "vcpus=%" PRIu64 ",rate=%" PRIu64 ",seed=0x%" PRIx64
                         ",batch=%" PRIu64 ",name=%s,start=%s",
                         p->nr_vcpus, p->rate, p->seed, p->batch, p->name,
                         p->start_now ? "now" : "subscribe");
    const char *mix = ",mix=";

    if (p->truth[0])
        at += (size_t)snprintf(text + at, len - at, ",truth=%s", p->truth);
    if (p->msr != SIM_NO_MSR)
        at += (size_t)snprintf(text + at, len - at, ",msrnr=%" PRIu64, p->msr);
    if (!p->counted)
        at +=
            (size_t)snprintf(text + at, len - at, ",count=%" PRIu64, p->count);
    for (unsigned int k = 0; k < NR_SIM_WORK; k++) {
        if (p->counted) {
            at += (size_t)snprintf(text + at, len - at, ",%s=%" PRIu64,
                                   sim_work_name(k), p->asked[k]);
        } else if (p->weight[k]) {
            at += (size_t)snprintf(text + at, len - at, "%s%s:%" PRIu64, mix,
                                   sim_work_name(k), p->weight[k]);
            mix = "/";
        }
    }
    ALWAYS(at < len);
}

static void parameters(struct input *in)
{
    bool endpoint = take8(in) & 1;
    char *text = text_of(in), error[96], again[2048];
    struct sim_params params, back;

    if (sim_params_parse(text, endpoint, &params, error, sizeof(error))) {
        check_error(error, sizeof(error));
    } else {
        check_limits(&params, endpoint);
        spell(&params, again, sizeof(again));
        ALWAYS(!sim_params_parse(again, endpoint, &back, NULL, 0));
        ALWAYS(back.nr_vcpus == params.nr_vcpus && back.rate == params.rate);
        ALWAYS(back.seed == params.seed && back.batch == params.batch);
        ALWAYS(back.start_now == params.start_now && back.msr == params.msr);
        ALWAYS(back.counted == params.counted);
        ALWAYS(params.counted || back.count == params.count);
        ALWAYS(!memcmp(back.asked, params.asked, sizeof(back.asked)));
        ALWAYS(!memcmp(back.weight, params.weight, sizeof(back.weight)));
        ALWAYS(!strcmp(back.name, params.name));
        ALWAYS(!strcmp(back.truth, params.truth));
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};

    switch (take8(&in) % 8) {
    case 0:
        format(&in);
        break;
    case 1:
        verdicts(&in);
        break;
    case 2:
    case 3:
        parameters(&in);
        break;
    default:
        events(&in);
        break;
    }
    return 0;
}
