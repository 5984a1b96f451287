/* SPDX-License-Identifier: MIT */
/*
 * Description: a living consumer of a target's legacy ring is seen by a Xen
 * that hides which ports are its own and by one that does not; a dead one,
 * xenstore and the console are none.  Below there is a Xen that answers as
 * evtchn_status() of 4.17 and of 4.20.
 */
#include "bridge/monitor/other_consumer.c"

#include "check.h"

#define TARGET   5
#define NR_PORTS 8

/* A port of ours: whom it is connected to; of the target's: is it Xen's? */
static struct {
    bool hides;
    int refuses; /* to tell of ours: with this errno */
    struct {
        uint32_t dom, port;
    } ours[NR_PORTS];
    bool is_xens[NR_PORTS];
} xen;

int xc_evtchn_status(xc_interface *xch, xc_evtchn_status_t *status)
{
    (void)xch;
    if (status->port >= NR_PORTS) {
        errno = EINVAL;
        return -1;
    }
    if (status->dom == TARGET) {
        errno = EACCES;
        return xen.hides && xen.is_xens[status->port] ? -1 : 0;
    }
    CHECK_EQ(status->dom, DOMID_SELF);
    errno = xen.refuses;
    if (xen.refuses)
        return -1;
    if (!xen.ours[status->port].port)
        return 0;
    status->status = EVTCHNSTAT_interdomain;
    status->u.interdomain.dom = (domid_t)xen.ours[status->port].dom;
    status->u.interdomain.port = xen.ours[status->port].port;
    return 0;
}

int xc_hvm_param_get(xc_interface *xch, uint32_t domid, uint32_t param,
                     uint64_t *value)
{
    (void)xch;
    CHECK_EQ(domid, TARGET);
    *value = param == HVM_PARAM_STORE_EVTCHN ? 1 : 2;
    return 0;
}

static void connect_ours(uint32_t ours, uint32_t dom, uint32_t port)
{
    xen.ours[ours].dom = dom;
    xen.ours[ours].port = port;
}

static bool is_listened_to(void)
{
    struct target target = {.domid = TARGET};

    return has_other_consumer(&target);
}

static void on_a_xen(bool hides)
{
    memset(&xen, 0, sizeof(xen));
    xen.hides = hides;
    CHECK(!is_listened_to());
    connect_ours(3, TARGET, 1);
    connect_ours(4, TARGET, 2);
    connect_ours(5, TARGET + 1, 3); /* another domain's */
    xen.is_xens[3] = true; /* the ring's, of a consumer that was killed */
    CHECK(!is_listened_to());
    connect_ours(6, TARGET, 3);
    CHECK(is_listened_to());
    /* A driver's, which can be told from Xen's only where Xen hides those. */
    connect_ours(6, TARGET, 4);
    CHECK_EQ(is_listened_to(), !hides);
    memset(xen.ours, 0, sizeof(xen.ours));
    CHECK(!is_listened_to());
    xen.refuses = EPERM;
    CHECK(is_listened_to());
}

int main(void)
{
    on_a_xen(true);
    on_a_xen(false);
    return 0;
}
