/* SPDX-License-Identifier: MIT */
/* monitor_source.c: a domain as a source: its life, and its numbers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "domain.h"
#include "monitor.h"

#define NS_PER_S UINT64_C(1000000000)

uint64_t monitor_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void start(void *source, struct vmring_producer *producer)
{
    struct monitor *monitor = source;

    monitor->producer = producer;
}

static unsigned int target_state(void *source, unsigned int *reason)
{
    struct monitor *monitor = source;

    *reason = monitor->shutdown_reason;
    return monitor->target_state;
}

static int quiet(void *ctx)
{
    struct monitor *monitor = ctx;

    return monitor->rest == QUIET;
}

/* Of ours; Xen takes the other end away with its domain, or when that resets.
 */
static int channel_is_bound(void *ctx, uint32_t port)
{
    const struct monitor *monitor = ctx;
    xc_evtchn_status_t of = {.dom = DOMID_SELF, .port = port};

    if (xc_evtchn_status(monitor->xch, &of) < 0)
        return -errno;
    return of.status == EVTCHNSTAT_interdomain;
}

static const struct vmring_producer_ops producer_ops = {
    .size = sizeof(producer_ops),
    .subscribe = monitor_subscribe,
    .supported = monitor_supported,
    .quiet = quiet,
    .attached = monitor_attached,
    .arming = monitor_is_arming,
    .channel_is_bound = channel_is_bound,
};

static void describe(void *source, struct source_info *info)
{
    struct monitor *monitor = source;

    snprintf(info->name, sizeof(info->name), "%s", monitor->name);
    snprintf(info->title, sizeof(info->title), "%s", monitor->title);
    snprintf(info->listen, sizeof(info->listen), "local:/run/vmring/dom%u.sock",
             monitor->domid);
    snprintf(info->tree, sizeof(info->tree), "%u", monitor->domid);
    info->nr_vcpus = monitor->nr_vcpus;
    info->arch = monitor->arch;
    info->verdicts = monitor_verdicts(monitor);
    /* This Xen has no id for a domain that is not used again (4.21 has). */
    info->source = XEN_VM_RING_SOURCE_XEN;
    info->foreign = 1;
    info->producer_ctx = monitor;
    info->fds[info->nr_fds++] = monitor->epoll;
}

/* ------------------------------------------------------- open and close -- */

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
    log_line(LOG_DEBUG, "%s: %s%s%s", context ? context : "xen", text,
             errnoval > 0 ? ": " : "", errnoval > 0 ? strerror(errnoval) : "");
}

static void xen_destroys(xentoollog_logger *logger)
{
    (void)logger;
}

static int no_xen(int error)
{
    if (error == EACCES || error == EPERM || geteuid() != 0) {
        log_line(LOG_ERR, "no permission for Xen's interfaces; run this as "
                          "root in dom0");
        return EXIT_PERMISSION;
    }
    log_line(LOG_ERR,
             "no Xen here: %s; run this in dom0 with xen-privcmd and "
             "xen-evtchn loaded, or give sim:... for a simulated guest",
             strerror(error));
    return EXIT_NO_XEN;
}

static int open_interfaces(struct monitor *monitor)
{
    if (access("/dev/xen/privcmd", F_OK) < 0 && errno == ENOENT &&
        access("/proc/xen/privcmd", F_OK) < 0) {
        log_line(LOG_ERR, "no Xen here: /dev/xen/privcmd is absent; run this "
                          "in a dom0, or give sim:... for a simulated guest");
        return EXIT_NO_XEN;
    }
    monitor->logger.vmessage = xen_says;
    monitor->logger.destroy = xen_destroys;
    monitor->xch = xc_interface_open(&monitor->logger, &monitor->logger, 0);
    if (!monitor->xch)
        return no_xen(errno);
    monitor->xce = xenevtchn_open(&monitor->logger, 0);
    if (!monitor->xce)
        return no_xen(errno);
    monitor->xcall = xencall_open(&monitor->logger, 0);
    if (!monitor->xcall)
        return no_xen(errno);
    return monitor_check_xen(monitor);
}

static int close_monitor(void *source)
{
    struct monitor *monitor = source;
    bool left_behind = monitor->left_behind;

    if (left_behind)
        monitor_detach(monitor);
    monitor_unlock(monitor);
    if (monitor->epoll >= 0)
        close(monitor->epoll);
    if (monitor->xs)
        xs_close(monitor->xs);
    if (monitor->xcall)
        xencall_close(monitor->xcall);
    if (monitor->xce)
        xenevtchn_close(monitor->xce);
    if (monitor->xch)
        xc_interface_close(monitor->xch);
    free(monitor->arming);
    free(monitor->harmless);
    free(monitor->started);
    free(monitor->passed);
    free(monitor);
    return left_behind ? EXIT_LEFT_BEHIND : 0;
}

/* What wakes the loop: xenstore may go, and its descriptor with it. */
static int watch_descriptors(struct monitor *monitor)
{
    struct epoll_event event = {.events = EPOLLIN};

    monitor->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (monitor->epoll >= 0 &&
        epoll_ctl(monitor->epoll, EPOLL_CTL_ADD, xenevtchn_fd(monitor->xce),
                  &event) == 0 &&
        (!monitor->xs || epoll_ctl(monitor->epoll, EPOLL_CTL_ADD,
                                   xs_fileno(monitor->xs), &event) == 0))
        return 0;
    log_line(LOG_ERR, "cannot watch a descriptor: %s", strerror(errno));
    return EXIT_FAULT;
}

int monitor_find(struct source_start *start, struct monitor **found)
{
    struct monitor *monitor = calloc(1, sizeof(*monitor));
    int status;

    if (!monitor) {
        log_line(LOG_ERR, "out of memory");
        return EXIT_FAULT;
    }
    monitor->port = monitor->lock = monitor->lock_folder = monitor->epoll = -1;
    status = open_interfaces(monitor);
    if (!status)
        status = monitor_find_target(monitor, start);
    if (!status)
        status = monitor_allocate_rest(monitor);
    if (!status)
        status = monitor_allocate_arming(monitor);
    if (!status)
        status = monitor_lock(monitor, start);
    if (status) {
        close_monitor(monitor);
        return status;
    }
    monitor_let_run(monitor);
    *found = monitor;
    return 0;
}

/* One that is suspended may go on; of any other there is nothing to see. */
static int check_it_runs(struct monitor *monitor)
{
    monitor_look_at_target(monitor);
    if (monitor->target_state != XEN_VM_RING_TARGET_SHUTDOWN ||
        monitor_is_suspended(monitor))
        return 0;
    log_line(LOG_ERR, "%s has %s; nothing is left to watch", monitor->name,
             domain_shutdown_name(monitor->shutdown_reason));
    return EXIT_TARGET_ENDED;
}

static int open_monitor(struct source_start *start, void **source)
{
    struct monitor *monitor;
    int status = monitor_find(start, &monitor);

    if (status)
        return status;
    status = check_it_runs(monitor);
    if (!status)
        status = watch_descriptors(monitor);
    if (!status)
        status = monitor_enable(monitor);
    if (status) {
        close_monitor(monitor);
        return status;
    }
    *source = monitor;
    return 0;
}

/* ---------------------------------------------------------- statistics -- */

static void stats(void *source, struct json_object *object)
{
    struct monitor *monitor = source;
    const struct monitor_stats *of = &monitor->stats;
    struct json_object *legacy = json_object_new_object();
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"requests", of->requests},
        {"answered_at_once", of->at_once},
        {"posted", of->posted},
        {"answered_while_arming", of->arming},
        {"answered_while_ending", of->ending},
        {"malformed", of->malformed},
        {"bad_verdicts", of->bad_verdicts},
        {"failed_injections", of->failed_injections},
        {"dropped_injections", of->dropped_injections},
        {"notifications", of->notifications},
        {"busy_disables", of->busy_disables},
        {"enabled_ns", of->enabled_ns},
        {"full_ns", of->full_ns},
    };
    double share =
        of->enabled_ns ? (double)of->full_ns / (double)of->enabled_ns : 0;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        json_object_object_add(legacy, numbers[i].key,
                               json_object_new_uint64(numbers[i].value));
    json_object_object_add(legacy, "full_share", json_object_new_double(share));
    json_object_object_add(object, "source", json_object_new_string("monitor"));
    json_object_object_add(object, "domid",
                           json_object_new_uint64(monitor->domid));
    json_object_object_add(object, "legacy_ring", legacy);
    log_line(LOG_NOTICE,
             "legacy ring: %llu requests, eight unanswered for %.3f s of %.3f "
             "s (%.1f %%)",
             (unsigned long long)of->requests, (double)of->full_ns / 1e9,
             (double)of->enabled_ns / 1e9, share * 100);
}

const struct source_ops monitor_source = {
    .open = open_monitor,
    .describe = describe,
    .serves = monitor_serves,
    .recover = monitor_recover,
    .producer_ops = &producer_ops,
    .start = start,
    .run = monitor_run,
    .verdict = monitor_carry_out,
    .flush = monitor_flush,
    .target_state = target_state,
    .end = monitor_end,
    .confine = monitor_forget_place,
    .close = close_monitor,
    .stats = stats,
};
