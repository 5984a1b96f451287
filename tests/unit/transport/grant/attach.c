/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer and a consumer of two domains, on a fake Xen: they
 * attach by grant:, requests and records go through, a consumer that dies, or
 * dies before it has mapped anything, has a successor, a second one is told
 * that the first is there, and at the end nothing is left.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consumer/ring.h"
#include "grant_pair.h"
#include "producer/handle.h"

static struct pair pair;
static char lines[4][200];
static unsigned int nr_lines;

static void keep_line(void *ctx, int level, const char *text)
{
    (void)ctx;
    if (level < 6)
        snprintf(lines[nr_lines++ % 4], sizeof(lines[0]), "%s", text);
}

static void make(void)
{
    struct vmring_producer_opts opts = pair_opts();

    opts.log = keep_line;
    nr_lines = 0;
    grant_pair_make(&pair, &opts);
    /* By this way only. */
    CHECK_EQ(vmring_producer_serve(pair.producer, "grant:8/5", 0), -EINVAL);
    CHECK_EQ(vmring_producer_serve(pair.producer, "local:/tmp/x", 0), -EINVAL);
    CHECK_EQ(vmring_producer_serve_fd(pair.producer, dup(0)), -EINVAL);
    CHECK_EQ(vmring_producer_dispatch(pair.producer), 0);
}

static int attach(struct vmring **ring, char *error)
{
    struct vmring_opts opts = {.size = sizeof(opts),
                               .nr_groups = 2,
                               .verdicts = XEN_VM_RING_VERDICT_DENY,
                               .timeout_ms = 5000,
                               .error = error,
                               .error_len = 256};

    *error = '\0';
    fake_xenstore.domid = MEETING_AGENT;
    return vmring_open("grant:0/5", &opts, ring);
}

static struct vmring *attached(void)
{
    struct vmring *ring = NULL;
    char error[256];
    int err = attach(&ring, error);

    CHECK_STR(error, "");
    CHECK_EQ(err, 0);
    return ring;
}

/* What a kill leaves: the kernel unmaps, closes; nobody says anything. */
static void die(struct vmring *ring)
{
    void *kept = ring->core_memory;

    ring->core_memory = NULL; /* then it does not detach */
    vmring_close(ring);
    free(kept);
}

static bool is_readable(int fd)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};

    return poll(&pfd, 1, 0) == 1;
}

/* All that the producer has to do, and no more than its descriptor says. */
static void settle(void)
{
    for (int i = 0; i < 20 && is_readable(vmring_producer_fd(pair.producer));
         i++)
        pair_serve();
    CHECK(!is_readable(vmring_producer_fd(pair.producer)));
}

static void next_is(struct vmring *ring, uint32_t vcpu, bool request)
{
    struct vmring_event event;

    CHECK_EQ(vmring_next(ring, &event), 1);
    CHECK_EQ(event.rec.vcpu, vcpu);
    CHECK_EQ(event.seq != 0, request);
    if (request) {
        struct xen_vm_ring_response response;

        vmring_neutral(&event, &response);
        response.flags = XEN_VM_RING_FLAG_DENY;
        CHECK_EQ(vmring_respond(ring, &event, &response), 0);
    }
}

static void events(struct vmring *ring)
{
    struct xen_vm_ring_event cr4 = pair_event(4, 0), cpuid = pair_event(10, 1);
    struct vmring_verdict verdict;
    struct vmring_event event;

    CHECK_EQ(vmring_next(ring, &event), 0);
    CHECK(!is_readable(vmring_fd(ring)));
    CHECK_EQ(vmring_producer_post(pair.producer, &cr4, 77), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(vmring_producer_push(pair.producer, 1, &cpuid), 1);
    vmring_producer_flush(pair.producer);
    CHECK(is_readable(vmring_fd(ring)));
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 0);
    next_is(ring, 0, true);
    for (int i = 0; i < 3; i++)
        next_is(ring, 1, false);
    CHECK_EQ(vmring_next(ring, &event), 0);
    CHECK(is_readable(vmring_producer_fd(pair.producer)));
    CHECK_EQ(vmring_producer_dispatch(pair.producer), 0);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 1);
    CHECK_EQ(verdict.cookie, 77);
    CHECK_EQ(verdict.by, VMRING_BY_CONSUMER);
    CHECK_EQ(verdict.response.flags, XEN_VM_RING_FLAG_DENY);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 0);
}

/* The control plane: what can be asked for is answered. */
static void control(struct vmring *ring)
{
    struct vmring_count *counts;
    struct vmring_event event;
    uint64_t mask;
    char error[256];

    CHECK_EQ(vmring_supported(ring, &mask), 0);
    CHECK_EQ(vmring_subscribe(ring, "cpuid, cr4", NULL, error, sizeof(error)),
             2);
    CHECK_EQ(vmring_counts(ring, &counts), 2);
    CHECK_EQ(counts[0].answered, 1);
    CHECK_EQ(counts[1].records, 3);
    free(counts);
    CHECK_EQ(vmring_quiesce(ring), 0);
    settle();
    CHECK_EQ(vmring_next(ring, &event), -ENODATA);
}

/* Rows for more than one message. */
static void many_counts(struct vmring *ring)
{
    struct vmring_count *counts;
    int before = vmring_counts(ring, &counts), now = before;

    free(counts);
    for (uint32_t reason = 0; reason < XEN_VM_RING_NR_REASONS; reason++)
        for (uint32_t vcpu = 0; vcpu < 2; vcpu++) {
            struct xen_vm_ring_event event = pair_event(reason, vcpu);

            CHECK_EQ(vmring_producer_push(pair.producer, vcpu, &event), 1);
        }
    now = vmring_counts(ring, &counts);
    CHECK_EQ(now, 2 * XEN_VM_RING_NR_REASONS);
    free(counts);
}

static void attach_and_detach(void)
{
    struct vmring *ring, *second;
    char error[256];

    make();
    ring = attached();
    CHECK(vmring_producer_attached(pair.producer));
    settle();
    events(ring);
    control(ring);
    many_counts(ring);
    CHECK_EQ(attach(&second, error), -EBUSY);
    CHECK_HAS(error, "another agent is attached");
    settle();
    /* The first has not noticed. */
    many_counts(ring);
    vmring_close(ring);
    settle();
    CHECK(!vmring_producer_attached(pair.producer));
    CHECK_EQ(nr_lines, 1);
    CHECK_HAS(lines[0], "another one being attached");
    vmring_producer_close(pair.producer, NULL, NULL);
}

/* Its records are there for the next; and so is the tree. */
static void consumer_dies(void)
{
    struct xen_vm_ring_event cpuid = pair_event(10, 1);
    struct vmring *ring;
    struct vmring_event event;

    make();
    ring = attached();
    for (int i = 0; i < 3; i++)
        CHECK_EQ(vmring_producer_push(pair.producer, 1, &cpuid), 1);
    die(ring);
    /* Nobody asks: the unmapping rings. */
    settle();
    CHECK(!vmring_producer_attached(pair.producer));
    CHECK_HAS(lines[0], "gone without a word");
    ring = attached();
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(vmring_next(ring, &event), 1);
        CHECK_EQ(event.epoch_mark, 1);
    }
    CHECK_EQ(vmring_next(ring, &event), 0);
    settle();
    /* Again, and its successor comes before anybody has noticed. */
    die(ring);
    ring = attached();
    vmring_close(ring);
    settle();
    CHECK_EQ(vmring_producer_timeout(pair.producer), -1);
    vmring_producer_close(pair.producer, NULL, NULL);
}

/* It had asked, and was granted what it never mapped. */
static void dies_before_mapping(void)
{
    struct vmring *ring = NULL;
    char error[256];

    make();
    fake_xen.map_errno = EINVAL;
    fake_xen.map_fails_from = fake_xen.mappings + 1;
    CHECK(attach(&ring, error) < 0);
    CHECK(*error);
    fake_xen.map_errno = 0;
    fake_xen.map_fails_from = 0;
    settle();
    CHECK(vmring_producer_attached(pair.producer)); /* as far as it knows */
    ring = attached();
    CHECK(vmring_producer_attached(pair.producer));
    vmring_close(ring);
    settle();
    vmring_producer_close(pair.producer, NULL, NULL);
}

static void producer_ends(void)
{
    struct vmring *ring;
    struct vmring_event event;
    uint64_t mask;

    make();
    ring = attached();
    CHECK_EQ(vmring_next(ring, &event), 0);
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    CHECK(is_readable(vmring_fd(ring)));
    CHECK_EQ(vmring_next(ring, &event), -ECONNRESET);
    CHECK_EQ(vmring_supported(ring, &mask), -ECONNRESET);
    vmring_close(ring);
}

static void domain_destroyed(void)
{
    struct vmring *ring;

    make();
    ring = attached();
    settle();
    fake_xenstore_destroy(MEETING_AGENT);
    for (int i = 0; i < 4; i++)
        pair_serve();
    CHECK(!vmring_producer_attached(pair.producer));
    CHECK_HAS(lines[0], "the agent's domain is gone");
    CHECK_EQ(vmring_producer_dispatch(pair.producer), -EBADF);
    fake_xenstore.destroyed = 0;
    vmring_producer_close(pair.producer, NULL, NULL);
    vmring_close(ring);
}

/* The ring needs no xenstore; only what is asked through it does. */
static void store_lost(void)
{
    struct vmring *ring;

    make();
    ring = attached();
    settle();
    fake_xenstore_lose(true);
    pair_serve();
    CHECK(vmring_producer_attached(pair.producer));
    CHECK_HAS(lines[0], "xenstore is lost");
    CHECK(!is_readable(vmring_producer_fd(pair.producer)));
    die(ring);
    for (int i = 0; i < 4; i++)
        pair_serve();
    CHECK(!vmring_producer_attached(pair.producer));
    CHECK_EQ(vmring_producer_dispatch(pair.producer), -EBADF);
    fake_xenstore_lose(false);
    vmring_producer_close(pair.producer, NULL, NULL);
}

/* More than the domain may share: refused, in words, and not the end. */
static void no_memory(void)
{
    struct vmring *ring = NULL;
    char error[256];

    make();
    fake_xen.limit = fake_xen.shared + 3;
    CHECK_EQ(attach(&ring, error), -ENOMEM);
    CHECK(nr_lines >= 1);
    fake_xen.limit = 0;
    ring = attached();
    vmring_close(ring);
    settle();
    vmring_producer_close(pair.producer, NULL, NULL);
}

static void refused(void)
{
    struct vmring *ring;
    char error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts), .error = error, .error_len = sizeof(error)};
    struct vmring_producer_opts producer_opts = pair_opts();

    CHECK_EQ(vmring_open("grant:0", &opts, &ring), -EINVAL);
    CHECK_HAS(error, "say grant:DOMID/TARGET");
    CHECK_EQ(vmring_open("grant:0/5", &opts, &ring), -ENOENT);
    CHECK_HAS(error, "no bridge in domain 0");
    pair_make(&pair, &producer_opts);
    CHECK_EQ(vmring_producer_serve(pair.producer, "grant:x", 0), -EINVAL);
    fake_xen.open_errno = ENOENT;
    CHECK_EQ(vmring_producer_serve(pair.producer, "grant:7/5", 0), -ENOENT);
    fake_xen.open_errno = 0;
    vmring_producer_close(pair.producer, NULL, NULL);
}

int main(void)
{
    static void (*const cases[])(void) = {
        attach_and_detach, consumer_dies, dies_before_mapping, producer_ends,
        domain_destroyed,  store_lost,    no_memory,           refused,
    };

    meeting_prepare();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cases[i]();
        faults_idle = NULL;
        if (cases[i] != store_lost)
            fake_xenstore_check_empty(MEETING_ABOVE);
        fake_xen_check_empty();
    }
    return 0;
}
