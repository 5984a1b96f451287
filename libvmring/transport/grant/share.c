/* SPDX-License-Identifier: MIT */
/*
 * share.c: the producer's end of granted pages.
 *
 * A page range is held by the region that has it and by each handout that
 * lists it and whose consumer may still map it.  It is given back to the
 * kernel when neither holds it any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <xengnttab.h>

#include "../../base/log.h"
#include "../../core/atomic.h"
#include "limits.h"
#include "pages.h"
#include "unshared.h"

#define PAGE        XEN_VM_RING_PAGE
#define MAX_HANDED  (2 + XEN_VM_RING_MAX_PREV)
#define CONSUMER_AT offsetof(struct xen_vm_ring_life, consumer)

/* Of all shares of this process, for what failed at a limit. */
static xen_vm_ring_u64 pages_of_process;

struct page_range {
    struct region_owner owner; /* of the region */
    struct grant_share *share;
    struct page_range *next;
    void *at;
    uint32_t nr;
    unsigned int holders; /* the region, and handouts */
    bool dropped;         /* by its region */
    uint32_t refs[];
};

struct grant_handout {
    struct grant_share *share;
    struct grant_handout *next;
    struct xen_vm_ring_life *life;
    uint32_t life_ref;
    bool ended;     /* for us */
    bool seen_gone; /* the consumer, at gone_since */
    uint64_t gone_since;
    unsigned int nr;
    struct page_range *directory;
    struct page_range *handed[MAX_HANDED];
};

struct grant_share {
    uint32_t domid;
    bool closed;
    bool peer_gone;
    xengntshr_handle *gntshr;
    size_t pages;
    struct page_range *ranges;
    struct grant_handout *handouts;
    struct grant_unshared unshared;
};

static struct page_range *range_of(const struct region *region)
{
    return (struct page_range *)region->owner;
}

static void count(struct grant_share *share, size_t pages)
{
    share->pages += pages;
    vmr_add_relaxed(&pages_of_process, pages);
}

/*
 * Frees references, and their pages.  Only the kernel knows whether the other
 * domain still maps them: it keeps such references, and hands out the others
 * again.  So the next references are asked for at once (unshared.h), before
 * another process gets them; `refs` is overwritten with those.
 */
static void unshare(struct grant_share *share, void *at, uint32_t *refs,
                    uint32_t nr)
{
    xengntshr_unshare(share->gntshr, at, nr);
    if (share->peer_gone || share->closed)
        return;
    grant_unshared_gave(&share->unshared, refs, nr);
    grant_unshared_ask(&share->unshared, share->gntshr, refs, nr);
}

static int share_failed(size_t pages, char *error, size_t error_len)
{
    int err = grant_errno(ENOMEM);

    grant_explain_share(err, pages, vmr_load_relaxed(&pages_of_process), error,
                        error_len);
    return -err;
}

int grant_share_open(uint32_t domid, struct grant_share **out, char *error,
                     size_t error_len)
{
    struct grant_share *share = calloc(1, sizeof(*share));
    int err;

    if (!share)
        return fail(-ENOMEM, error, error_len, "no memory");
    grant_limits_note();
    share->domid = domid;
    share->gntshr = xengntshr_open(&grant_logger, 0);
    if (!share->gntshr) {
        err = errno;
        free(share);
        return grant_open_failed(err, "gntalloc", error, error_len);
    }
    /* Unlike xengnttab_open(), it does not see to that itself. */
    (void)fcntl(xengntshr_fd(share->gntshr), F_SETFD, FD_CLOEXEC);
    *out = share;
    return 0;
}

static void free_share(struct grant_share *share)
{
    if (!share->closed || share->ranges)
        return;
    xengntshr_close(share->gntshr);
    free(share);
}

static void free_range(struct page_range *range)
{
    struct grant_share *share = range->share;
    struct page_range **at = &share->ranges;

    while (*at != range)
        at = &(*at)->next;
    *at = range->next;
    unshare(share, range->at, range->refs, range->nr);
    count(share, -(size_t)range->nr);
    free(range);
}

static void release_range(struct page_range *range)
{
    if (--range->holders == 0)
        free_range(range);
}

static void drop_region(struct region_owner *owner, struct region *region)
{
    struct page_range *range = (struct page_range *)owner;
    struct grant_share *share = range->share;

    (void)region;
    range->dropped = true;
    release_range(range);
    free_share(share);
}

/* Pages come from the kernel one by one, zeroed and never granted before. */
static int make_range(struct grant_share *share, size_t pages, bool writable,
                      struct page_range **out, char *error, size_t error_len)
{
    struct page_range *range = NULL;

    if (pages == 0 || pages > XEN_VM_RING_DIRECTORY_MAX)
        return fail(-EINVAL, error, error_len, "%zu pages cannot be granted",
                    pages);
    range = calloc(1, sizeof(*range) + pages * sizeof(range->refs[0]));
    if (!range)
        return fail(-ENOMEM, error, error_len, "no memory for %zu references",
                    pages);
    range->at = xengntshr_share_pages(share->gntshr, share->domid, (int)pages,
                                      range->refs, writable);
    if (!range->at) {
        int err = share_failed(pages, error, error_len);

        free(range);
        return err;
    }
    grant_unshared_took(&share->unshared, range->refs, (uint32_t)pages);
    range->owner.drop = drop_region;
    range->share = share;
    range->nr = (uint32_t)pages;
    range->holders = 1;
    range->next = share->ranges;
    share->ranges = range;
    count(share, pages);
    *out = range;
    return 0;
}

int grant_share_make(struct grant_share *share, struct region *region,
                     size_t len, bool peer_reads_only, char *error,
                     size_t error_len)
{
    struct page_range *range = NULL;
    int err;

    *region = REGION_NONE;
    if (len % PAGE)
        return fail(-EINVAL, error, error_len, "%zu bytes are no whole pages",
                    len);
    err = make_range(share, len / PAGE, !peer_reads_only, &range, error,
                     error_len);
    if (!range)
        return err;
    *region = (struct region){
        .at = range->at, .len = len, .fd = -1, .owner = &range->owner};
    return 0;
}

int grant_share_again(struct grant_share *share, struct region *region,
                      char *error, size_t error_len)
{
    struct region copy = REGION_NONE;
    int err;

    if (region->owner && region->owner->drop == drop_region &&
        range_of(region)->share == share)
        return 0;
    err = grant_share_make(share, &copy, region->len, true, error, error_len);
    if (!copy.at)
        return err;
    memcpy(copy.at, region->at, region->len);
    region_drop(region);
    *region = copy;
    return 0;
}

static void hand(struct grant_handout *handout, struct page_range *range)
{
    handout->handed[handout->nr++] = range;
    range->holders++;
}

/* One after the other, the references of all that was handed. */
static void list_refs(const struct grant_handout *handout, uint32_t *refs)
{
    for (unsigned int i = 0; i < handout->nr; i++) {
        memcpy(refs, handout->handed[i]->refs,
               handout->handed[i]->nr * sizeof(*refs));
        refs += handout->handed[i]->nr;
    }
}

static void fill_directory(const struct grant_handout *handout, uint64_t epoch,
                           uint32_t life, uint32_t *refs, uint32_t nr)
{
    const struct page_range *range = handout->directory;
    struct xen_vm_ring_directory *page = range->at;

    page->life = life;
    page->epoch = epoch;
    page->p_pages = handout->handed[0]->nr;
    page->c_pages = handout->handed[1]->nr;
    for (unsigned int i = 2; i < handout->nr; i++)
        page->prev_pages[i - 2] = handout->handed[i]->nr;
    for (uint32_t i = 0; i < range->nr; i++, page++) {
        uint32_t here =
            nr < XEN_VM_RING_DIRECTORY_REFS ? nr : XEN_VM_RING_DIRECTORY_REFS;

        page->magic = XEN_VM_RING_DIRECTORY_MAGIC;
        page->version = XEN_VM_RING_DIRECTORY_VERSION;
        page->index = i;
        page->next = i + 1 < range->nr ? range->refs[i + 1] : 0;
        page->nr_refs = here;
        memcpy(page->refs, refs, here * sizeof(*refs));
        refs += here;
        nr -= here;
    }
}

static int make_directory(struct grant_handout *handout, uint64_t epoch,
                          uint32_t life, char *error, size_t error_len)
{
    size_t nr = 0;
    uint32_t *refs;
    int err;

    for (unsigned int i = 0; i < handout->nr; i++)
        nr += handout->handed[i]->nr;
    if (nr > XEN_VM_RING_DIRECTORY_MAX)
        return fail(-EINVAL, error, error_len, "%zu pages cannot be granted",
                    nr);
    refs = calloc(nr, sizeof(*refs));
    if (!refs)
        return fail(-ENOMEM, error, error_len, "no memory for %zu references",
                    nr);
    err = make_range(handout->share,
                     (nr + XEN_VM_RING_DIRECTORY_REFS - 1) /
                         XEN_VM_RING_DIRECTORY_REFS,
                     false, &handout->directory, error, error_len);
    if (handout->directory) {
        list_refs(handout, refs);
        fill_directory(handout, epoch, life, refs, (uint32_t)nr);
    }
    free(refs);
    return err;
}

/*
 * The kernel clears our word, and rings, when the page goes: when we end the
 * handout, or die.
 */
static int make_life(struct grant_handout *handout, uint32_t port,
                     uint32_t *ref, char *error, size_t error_len)
{
    handout->life = xengntshr_share_page_notify(
        handout->share->gntshr, handout->share->domid, ref, 1,
        offsetof(struct xen_vm_ring_life, producer), port);
    if (!handout->life)
        return share_failed(1, error, error_len);
    grant_unshared_took(&handout->share->unshared, ref, 1);
    handout->life_ref = *ref;
    count(handout->share, 1);
    vmr_store_relaxed(&handout->life->producer, XEN_VM_RING_LIFE_MAPPED);
    vmr_store_relaxed(&handout->life->consumer, XEN_VM_RING_LIFE_OFFERED);
    return 0;
}

static void free_handout(struct grant_handout *handout)
{
    struct grant_share *share = handout->share;
    struct grant_handout **at = &share->handouts;

    while (*at && *at != handout)
        at = &(*at)->next;
    if (*at)
        *at = handout->next;
    if (handout->life) {
        unshare(share, handout->life, &handout->life_ref, 1);
        count(share, -(size_t)1);
    }
    if (handout->directory)
        free_range(handout->directory);
    while (handout->nr)
        release_range(handout->handed[--handout->nr]);
    free(handout);
}

int grant_handout_make(struct grant_share *share,
                       const struct grant_offer *offer,
                       struct grant_handout **out, uint32_t *gref, char *error,
                       size_t error_len)
{
    struct grant_handout *handout;
    uint32_t life = 0;
    int err;

    if (offer->nr_before > XEN_VM_RING_MAX_PREV)
        return fail(-EINVAL, error, error_len, "too many frozen Ps");
    handout = calloc(1, sizeof(*handout));
    if (!handout)
        return fail(-ENOMEM, error, error_len, "no memory");
    handout->share = share;
    hand(handout, range_of(offer->p));
    hand(handout, range_of(offer->c));
    for (unsigned int i = 0; i < offer->nr_before; i++)
        hand(handout, range_of(&offer->before[i]));
    err = make_life(handout, offer->port, &life, error, error_len);
    if (handout->life)
        err = make_directory(handout, offer->epoch, life, error, error_len);
    if (!handout->directory) {
        free_handout(handout);
        return err;
    }
    handout->next = share->handouts;
    share->handouts = handout;
    *gref = handout->directory->refs[0];
    *out = handout;
    return 0;
}

uint64_t grant_handout_life(const struct grant_handout *handout)
{
    uint64_t life = vmr_load_acquire(&handout->life->consumer);

    /* The peer can write anything there. */
    return life > XEN_VM_RING_LIFE_MAPPED ? XEN_VM_RING_LIFE_MAPPED : life;
}

/* It has mapped nothing, or its domain is no more. */
static bool maps_nothing(const struct grant_handout *handout)
{
    return handout->share->peer_gone ||
           grant_handout_life(handout) == XEN_VM_RING_LIFE_OFFERED;
}

/* Its kernel clears the word a little before it unmaps the last page. */
static bool has_let_go(struct grant_handout *handout, uint64_t now)
{
    if (grant_handout_life(handout) != XEN_VM_RING_LIFE_GONE) {
        handout->seen_gone = false;
        return false;
    }
    if (!handout->seen_gone) {
        handout->seen_gone = true;
        handout->gone_since = now;
    }
    return now - handout->gone_since >= GRANT_GRACE_NS;
}

void grant_handout_end(struct grant_handout *handout)
{
    if (!handout)
        return;
    handout->ended = true;
    vmr_store_release(&handout->life->producer, XEN_VM_RING_LIFE_GONE);
    if (maps_nothing(handout))
        free_handout(handout);
}

size_t grant_share_collect(struct grant_share *share, uint64_t now)
{
    struct grant_handout *next;

    for (struct grant_handout *h = share->handouts; h; h = next) {
        next = h->next;
        if (h->ended && (maps_nothing(h) || has_let_go(h, now)))
            free_handout(h);
    }
    return grant_share_parked(share);
}

size_t grant_share_pages(const struct grant_share *share)
{
    return share->pages;
}

size_t grant_share_parked(const struct grant_share *share)
{
    size_t pages = 0;

    for (const struct page_range *range = share->ranges; range;
         range = range->next)
        if (range->dropped)
            pages += range->nr;
    for (const struct grant_handout *h = share->handouts; h; h = h->next)
        if (h->ended)
            pages += 1 + h->directory->nr;
    return pages;
}

size_t grant_share_unshared(struct grant_share *share, size_t most)
{
    uint32_t nr = (uint32_t)share->unshared.nr;
    uint32_t *refs = nr > most ? calloc(nr, sizeof(*refs)) : NULL;

    if (refs)
        grant_unshared_ask(&share->unshared, share->gntshr, refs, nr);
    free(refs);
    return share->unshared.nr;
}

void grant_share_peer_gone(struct grant_share *share)
{
    share->peer_gone = true;
    memset(&share->unshared, 0, sizeof(share->unshared));
    (void)grant_share_collect(share, 0);
}

void grant_share_close(struct grant_share *share)
{
    struct grant_handout *next;

    if (!share)
        return;
    share->closed = true;
    for (struct grant_handout *h = share->handouts; h; h = next) {
        next = h->next;
        free_handout(h);
    }
    free_share(share);
}
