/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-inject ENDPOINT [right]: at each CPUID something is injected into
 * the guest, one combination after the other of type, vector, error code and
 * length: all that may be injected where guest/README.md says and, without
 * "right", many that may not.  Prints how many of each were sent.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "libvmring/vmring.h"

#define NO_CODE UINT32_MAX

static const uint32_t types[] = {0, 1, 2, 3, 4, 5, 6, 7, 255};
static const uint32_t vectors[] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,  15,  16,
    17, 18, 19, 20, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33, 128, 254, 255};
static const uint32_t codes[] = {0, 1, 0xffff, 0x10000, NO_CODE};
static const uint32_t lengths[] = {0, 1, 15, 16};

#define NR(of) (sizeof(of) / sizeof((of)[0]))
#define NR_ALL (NR(types) * NR(vectors) * NR(codes) * NR(lengths))

static void combine(size_t i, struct xen_vm_ring_inject *trap)
{
    memset(trap, 0, sizeof(*trap));
    trap->insn_len = lengths[i % NR(lengths)];
    i /= NR(lengths);
    trap->error_code = codes[i % NR(codes)];
    i /= NR(codes);
    trap->vector = vectors[i % NR(vectors)];
    i /= NR(vectors);
    trap->type = types[i % NR(types)];
    trap->cr2 = 0x1000;
}

static bool pushes_code(uint32_t vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static bool is_exception(uint32_t vector)
{
    return vector < 2 || (vector >= 5 && vector <= 8) ||
           (vector >= 10 && vector <= 14) || (vector >= 16 && vector <= 19);
}

static bool is_right(const struct xen_vm_ring_inject *trap)
{
    if (trap->type == 3)
        return is_exception(trap->vector) &&
               (!pushes_code(trap->vector) ? trap->error_code == NO_CODE
                : trap->vector == 8 || trap->vector == 17
                    ? trap->error_code == 0
                    : trap->error_code <= 0xffff);
    if (trap->type < 4 || trap->type > 6 || trap->error_code != NO_CODE ||
        trap->insn_len < 1 || trap->insn_len > 15)
        return false;
    return trap->type == 4   ? true
           : trap->type == 5 ? trap->vector == 1
                             : trap->vector == 3 || trap->vector == 4;
}

static bool only_right;

/*
 * Left out: what the guest could not tell from something else, an INT of a
 * vector that has an error code as an exception and none as an INT; and of the
 * wrong ones all but every third, for the time.
 */
static bool is_tried(const struct xen_vm_ring_inject *trap, size_t i)
{
    if (trap->type == 4 && pushes_code(trap->vector))
        return false;
    /* The length of an instruction does not matter to an exception. */
    if (trap->type == 3 && trap->insn_len != 0)
        return false;
    return is_right(trap) || (!only_right && i % 3 == 0);
}

static size_t next, nr_right, nr_refused, nr_wrong_sent;

static void answer(struct vmring *ring, const struct vmring_event *event)
{
    struct xen_vm_ring_response response;
    int rc = -1;

    vmring_neutral(event, &response);
    while (rc < 0 && next < NR_ALL) {
        struct xen_vm_ring_response with = response;

        combine(next++, &with.inject);
        if (!is_tried(&with.inject, next - 1))
            continue;
        with.flags |= XEN_VM_RING_FLAG_INJECT;
        rc = vmring_respond(ring, event, &with);
        if (rc < 0 && is_right(&with.inject))
            errx(1, "type %u vector %u code %#x length %u is refused: %s",
                 with.inject.type, with.inject.vector, with.inject.error_code,
                 with.inject.insn_len, strerror(-rc));
        nr_right += is_right(&with.inject);
        nr_refused += rc < 0;
        nr_wrong_sent += rc == 0 && !is_right(&with.inject);
    }
    if (rc < 0 && vmring_respond(ring, event, &response) < 0)
        errx(1, "a neutral verdict is refused");
}

int main(int argc, char **argv)
{
    char error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts),
        .verdicts =
            XEN_VM_RING_VERDICT_INJECT | XEN_VM_RING_VERDICT_SET_REGISTERS,
        .error = error,
        .error_len = sizeof(error),
    };
    struct vmring_event event;
    struct vmring *ring;
    int ret;

    if (argc < 2)
        errx(2, "usage: vmring-lab-inject ENDPOINT [right]");
    only_right = argc > 2;
    if (vmring_open(argv[1], &opts, &ring) < 0 ||
        vmring_subscribe(ring, "cpuid", NULL, error, sizeof(error)) < 0)
        errx(1, "%s", error);
    while ((ret = vmring_next(ring, &event)) >= 0) {
        struct pollfd bell = {.fd = vmring_fd(ring), .events = POLLIN};

        if (ret == 0)
            poll(&bell, 1, -1);
        else if (ret != VMRING_NEXT_TARGET && event.seq)
            answer(ring, &event);
    }
    if (ret != -ESRCH)
        errx(1, "lost the producer: %s", strerror(-ret));
    vmring_close(ring);
    if (next < NR_ALL)
        errx(1, "the guest ended at %zu of %zu", next, NR_ALL);
    printf("right=%zu refused=%zu wrong=%zu\n", nr_right, nr_refused,
           nr_wrong_sent);
    return 0;
}
