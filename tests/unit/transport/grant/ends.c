/* SPDX-License-Identifier: MIT */
/*
 * Description: however an agent of another domain ends, the bridge has its
 * pages back as soon as it may: session after session, at once when the domain
 * is destroyed; and a detach is one, though xenstore tells of it late.  Where
 * xenstore is lost the ring goes on.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "grant_pair.h"
#include "transport/grant/pages.h"

static struct pair pair;
static char line[200];

static void keep_line(void *ctx, int level, const char *text)
{
    (void)ctx;
    if (level < 6)
        snprintf(line, sizeof(line), "%s", text);
}

static void begin(void)
{
    struct vmring_producer_opts opts = pair_opts();

    opts.log = keep_line;
    line[0] = '\0';
    grant_pair_make(&pair, &opts);
    pair_serve();
}

/* And has read what those before it left. */
static void attach(void)
{
    struct vmring_event event;

    fake_xenstore.domid = MEETING_AGENT;
    CHECK_EQ(vmring_open("grant:0/5", NULL, &pair.ring), 0);
    CHECK(vmring_producer_attached(pair.producer));
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    pair_serve();
}

static void leave(void)
{
    vmring_close(pair.ring);
    pair.ring = NULL;
    for (int i = 0; i < 4; i++)
        pair_serve();
    CHECK(!vmring_producer_attached(pair.producer));
}

static void end(void)
{
    pair_end(&pair);
    fake_xenstore_check_empty(MEETING_ABOVE);
    fake_xen_check_empty();
}

/* Of each only what a successor may want to read is left. */
static void sessions(void)
{
    size_t after_first = 0;

    begin();
    for (int i = 0; i < 5; i++) {
        attach();
        leave();
        usleep(GRANT_GRACE_NS / 1000 + 1000);
        pair_serve();
        if (i == 0)
            if (i == 0)
                after_first = fake_xen.shared;
        CHECK_EQ(fake_xen.shared, after_first);
    }
    CHECK_EQ(line[0], '\0');
    CHECK_EQ(fake_xen.deferred_ever, 0);
    end();
}

/*
 * Its mappings went with it, and nobody will ever say so in the page that is
 * there for it.
 */
static void domain_destroyed(void)
{
    size_t before;

    begin();
    attach();
    leave();
    usleep(GRANT_GRACE_NS / 1000 + 1000);
    pair_serve();
    before = fake_xen.shared;
    attach();
    CHECK(fake_xen.shared > before);
    fake_xenstore_destroy(MEETING_AGENT);
    for (int i = 0; i < 4; i++)
        pair_serve();
    CHECK(!vmring_producer_attached(pair.producer));
    CHECK_HAS(line, "gone");
    CHECK_EQ(fake_xen.shared - fake_xen.deferred, before);
    fake_xenstore.destroyed = 0;
    end();
}

/* The unmapping rings faster than xenstore tells of what was said before. */
static void late_detach(void)
{
    begin();
    attach();
    fake_xenstore.late = true;
    leave();
    CHECK_EQ(line[0], '\0'); /* it has not "gone without a word" */
    fake_xenstore.late = false;
    end();
}

static bool is_readable(void)
{
    struct pollfd pfd = {vmring_fd(pair.ring), POLLIN, 0};

    return poll(&pfd, 1, 0) == 1;
}

/* Events and answers need no xenstore; what is asked through it does. */
static void store_lost(void)
{
    struct xen_vm_ring_event cr4 = pair_event(4, 0), cpuid = pair_event(10, 1);
    struct xen_vm_ring_response response;
    struct vmring_verdict verdict;
    struct vmring_event event;
    uint64_t mask;

    begin();
    attach();
    fake_xenstore_lose(true);
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    CHECK(!is_readable());
    pair_serve();
    CHECK_HAS(line, "xenstore is lost");
    CHECK_EQ(vmring_producer_post(pair.producer, &cr4, 77), 0);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &cpuid), 1);
    vmring_producer_flush(pair.producer);
    CHECK(is_readable());
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    vmring_neutral(&event, &response);
    CHECK_EQ(vmring_respond(pair.ring, &event, &response), 0);
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    CHECK_EQ(vmring_supported(pair.ring, &mask), -ECONNRESET);
    CHECK_EQ(vmring_quiesce(pair.ring), -ECONNRESET);
    CHECK_EQ(vmring_next(pair.ring, &event), 0);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 1);
    CHECK_EQ(verdict.by, VMRING_BY_CONSUMER);
    /* The end of the target, and of the producer, is in the ring. */
    vmring_producer_set_target_state(pair.producer, XEN_VM_RING_TARGET_PAUSED,
                                     0);
    CHECK_EQ(vmring_next(pair.ring, &event), VMRING_NEXT_TARGET);
    vmring_producer_close(pair.producer, NULL, NULL);
    pair.producer = NULL;
    faults_idle = NULL;
    CHECK_EQ(vmring_next(pair.ring, &event), -ECONNRESET);
    fake_xenstore_lose(false);
    vmring_close(pair.ring);
    /* What it could not remove the next one does. */
    begin();
    end();
}

static void lose_store(void)
{
    fake_xenstore_lose(true);
}

/* While an answer is waited for: there will be none. */
static void store_lost_amid(void)
{
    uint64_t mask;

    begin();
    attach();
    faults_idle = lose_store;
    CHECK_EQ(vmring_supported(pair.ring, &mask), -ECONNRESET);
    faults_idle = pair_serve;
    fake_xenstore_lose(false);
    end();
}

int main(void)
{
    meeting_prepare();
    sessions();
    domain_destroyed();
    late_detach();
    store_lost();
    store_lost_amid();
    return 0;
}
