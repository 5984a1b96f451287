/* SPDX-License-Identifier: MIT */
/*
 * domctl.c: domctls that libxenctrl has no function for, and whether this Xen
 * knows them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../exit_status.h"
#include "../log.h"
#include "domctl.h"

/* "4.17", by libxenctrl's own word. */
#define BUILT_FOR VMRING_XEN_VERSION

static int call(struct handles *xen, struct xen_domctl *domctl)
{
    struct xen_domctl *buffer =
        xencall_alloc_buffer(xen->xcall, sizeof(*buffer));
    int rc;

    if (!buffer)
        return -ENOMEM;
    *buffer = *domctl;
    rc = xencall1(xen->xcall, __HYPERVISOR_domctl, (uint64_t)(uintptr_t)buffer);
    rc = rc < 0 ? -errno : 0;
    *domctl = *buffer;
    xencall_free_buffer(xen->xcall, buffer);
    return rc;
}

int domctl_call(struct handles *xen, uint32_t domid, struct xen_domctl *domctl)
{
    domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    domctl->domain = (domid_t)domid;
    return call(xen, domctl);
}

/* ------------------------------------------------------ another Xen -- */

#define LAST_VERSION 0xff

/*
 * Xen answers EACCES to a domctl of another version, before it looks at
 * anything else; one for no domain at all does nothing.
 */
static bool is_version(struct handles *xen, uint32_t version)
{
    struct xen_domctl domctl;

    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_getvcpuinfo;
    domctl.interface_version = version;
    domctl.domain = DOMID_INVALID;
    return call(xen, &domctl) != -EACCES;
}

static uint32_t find_version(struct handles *xen)
{
    for (uint32_t version = 1; version <= LAST_VERSION; version++) {
        if (is_version(xen, version))
            return version;
    }
    return 0;
}

/*
 * libxenctrl and the calls here are of the Xen that this was built for.  Of
 * another one whose domctls have the same version all of them mean the same.
 */
int domctl_check_xen(struct handles *xen)
{
    int version;

    if (is_version(xen, XEN_DOMCTL_INTERFACE_VERSION))
        return 0;
    version = xc_version(xen->xch, XENVER_version, NULL);
    bridge_log(
        LOG_ERR,
        "this is Xen %d.%d, and vmring-bridge was built for Xen " BUILT_FOR
        " (their domctls have version 0x%x and 0x%x): build it for this "
        "Xen, or boot that one",
        version >> 16 & 0xffff, version & 0xffff, find_version(xen),
        XEN_DOMCTL_INTERFACE_VERSION);
    return EXIT_UNSUPPORTED;
}
