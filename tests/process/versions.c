/* SPDX-License-Identifier: MIT */
/*
 * Description: a proposal of a later minor is given what this version has,
 * and refused only if it insists on more (docs/ABI.md, "Versions"); what would
 * be accepted can be asked for without attaching.
 */
#include <errno.h>
#include <unistd.h>

#include "transport/local/socket.h"
#include "wired.h"

#define V(major, minor) ((uint32_t)(major) << 16 | (minor))

/* One that 1.0 knows, and one that it does not. */
#define ALLOWED (XEN_VM_RING_VERDICT_DENY | XEN_VM_RING_VERDICT_CONTINUE)

static char path[96];

/* Of the last answer. */
static unsigned int nr_descriptors;
static uint16_t minor_of_header;

/* A proposal with `more` bytes behind what we know of it. */
static struct xen_vm_ring_accept ask(const struct xen_vm_ring_propose *propose,
                                     const void *rest, size_t more)
{
    unsigned char body[1024] = {0};
    struct vmring_local_accept accept;
    int fds[VMRING_LOCAL_MAX_FDS];
    unsigned int nr = 0;
    uint32_t type;
    int fd;

    CHECK(sizeof(*propose) + more <= sizeof(body));
    memcpy(body, propose, sizeof(*propose));
    if (more)
        memcpy(body + sizeof(*propose), rest, more);
    for (int i = 0;; i++) {
        fd = wired_connect(path);
        CHECK_EQ(socket_send(fd, VMRING_LOCAL_PROPOSE, body,
                             sizeof(*propose) + more, NULL, 0),
                 0);
        CHECK_EQ(socket_wait(fd, 5000), 0);
        CHECK_EQ(socket_recv(fd, &type, &accept, sizeof(accept), fds,
                             VMRING_LOCAL_MAX_FDS, &nr),
                 sizeof(accept));
        close(fd);
        nr_descriptors = nr;
        if (nr) {
            struct xen_vm_ring_header header;

            CHECK(pread(fds[0], &header, sizeof(header), 0) == sizeof(header));
            minor_of_header = header.minor;
        }
        while (nr)
            close(fds[--nr]);
        /* The one before, whose socket was closed, is being swept. */
        if (accept.body.result != XEN_VM_RING_REFUSED_BUSY)
            return accept.body;
        CHECK(i < 2000);
        usleep(1000);
    }
}

static struct xen_vm_ring_accept range(uint32_t min, uint32_t max)
{
    struct xen_vm_ring_propose propose = wired_propose();

    propose.version_min = min;
    propose.version_max = max;
    return ask(&propose, NULL, 0);
}

static void versions(void)
{
    static const struct {
        uint32_t min, max, result, in_use;
    } cases[] = {
        {V(1, 0), V(1, 0), XEN_VM_RING_ACCEPTED, V(1, 0)},
        {V(1, 0), V(1, 1), XEN_VM_RING_ACCEPTED, V(1, 1)},
        {V(1, 1), V(1, 1), XEN_VM_RING_ACCEPTED, V(1, 1)},
        {V(1, 0), V(1, 9), XEN_VM_RING_ACCEPTED, V(1, 1)},
        {V(1, 0), V(2, 3), XEN_VM_RING_ACCEPTED, V(1, 1)},
        {V(0, 7), V(1, 0), XEN_VM_RING_ACCEPTED, V(1, 0)},
        /* Refused: the highest that there is. */
        {V(1, 2), V(1, 9), XEN_VM_RING_REFUSED_VERSION, V(1, 1)},
        {V(2, 0), V(2, 3), XEN_VM_RING_REFUSED_VERSION, V(1, 1)},
        {V(0, 1), V(0, 9), XEN_VM_RING_REFUSED_VERSION, V(1, 1)},
        {V(1, 9), V(1, 0), XEN_VM_RING_REFUSED_MALFORMED, V(1, 1)},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xen_vm_ring_accept accept = range(cases[i].min, cases[i].max);

        CHECK_EQ(accept.result, cases[i].result);
        CHECK_EQ(accept.version, cases[i].in_use);
        if (accept.result == XEN_VM_RING_ACCEPTED)
            CHECK_EQ(minor_of_header, accept.version & 0xffff);
        /* Names that 1.0 has not are not told to who speaks 1.0. */
        CHECK_EQ(accept.allowed_verdicts,
                 cases[i].max > V(1, 0) ? ALLOWED
                                        : ALLOWED & XEN_VM_RING_VERDICTS_1_0);
    }
}

static void lengths(void)
{
    static const unsigned char zero[896], one[8] = {[7] = 1};
    struct xen_vm_ring_propose propose = wired_propose();

    propose.length = sizeof(propose) + 8;
    CHECK_EQ(ask(&propose, zero, 8).result, XEN_VM_RING_ACCEPTED);
    CHECK_EQ(ask(&propose, one, 8).result, XEN_VM_RING_REFUSED_MALFORMED);
    CHECK_EQ(ask(&propose, zero, 16).result, XEN_VM_RING_REFUSED_MALFORMED);
    CHECK_EQ(ask(&propose, zero, 0).result, XEN_VM_RING_REFUSED_MALFORMED);
    propose.length = sizeof(propose) + sizeof(zero);
    CHECK_EQ(ask(&propose, zero, sizeof(zero)).result, XEN_VM_RING_ACCEPTED);
}

static void features(void)
{
    struct xen_vm_ring_propose propose = wired_propose();
    struct xen_vm_ring_accept accept;

    propose.features_wanted = UINT64_MAX;
    accept = ask(&propose, NULL, 0);
    CHECK_EQ(accept.result, XEN_VM_RING_ACCEPTED);
    CHECK_EQ(accept.features, XEN_VM_RING_FEATURE_REGISTERS);
    /* Told whether it was wanted or not. */
    propose.features_wanted = 0;
    CHECK_EQ(ask(&propose, NULL, 0).features, XEN_VM_RING_FEATURE_REGISTERS);
    /* Refused: the answer names all that there are. */
    propose.features_required = 1ULL << 40;
    accept = ask(&propose, NULL, 0);
    CHECK_EQ(accept.result, XEN_VM_RING_REFUSED_FEATURE);
    CHECK_EQ(accept.features,
             XEN_VM_RING_FEATURE_REGISTERS | XEN_VM_RING_FEATURE_ASK);
    CHECK_EQ(accept.allowed_verdicts, ALLOWED);
}

/* All of it is looked at, nothing is accepted, and nobody is in the way. */
static void questions(void)
{
    struct xen_vm_ring_propose propose = wired_propose();
    struct xen_vm_ring_accept accept;

    propose.features_required = XEN_VM_RING_FEATURE_ASK;
    propose.async_len = 1000;
    accept = ask(&propose, NULL, 0);
    CHECK_EQ(accept.result, XEN_VM_RING_REFUSED_ASKED);
    CHECK_EQ(nr_descriptors, 0);
    CHECK_EQ(accept.allowed_verdicts, ALLOWED);
    CHECK_EQ(accept.async_len, 1000);
    CHECK_EQ(accept.min_async_len, 512);
    CHECK_EQ(accept.max_async_len, 1 << 20);
    CHECK_EQ(accept.max_deadline, 1000000000);
    CHECK_EQ(accept.max_groups, 4);
    CHECK_EQ(accept.nr_vcpus, 4);
    CHECK_EQ(accept.arch, XEN_VM_RING_ARCH_X86);
    CHECK_EQ(accept.epoch, 0);
    CHECK_EQ(accept.p_len, 0);

    propose.verdicts = XEN_VM_RING_VERDICT_EMULATE;
    accept = ask(&propose, NULL, 0);
    CHECK_EQ(accept.result, XEN_VM_RING_REFUSED_VERDICTS);
    CHECK_EQ(accept.allowed_verdicts, ALLOWED);
    /* What was asked for is not in use. */
    CHECK_EQ(accept.verdicts, 0);
    CHECK_EQ(accept.async_len, 0);
    CHECK_EQ(accept.nr_groups, 0);
    CHECK_EQ(accept.deadline, 0);

    /* Only wanted, it is no question. */
    propose = wired_propose();
    propose.features_wanted = XEN_VM_RING_FEATURE_ASK;
    accept = ask(&propose, NULL, 0);
    CHECK_EQ(accept.result, XEN_VM_RING_ACCEPTED);
    CHECK_EQ(accept.features, XEN_VM_RING_FEATURE_REGISTERS);
}

/* By the library, while somebody is attached and stays so. */
static void questions_amid(void)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = 5000};
    struct vmring_limits limits = {.size = sizeof(limits)};
    struct vmring *ring;
    char uri[128];
    int err;

    snprintf(uri, sizeof(uri), "local:%s", path);
    for (int i = 0; (err = vmring_ask(uri, &opts, &limits)) == 0; i++) {
        CHECK(i < 2000);
        if (!limits.would)
            break;
        CHECK_EQ(limits.would, -EBUSY);
        usleep(1000);
    }
    CHECK_EQ(err, 0);
    CHECK_EQ(limits.verdicts, ALLOWED);
    CHECK_EQ(limits.version, XEN_VM_RING_VERSION);
    CHECK_STR(limits.target, "wired");
    for (int i = 0; (err = vmring_open(uri, &opts, &ring)) == -EBUSY; i++) {
        CHECK(i < 2000);
        usleep(1000);
    }
    CHECK_EQ(err, 0);
    opts.verdicts = XEN_VM_RING_VERDICT_EMULATE;
    CHECK_EQ(vmring_ask(uri, &opts, &limits), 0);
    CHECK_EQ(limits.would, -EBUSY);
    CHECK_EQ(limits.verdicts, ALLOWED);
    CHECK_EQ(vmring_supported(ring, &limits.features), 0); /* still there */
    vmring_close(ring);
}

/* What is 0 in an answer has a number of its own in a question. */
static void for_ever(void)
{
    struct xen_vm_ring_propose propose = wired_propose();
    struct xen_vm_ring_accept accept;

    propose.deadline = XEN_VM_RING_FOR_EVER;
    accept = ask(&propose, NULL, 0);
    CHECK_EQ(accept.result, XEN_VM_RING_ACCEPTED);
    CHECK_EQ(accept.deadline, 0);
    CHECK_EQ(accept.max_deadline, 0);
    propose.deadline = 5000000000;
    CHECK_EQ(ask(&propose, NULL, 0).deadline, 5000000000);
    propose.deadline = 0; /* the producer's own */
    CHECK_EQ(ask(&propose, NULL, 0).deadline, 0);
}

int main(void)
{
    struct vmring_producer_opts opts = wired_opts();
    pid_t producer;

    opts.verdicts = ALLOWED;
    wired_path(path);
    producer = wired_serve(path, &opts, 0);
    versions();
    lengths();
    features();
    questions();
    questions_amid();
    wired_end(producer);
    opts.deadline_ns = UINT64_MAX;
    producer = wired_serve(path, &opts, 0);
    for_ever();
    wired_end(producer);
    place_drop(path);
    return 0;
}
