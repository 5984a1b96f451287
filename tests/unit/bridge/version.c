/* SPDX-License-Identifier: MIT */
/*
 * Description: a Xen whose domctls have another version than those that this
 * was built with is named, and what it was built for, in one line; one whose
 * domctls have the same is taken, whatever its name.  Below there is a Xen that
 * answers as do_domctl() does.
 */
#define VMRING_XEN_VERSION "4.99"
#include "bridge/monitor/domctl.c"

#include "check.h"

static struct {
    uint32_t domctl;
    int version;
    unsigned int calls;
} xen;

static char said[512];
static unsigned int lines;

int xencall1(xencall_handle *xcall, unsigned int op, uint64_t arg1)
{
    const struct xen_domctl *domctl = (const void *)(uintptr_t)arg1;

    (void)xcall;
    CHECK_EQ(op, __HYPERVISOR_domctl);
    CHECK_EQ(domctl->domain, DOMID_INVALID);
    xen.calls++;
    errno = domctl->interface_version == xen.domctl ? ESRCH : EACCES;
    return -1;
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
    (void)xch, (void)arg;
    CHECK_EQ(cmd, XENVER_version);
    return xen.version;
}

void bridge_log(int level, const char *format, ...)
{
    va_list args;

    CHECK_EQ(level, LOG_ERR);
    lines++;
    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
}

static int check(uint32_t domctl, int major, int minor)
{
    struct handles xen_here = {0};

    xen.domctl = domctl;
    xen.version = major << 16 | minor;
    xen.calls = lines = 0;
    return domctl_check_xen(&xen_here);
}

int main(void)
{
    const uint32_t ours = XEN_DOMCTL_INTERFACE_VERSION;
    char both[64];

    CHECK_EQ(check(ours, 4, 20), 0);
    CHECK_EQ(lines, 0);
    CHECK_EQ(xen.calls, 1);

    CHECK_EQ(check(ours + 1, 4, 22), EXIT_UNSUPPORTED);
    CHECK_EQ(lines, 1);
    CHECK_HAS(said, "this is Xen 4.22");
    CHECK_HAS(said, "built for Xen 4.99");
    snprintf(both, sizeof(both), "version 0x%x and 0x%x", ours + 1, ours);
    CHECK_HAS(said, both);

    /* One so new that its version is not found either. */
    CHECK_EQ(check(0x1000, 5, 0), EXIT_UNSUPPORTED);
    CHECK_HAS(said, "this is Xen 5.0");
    return 0;
}
