/* SPDX-License-Identifier: MIT */
/* subscribe.c: what a producer asks of its source, for a simulated guest. */
#include "guest.h"

#include <stdio.h>
#include <string.h>

static void explain(const struct vmring_spec *spec, char *error,
                    size_t error_len)
{
    const char *why = spec->reason == XEN_VM_RING_REASON_MOV_TO_MSR
                          ? "never writes such a register"
                          : "never raises it";
    char text[128];

    if (vmring_spec_format(spec, text, sizeof(text)) < 0)
        strcpy(text, "?");
    snprintf(error, error_len, "unsupported event '%s'; the simulated guest %s",
             text, why);
}

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    struct sim *sim = ctx;
    struct sim_arming arming = {.any = nr > 0};
    bool explained = false;

    for (unsigned int i = 0; i < nr; i++) {
        if (sim_arm(&arming, &sim->params, &specs[i])) {
            results[i] = VMRING_SPEC_ARMED;
            continue;
        }
        results[i] = VMRING_SPEC_UNSUPPORTED;
        if (!explained && error && error_len)
            explain(&specs[i], error, error_len);
        explained = true;
    }
    if (explained)
        memset(&arming, 0, sizeof(arming));
    sim->arming = arming;
    /* Who is told that events are armed need not hear that it stood still. */
    if (arming.any)
        sim_begin(sim);
}

static uint64_t supported(void *ctx)
{
    const struct sim *sim = ctx;
    struct sim_arming arming = {0};
    struct vmring_kind kind;
    struct vmring_spec spec;
    uint64_t mask = 0;

    for (unsigned int i = 0; !vmring_get_kind(i, &kind); i++) {
        /* Whatever its number is: it does write one. */
        if (kind.reason == XEN_VM_RING_REASON_MOV_TO_MSR ||
            (vmring_specs_parse(kind.example, &spec, 1, NULL, 0) == 1 &&
             sim_arm(&arming, &sim->params, &spec)))
            mask |= UINT64_C(1) << i;
    }
    return mask;
}

/* Events leave sim_run() only, and none of it is armed: nothing follows. */
static bool quiet(void *ctx)
{
    const struct sim *sim = ctx;

    return !sim->arming.any;
}

const struct vmring_producer_ops sim_producer_ops = {
    .size = sizeof(sim_producer_ops),
    .subscribe = subscribe,
    .supported = supported,
    .quiet = quiet,
};
