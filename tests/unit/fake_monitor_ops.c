/* SPDX-License-Identifier: MIT */
/* fake_monitor_ops.c: see fake_monitor_ops.h. */
#include "fake_monitor_ops.h"

#include <errno.h>
#include <string.h>

#include "bridge/monitor.h"
#include "check.h"

struct fake_ops fake_ops;

/* One call to Xen: it takes its time, and may fail. */
static int call(void)
{
    fake_ops.calls++;
    fake_ops.now += fake_ops.call_ns;
    if (fake_ops.fails_at && --fake_ops.fails_at == 0) {
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

static int set(uint8_t *armed, bool enable, uint8_t as)
{
    if (call() < 0)
        return -1;
    if ((*armed != 0) == enable) {
        errno = EEXIST;
        return -1;
    }
    *armed = enable ? as : 0;
    return 0;
}

uint64_t monitor_now(void)
{
    return fake_ops.now;
}

void monitor_disturb(struct monitor *monitor)
{
    (void)monitor;
}

int xc_monitor_mov_to_msr(xc_interface *xch, uint32_t domid, uint32_t msr,
                          bool enable, bool onchangeonly)
{
    (void)xch;
    (void)domid;
    CHECK((msr & 0x3fffffff) < 0x2000 && msr >> 30 != 2);
    return set(&fake_ops.msr[msr >> 30][msr & 0x1fff], enable,
               onchangeonly ? 2 : 1);
}

int xc_set_mem_access(xc_interface *xch, uint32_t domid, xenmem_access_t access,
                      uint64_t first, uint32_t nr)
{
    (void)xch;
    (void)domid;
    CHECK(nr > 0 && first + nr <= FAKE_FRAMES);
    if (nr > fake_ops.most_frames)
        fake_ops.most_frames = nr;
    if (call() < 0)
        return -1;
    memset(fake_ops.frame + first, (int)access, nr);
    return 0;
}

int xc_domain_maximum_gpfn(xc_interface *xch, uint32_t domid, xen_pfn_t *gpfns)
{
    (void)xch;
    (void)domid;
    *gpfns = fake_ops.last_frame;
    return 0;
}

int xc_monitor_write_ctrlreg(xc_interface *xch, uint32_t domid, uint16_t index,
                             bool enable, bool sync, uint64_t bitmask,
                             bool onchangeonly)
{
    (void)xch;
    (void)domid;
    (void)bitmask;
    (void)onchangeonly;
    return set(&fake_ops.ctrlreg[index], enable, sync ? 1 : 2);
}

int xc_monitor_inguest_pagefault(xc_interface *xch, uint32_t domid,
                                 bool disable)
{
    (void)xch;
    (void)domid;
    fake_ops.walks_suppressed = disable;
    return call();
}

int xc_monitor_cpuid(xc_interface *xch, uint32_t domid, bool enable)
{
    (void)xch;
    (void)domid;
    return set(&fake_ops.cpuid, enable, 1);
}

int xc_monitor_software_breakpoint(xc_interface *xch, uint32_t domid,
                                   bool enable)
{
    (void)xch;
    (void)domid;
    return set(&fake_ops.other, enable, 1);
}

int xc_monitor_singlestep(xc_interface *xch, uint32_t domid, bool enable)
{
    (void)xch;
    (void)domid;
    return set(&fake_ops.other, enable, 1);
}

int xc_monitor_privileged_call(xc_interface *xch, uint32_t domid, bool enable)
{
    (void)xch;
    (void)domid;
    return set(&fake_ops.other, enable, 1);
}

int xc_monitor_descriptor_access(xc_interface *xch, uint32_t domid, bool enable)
{
    (void)xch;
    (void)domid;
    return set(&fake_ops.other, enable, 1);
}

int xc_monitor_emul_unimplemented(xc_interface *xch, uint32_t domid,
                                  bool enable)
{
    (void)xch;
    (void)domid;
    return set(&fake_ops.other, enable, 1);
}

int xc_monitor_guest_request(xc_interface *xch, uint32_t domid, bool enable,
                             bool sync, bool allow_userspace)
{
    (void)xch;
    (void)domid;
    (void)sync;
    (void)allow_userspace;
    return set(&fake_ops.other, enable, 1);
}

int xc_monitor_debug_exceptions(xc_interface *xch, uint32_t domid, bool enable,
                                bool sync)
{
    (void)xch;
    (void)domid;
    (void)sync;
    return set(&fake_ops.other, enable, 1);
}

int xc_monitor_vmexit(xc_interface *xch, uint32_t domid, bool enable, bool sync)
{
    (void)xch;
    (void)domid;
    (void)sync;
    return set(&fake_ops.other, enable, 1);
}

int monitor_domctl(struct monitor *monitor, struct xen_domctl *domctl)
{
    const struct xen_domctl_monitor_op *op = &domctl->u.monitor_op;

    (void)monitor;
    CHECK_EQ(domctl->cmd, XEN_DOMCTL_monitor_op);
    if (op->op != XEN_DOMCTL_MONITOR_OP_CONTROL_REGISTERS) {
        CHECK_EQ(op->event, 13);
        return set(&fake_ops.io, op->op == XEN_DOMCTL_MONITOR_OP_ENABLE, 1) < 0
                   ? -errno
                   : 0;
    }
    return call() < 0 ? -errno : 0;
}

int monitor_hold(struct monitor *monitor)
{
    (void)monitor;
    return call();
}

void monitor_release(struct monitor *monitor)
{
    (void)monitor;
    (void)call();
}

int xc_domain_hvm_getcontext_partial(xc_interface *xch, uint32_t domid,
                                     uint16_t typecode, uint16_t instance,
                                     void *ctxt_buf, uint32_t size)
{
    (void)xch;
    (void)domid;
    (void)typecode;
    (void)instance;
    (void)ctxt_buf;
    (void)size;
    return call();
}
