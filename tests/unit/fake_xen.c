/* SPDX-License-Identifier: MIT */
/* fake_xen.c: see fake_xen.h. */
#include "fake_xen.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#include "check.h"

#define PAGE      4096
#define FIRST_REF 8
#define MAX_REFS  65536
#define MAX_PORTS 256
#define MAX_MAPS  64
#define NO_PORT   UINT32_MAX
#define NO_OFFSET UINT32_MAX

struct fake_xen fake_xen;

/* A run of pages; freed when neither shared nor mapped. */
struct run {
    int fd;
    void *at;
    uint32_t count;
    bool writable, shared;
    size_t mapped;
    uint32_t notify_offset, notify_port;
};

static struct run *run_of_ref[MAX_REFS];
static uint32_t page_of_ref[MAX_REFS];
static uint32_t next_ref = FIRST_REF;

/* References of runs that are no more: as in Linux, the last one goes first. */
static uint32_t returned[MAX_REFS];
static unsigned int nr_returned;

/* Of both of the library's interfaces. */
struct xengntdev_handle {
    struct xengntdev_handle *next;
    int fd;
    ino_t file; /* what fd is, unless it was replaced */
    struct map {
        uint8_t *at;
        uint32_t count;
        uint32_t *refs;
        uint32_t notify_offset, notify_port;
        bool dropped; /* by munmap() */
    } maps[MAX_MAPS];
    struct run *runs[MAX_MAPS];
};

static struct xengntdev_handle *handles;

static ino_t file_of(int fd)
{
    struct stat st;

    /* Not fstat(), which a test may have fail. */
    CHECK_EQ(syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH), 0);
    return st.st_ino;
}

static bool is_replaced(const struct xengntdev_handle *handle)
{
    return file_of(handle->fd) != handle->file;
}

static struct xengntdev_handle *open_handle(void)
{
    struct xengntdev_handle *handle;

    if (fake_xen.open_errno) {
        errno = fake_xen.open_errno;
        return NULL;
    }
    handle = calloc(1, sizeof(*handle));
    if (!handle)
        return NULL;
    handle->fd = (int)syscall(SYS_memfd_create, "gntdev", MFD_CLOEXEC);
    CHECK(handle->fd >= 0);
    handle->file = file_of(handle->fd);
    handle->next = handles;
    handles = handle;
    fake_xen.handles++;
    return handle;
}

static void close_handle(struct xengntdev_handle *handle)
{
    struct xengntdev_handle **to = &handles;

    while (*to != handle)
        to = &(*to)->next;
    *to = handle->next;
    close(handle->fd);
    free(handle);
    fake_xen.handles--;
}

static void notify_port(uint32_t port);

/* Those that there have not been before go downwards. */
static void get_refs(struct run *run, uint32_t *refs)
{
    for (uint32_t i = run->count; i-- > 0;) {
        uint32_t ref = nr_returned ? returned[--nr_returned] : next_ref++;

        CHECK(ref < MAX_REFS);
        refs[i] = ref;
        run_of_ref[ref] = run;
        page_of_ref[ref] = i;
    }
}

static void return_refs(const struct run *run)
{
    for (uint32_t ref = FIRST_REF; ref < next_ref; ref++) {
        if (run_of_ref[ref] != run)
            continue;
        run_of_ref[ref] = NULL;
        returned[nr_returned++] = ref;
    }
}

static void free_if_unused(struct run *run)
{
    if (run->shared || run->mapped)
        return;
    fake_xen.shared -= run->count;
    return_refs(run);
    close(run->fd);
    free(run);
}

static void *share(xengntshr_handle *xgs, uint32_t count, uint32_t *refs,
                   int writable, uint32_t offset, uint32_t port)
{
    struct run *run;
    int slot = 0;

    if (fake_xen.limit && fake_xen.shared + count > fake_xen.limit) {
        errno = fake_xen.mute ? 0 : ENOSPC;
        return NULL;
    }
    while (xgs->runs[slot])
        CHECK(++slot < MAX_MAPS);
    run = calloc(1, sizeof(*run));
    if (!run)
        return NULL;
    *run = (struct run){.at = MAP_FAILED,
                        .fd = memfd_create("fake", MFD_CLOEXEC),
                        .count = count,
                        .writable = writable,
                        .shared = true,
                        .notify_offset = offset,
                        .notify_port = port};
    if (run->fd >= 0 && ftruncate(run->fd, (off_t)count * PAGE) == 0)
        run->at = mmap(NULL, (size_t)count * PAGE, PROT_READ | PROT_WRITE,
                       MAP_SHARED, run->fd, 0);
    if (run->fd < 0 || run->at == MAP_FAILED) {
        int err = errno;

        if (run->fd >= 0)
            close(run->fd);
        free(run);
        errno = err;
        return NULL;
    }
    get_refs(run, refs);
    fake_xen.shared += count;
    xgs->runs[slot] = run;
    return run->at;
}

xengntshr_handle *xengntshr_open(struct xentoollog_logger *logger,
                                 unsigned flags)
{
    CHECK(logger && !flags);
    return open_handle();
}

int xengntshr_fd(xengntshr_handle *xgs)
{
    (void)xgs;
    return -1;
}

void *xengntshr_share_pages(xengntshr_handle *xgs, uint32_t domid, int count,
                            uint32_t *refs, int writable)
{
    (void)domid;
    return share(xgs, (uint32_t)count, refs, writable, NO_OFFSET, NO_PORT);
}

void *xengntshr_share_page_notify(xengntshr_handle *xgs, uint32_t domid,
                                  uint32_t *ref, int writable, uint32_t offset,
                                  evtchn_port_t port)
{
    (void)domid;
    return share(xgs, 1, ref, writable, offset, port);
}

static void end_share(struct run *run)
{
    CHECK(run->shared);
    run->shared = false;
    if (run->notify_offset != NO_OFFSET)
        ((uint8_t *)run->at)[run->notify_offset] = 0;
    if (run->notify_port != NO_PORT)
        notify_port(run->notify_port);
    munmap(run->at, (size_t)run->count * PAGE);
    if (run->mapped) {
        fake_xen.deferred += run->count;
        fake_xen.deferred_ever += run->count;
    }
    free_if_unused(run);
}

int xengntshr_unshare(xengntshr_handle *xgs, void *at, uint32_t count)
{
    int slot = 0;

    while (!xgs->runs[slot] || xgs->runs[slot]->at != at)
        CHECK(++slot < MAX_MAPS);
    CHECK_EQ(xgs->runs[slot]->count, count);
    end_share(xgs->runs[slot]);
    xgs->runs[slot] = NULL;
    if (fake_xen.unshared)
        fake_xen.unshared(count);
    return 0;
}

int xengntshr_close(xengntshr_handle *xgs)
{
    for (int i = 0; i < MAX_MAPS; i++)
        if (xgs->runs[i])
            end_share(xgs->runs[i]);
    close_handle(xgs);
    return 0;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger,
                                 unsigned flags)
{
    CHECK(logger && !flags);
    return open_handle();
}

static bool mappable(uint32_t ref, int prot)
{
    const struct run *run = ref < MAX_REFS ? run_of_ref[ref] : NULL;

    return run && run->shared && (run->writable || !(prot & PROT_WRITE));
}

bool fake_xen_writable(uint32_t ref)
{
    return mappable(ref, PROT_READ | PROT_WRITE);
}

void *fake_xen_page(uint32_t ref)
{
    const struct run *run = run_of_ref[ref];

    return (char *)run->at + (size_t)page_of_ref[ref] * PAGE;
}

static void *map_refs(xengnttab_handle *xgt, uint32_t count,
                      const uint32_t *refs, int prot, uint32_t offset,
                      uint32_t port)
{
    struct map *map = xgt->maps;
    uint8_t *at;

    if (is_replaced(xgt)) {
        errno = ENOTTY;
        return NULL;
    }
    if (fake_xen.map_errno && fake_xen.mappings++ >= fake_xen.map_fails_from) {
        errno = fake_xen.mute ? 0 : fake_xen.map_errno;
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!mappable(refs[i], prot)) {
            errno = EINVAL;
            return NULL;
        }
    }
    while (map->at)
        CHECK(++map < xgt->maps + MAX_MAPS);
    at = mmap(NULL, (size_t)count * PAGE, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    *map = (struct map){at,     count, calloc(count, sizeof(*refs)),
                        offset, port,  false};
    if (!map->refs) {
        munmap(at, (size_t)count * PAGE);
        *map = (struct map){.at = NULL};
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct run *run = run_of_ref[refs[i]];
        off_t page = page_of_ref[refs[i]];

        /* Not mmap(), which a test may have fail. */
        CHECK(syscall(SYS_mmap, at + (size_t)i * PAGE, (size_t)PAGE, prot,
                      MAP_SHARED | MAP_FIXED, run->fd, page * PAGE) != -1);
        map->refs[i] = refs[i];
        run->mapped++;
    }
    fake_xen.mapped += count;
    return at;
}

void *xengnttab_map_grant_ref(xengnttab_handle *xgt, uint32_t domid,
                              uint32_t ref, int prot)
{
    (void)domid;
    return map_refs(xgt, 1, &ref, prot, NO_OFFSET, NO_PORT);
}

void *xengnttab_map_domain_grant_refs(xengnttab_handle *xgt, uint32_t count,
                                      uint32_t domid, uint32_t *refs, int prot)
{
    (void)domid;
    return map_refs(xgt, count, refs, prot, NO_OFFSET, NO_PORT);
}

void *xengnttab_map_grant_ref_notify(xengnttab_handle *xgt, uint32_t domid,
                                     uint32_t ref, int prot, uint32_t offset,
                                     evtchn_port_t port)
{
    (void)domid;
    return map_refs(xgt, 1, &ref, prot, offset, port);
}

static void unmap(struct map *map)
{
    if (map->notify_offset != NO_OFFSET)
        map->at[map->notify_offset] = 0;
    CHECK_EQ(syscall(SYS_munmap, map->at, (size_t)map->count * PAGE), 0);
    for (uint32_t i = 0; i < map->count; i++) {
        struct run *run = run_of_ref[map->refs[i]];

        run->mapped--;
        if (!run->shared && !run->mapped)
            fake_xen.deferred -= run->count;
        free_if_unused(run);
    }
    fake_xen.mapped -= map->count;
    if (map->notify_port != NO_PORT)
        notify_port(map->notify_port);
    free(map->refs);
    *map = (struct map){.at = NULL};
}

bool fake_xen_munmap(void *at)
{
    for (struct xengntdev_handle *h = handles; h; h = h->next) {
        bool last = true, here = false;

        if (!is_replaced(h))
            continue;
        for (struct map *map = h->maps; map < h->maps + MAX_MAPS; map++) {
            if (at && map->at == at)
                here = map->dropped = true;
            last = last && (!map->at || map->dropped);
        }
        for (struct map *map = h->maps; map < h->maps + MAX_MAPS; map++)
            if (here && last && map->at)
                unmap(map);
        if (here)
            return true;
    }
    return false;
}

int xengnttab_fd(xengnttab_handle *xgt)
{
    return xgt->fd;
}

int xengnttab_unmap(xengnttab_handle *xgt, void *at, uint32_t count)
{
    struct map *map = xgt->maps;

    CHECK(!is_replaced(xgt));
    while (map->at != at)
        CHECK(++map < xgt->maps + MAX_MAPS);
    CHECK_EQ(map->count, count);
    unmap(map);
    return 0;
}

int xengnttab_close(xengnttab_handle *xgt)
{
    bool kept = is_replaced(xgt);

    for (struct map *map = xgt->maps; map < xgt->maps + MAX_MAPS; map++)
        if (map->at) {
            CHECK(!kept); /* nobody would unmap it */
            unmap(map);
        }
    close_handle(xgt);
    return 0;
}

/* --- Event channels --- */
struct xenevtchn_handle {
    int fd;          /* counts what is in the ring */
    bool restricted; /* nothing more can be bound */
    bool used;       /* by this thread, since threads were there */
    pthread_t user;
    unsigned int first, nr;
    uint32_t ring[MAX_PORTS];
};

static struct port {
    struct xenevtchn_handle *handle; /* NULL: free */
    uint32_t peer;                   /* 0: unbound */
    bool masked, pending;
} ports[MAX_PORTS];

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger,
                                 unsigned flags)
{
    struct xenevtchn_handle *xce;

    CHECK(logger && !flags);
    if (fake_xen.open_errno) {
        errno = fake_xen.open_errno;
        return NULL;
    }
    xce = calloc(1, sizeof(*xce));
    if (!xce)
        return NULL;
    xce->fd = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
    if (xce->fd < 0) {
        free(xce);
        return NULL;
    }
    fake_xen.handles++;
    return xce;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
    for (uint32_t p = 1; p < MAX_PORTS; p++) {
        if (ports[p].handle != xce)
            continue;
        ports[ports[p].peer].peer = 0;
        ports[p] = (struct port){.handle = NULL};
        fake_xen.ports--;
    }
    close(xce->fd);
    free(xce);
    fake_xen.handles--;
    return 0;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
    CHECK(port && port < MAX_PORTS && ports[port].handle == xce);
    ports[ports[port].peer].peer = 0;
    ports[port] = (struct port){.handle = NULL};
    fake_xen.ports--;
    return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
    return xce->fd;
}

int xenevtchn_restrict(xenevtchn_handle *xce, domid_t domid)
{
    /* As Linux: not to domain 0, and once. */
    errno = fake_xen.restrict_errno     ? fake_xen.restrict_errno
            : !domid || domid >= 0x7ff0 ? EINVAL
            : xce->restricted           ? EACCES
                                        : 0;
    xce->restricted = xce->restricted || !errno;
    return errno ? -1 : 0;
}

static uint32_t free_port(struct xenevtchn_handle *xce)
{
    if (xce->restricted) {
        errno = EACCES;
        return 0;
    }
    for (uint32_t p = 1; p < MAX_PORTS; p++) {
        if (ports[p].handle)
            continue;
        ports[p] = (struct port){.handle = xce};
        fake_xen.ports++;
        return p;
    }
    errno = ENOSPC;
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(xenevtchn_handle *xce,
                                                      uint32_t domid)
{
    uint32_t port;

    (void)domid;
    if (fake_xen.port_errno && fake_xen.ports) {
        errno = fake_xen.mute ? 0 : fake_xen.port_errno;
        return -1;
    }
    port = free_port(xce);
    return port ? (int)port : -1;
}

/* Of what Xen and its driver keep; and whose handle it is. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void enter(struct xenevtchn_handle *xce)
{
    pthread_mutex_lock(&lock);
    if (!fake_xen.threads)
        return;
    CHECK(!xce->used || pthread_equal(xce->user, pthread_self()));
    xce->used = true;
    xce->user = pthread_self();
}

static void leave(void)
{
    pthread_mutex_unlock(&lock);
}

static void deliver(uint32_t p)
{
    struct port *port = &ports[p];
    uint64_t one = 1;

    if (port->masked) {
        port->pending = true;
        return;
    }
    port->masked = true;
    CHECK(port->handle->nr < MAX_PORTS);
    port->handle->ring[(port->handle->first + port->handle->nr++) % MAX_PORTS] =
        p;
    CHECK(syscall(SYS_write, port->handle->fd, &one, sizeof(one)) ==
          sizeof(one));
}

/* As Xen does, it is rung once when it is bound. */
xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce,
                                                     uint32_t domid,
                                                     evtchn_port_t remote)
{
    uint32_t port;

    (void)domid;
    if (remote == 0 || remote >= MAX_PORTS || !ports[remote].handle ||
        ports[remote].peer) {
        errno = EINVAL;
        return -1;
    }
    port = free_port(xce);
    if (!port)
        return -1;
    ports[port].peer = remote;
    ports[remote].peer = port;
    deliver(port);
    return (int)port;
}

static void notify_port(uint32_t port)
{
    if (ports[port].peer)
        deliver(ports[port].peer);
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
    enter(xce);
    CHECK(port < MAX_PORTS && ports[port].handle == xce);
    notify_port(port);
    leave();
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
    uint64_t one;
    uint32_t port;

    enter(xce);
    CHECK(xce->nr); /* the real one would block */
    CHECK(syscall(SYS_read, xce->fd, &one, sizeof(one)) == sizeof(one));
    port = xce->ring[xce->first];
    xce->first = (xce->first + 1) % MAX_PORTS;
    xce->nr--;
    leave();
    return (int)port;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
    enter(xce);
    CHECK(port < MAX_PORTS && ports[port].handle == xce);
    CHECK(ports[port].masked);
    fake_xen.unmasked_ever++;
    ports[port].masked = false;
    if (ports[port].pending) {
        ports[port].pending = false;
        deliver(port);
    }
    leave();
    return 0;
}

void fake_xen_check_empty(void)
{
    CHECK_EQ(fake_xen.shared, 0);
    CHECK_EQ(fake_xen.deferred, 0);
    CHECK_EQ(fake_xen.mapped, 0);
    CHECK_EQ(fake_xen.ports, 0);
    CHECK_EQ(fake_xen.handles, 0);
}
