/* SPDX-License-Identifier: MIT */
/* server_offer.c: what is negotiated, and the memory of it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client_words.h"
#include "server.h"

#define OURS (1U << 16 | 1) /* 1.1 */
/* For what takes none: a busy machine shall not pass it. */
#define DEADLINE UINT64_C(20000000000)
#define MOST     (UINT64_C(1) << 20)

static bool is_malformed(const struct xen_vm_ring_propose *propose,
                         const unsigned char *body, size_t len)
{
    size_t at = offsetof(struct xen_vm_ring_propose, reserved);

    if (len < sizeof(*propose) || propose->magic != XEN_VM_RING_MAGIC ||
        propose->length != len || propose->version_min > propose->version_max)
        return true;
    while (at < len)
        if (body[at++])
            return true; /* V3 */
    return false;
}

static bool is_bad_record(uint32_t len)
{
    return len && (len < 64 || len > 512 || len % 64);
}

/* N5, but 10, 12 and 13, which one session cannot have. */
static uint32_t refused_for(const struct xen_vm_ring_propose *ask,
                            const struct xen_vm_ring_accept *answer)
{
    if (ask->features_required & ~(uint64_t)XEN_VM_RING_FEATURE_ASK)
        return XEN_VM_RING_REFUSED_FEATURE;
    if (answer->async_len < answer->min_async_len || answer->async_len > MOST)
        return XEN_VM_RING_REFUSED_ASYNC_LEN;
    if (!ask->nr_groups || ask->nr_groups > answer->max_groups)
        return XEN_VM_RING_REFUSED_GROUPS;
    if (ask->verdicts)
        return XEN_VM_RING_REFUSED_VERDICTS;
    if (ask->deadline > DEADLINE)
        return XEN_VM_RING_REFUSED_DEADLINE;
    return ask->features_required ? XEN_VM_RING_REFUSED_ASKED : 0;
}

static uint32_t refused_at_once(const struct xen_vm_ring_propose *ask,
                                const void *body, size_t len)
{
    if (is_malformed(ask, body, len))
        return XEN_VM_RING_REFUSED_MALFORMED;
    if (ask->version_max < 1 << 16 || ask->version_min > OURS)
        return XEN_VM_RING_REFUSED_VERSION;
    if (is_bad_record(ask->record_len))
        return XEN_VM_RING_REFUSED_RECORD;
    return ask->policy > 1 ? XEN_VM_RING_REFUSED_POLICY : 0;
}

struct xen_vm_ring_accept negotiate(const struct ring *ring, const void *body,
                                    size_t len, bool may_attach)
{
    struct xen_vm_ring_accept answer = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(answer),
        .result = XEN_VM_RING_REFUSED_PERMISSION,
        .version = OURS,
    };
    struct xen_vm_ring_propose ask = {.magic = 0};

    if (!may_attach)
        return answer; /* N4 */
    memcpy(&ask, body, len < sizeof(ask) ? len : sizeof(ask));
    answer.features = XEN_VM_RING_FEATURE_ASK;
    answer.max_async_len = MOST;
    answer.max_deadline = DEADLINE;
    answer.nr_vcpus = ring->header.nr_vcpus;
    answer.arch = XEN_VM_RING_ARCH_X86;
    answer.max_groups = ring->header.nr_vcpus;
    answer.result = refused_at_once(&ask, body, len);
    if (answer.result)
        return answer;
    answer.record_len = ask.record_len ? ask.record_len : 448; /* N6 */
    answer.min_async_len = 2ULL * ring->header.nr_vcpus * answer.record_len;
    answer.async_len = ask.async_len ? ask.async_len : 65536;
    if (!ask.async_len && answer.async_len < answer.min_async_len)
        answer.async_len = answer.min_async_len;
    answer.result = refused_for(&ask, &answer);
    if (answer.result && answer.result != XEN_VM_RING_REFUSED_ASKED) {
        answer.async_len = 0; /* N3 */
        return answer;
    }
    answer.deadline = ask.deadline ? ask.deadline : DEADLINE;
    answer.policy = ask.policy;
    answer.nr_groups = ask.nr_groups;
    if (answer.result)
        return answer;
    answer.version = ask.version_max < OURS ? ask.version_max : OURS; /* V1 */
    answer.features = 0;
    answer.epoch = 1;
    return answer;
}

static uint64_t pages(uint64_t len)
{
    return (len + 4095) & ~UINT64_C(4095);
}

static void lay_out(struct xen_vm_ring_header *h,
                    const struct xen_vm_ring_accept *a)
{
    uint64_t most = a->async_len / h->nr_vcpus / a->record_len;

    h->magic = XEN_VM_RING_MAGIC;
    h->major = 1;
    h->minor = a->version & 0xffff;
    h->header_len = sizeof(*h);
    h->arch = a->arch;
    h->epoch = a->epoch;
    h->deadline = a->deadline;
    h->nr_lanes = h->nr_vcpus;
    h->nr_groups = a->nr_groups;
    h->policy = a->policy;
    h->clock = XEN_VM_RING_CLOCK_MONOTONIC;
    h->slot_len = 512;
    h->record_len = a->record_len;
    for (h->slots_per_lane = 2; h->slots_per_lane * 2 <= most;)
        h->slots_per_lane *= 2; /* N7 */
    h->request_off = 4096;
    h->p_group_off = h->request_off + h->nr_vcpus * 512ULL;
    h->lane_off = h->p_group_off + h->nr_groups * 128ULL;
    h->record_off = h->lane_off + h->nr_lanes * 256ULL;
    h->p_len =
        pages(h->record_off + h->nr_lanes * h->slots_per_lane * h->record_len);
    h->response_off = 0;
    h->cursor_off = h->nr_vcpus * 512ULL;
    h->c_group_off = h->cursor_off + h->nr_lanes * 128ULL;
    h->attn_request_off = 128;
    h->attn_lane_off = 256;
    h->answered_off = 384;
    h->c_group_len = 512;
    h->c_len = pages(h->c_group_off + h->nr_groups * 512ULL);
    h->source = h->minor ? XEN_VM_RING_SOURCE_SIMULATED : 0;
}

/* B16: allocated in full, then sealed. */
static int region(uint64_t len, unsigned char **at)
{
    int fd = memfd_create("server", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

    if (fd < 0 || fallocate(fd, 0, 0, (off_t)len) < 0)
        fail("no memory");
    *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (*at == MAP_FAILED || fcntl(fd, F_ADD_SEALS, seals) < 0)
        fail("no region");
    return fd;
}

/* B17: another open file of it, for reading alone. */
static int for_reading(int fd)
{
    char path[40];
    int other;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    other = open(path, O_RDONLY | O_CLOEXEC);
    if (other < 0 || fchmod(fd, 0400) < 0)
        fail("P cannot be opened anew");
    close(fd);
    return other;
}

void ring_make(struct ring *ring, struct xen_vm_ring_accept *a)
{
    struct xen_vm_ring_header *h = &ring->header;

    lay_out(h, a);
    a->async_len = h->nr_lanes * h->slots_per_lane * h->record_len;
    a->p_len = h->p_len;
    a->c_len = h->c_len;
    ring->p_fd = for_reading(region(h->p_len, &ring->p));
    ring->c_fd = region(h->c_len, &ring->c);
    copy_to(ring->p, h, sizeof(*h));
    for (uint32_t g = 0; g < h->nr_groups; g++) {
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
            fail("no doorbell");
        ring->bells[g] = ends[0];
        ring->theirs[g] = ends[1];
    }
}
