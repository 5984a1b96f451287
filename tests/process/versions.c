/* SPDX-License-Identifier: MIT */
/*
 * Description: a proposal of a later minor is granted what this version has,
 * and refused only if it insists on more (docs/ABI.md, "Versions").
 */
#include <unistd.h>

#include "transport/socket.h"
#include "wired.h"

#define V(major, minor) ((uint32_t)(major) << 16 | (minor))

static char path[96];

/* A proposal with `more` bytes behind what we know of it. */
static struct xen_vm_ring_grant ask(const struct xen_vm_ring_propose *propose,
                                    const void *rest, size_t more)
{
    unsigned char body[1024] = {0};
    struct wire_grant grant;
    int fds[WIRE_MAX_FDS];
    unsigned int nr = 0;
    uint32_t type;
    int fd;

    CHECK(sizeof(*propose) + more <= sizeof(body));
    memcpy(body, propose, sizeof(*propose));
    if (more)
        memcpy(body + sizeof(*propose), rest, more);
    for (int i = 0;; i++) {
        fd = wired_connect(path);
        CHECK_EQ(socket_send(fd, WIRE_PROPOSE, body, sizeof(*propose) + more,
                             NULL, 0),
                 0);
        CHECK_EQ(socket_wait(fd, 5000), 0);
        CHECK_EQ(socket_recv(fd, &type, &grant, sizeof(grant), fds,
                             WIRE_MAX_FDS, &nr),
                 sizeof(grant));
        close(fd);
        while (nr)
            close(fds[--nr]);
        /* The one before, whose socket was closed, is being swept. */
        if (grant.grant.result != XEN_VM_RING_REFUSED_BUSY)
            return grant.grant;
        CHECK(i < 2000);
        usleep(1000);
    }
}

static struct xen_vm_ring_grant range(uint32_t min, uint32_t max)
{
    struct xen_vm_ring_propose propose = wired_propose();

    propose.version_min = min;
    propose.version_max = max;
    return ask(&propose, NULL, 0);
}

static void versions(void)
{
    static const struct {
        uint32_t min, max, result;
    } cases[] = {
        {V(1, 0), V(1, 0), XEN_VM_RING_GRANTED},
        {V(1, 0), V(1, 9), XEN_VM_RING_GRANTED},
        {V(1, 0), V(2, 3), XEN_VM_RING_GRANTED},
        {V(0, 7), V(1, 0), XEN_VM_RING_GRANTED},
        {V(1, 1), V(1, 9), XEN_VM_RING_REFUSED_VERSION},
        {V(2, 0), V(2, 3), XEN_VM_RING_REFUSED_VERSION},
        {V(0, 1), V(0, 9), XEN_VM_RING_REFUSED_VERSION},
        {V(1, 9), V(1, 0), XEN_VM_RING_REFUSED_MALFORMED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct xen_vm_ring_grant grant = range(cases[i].min, cases[i].max);

        CHECK_EQ(grant.result, cases[i].result);
        CHECK_EQ(grant.version, XEN_VM_RING_VERSION);
    }
}

static void lengths(void)
{
    static const unsigned char zero[896], one[8] = {[7] = 1};
    struct xen_vm_ring_propose propose = wired_propose();

    propose.length = sizeof(propose) + 8;
    CHECK_EQ(ask(&propose, zero, 8).result, XEN_VM_RING_GRANTED);
    CHECK_EQ(ask(&propose, one, 8).result, XEN_VM_RING_REFUSED_MALFORMED);
    CHECK_EQ(ask(&propose, zero, 16).result, XEN_VM_RING_REFUSED_MALFORMED);
    CHECK_EQ(ask(&propose, zero, 0).result, XEN_VM_RING_REFUSED_MALFORMED);
    propose.length = sizeof(propose) + sizeof(zero);
    CHECK_EQ(ask(&propose, zero, sizeof(zero)).result, XEN_VM_RING_GRANTED);
}

static void features(void)
{
    struct xen_vm_ring_propose propose = wired_propose();
    struct xen_vm_ring_grant grant;

    propose.features_wanted = UINT64_MAX;
    grant = ask(&propose, NULL, 0);
    CHECK_EQ(grant.result, XEN_VM_RING_GRANTED);
    CHECK_EQ(grant.features, XEN_VM_RING_FEATURE_REGISTERS);
    propose.features_wanted = 0;
    CHECK_EQ(ask(&propose, NULL, 0).features, 0);
    /* Refused: the answer names all that there are. */
    propose.features_required = 1ULL << 40;
    grant = ask(&propose, NULL, 0);
    CHECK_EQ(grant.result, XEN_VM_RING_REFUSED_FEATURE);
    CHECK_EQ(grant.features, XEN_VM_RING_FEATURE_REGISTERS);
}

int main(void)
{
    struct vmring_producer_opts opts = wired_opts();
    pid_t producer;

    wired_path(path);
    producer = wired_serve(path, &opts, 0);
    versions();
    lengths();
    features();
    wired_end(producer);
    wired_unlink(path);
    return 0;
}
