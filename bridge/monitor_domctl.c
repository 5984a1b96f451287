/* SPDX-License-Identifier: MIT */
/*
 * monitor_domctl.c: domctls that libxenctrl has no function for, whether this
 * Xen knows them, and what it means when Xen permits none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"

/* "4.17", by libxenctrl's own word. */
#define BUILT_FOR VMRING_XEN_VERSION

static int call(struct monitor *monitor, struct xen_domctl *domctl)
{
    struct xen_domctl *buffer =
        xencall_alloc_buffer(monitor->xcall, sizeof(*buffer));
    int rc;

    if (!buffer)
        return -ENOMEM;
    *buffer = *domctl;
    rc = xencall1(monitor->xcall, __HYPERVISOR_domctl,
                  (uint64_t)(uintptr_t)buffer);
    rc = rc < 0 ? -errno : 0;
    *domctl = *buffer;
    xencall_free_buffer(monitor->xcall, buffer);
    return rc;
}

int monitor_domctl(struct monitor *monitor, struct xen_domctl *domctl)
{
    domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    domctl->domain = (domid_t)monitor->domid;
    return call(monitor, domctl);
}

/* ------------------------------------------------------ another Xen -- */

#define LAST_VERSION 0xff

/*
 * Xen answers EACCES to a domctl of another version, before it looks at
 * anything else; one for no domain at all does nothing.
 */
static bool is_version(struct monitor *monitor, uint32_t version)
{
    struct xen_domctl domctl;

    memset(&domctl, 0, sizeof(domctl));
    domctl.cmd = XEN_DOMCTL_getvcpuinfo;
    domctl.interface_version = version;
    domctl.domain = DOMID_INVALID;
    return call(monitor, &domctl) != -EACCES;
}

static uint32_t find_version(struct monitor *monitor)
{
    for (uint32_t version = 1; version <= LAST_VERSION; version++) {
        if (is_version(monitor, version))
            return version;
    }
    return 0;
}

/*
 * libxenctrl and the calls here are of the Xen that this was built for.  Of
 * another one whose domctls have the same version all of them mean the same.
 */
int monitor_check_xen(struct monitor *monitor)
{
    int version;

    if (is_version(monitor, XEN_DOMCTL_INTERFACE_VERSION))
        return 0;
    version = xc_version(monitor->xch, XENVER_version, NULL);
    log_line(LOG_ERR,
             "this is Xen %d.%d, and vmring-bridge was built for Xen " BUILT_FOR
             " (their domctls have version 0x%x and 0x%x): build it for this "
             "Xen, or boot that one",
             version >> 16 & 0xffff, version & 0xffff, find_version(monitor),
             XEN_DOMCTL_INTERFACE_VERSION);
    return EXIT_UNSUPPORTED;
}

/* ----------------------------------------------------- not permitted -- */

/* The label that Xen's security module has for it, if it has any. */
static void find_label(struct monitor *monitor, char *label, size_t len)
{
    struct domain_info info;

    label[0] = '\0';
    if (monitor_get_info(monitor, &info) < 0 ||
        xc_flask_sid_to_context(monitor->xch, (int)info.sid, label,
                                (uint32_t)len - 1) < 0)
        label[0] = '\0';
    label[len - 1] = '\0';
}

static void say_policy(struct monitor *monitor, const char *permission)
{
    char label[128];

    find_label(monitor, label, sizeof(label));
    if (label[0])
        log_line(LOG_ERR,
                 "Xen's security policy (XSM) refuses %s of %s, whose label "
                 "is %s; allow this domain's label that",
                 permission, monitor->name, label);
    else
        log_line(LOG_ERR,
                 "Xen refuses %s of %s: run this in dom0; if this is dom0, "
                 "Xen's security policy (XSM) must allow its label that ('xl "
                 "list -Z' shows labels)",
                 permission, monitor->name);
}

int monitor_not_permitted(struct monitor *monitor, const char *permission)
{
    if (geteuid() != 0) {
        log_line(LOG_ERR, "Xen does not permit it; run this as root in dom0");
        return EXIT_PERMISSION;
    }
    say_policy(monitor, permission);
    return EXIT_PERMISSION;
}
