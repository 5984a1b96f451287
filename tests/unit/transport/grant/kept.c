/* SPDX-License-Identifier: MIT */
/*
 * Description: what a domain keeps of sessions that are over is limited, be it
 * mapped openly or by one that says it is not: then nobody of it is granted
 * any more, until it lets go.  References that others were given meanwhile are
 * not its fault.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xengnttab.h>

#include "consumer/ring.h"
#include "grant_pair.h"
#include "transport/grant/limits.h"
#include "transport/grant/pages.h"

#define ASYNC_LEN   (1U << 20)
#define MIN_PAGES   (ASYNC_LEN / 4096) /* of a session */
#define MAX_KEEPERS 64

static struct pair pair;
static char refusal[256];
static xengntshr_handle *others;

static void keep_line(void *ctx, int level, const char *text)
{
    (void)ctx;
    if (level < 6 && strstr(text, "keeps"))
        snprintf(refusal, sizeof(refusal), "%s", text);
}

static void begin(void)
{
    struct vmring_producer_opts opts = pair_opts();

    opts.log = keep_line;
    refusal[0] = '\0';
    grant_pair_make(&pair, &opts);
}

static void end(void)
{
    vmring_producer_close(pair.producer, NULL, NULL);
    faults_idle = NULL;
    fake_xenstore_check_empty(MEETING_ABOVE);
    fake_xen_check_empty();
}

/* The life page of the session that was granted last, for its own hand. */
static struct xen_vm_ring_life *map_life(xengnttab_handle *gnttab)
{
    const char *reply = fake_xenstore_get(0, MEETING "/reply");
    const char *at = reply ? strstr(reply, " directory=") : NULL;
    struct xen_vm_ring_directory *directory;
    struct xen_vm_ring_life *life;

    CHECK(at != NULL);
    directory = xengnttab_map_grant_ref(
        gnttab, 0, (uint32_t)strtoul(at + 11, NULL, 10), PROT_READ);
    CHECK(directory != NULL);
    life = xengnttab_map_grant_ref(gnttab, 0, directory->life,
                                   PROT_READ | PROT_WRITE);
    CHECK(life != NULL);
    CHECK_EQ(xengnttab_unmap(gnttab, directory, 1), 0);
    return life;
}

static int attach(xengnttab_handle *gnttab, struct vmring **ring,
                  struct xen_vm_ring_life **life)
{
    struct vmring_opts opts = {.size = sizeof(opts), .async_len = ASYNC_LEN};
    int err;

    fake_xenstore.domid = MEETING_AGENT;
    err = vmring_open("grant:0/5", &opts, ring);
    if (!err) {
        struct vmring_event event;

        *life = map_life(gnttab);
        /* What others left is read, and theirs to be given back. */
        CHECK_EQ(vmring_next(*ring, &event), 0);
        pair_serve();
    }
    return err;
}

/* What a kill leaves: the kernel unmaps, closes; nobody says anything. */
static void die(struct vmring *ring)
{
    void *kept = ring->core_memory;

    ring->core_memory = NULL; /* then it does not detach */
    vmring_close(ring);
    free(kept);
}

/* Until what was let go of is given back. */
static void over(void)
{
    pair_serve();
    CHECK(!vmring_producer_attached(pair.producer));
    usleep(GRANT_GRACE_NS / 1000 + 1000);
    pair_serve();
}

static void one_more(xengnttab_handle *gnttab)
{
    struct xen_vm_ring_life *life;
    struct vmring *ring = NULL;

    CHECK_EQ(attach(gnttab, &ring, &life), 0);
    CHECK_EQ(xengnttab_unmap(gnttab, life, 1), 0);
    vmring_close(ring);
    over();
}

/* Says that it has let go, and has not. */
static void lie(struct vmring *ring, struct xen_vm_ring_life *life)
{
    /* As a detached one's its records are for nobody. */
    CHECK_EQ(ring->link->ops->send(ring->link, VMRING_LOCAL_DETACH, NULL, 0),
             0);
    life->consumer = XEN_VM_RING_LIFE_GONE;
    over();
}

/* Keeps them, and says so. */
static void keep(struct vmring *ring, struct xen_vm_ring_life *life)
{
    (void)life;
    CHECK_EQ(ring->link->ops->send(ring->link, VMRING_LOCAL_DETACH, NULL, 0),
             0);
    pair_serve();
}

/* Until it is refused; its pages, and then it lets go and is served. */
static size_t keeps_its_pages(void (*how)(struct vmring *,
                                          struct xen_vm_ring_life *))
{
    xengnttab_handle *gnttab = xengnttab_open(&grant_logger, 0);
    struct vmring *keepers[MAX_KEEPERS], *ring = NULL;
    struct xen_vm_ring_life *lives[MAX_KEEPERS];
    unsigned int nr = 0;
    size_t kept;

    begin();
    while (attach(gnttab, &ring, &lives[nr]) == 0) {
        keepers[nr] = ring;
        how(ring, lives[nr++]);
        CHECK(nr < MAX_KEEPERS);
    }
    CHECK(nr > 1);
    CHECK_HAS(refusal, "domain 7 keeps");
    kept = how == lie ? fake_xen.deferred : fake_xen.shared;
    while (nr) {
        CHECK_EQ(xengnttab_unmap(gnttab, lives[--nr], 1), 0);
        die(keepers[nr]);
    }
    usleep(GRANT_GRACE_NS / 1000 + 1000);
    pair_serve();
    usleep(GRANT_GRACE_NS / 1000 + 1000);
    one_more(gnttab);
    xengnttab_close(gnttab);
    end();
    return kept;
}

/* Another bridge is faster: it has what has just been given back. */
static void others_take(uint32_t count)
{
    uint32_t *refs = calloc(count, sizeof(*refs));

    CHECK(refs != NULL);
    CHECK(xengntshr_share_pages(others, 9, (int)count, refs, 0) != NULL);
    free(refs);
}

/* The honest domain is served on, many times its 256 pages later. */
static void others_are_given_them(void)
{
    xengnttab_handle *gnttab = xengnttab_open(&grant_logger, 0);

    begin();
    one_more(gnttab);
    others = xengntshr_open(&grant_logger, 0);
    fake_xen.unshared = others_take;
    for (int i = 0; i < 6; i++)
        one_more(gnttab);
    fake_xen.unshared = NULL;
    CHECK_STR(refusal, "");
    xengntshr_close(others);
    one_more(gnttab);
    xengnttab_close(gnttab);
    end();
}

int main(void)
{
    size_t kept;

    meeting_prepare();
    kept = keeps_its_pages(keep);
    CHECK(kept > 256 && kept < 256 + 4 * MIN_PAGES);
    kept = keeps_its_pages(lie);
    CHECK(kept > 4096 && kept < 4096 + 2 * MIN_PAGES);
    others_are_given_them();
    return 0;
}
