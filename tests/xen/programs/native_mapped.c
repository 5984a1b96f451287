/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-native-mapped: attaches to a Xen that is the producer itself, as
 * often as it is told to, and keeps what it has mapped each time while it lets
 * go of the ports, as no libvmring does.
 *
 *   vmring-lab-native-mapped DOMID TIMES ASYNC_BYTES
 *
 * Says a line of each attach, and at last "holds N pages". Then it does what
 * its standard input says: `state` says target_state and shutdown_reason of
 * the last P, `unmap` unmaps all and says how many pages those were, and
 * `quit` ends it.
 */
#include <err.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>

#include "transport/grant/limits.h"
#include "transport/xen/calls.h"

#define MAX_HELD 64
#define SELF     0x7ff0 /* DOMID_SELF */

static struct calls calls;
static xenforeignmemory_handle *memory;
static xenforeignmemory_resource_handle *held[2 * MAX_HELD];
static unsigned int nr_held;
static unsigned long nr_pages;
static const volatile struct xen_vm_ring_header *header;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static void *map(uint32_t id, uint64_t len, int prot)
{
    unsigned long nr = (unsigned long)(len / XEN_VM_RING_PAGE);
    void *at = NULL;

    held[nr_held] = xenforeignmemory_map_resource(memory, (domid_t)calls.domid,
                                                  XENMEM_resource_vm_ring, id,
                                                  0, nr, &at, prot, 0);
    if (!held[nr_held])
        err(1, "mapping %lu pages", nr);
    nr_held++;
    nr_pages += nr;
    return at;
}

/* Xen knows that somebody was there, and that nobody is. */
static void come_and_go(const struct xen_vm_ring_attach *attach)
{
    xenevtchn_handle *evtchn = xenevtchn_open(&grant_logger, 0);
    int port = evtchn
                   ? xenevtchn_bind_interdomain(evtchn, SELF, attach->ports[0])
                   : -1;

    if (port < 0 || xenevtchn_notify(evtchn, (evtchn_port_t)port) < 0)
        err(1, "the port");
    xenevtchn_close(evtchn);
}

static void attach_once(uint64_t async_len)
{
    struct xen_vm_ring_attach attach = {
        .propose =
            {
                .magic = XEN_VM_RING_MAGIC,
                .length = sizeof(attach.propose),
                .version_min = XEN_VM_RING_VERSION,
                .version_max = XEN_VM_RING_VERSION,
                .nr_groups = 1,
                .async_len = async_len,
            },
    };
    int rc = xen_ring(&calls, XEN_VM_RING_OP_ATTACH, &attach, sizeof(attach));

    if (rc)
        errx(1, "attach: %s", strerror(-rc));
    if (attach.accept.result != XEN_VM_RING_ACCEPTED) {
        say("refused %u", attach.accept.result);
        return;
    }
    header = map(attach.resource, attach.accept.p_len, PROT_READ);
    (void)map(attach.resource + 1, attach.accept.c_len, PROT_READ | PROT_WRITE);
    come_and_go(&attach);
    say("attached %" PRIu64, attach.accept.epoch);
}

static void unmap_all(void)
{
    while (nr_held)
        (void)xenforeignmemory_unmap_resource(memory, held[--nr_held]);
    header = NULL;
    say("unmapped %lu pages", nr_pages);
    nr_pages = 0;
}

static void obey(void)
{
    char line[64];

    while (fgets(line, sizeof(line), stdin)) {
        if (!strcmp(line, "state\n") && header)
            say("state %" PRIu64 " reason %" PRIu64, header->target_state,
                header->shutdown_reason);
        else if (!strcmp(line, "unmap\n"))
            unmap_all();
        else if (!strcmp(line, "quit\n"))
            return;
        else
            errx(2, "not known: %s", line);
    }
}

int main(int argc, char **argv)
{
    int times, rc;

    if (argc != 4)
        errx(2, "which domain, how often, how many bytes?");
    times = atoi(argv[2]);
    if (times > MAX_HELD)
        errx(2, "%d times at most", MAX_HELD);
    rc = xen_begin_calls(&calls, (uint32_t)atoi(argv[1]));
    memory = xenforeignmemory_open(&grant_logger, 0);
    if (rc || !memory)
        errx(1, "no Xen");
    for (int i = 0; i < times; i++)
        attach_once(strtoull(argv[3], NULL, 0));
    say("holds %lu pages", nr_pages);
    obey();
    return 0;
}
