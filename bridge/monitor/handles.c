/* SPDX-License-Identifier: MIT */
/* handles.c: Xen's interfaces, opened and closed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../exit_status.h"
#include "../log.h"
#include "handles.h"

/* libxenctrl explains itself at length; our own line says what it means. */
static void xen_says(xentoollog_logger *logger, xentoollog_level level,
                     int errnoval, const char *context, const char *format,
                     va_list args) __attribute__((__format__(printf, 5, 0)));

static void xen_says(xentoollog_logger *logger, xentoollog_level level,
                     int errnoval, const char *context, const char *format,
                     va_list args)
{
    char text[256];

    (void)logger;
    (void)level;
    vsnprintf(text, sizeof(text), format, args);
    bridge_log(LOG_DEBUG, "%s: %s%s%s", context ? context : "xen", text,
               errnoval > 0 ? ": " : "",
               errnoval > 0 ? strerror(errnoval) : "");
}

static void xen_destroys(xentoollog_logger *logger)
{
    (void)logger;
}

static int no_xen(int error)
{
    if (error == EACCES || error == EPERM || geteuid() != 0) {
        bridge_log(LOG_ERR, "no permission for Xen's interfaces; run this as "
                            "root in dom0");
        return EXIT_PERMISSION;
    }
    bridge_log(LOG_ERR,
               "no Xen here: %s; run this in dom0 with xen-privcmd and "
               "xen-evtchn loaded, or give sim:... for a simulated guest",
               strerror(error));
    return EXIT_NO_XEN;
}

int handles_open(struct handles *xen)
{
    if (access("/dev/xen/privcmd", F_OK) < 0 && errno == ENOENT &&
        access("/proc/xen/privcmd", F_OK) < 0) {
        bridge_log(LOG_ERR, "no Xen here: /dev/xen/privcmd is absent; run this "
                            "in a dom0, or give sim:... for a simulated guest");
        return EXIT_NO_XEN;
    }
    xen->logger.vmessage = xen_says;
    xen->logger.destroy = xen_destroys;
    xen->xch = xc_interface_open(&xen->logger, &xen->logger, 0);
    if (!xen->xch)
        return no_xen(errno);
    xen->xce = xenevtchn_open(&xen->logger, 0);
    if (!xen->xce)
        return no_xen(errno);
    xen->xcall = xencall_open(&xen->logger, 0);
    if (!xen->xcall)
        return no_xen(errno);
    return 0;
}

void handles_close(struct handles *xen)
{
    if (xen->epoll >= 0)
        close(xen->epoll);
    if (xen->xs)
        xs_close(xen->xs);
    if (xen->xcall)
        xencall_close(xen->xcall);
    if (xen->xce)
        xenevtchn_close(xen->xce);
    if (xen->xch)
        xc_interface_close(xen->xch);
    *xen = (struct handles){.epoll = -1};
}

/* By one descriptor of epoll: xenstore may go, and its own with it. */
int handles_watch(struct handles *xen)
{
    struct epoll_event event = {.events = EPOLLIN};

    xen->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (xen->epoll >= 0 &&
        epoll_ctl(xen->epoll, EPOLL_CTL_ADD, xenevtchn_fd(xen->xce), &event) ==
            0 &&
        (!xen->xs ||
         epoll_ctl(xen->epoll, EPOLL_CTL_ADD, xs_fileno(xen->xs), &event) == 0))
        return 0;
    bridge_log(LOG_ERR, "cannot watch a descriptor: %s", strerror(errno));
    return EXIT_FAULT;
}

void handles_lose_store(struct handles *xen)
{
    epoll_ctl(xen->epoll, EPOLL_CTL_DEL, xs_fileno(xen->xs), NULL);
    xs_close(xen->xs);
    xen->xs = NULL;
}
