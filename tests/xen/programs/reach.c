/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-reach: what this domain can reach of another one.
 *
 *   vmring-lab-reach PART ARG... [-- PART ARG...]...
 *
 *   memory DOMID GFN           maps that frame of it, to read and to write
 *   domctl DOMID               asks Xen to control it
 *   ports DOMID LAST           binds its event channels 1 to LAST
 *   grefs DOMID FIRST LAST     maps those of its grants, to read
 *   ring DOMID LAST            maps its grants 1 to LAST, finds the directory
 * of a ring there, and maps P writable; what the directory lists it may map
 * otherwise, and does store PATH...              reads each node, writes it,
 * adds one below it, opens it to everybody, and removes it
 *
 * Tries each of that and says how it went, a line each; at last how many of the
 * tries were let through. Reading what the directory lists, or nodes, is none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "xen/vm_ring.h"

/* Does nothing with what the libraries would print. */
#include "transport/grant/limits.h"

static unsigned int nr_tried, nr_done;

static void tried(const char *what, bool done)
{
    int err = errno;

    nr_tried++;
    nr_done += done;
    printf("%s: %s\n", what, done ? "done" : strerror(err));
    fflush(stdout);
}

/* The same of many; `err` is that of the last which was refused. */
static void tried_many(const char *what, unsigned int nr, unsigned int done,
                       int err)
{
    nr_tried += nr;
    nr_done += done;
    printf("%s: %u of %u%s%s\n", what, done, nr, err ? ", " : "",
           err ? strerror(err) : "");
    fflush(stdout);
}

static void *must_open(const char *what, void *handle)
{
    if (!handle) {
        fprintf(stderr, "cannot open %s: %s\n", what, strerror(errno));
        exit(1);
    }
    return handle;
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 0);
}

static void *map_frame(xenforeignmemory_handle *memory, uint32_t domid,
                       int prot, xen_pfn_t gfn)
{
    int failed = 0;
    void *at = xenforeignmemory_map(memory, domid, prot, 1, &gfn, &failed);

    if (at && failed) {
        (void)xenforeignmemory_unmap(memory, at, 1);
        errno = -failed;
        return NULL;
    }
    return at;
}

static void try_memory(uint32_t domid, xen_pfn_t gfn)
{
    xenforeignmemory_handle *memory =
        must_open("privcmd", xenforeignmemory_open(&grant_logger, 0));

    tried("mapping a frame to read",
          map_frame(memory, domid, PROT_READ, gfn) != NULL);
    tried("mapping a frame to write",
          map_frame(memory, domid, PROT_READ | PROT_WRITE, gfn) != NULL);
    xenforeignmemory_close(memory);
}

static void try_domctl(uint32_t domid)
{
    xc_interface *xch = must_open(
        "privcmd", xc_interface_open(&grant_logger, &grant_logger, 0));
    xc_domaininfo_t info;
    vcpu_guest_context_any_t *context = calloc(1, sizeof(*context));
    uint32_t what = 0;

    tried("asking for its state",
          xc_domain_getinfolist(xch, domid, 1, &info) == 1 &&
              info.domain == domid);
    tried("pausing it", xc_domain_pause(xch, domid) == 0);
    tried("unpausing it", xc_domain_unpause(xch, domid) == 0);
    tried("reading its vCPU's registers",
          context && xc_vcpu_getcontext(xch, domid, 0, context) == 0);
    tried("setting its maximum of memory",
          xc_domain_setmaxmem(xch, domid, 64 * 1024) == 0);
    tried("asking what can be monitored",
          xc_monitor_get_capabilities(xch, domid, &what) == 0);
    free(context);
    xc_interface_close(xch);
}

static void try_ports(uint32_t domid, uint32_t last)
{
    xenevtchn_handle *xce =
        must_open("evtchn", xenevtchn_open(&grant_logger, 0));
    unsigned int done = 0;
    int err = 0;

    for (evtchn_port_t port = 1; port <= last; port++) {
        if (xenevtchn_bind_interdomain(xce, domid, port) >= 0)
            done++;
        else
            err = errno;
    }
    tried_many("binding its event channels", last, done, err);
    xenevtchn_close(xce);
}

/* How many of them can be mapped, one by one. */
static unsigned int map_each(xengnttab_handle *gnttab, uint32_t domid,
                             const uint32_t *refs, uint32_t nr, int prot,
                             int *err)
{
    unsigned int done = 0;

    *err = 0;
    for (uint32_t i = 0; i < nr; i++) {
        void *at = xengnttab_map_grant_ref(gnttab, domid, refs[i], prot);

        if (at) {
            done++;
            (void)xengnttab_unmap(gnttab, at, 1);
        } else {
            *err = errno;
        }
    }
    return done;
}

static void try_grefs(uint32_t domid, uint32_t from, uint32_t to)
{
    xengnttab_handle *gnttab =
        must_open("gntdev", xengnttab_open(&grant_logger, 0));
    unsigned int done = 0;
    int err = 0, last_err;

    for (uint32_t ref = from; ref <= to; ref++) {
        done += map_each(gnttab, domid, &ref, 1, PROT_READ, &last_err);
        if (last_err)
            err = last_err;
    }
    tried_many("mapping its grants", to - from + 1, done, err);
    xengnttab_close(gnttab);
}

/* The first page of the directory, among grants that can be mapped. */
static bool is_directory(const void *page, struct xen_vm_ring_directory *out)
{
    memcpy(out, page, sizeof(*out));
    return out->magic == XEN_VM_RING_DIRECTORY_MAGIC && out->index == 0 &&
           out->p_pages + out->c_pages <= XEN_VM_RING_DIRECTORY_REFS;
}

static void try_ring(uint32_t domid, uint32_t last)
{
    static struct xen_vm_ring_directory page, directory;
    xengnttab_handle *gnttab =
        must_open("gntdev", xengnttab_open(&grant_logger, 0));
    const uint32_t *refs = directory.refs;
    unsigned int done = 0, listed;
    int err = 0;

    for (uint32_t ref = 1; ref <= last; ref++) {
        void *at = xengnttab_map_grant_ref(gnttab, domid, ref, PROT_READ);

        if (!at) {
            err = errno;
            continue;
        }
        done++;
        if (is_directory(at, &page))
            directory = page;
        (void)xengnttab_unmap(gnttab, at, 1);
    }
    if (!directory.magic) {
        fprintf(stderr, "there is no directory of one page\n");
        exit(1);
    }
    /* The directory and the life page stand in no list. */
    listed = directory.nr_refs + 2;
    tried_many("mapping its other grants", last - listed, done - listed, err);
    done = map_each(gnttab, domid, refs, directory.p_pages,
                    PROT_READ | PROT_WRITE, &err);
    tried_many("mapping P writable", directory.p_pages, done, err);
    /* What they are for; not counted among what is tried. */
    done = map_each(gnttab, domid, refs, directory.p_pages, PROT_READ, &err);
    printf("mapping P to read: %u of %u\n", done, directory.p_pages);
    done = map_each(gnttab, domid, refs + directory.p_pages, directory.c_pages,
                    PROT_READ | PROT_WRITE, &err);
    printf("mapping C writable: %u of %u\n", done, directory.c_pages);
    xengnttab_close(gnttab);
}

static void try_node(struct xs_handle *xs, const char *path)
{
    struct xs_permissions open = {.id = 0,
                                  .perms = XS_PERM_READ | XS_PERM_WRITE};
    char what[300], below[256];
    unsigned int len;
    char *text;

    errno = 0;
    snprintf(what, sizeof(what), "reading %s", path);
    text = xs_read(xs, XBT_NULL, path, &len);
    printf("%s: %s\n", what, text ? "done" : strerror(errno));
    free(text);
    snprintf(what, sizeof(what), "writing %s", path);
    tried(what, xs_write(xs, XBT_NULL, path, "reached", 7));
    snprintf(below, sizeof(below), "%s/reached", path);
    snprintf(what, sizeof(what), "writing %s", below);
    tried(what, xs_write(xs, XBT_NULL, below, "reached", 7));
    snprintf(what, sizeof(what), "opening %s", path);
    tried(what, xs_set_permissions(xs, XBT_NULL, path, &open, 1));
    snprintf(what, sizeof(what), "removing %s", path);
    tried(what, xs_rm(xs, XBT_NULL, path));
}

static void try_store(char **paths, int nr)
{
    struct xs_handle *xs = must_open("xenstore", xs_open(0));

    for (int i = 0; i < nr; i++)
        try_node(xs, paths[i]);
    xs_close(xs);
}

static void part(char **words, int nr)
{
    if (nr == 3 && !strcmp(words[0], "memory")) {
        try_memory(number(words[1]), number(words[2]));
    } else if (nr == 2 && !strcmp(words[0], "domctl")) {
        try_domctl(number(words[1]));
    } else if (nr == 3 && !strcmp(words[0], "ports")) {
        try_ports(number(words[1]), number(words[2]));
    } else if (nr == 4 && !strcmp(words[0], "grefs")) {
        try_grefs(number(words[1]), number(words[2]), number(words[3]));
    } else if (nr == 3 && !strcmp(words[0], "ring")) {
        try_ring(number(words[1]), number(words[2]));
    } else if (nr >= 2 && !strcmp(words[0], "store")) {
        try_store(words + 1, nr - 1);
    } else {
        fprintf(stderr, "see the source for how it is used\n");
        exit(64);
    }
}

int main(int argc, char **argv)
{
    int from = 1;

    for (int i = 1; i <= argc; i++) {
        if (i < argc && strcmp(argv[i], "--") != 0)
            continue;
        part(argv + from, i - from);
        from = i + 1;
    }
    printf("let through: %u of %u\n", nr_done, nr_tried);
    return 0;
}
