/* SPDX-License-Identifier: MIT */
/*
 * Description: a subscription that the allow-list denies leaves nothing armed,
 * not even what was armed before it.
 */
#include <string.h>

#include <errno.h>

#include "check.h"
#include "producer/control.h"

static unsigned int armed;

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    (void)ctx;
    (void)specs;
    (void)results;
    (void)error;
    (void)error_len;
    armed = nr;
}

static struct vmring_local_subscribed said;

static int send_nowhere(struct peer *peer, uint32_t type, const void *body,
                        size_t len)
{
    (void)peer;
    if (type == VMRING_LOCAL_SUBSCRIBED) {
        CHECK_EQ(len, sizeof(said));
        memcpy(&said, body, len);
    }
    return 0;
}

int main(void)
{
    static const struct vmring_producer_ops ops = {.size = sizeof(ops),
                                                   .subscribe = subscribe};
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .ops = &ops,
        .nr_vcpus = 1,
        .arch = XEN_VM_RING_ARCH_X86,
        .reasons = 1u << XEN_VM_RING_REASON_CPUID,
    };
    struct vmring_producer *producer;
    static const struct listener_ops nowhere = {.send = send_nowhere};
    struct peer peer = {.ops = &nowhere};
    char allowed[] = "cpuid", denied[] = "cpuid cr3";
    char malformed[] = "nonsense", cut[7] = "cpuid"; /* a NUL, and room */

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    producer->session.peer = &peer;
    (void)control_message(producer, VMRING_LOCAL_SUBSCRIBE, allowed,
                          strlen(allowed));
    CHECK_EQ(armed, 1);
    (void)control_message(producer, VMRING_LOCAL_SUBSCRIBE, denied,
                          strlen(denied));
    CHECK_EQ(armed, 0);
    (void)control_message(producer, VMRING_LOCAL_SUBSCRIBE, allowed,
                          strlen(allowed));
    CHECK_EQ(armed, 1);
    /* What it cannot read it says, and leaves all as it is. */
    producer->session.quiescing = true;
    CHECK_EQ(control_message(producer, VMRING_LOCAL_SUBSCRIBE, malformed, 8),
             0);
    CHECK_EQ(said.nr, 0);
    CHECK_HAS(said.text, "unknown event 'nonsense'");
    CHECK_EQ(control_message(producer, VMRING_LOCAL_SUBSCRIBE, cut, 6), 0);
    CHECK_EQ(said.nr, 0);
    CHECK_HAS(said.text, "a NUL");
    CHECK_EQ(armed, 1);
    CHECK(producer->session.quiescing);
    /* A body that says nothing is no message of ours. */
    CHECK_EQ(control_message(producer, VMRING_LOCAL_QUIESCE, allowed, 1),
             -EPROTO);
    CHECK_EQ(control_message(producer, VMRING_LOCAL_SUPPORTED, allowed, 1),
             -EPROTO);
    CHECK_EQ(control_message(producer, VMRING_LOCAL_DRAINED, allowed, 1),
             -EPROTO);
    CHECK_EQ(armed, 1);
    producer->session.peer = NULL;
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
