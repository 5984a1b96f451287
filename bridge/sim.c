/* SPDX-License-Identifier: MIT */
/* sim.c: the simulated guest as a source, for trying and testing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit_status.h"
#include "log.h"
#include "source.h"

#include "../libvmring/sim/sim.h"

struct sim_guest {
    struct sim *sim;
    bool serving; /* there is a producer */
    bool ended;
};

static int sim_source_open(struct source_start *start, void **source)
{
    const char *target = start->target;
    struct sim_guest *guest;
    char error[256] = "";
    int err;

    guest = calloc(1, sizeof(*guest));
    if (!guest) {
        bridge_log(LOG_ERR, "out of memory");
        return EXIT_FAULT;
    }
    err = sim_open(target, &guest->sim, error, sizeof(error));
    if (err < 0) {
        bridge_log(LOG_ERR, "sim: %s", *error ? error : strerror(-err));
        free(guest);
        return err == -EINVAL   ? EXIT_USAGE
               : err == -ENOMEM ? EXIT_FAULT
                                : EXIT_OUTPUT;
    }
    *source = guest;
    return 0;
}

static void sim_source_describe(void *source, struct source_info *info)
{
    struct sim_guest *guest = source;

    snprintf(info->name, sizeof(info->name), "%s", sim_name(guest->sim));
    snprintf(info->title, sizeof(info->title), "%s", info->name);
    snprintf(info->tree, sizeof(info->tree), "sim");
    info->nr_vcpus = sim_nr_vcpus(guest->sim);
    info->arch = XEN_VM_RING_ARCH_X86;
    info->verdicts = XEN_VM_RING_VERDICTS;
    info->source = XEN_VM_RING_SOURCE_SIMULATED;
    info->producer_ctx = guest->sim;
}

static void sim_source_start(void *source, struct vmring_producer *producer)
{
    struct sim_guest *guest = source;

    guest->serving = producer != NULL;
    if (producer)
        sim_start(guest->sim, producer);
}

static int sim_source_run(void *source)
{
    struct sim_guest *guest = source;
    int due;

    if (guest->ended || !guest->serving)
        return SOURCE_WAIT;
    due = sim_run(guest->sim);
    if (due == SIM_ENDED)
        guest->ended = true;
    return due < 0 ? SOURCE_WAIT : due;
}

static void sim_source_verdict(void *source,
                               const struct vmring_verdict *verdict)
{
    struct sim_guest *guest = source;

    if (verdict->by != VMRING_OVERDUE)
        sim_verdict(guest->sim, verdict);
}

static void sim_source_flush(void *source)
{
    (void)source;
}

static unsigned int sim_source_state(void *source, unsigned int *reason)
{
    struct sim_guest *guest = source;

    *reason = 0; /* SHUTDOWN_poweroff */
    return guest->ended ? XEN_VM_RING_TARGET_SHUTDOWN
                        : XEN_VM_RING_TARGET_RUNNING;
}

static bool sim_source_end(void *source, bool forced)
{
    (void)source;
    (void)forced;
    return true;
}

static int sim_source_close(void *source)
{
    struct sim_guest *guest = source;
    int error = sim_write_truth(guest->sim);

    if (error < 0)
        bridge_log(LOG_ERR, "sim: cannot write the truth file: %s",
                   strerror(-error));
    sim_close(guest->sim);
    free(guest);
    return error < 0 ? EXIT_OUTPUT : 0;
}

static void sim_source_stats(void *source, struct json_object *object)
{
    (void)source;
    json_object_object_add(object, "source", json_object_new_string("sim"));
}

const struct source_ops sim_source = {
    .open = sim_source_open,
    .describe = sim_source_describe,
    .producer_ops = &sim_producer_ops,
    .start = sim_source_start,
    .run = sim_source_run,
    .verdict = sim_source_verdict,
    .flush = sim_source_flush,
    .target_state = sim_source_state,
    .end = sim_source_end,
    .close = sim_source_close,
    .stats = sim_source_stats,
};
