/* SPDX-License-Identifier: MIT */
/*
 * handles.h: Xen's interfaces, as libxenctrl and its companions have them.
 * libxenctrl is unstable, bound to one version of Xen; nothing outside of this
 * folder knows it.
 */
#ifndef BRIDGE_MONITOR_HANDLES_H
#define BRIDGE_MONITOR_HANDLES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define XC_WANT_COMPAT_DEVICEMODEL_API /* xc_hvm_inject_trap() */
#define XC_WANT_COMPAT_MAP_FOREIGN_API /* xc_map_foreign_range() */
#include <xencall.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenstore.h>
#include <xentoollog.h>

struct handles {
    xentoollog_logger logger;
    xc_interface *xch;
    xencall_handle *xcall;
    xenevtchn_handle *xce;
    struct xs_handle *xs; /* NULL: xenstore does not answer, or no more */
    int epoll;            /* of xce and xs, which can go; or -1 */
};

/* All but xenstore; an exit status.  handles_close() in any case. */
int handles_open(struct handles *xen);
void handles_close(struct handles *xen);

/* Makes `epoll`, which wakes the loop.  An exit status. */
int handles_watch(struct handles *xen);
/* xenstored has gone. */
void handles_lose_store(struct handles *xen);

#endif /* BRIDGE_MONITOR_HANDLES_H */
