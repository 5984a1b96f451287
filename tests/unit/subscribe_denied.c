/* SPDX-License-Identifier: MIT */
/*
 * Description: a subscription that the allow-list denies leaves nothing armed,
 * not even what was armed before it.
 */
#include <string.h>

#include <errno.h>

#include "check.h"
#include "producer.h"

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

static int send_nowhere(struct peer *peer, uint32_t type, const void *body,
                        size_t len)
{
    (void)peer;
    (void)type;
    (void)body;
    (void)len;
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
    static const struct port_ops nowhere = {.send = send_nowhere};
    struct peer peer = {.ops = &nowhere};
    char allowed[] = "cpuid", denied[] = "cpuid cr3";
    char malformed[] = "nonsense", cut[] = "cpuid";

    CHECK_EQ(vmring_producer_open(&opts, &producer), 0);
    producer->session.peer = &peer;
    (void)control_message(producer, WIRE_SUBSCRIBE, allowed, strlen(allowed));
    CHECK_EQ(armed, 1);
    (void)control_message(producer, WIRE_SUBSCRIBE, denied, strlen(denied));
    CHECK_EQ(armed, 0);
    /* Its library parses it by the same rules before it asks. */
    CHECK_EQ(control_message(producer, WIRE_SUBSCRIBE, malformed, 8), -EPROTO);
    CHECK_EQ(control_message(producer, WIRE_SUBSCRIBE, cut, sizeof(cut)),
             -EPROTO);
    producer->session.peer = NULL;
    vmring_producer_close(producer, NULL, NULL);
    return 0;
}
