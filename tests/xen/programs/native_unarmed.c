/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-native-unarmed: attaches to a Xen that is the producer itself,
 * with denials granted and CR4's writes asked for, and lets go of the ring
 * without disarming first, as no libvmring does.
 *
 *   vmring-lab-native-unarmed DOMID refused|detach|destroy [TIMES]
 *
 * Says how often it has done so, which is less often if the domain goes.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define __XEN_TOOLS__ 1
#include "transport/xen/arm.h"
#include "transport/xen/calls.h"

#include <xenctrl.h>

#include <xen/domctl.h>

#define ARMED_US 10000 /* so long the guest is watched each time */
#define DEADLINE 20000 /* ns: each of its requests is past it */
#define ASYNC    (4 << 20)
#define CR4      2

static struct calls calls;
static int done;

static void must(const char *what, int code)
{
    if (abs(code) == ESRCH) {
        printf("%d times\n", done);
        exit(0);
    }
    if (code)
        errx(1, "%s: %s", what, strerror(code < 0 ? -code : code));
}

/* What Xen says of a proposal with so many groups. */
static uint32_t attach(uint32_t nr_groups)
{
    struct xen_vm_ring_attach attach;

    memset(&attach, 0, sizeof(attach));
    attach.propose = (struct xen_vm_ring_propose){
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(attach.propose),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .nr_groups = nr_groups,
        .verdicts = XEN_VM_RING_VERDICT_DENY,
        .deadline = DEADLINE,
        .async_len = ASYNC,
    };
    calls.ring = 0;
    must("attach",
         xen_ring(&calls, XEN_VM_RING_OP_ATTACH, &attach, sizeof(attach)));
    return attach.accept.result;
}

static void attach_and_let_go(uint32_t op)
{
    static const struct monitor_event writes = {
        .event = XEN_DOMCTL_MONITOR_EVENT_WRITE_CTRLREG,
        .index = CR4,
        .sync = true,
    };

    if (attach(1) != XEN_VM_RING_ACCEPTED)
        errx(1, "refused");
    must("writes that wait", xen_defer_writes(&calls));
    must("writes of CR4", xen_arm(&calls, &writes));
    usleep(ARMED_US);
    must("letting go", xen_ring(&calls, op, NULL, 0));
}

int main(int argc, char **argv)
{
    int times = argc > 3 ? atoi(argv[3]) : 1;
    const char *how = argc > 2 ? argv[2] : "";
    uint32_t op = strcmp(how, "destroy") == 0 ? XEN_VM_RING_OP_DESTROY
                                              : XEN_VM_RING_OP_DETACH;

    if (strcmp(how, "refused") == 0)
        times = 0;
    else if (op == XEN_VM_RING_OP_DETACH && strcmp(how, "detach") != 0)
        errx(2, "usage: %s DOMID refused|detach|destroy [TIMES]", argv[0]);
    must("calls", xen_begin_calls(&calls, (uint32_t)atoi(argv[1])));
    if (times == 0 && attach(0) == XEN_VM_RING_ACCEPTED)
        errx(1, "it is accepted");
    for (; done < times; done++)
        attach_and_let_go(op);
    printf("%d times\n", done);
    return 0;
}
