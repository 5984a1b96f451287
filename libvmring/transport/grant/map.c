/* SPDX-License-Identifier: MIT */
/*
 * map.c: the consumer's end of granted pages.
 *
 * The producer can change a directory page at any time: each is copied once,
 * and what was copied is checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xengnttab.h>

#include "../../base/log.h"
#include "../../core/atomic.h"
#include "limits.h"
#include "pages.h"

#define PAGE XEN_VM_RING_PAGE

struct mapped {
    struct region_owner owner;
    const struct grant_map *map;
    uint32_t pages;
};

struct grant_map {
    uint32_t domid;
    /*
     * The life page is mapped before all others, by a handle of its own that
     * is opened before theirs: the kernel releases that one last.
     */
    xengnttab_handle *life_gnttab, *gnttab;
    struct xen_vm_ring_life *life;
    bool restricted; /* the handles have nothing to do with gntdev any more */
};

/* What a directory lists, checked. */
struct listing {
    uint32_t pages[2 + XEN_VM_RING_MAX_PREV]; /* of P, C, frozen Ps */
    unsigned int nr;
    uint32_t nr_refs;
    uint32_t *refs;
};

int grant_map_open(uint32_t domid, struct grant_map **out, char *error,
                   size_t error_len)
{
    struct grant_map *map = calloc(1, sizeof(*map));
    int err;

    if (!map)
        return fail(-ENOMEM, error, error_len, "no memory");
    map->domid = domid;
    map->life_gnttab = xengnttab_open(&grant_logger, 0);
    if (map->life_gnttab)
        map->gnttab = xengnttab_open(&grant_logger, 0);
    if (!map->gnttab) {
        err = errno;
        grant_map_close(map);
        return grant_open_failed(err, "gntdev", error, error_len);
    }
    *out = map;
    return 0;
}

static int map_failed(const struct grant_map *map, size_t pages, char *error,
                      size_t error_len)
{
    int err = grant_errno(EINVAL);

    grant_explain_map(err, pages, map->domid, error, error_len);
    return -err;
}

static int copy_directory(struct grant_map *map, uint32_t gref,
                          struct xen_vm_ring_directory *page, char *error,
                          size_t error_len)
{
    void *at =
        xengnttab_map_grant_ref(map->gnttab, map->domid, gref, PROT_READ);

    if (!at)
        return map_failed(map, 1, error, error_len);
    vmr_copy_from_shared(page, at, sizeof(*page));
    xengnttab_unmap(map->gnttab, at, 1);
    return 0;
}

/* A length of the grant, and the pages that the directory has for it. */
static bool add_run(struct listing *listing, uint64_t len, uint32_t pages)
{
    if (len == 0 || len % PAGE || len / PAGE != pages ||
        pages > XEN_VM_RING_DIRECTORY_MAX - listing->nr_refs)
        return false;
    listing->pages[listing->nr++] = pages;
    listing->nr_refs += pages;
    return true;
}

/* The counts of the first page. */
static bool read_counts(const struct xen_vm_ring_directory *page,
                        const struct xen_vm_ring_accept *accept,
                        struct listing *listing)
{
    unsigned int i = 0;

    if (page->epoch != accept->epoch || !page->life ||
        !add_run(listing, accept->p_len, page->p_pages) ||
        !add_run(listing, accept->c_len, page->c_pages))
        return false;
    for (; i < XEN_VM_RING_MAX_PREV && accept->prev_p_len[i]; i++)
        if (!add_run(listing, accept->prev_p_len[i], page->prev_pages[i]))
            return false;
    return i == XEN_VM_RING_MAX_PREV || !page->prev_pages[i];
}

/* The references of one page, behind the `have` of those before it. */
static bool read_refs(const struct xen_vm_ring_directory *page, uint32_t index,
                      const struct listing *listing, uint32_t have)
{
    uint32_t left = listing->nr_refs - have;
    bool last = left <= XEN_VM_RING_DIRECTORY_REFS;
    uint32_t here = last ? left : XEN_VM_RING_DIRECTORY_REFS;

    if (page->index != index || page->nr_refs != here || !page->next != last)
        return false;
    memcpy(listing->refs + have, page->refs, here * sizeof(page->refs[0]));
    return true;
}

static bool is_directory(const struct xen_vm_ring_directory *page)
{
    return page->magic == XEN_VM_RING_DIRECTORY_MAGIC &&
           page->version == XEN_VM_RING_DIRECTORY_VERSION;
}

/*
 * The rest of the chain.  It has as many pages as the counts of the first say,
 * whatever `next` leads to.
 */
static int read_chain(struct grant_map *map, struct xen_vm_ring_directory *page,
                      struct listing *listing, char *error, size_t error_len)
{
    uint32_t have = 0;

    for (uint32_t index = 0; have < listing->nr_refs; index++) {
        uint32_t next = page->next;

        if (!is_directory(page) || !read_refs(page, index, listing, have))
            return fail(-EPROTO, error, error_len,
                        "page %u of the producer's directory is malformed",
                        index);
        have += page->nr_refs;
        if (have < listing->nr_refs) {
            int err = copy_directory(map, next, page, error, error_len);

            if (err)
                return err;
        }
    }
    return 0;
}

/* From now on the producer knows that something is mapped. */
static int map_life(struct grant_map *map, uint32_t gref, uint32_t port,
                    char *error, size_t error_len)
{
    map->life = xengnttab_map_grant_ref_notify(
        map->life_gnttab, map->domid, gref, PROT_READ | PROT_WRITE,
        offsetof(struct xen_vm_ring_life, consumer), port);
    if (!map->life)
        return map_failed(map, 1, error, error_len);
    vmr_store_release(&map->life->consumer, XEN_VM_RING_LIFE_MAPPED);
    return 0;
}

/* Without its descriptor the kernel lets go of what is mapped no more. */
static void unmap(const struct grant_map *map, xengnttab_handle *gnttab,
                  void *at, uint32_t pages)
{
    if (map->restricted)
        munmap(at, (size_t)pages * PAGE);
    else
        xengnttab_unmap(gnttab, at, pages);
}

static void drop_mapped(struct region_owner *owner, struct region *region)
{
    struct mapped *mapped = (struct mapped *)owner;

    unmap(mapped->map, mapped->map->gnttab, region->at, mapped->pages);
    free(mapped);
}

static int map_run(struct grant_map *map, uint32_t *refs, uint32_t pages,
                   int prot, struct region *region, char *error,
                   size_t error_len)
{
    struct mapped *mapped = calloc(1, sizeof(*mapped));
    void *at;

    if (!mapped)
        return fail(-ENOMEM, error, error_len, "no memory");
    at = xengnttab_map_domain_grant_refs(map->gnttab, pages, map->domid, refs,
                                         prot);
    if (!at) {
        int err = map_failed(map, pages, error, error_len);

        free(mapped);
        return err;
    }
    *mapped = (struct mapped){{drop_mapped}, map, pages};
    *region = (struct region){.at = at,
                              .len = (size_t)pages * PAGE,
                              .fd = -1,
                              .owner = &mapped->owner};
    return 0;
}

static void drop_all(struct link_regions *regions)
{
    region_drop(&regions->p);
    region_drop(&regions->c);
    while (regions->nr_before)
        region_drop(&regions->before[--regions->nr_before]);
}

static int map_all(struct grant_map *map, const struct listing *listing,
                   struct link_regions *regions, char *error, size_t error_len)
{
    uint32_t *refs = listing->refs;
    int err = map_run(map, refs, listing->pages[0], PROT_READ, &regions->p,
                      error, error_len);

    refs += listing->pages[0];
    if (!err)
        err = map_run(map, refs, listing->pages[1], PROT_READ | PROT_WRITE,
                      &regions->c, error, error_len);
    for (unsigned int i = 2; !err && i < listing->nr; i++) {
        refs += listing->pages[i - 1];
        err = map_run(map, refs, listing->pages[i], PROT_READ,
                      &regions->before[regions->nr_before], error, error_len);
        if (!err)
            regions->nr_before++;
    }
    if (err)
        drop_all(regions);
    return err;
}

int grant_map_attach(struct grant_map *map, uint32_t gref, uint32_t port,
                     const struct xen_vm_ring_accept *accept,
                     struct link_regions *regions, char *error,
                     size_t error_len)
{
    struct xen_vm_ring_directory page = {.magic = 0};
    struct listing listing = {.nr = 0};
    int err = copy_directory(map, gref, &page, error, error_len);

    *regions = (struct link_regions){.p = REGION_NONE, .c = REGION_NONE};
    if (err)
        return err;
    if (!is_directory(&page) || !read_counts(&page, accept, &listing))
        return fail(-EPROTO, error, error_len,
                    "the producer's directory is not that of its grant");
    listing.refs = calloc(listing.nr_refs, sizeof(*listing.refs));
    if (!listing.refs)
        return fail(-ENOMEM, error, error_len, "no memory for %u references",
                    listing.nr_refs);
    err = map_life(map, page.life, port, error, error_len);
    if (!err)
        err = read_chain(map, &page, &listing, error, error_len);
    if (!err)
        err = map_all(map, &listing, regions, error, error_len);
    free(listing.refs);
    return err;
}

/*
 * As xentoolcore_restrict_all() does it, but for these two: it would cut off
 * xenstore, by which the bridge is asked.
 */
int grant_map_restrict(struct grant_map *map)
{
    int fds[] = {xengnttab_fd(map->gnttab), xengnttab_fd(map->life_gnttab)};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int err = 0;

    if (null < 0)
        return -errno;
    map->restricted = true;
    for (unsigned int i = 0; i < 2; i++)
        if (dup3(null, fds[i], O_CLOEXEC) < 0)
            err = -errno;
    close(null);
    return err;
}

bool grant_map_producer_lives(const struct grant_map *map)
{
    return map->life &&
           vmr_load_acquire(&map->life->producer) != XEN_VM_RING_LIFE_GONE;
}

void grant_map_close(struct grant_map *map)
{
    if (!map)
        return;
    if (map->gnttab)
        xengnttab_close(map->gnttab);
    if (map->life)
        unmap(map, map->life_gnttab, map->life, 1);
    if (map->life_gnttab)
        xengnttab_close(map->life_gnttab);
    free(map);
}
