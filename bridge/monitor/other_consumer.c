/* SPDX-License-Identifier: MIT */
/*
 * other_consumer.c: does a program in this domain listen to what Xen raises
 * for the target?  A consumer of the legacy ring does, and so does a device
 * model; and of neither may the ring be taken away while it lives.
 *
 * Up to some Xen between 4.17 and 4.20, EVTCHNOP_status tells nobody what a
 * port is that Xen itself has the end of (-EACCES), so such a port is known by
 * that. Where it tells, a port of the target's that is connected to here may be
 * Xen's, or a driver's; only those of xenstore and of the console are known.
 */
#include <errno.h>
#include <stdint.h>

#include "other_consumer.h"

#include <xen/hvm/params.h>

static int ask(struct target *target, uint32_t domid, uint32_t port,
               xc_evtchn_status_t *of)
{
    *of = (xc_evtchn_status_t){.dom = (domid_t)domid, .port = port};
    return xc_evtchn_status(target->xen.xch, of) < 0 ? -errno : 0;
}

/* The target's ring, if it has one, has a port of Xen's, alive or dead. */
static bool xen_hides_its_own(struct target *target)
{
    xc_evtchn_status_t of;
    int err;

    for (uint32_t port = 0;
         (err = ask(target, target->domid, port, &of)) != -EINVAL; port++) {
        if (err == -EACCES)
            return true;
        if (err)
            break;
    }
    return false;
}

static bool is_param(struct target *target, uint32_t param, uint32_t port)
{
    uint64_t value = 0;

    return xc_hvm_param_get(target->xen.xch, target->domid, param, &value) ==
               0 &&
           value == port;
}

static bool may_be_xens(struct target *target, uint32_t port, bool hides)
{
    xc_evtchn_status_t of;

    if (hides)
        return ask(target, target->domid, port, &of) == -EACCES;
    return !is_param(target, HVM_PARAM_STORE_EVTCHN, port) &&
           !is_param(target, HVM_PARAM_CONSOLE_EVTCHN, port);
}

bool has_other_consumer(struct target *target)
{
    bool hides = xen_hides_its_own(target);
    xc_evtchn_status_t ours;
    int err;

    /* -EINVAL: past the last. */
    for (uint32_t port = 0;
         (err = ask(target, DOMID_SELF, port, &ours)) != -EINVAL; port++) {
        if (err && err != -EACCES)
            return true; /* we cannot look, so we must not take anything away */
        if (!err && ours.status == EVTCHNSTAT_interdomain &&
            ours.u.interdomain.dom == target->domid &&
            may_be_xens(target, ours.u.interdomain.port, hides))
            return true;
    }
    return false;
}
