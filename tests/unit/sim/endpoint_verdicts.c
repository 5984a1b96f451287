/* SPDX-License-Identifier: MIT */
/* Description: verdicts through the ring: denied, not negotiated, defaulted. */
#include "check.h"
#include "vmring.h"

#include <errno.h>
#include <poll.h>

static int try_open(const char *uri, uint32_t verdicts, struct vmring **ring)
{
    struct vmring_opts opts = {.size = sizeof(opts), .verdicts = verdicts};

    return vmring_open(uri, &opts, ring);
}

/* Takes events until the guest is off; answers with `flags`, or not. */
static int consume(struct vmring *ring, int answers, uint32_t flags)
{
    struct vmring_event event;
    uint64_t first = 0;
    int ret, nr = 0;

    while ((ret = vmring_next(ring, &event)) >= 0) {
        struct pollfd wait = {vmring_fd(ring), POLLIN, 0};
        struct xen_vm_ring_response response;

        if (ret != VMRING_NEXT_EVENT) {
            CHECK(poll(&wait, 1, 30000) == 1);
            continue;
        }
        nr++;
        if (flags & XEN_VM_RING_FLAG_DENY) {
            first = first ? first : event.rec.u.write_ctrlreg.old_value;
            CHECK_EQ(event.rec.u.write_ctrlreg.old_value, first);
        }
        vmring_neutral(&event, &response);
        response.flags = flags;
        if (answers)
            CHECK_EQ(vmring_respond(ring, &event, &response), 0);
    }
    CHECK_EQ(ret, -ESRCH);
    return nr;
}

static void run(const char *uri, uint32_t verdicts, const char *events,
                int answers, uint32_t flags)
{
    struct vmring_count *rows;
    struct vmring *ring;
    char error[256];
    int nr;

    CHECK_EQ(try_open(uri, verdicts, &ring), 0);
    CHECK_EQ(vmring_subscribe(ring, events, NULL, error, 256), 1);
    nr = consume(ring, answers, flags);
    /* On a busy machine a deadline may pass before a request is seen. */
    CHECK(answers ? nr == 20 : nr <= 20);
    CHECK_EQ(vmring_counts(ring, &rows), 1);
    CHECK_EQ(rows[0].requests, 20);
    CHECK_EQ(rows[0].answered, answers ? 20 : 0);
    CHECK_EQ(rows[0].defaulted, answers ? 0 : 20);
    free(rows);
    vmring_close(ring);
}

int main(void)
{
    struct vmring *ring;

    run("sim:vcpus=1,cr4=20", XEN_VM_RING_VERDICT_DENY, "cr4", 1,
        XEN_VM_RING_FLAG_DENY);
    run("sim:vcpus=1,cpuid=20", 0, "cpuid", 1, 0);
    run("sim:vcpus=1,cpuid=20,deadline=5", 0, "cpuid", 0, 0);
    run("sim:vcpus=1,int3=20", XEN_VM_RING_VERDICT_CONTINUE, "breakpoint", 1,
        XEN_VM_RING_FLAG_CONTINUE);
    CHECK_EQ(
        try_open("sim:verdicts=inject", XEN_VM_RING_VERDICT_CONTINUE, &ring),
        -EPERM);
    CHECK_EQ(try_open("sim:verdicts=inject", XEN_VM_RING_VERDICT_DENY, &ring),
             -EPERM);
    CHECK_EQ(try_open("sim:verdicts=inject", XEN_VM_RING_VERDICT_INJECT, &ring),
             0);
    vmring_close(ring);
    return 0;
}
