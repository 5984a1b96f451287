/* SPDX-License-Identifier: MIT */
/* Description: each thing that can be refused is, for its own reason. */
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "wired.h"

static char path[96], uri[128];

static struct xen_vm_ring_accept
refused(const struct xen_vm_ring_propose *propose, uint32_t why)
{
    int fd = wired_connect(path);
    struct xen_vm_ring_accept accept = wired_ask(fd, propose, NULL, NULL);
    char byte;

    CHECK_EQ(accept.result, why);
    CHECK_EQ(accept.length, sizeof(accept));
    CHECK_EQ(accept.version, XEN_VM_RING_VERSION);
    CHECK_EQ(accept.nr_vcpus, 4);
    CHECK_EQ(accept.max_groups, 4);
    CHECK_EQ(accept.allowed_verdicts, XEN_VM_RING_VERDICT_DENY);
    if (why)
        CHECK_EQ(read(fd, &byte, 1), 0); /* it has hung up */
    close(fd);
    return accept;
}

#define FIELD(field)                                                           \
#field, offsetof(struct xen_vm_ring_propose, field),                       \
        sizeof(((struct xen_vm_ring_propose *)NULL)->field)
#define WHY(why) XEN_VM_RING_REFUSED_##why

/* A proposal that would be accepted, with another value in one field. */
static const struct {
    const char *row;
    size_t off, size;
    uint64_t value;
    uint32_t why;
} fields[] = {
    {FIELD(magic), 1, WHY(MALFORMED)},
    {FIELD(length), sizeof(struct xen_vm_ring_propose) - 8, WHY(MALFORMED)},
    {FIELD(length), sizeof(struct xen_vm_ring_propose) + 8, WHY(MALFORMED)},
    {FIELD(reserved[0]), 1, WHY(MALFORMED)},
    {FIELD(reserved[7]), 1ULL << 63, WHY(MALFORMED)},
    {FIELD(version_max), XEN_VM_RING_VERSION - 1, WHY(MALFORMED)},
    {FIELD(version_min), XEN_VM_RING_VERSION + 1, WHY(MALFORMED)},
    {FIELD(features_required), 4, WHY(FEATURE)},
    {FIELD(features_required), 1ULL << 63, WHY(FEATURE)},
    {FIELD(features_required), XEN_VM_RING_FEATURE_FOREIGN, WHY(FEATURE)},
    {FIELD(record_len), 32, WHY(RECORD)},
    {FIELD(record_len), 100, WHY(RECORD)},
    {FIELD(record_len), 576, WHY(RECORD)},
    {FIELD(policy), 2, WHY(POLICY)},
    {FIELD(nr_groups), 0, WHY(GROUPS)},
    {FIELD(nr_groups), 5, WHY(GROUPS)},
    {FIELD(nr_groups), UINT32_MAX, WHY(GROUPS)},
    {FIELD(verdicts), XEN_VM_RING_VERDICT_EMULATE, WHY(VERDICTS)},
    {FIELD(verdicts), 1U << 31, WHY(VERDICTS)},
    {FIELD(deadline), 1000000001, WHY(DEADLINE)},
    {FIELD(deadline), UINT64_MAX, WHY(DEADLINE)},
};

static void one_field(void)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct xen_vm_ring_propose changed = wired_propose();

        CHECK_ROW(fields[i].row);
        memcpy((char *)&changed + fields[i].off, &fields[i].value,
               fields[i].size);
        (void)refused(&changed, fields[i].why);
    }
    CHECK_ROW(NULL);
}

static void by_hand(void)
{
    struct xen_vm_ring_propose propose = wired_propose();
    struct xen_vm_ring_accept accept;

    propose.version_min = propose.version_max = 0xffff; /* too old */
    (void)refused(&propose, XEN_VM_RING_REFUSED_VERSION);
    propose.version_min = propose.version_max = XEN_VM_RING_VERSION + 1;
    (void)refused(&propose, XEN_VM_RING_REFUSED_VERSION);

    propose = wired_propose();
    propose.async_len = 511;
    accept = refused(&propose, XEN_VM_RING_REFUSED_ASYNC_LEN);
    CHECK_EQ(accept.min_async_len, 512);
    CHECK_EQ(accept.max_async_len, 1 << 20);
    propose.async_len = (1 << 20) + 1;
    (void)refused(&propose, XEN_VM_RING_REFUSED_ASYNC_LEN);
    propose.async_len = UINT64_MAX;
    (void)refused(&propose, XEN_VM_RING_REFUSED_ASYNC_LEN);

    /* The minimum that was named is accepted. */
    propose.async_len = 512;
    accept = refused(&propose, XEN_VM_RING_ACCEPTED);
    CHECK_EQ(accept.async_len, 512);
    CHECK_EQ(accept.deadline, 1000000000);
}

static void by_library(struct vmring_opts opts, int err, const char *needle)
{
    struct vmring *ring;
    char error[256] = "";
    int ret;

    opts.size = sizeof(opts);
    opts.error = error;
    opts.error_len = sizeof(error);
    for (int i = 0; (ret = vmring_open(uri, &opts, &ring)) == -EBUSY; i++) {
        CHECK(i < 2000);
        usleep(1000);
    }
    CHECK_EQ(ret, err);
    if (!err)
        vmring_close(ring);
    else
        CHECK_HAS(error, needle);
}

/* What the source says there is memory for, when it is asked. */
static uint64_t memory_left;

static uint64_t room(void *ctx)
{
    (void)ctx;
    return memory_left;
}

static void by_memory(struct vmring_producer_opts opts)
{
    static const struct vmring_producer_ops ops = {.size = sizeof(ops),
                                                   .room = room};
    struct xen_vm_ring_propose propose = wired_propose();
    struct xen_vm_ring_accept accept;
    pid_t producer;

    opts.ops = &ops;
    memory_left = 100000;
    producer = wired_serve(path, &opts, 0);
    propose.async_len = 1 << 20;
    accept = refused(&propose, XEN_VM_RING_REFUSED_ASYNC_LEN);
    CHECK(accept.max_async_len > 4096 && accept.max_async_len < memory_left);
    propose.async_len = accept.max_async_len;
    (void)refused(&propose, XEN_VM_RING_ACCEPTED);
    wired_end(producer);

    /* Less than any ring needs; also without records. */
    for (memory_left = 0; memory_left <= 8192; memory_left += 8192) {
        producer = wired_serve(path, &opts, 0);
        propose.async_len = 512;
        (void)refused(&propose, XEN_VM_RING_REFUSED_MEMORY);
        wired_end(producer);
    }

    /* Enough for all that is allowed. */
    memory_left = UINT64_MAX;
    producer = wired_serve(path, &opts, 0);
    propose.async_len = 1 << 20;
    (void)refused(&propose, XEN_VM_RING_ACCEPTED);
    wired_end(producer);
}

int main(void)
{
    struct vmring_producer_opts opts = wired_opts();
    pid_t producer;

    wired_path(path);
    snprintf(uri, sizeof(uri), "local:%s", path);
    producer = wired_serve(path, &opts, 0);
    one_field();
    by_hand();
    by_library((struct vmring_opts){.async_len = 500, .record_len = 64},
               -EMSGSIZE, "the minimum is 512");
    by_library((struct vmring_opts){.async_len = 3583}, -EMSGSIZE,
               "the minimum is 3584"); /* with registers */
    by_library((struct vmring_opts){.async_len = 1 << 21}, -EMSGSIZE,
               "maximum 1048576");
    by_library((struct vmring_opts){.async_len = 3584}, 0, "");
    by_library((struct vmring_opts){.record_len = 65}, -EOPNOTSUPP, "65");
    by_library((struct vmring_opts){.loss_policy = 2}, -EOPNOTSUPP, "policy");
    by_library((struct vmring_opts){.nr_groups = 5}, -EOPNOTSUPP, "at most 4");
    by_library((struct vmring_opts){.verdicts = 0xff}, -EPERM,
               "refused: "
               "deny,set_registers,emulate,step,altp2m,inject,next_interrupt,"
               "reset; the producer allows deny:");
    by_library((struct vmring_opts){.deadline_ns = 2000000000}, -ERANGE,
               "maximum is 1000 ms");
    by_library((struct vmring_opts){0}, 0, "");
    wired_end(producer);
    by_memory(opts);
    place_drop(path);
    return 0;
}
