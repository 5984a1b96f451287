/* SPDX-License-Identifier: MIT */
/* model NAME [-n ITERATIONS] [-l HOW:FILE:LINE] [-v]: see usage(). */
#include "model.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

static const struct {
    const char *name;
    struct outcome (*run)(const struct search &);
    rl::scheduler_type_e type;
    rl::iteration_t iterations; /* or, of a bound search, switches */
} models[] = {
    {"slot", slot, rl::sched_random, 100000},
    {"slot_registers", slot_registers, rl::sched_random, 100000},
    {"slot_small", slot_small, rl::sched_full, 0},
    {"lane_discard", lane_discard, rl::sched_random, 100000},
    {"lane_overwrite", lane_overwrite, rl::sched_random, 100000},
    {"lane_small", lane_small, rl::sched_bound, 4},
    {"lane_foreign", lane_foreign, rl::sched_random, 100000},
    {"lane_frozen", lane_frozen, rl::sched_random, 100000},
    {"foreign", foreign, rl::sched_random, 100000},
    {"bell_publishes", bell_publishes, rl::sched_random, 100000},
    {"bell_producers", bell_producers, rl::sched_random, 100000},
    {"bell_answers", bell_answers, rl::sched_random, 100000},
    {"bell_state", bell_state, rl::sched_random, 100000},
    {"bell_small", bell_small, rl::sched_bound, 6},
    {"own", own, rl::sched_random, 100000},
    {"vcpu", vcpu, rl::sched_random, 100000},
    {"vcpu_apart", vcpu_apart, rl::sched_random, 100000},
    {"vcpu_small", vcpu_small, rl::sched_bound, 5},
    {"vcpu_attach", vcpu_attach, rl::sched_random, 100000},
    {"whole", whole, rl::sched_random, 100000},
};

static void fill(uint64_t *words, size_t nr, uint64_t number)
{
    for (size_t i = 0; i < nr; i++)
        words[i] = number;
}

struct xen_vm_ring_event event_make(uint64_t number, uint32_t vcpu,
                                    uint32_t length)
{
    struct xen_vm_ring_event event = {};

    event.time = number;
    event.flags = (uint32_t)number;
    event.reason = XEN_VM_RING_REASON_CPUID;
    event.vcpu = (uint16_t)vcpu;
    event.altp2m_idx = (uint16_t)number;
    event.length = (uint16_t)length;
    fill(event.u.words, 4, number);
    if (length == XEN_VM_RING_EVENT_FULL)
        fill(event.regs.words, XEN_VM_RING_REGS_LEN / 8, number);
    return event;
}

static void check_words(const void *got, const void *wanted, uint64_t mask)
{
    for (size_t i = 1; i < 51; i++)
        CHECK(!(mask >> i & 1) ||
              !memcmp((const uint64_t *)got + i, (const uint64_t *)wanted + i,
                      sizeof(uint64_t)));
}

uint64_t event_number(const struct xen_vm_ring_event &event, uint64_t mask)
{
    struct xen_vm_ring_event wanted =
        event_make(event.time, event.vcpu, event.length);

    if (event.length == XEN_VM_RING_EVENT_HEAD)
        mask &= 0xff;
    wanted.lost = event.lost;
    check_words(&event, &wanted, mask);
    return event.time;
}

struct xen_vm_ring_response response_make(uint64_t number)
{
    struct xen_vm_ring_response response = {};

    response.flags = (uint32_t)number;
    response.inject.vector = (uint32_t)number;
    response.inject.cr2 = number;
    fill(response.data.words, XEN_VM_RING_REGS_LEN / 8, number);
    return response;
}

uint64_t response_number(const struct xen_vm_ring_response &response,
                         uint64_t mask)
{
    struct xen_vm_ring_response wanted = response_make(response.inject.cr2);

    check_words(&response, &wanted, mask);
    return response.inject.cr2;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: model NAME [-n NUMBER] [-s SEARCH] [-l HOW:FILE:LINE] "
            "[-v]\n"
            "NUMBER  of iterations, or of switches for a bound search\n"
            "SEARCH  random, bound or full\n"
            "HOW     weaker, acq_rel, drop, split: what is done to that call\n"
            "Models:");
    for (const auto &model : models)
        fprintf(stderr, " %s", model.name);
    fprintf(stderr, "\nExit status: 0 passed, 1 failed, 2 usage.\n");
    return 2;
}

/* HOW:FILE:LINE, which is kept. */
static bool loosen(char *what)
{
    char *file = strchr(what, ':');
    char *line = file ? strchr(file + 1, ':') : NULL;

    if (!line)
        return false;
    *file++ = *line++ = '\0';
    loosening.how = what;
    loosening.file = file;
    loosening.line = atoi(line);
    return true;
}

int main(int argc, char **argv)
{
    struct search search = {};
    unsigned long number = 0;
    size_t i = 0;

    if (argc < 2)
        return usage();
    while (i < sizeof(models) / sizeof(*models) &&
           strcmp(models[i].name, argv[1]))
        i++;
    if (i == sizeof(models) / sizeof(*models))
        return usage();
    search.type = models[i].type;
    number = models[i].iterations;
    for (int arg = 2; arg < argc; arg++) {
        if (!strcmp(argv[arg], "-v"))
            search.verbose = true;
        else if (arg + 1 == argc)
            return usage();
        else if (!strcmp(argv[arg], "-n"))
            number = strtoul(argv[++arg], NULL, 10);
        else if (!strcmp(argv[arg], "-s") && ++arg)
            search.type = !strcmp(argv[arg], "full")    ? rl::sched_full
                          : !strcmp(argv[arg], "bound") ? rl::sched_bound
                                                        : rl::sched_random;
        else if (strcmp(argv[arg], "-l") || !loosen(argv[++arg]))
            return usage();
    }
    search.iterations = number;
    search.context_bound = (unsigned)number;

    auto begun = std::chrono::steady_clock::now();
    struct outcome outcome = models[i].run(search);
    std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - begun;
    printf("%-15s %s, %llu iterations, %.1f s: %s\n", models[i].name,
           rl::format(search.type), (unsigned long long)outcome.iterations,
           took.count(), outcome.passed ? "passed" : outcome.why);
    if (loosening.how)
        printf("%s:%d reached %lu times\n", loosening.file, loosening.line,
               loosening.reached);
    return outcome.passed ? 0 : 1;
}
