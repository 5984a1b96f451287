/* SPDX-License-Identifier: MIT */
/*
 * entries.c: requests of a domain's legacy ring in, verdicts out.
 *
 * A request with VM_EVENT_FLAG_VCPU_PAUSED holds its vCPU until the response
 * has that flag too.  One without must get a response without it, and at
 * once: it holds one of eight entries.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "../../libvmring/base/clock.h"
#include "../../libvmring/vm_event/response.h"
#include "../log.h"
#include "end.h"
#include "entries.h"
#include "pause.h"
#include "xen_checks.h"

#define NS_PER_MS UINT64_C(1000000)

/* Requests taken in one call: two full rings. */
#define MAX_REQUESTS 16
/* The watch says when the target ends; this finds it if the watch does not. */
#define LOOK_MS 500
/* How often to look whether a vCPU is off its CPU: some microseconds each. */
#define MAX_LOOKS 1000
/* How soon to look again while vCPUs come down. */
#define SETTLING_MS 3

/* ------------------------------------------------------------- answers -- */

static void inject(struct monitor *monitor,
                   const struct xen_vm_ring_event *event,
                   const struct xen_vm_ring_inject *trap)
{
    unsigned int vcpu = event->vcpu;

    if (xen_check_event_pending(&monitor->target, event)) {
        if (monitor->stats.dropped_injections++ == 0)
            bridge_log(LOG_WARNING,
                       "vector %u is not injected into vCPU %u of %s: another "
                       "event is on its way into it, and Xen drops all but one",
                       trap->vector, vcpu, monitor->target.name);
        return;
    }
    /* A neutral verdict's is what the request said: from the ring's page. */
    errno = EINVAL;
    if (xen_check_trap(trap) &&
        xc_hvm_inject_trap(
            monitor->target.xen.xch, (domid_t)monitor->target.domid, (int)vcpu,
            (uint8_t)trap->vector, (uint8_t)trap->type, trap->error_code,
            (uint8_t)trap->insn_len, trap->cr2) == 0)
        return;
    if (monitor->stats.failed_injections++ == 0)
        bridge_log(LOG_WARNING,
                   "cannot inject vector %u into vCPU %u of %s: %s; the vCPU "
                   "goes on without",
                   trap->vector, vcpu, monitor->target.name, strerror(errno));
}

/* Xen on arm does not emulate: the restriction goes instead. */
static void lift_restriction(struct monitor *monitor,
                             const struct xen_vm_ring_event *event)
{
    if (monitor->target.arch == XEN_VM_RING_ARCH_ARM &&
        event->reason == XEN_VM_RING_REASON_MEM_ACCESS)
        xc_set_mem_access(monitor->target.xen.xch, monitor->target.domid,
                          XENMEM_access_rwx, event->u.mem_access.gfn, 1);
}

/* Off, whatever it is: by a response Xen can only be told to toggle it. */
static void stop_stepping(struct monitor *monitor,
                          const struct xen_vm_ring_event *event,
                          vm_event_response_t *response)
{
    if (event->reason == XEN_VM_RING_REASON_SINGLESTEP &&
        xc_domain_debug_control(monitor->target.xen.xch, monitor->target.domid,
                                XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF,
                                event->vcpu) == 0)
        response->flags &= ~(uint32_t)VM_EVENT_FLAG_TOGGLE_SINGLESTEP;
}

/*
 * Xen notes the write that a denial is to hold back only after it has put the
 * request (hvm_set_cr0() and its like in arch/x86/hvm/hvm.c): a response that
 * is faster than that denies nothing, and the write happens.  The vCPU was
 * paused before the request, so once it is off its CPU it is past that point
 * and stays there.  Pausing the domain waits for all vCPUs to be.
 */
static void let_it_leave_its_cpu(struct monitor *monitor, unsigned int vcpu)
{
    xc_vcpuinfo_t info;

    for (int look = 0; look < MAX_LOOKS; look++) {
        if (!target_get_vcpu(&monitor->target, vcpu, &info))
            break;
        if (!info.running)
            return;
    }
    if (pause_domain(&monitor->target, &monitor->lock) == 0)
        pause_release(&monitor->target, &monitor->lock);
}

static void answer(struct monitor *monitor,
                   const struct xen_vm_ring_event *event,
                   const struct xen_vm_ring_response *verdict)
{
    static const struct xen_vm_ring_response neutral = {0};
    bool paused = (event->flags & XEN_VM_RING_FLAG_VCPU_PAUSED) != 0;
    struct vm_event_answer answer;
    bool bad;

    bad = !xen_check_verdict(event, verdict, monitor->arming->defers) ||
          vm_event_respond(event, verdict, monitor->target.arch, paused,
                           &answer) != CONVERT_OK;
    if (bad) {
        monitor->stats.bad_verdicts++;
        verdict = &neutral;
        (void)vm_event_respond(event, verdict, monitor->target.arch, paused,
                               &answer);
    }
    if (!verdict->flags) {
        lift_restriction(monitor, event);
        stop_stepping(monitor, event, &answer.response);
    }
    quiesce_note_verdict(&monitor->quiesce, verdict->flags);
    /* A trap goes in before the vCPU runs; unpaused, Xen sees to it itself. */
    if (answer.has_inject && paused)
        inject(monitor, event, &answer.inject);
    if (verdict->flags & XEN_VM_RING_FLAG_DENY)
        let_it_leave_its_cpu(monitor, event->vcpu);
    legacy_ring_answer(&monitor->ring.legacy, &answer.response);
}

static void answer_neutrally(struct monitor *monitor,
                             const struct xen_vm_ring_event *event)
{
    static const struct xen_vm_ring_response neutral = {0};

    answer(monitor, event, &neutral);
}

/* Nothing is known but which vCPU waits, if that: let it go on. */
static void answer_malformed(struct monitor *monitor,
                             const vm_event_request_t *request)
{
    vm_event_response_t response = {.version = VM_EVENT_INTERFACE_VERSION};

    if (monitor->stats.malformed++ == 0)
        bridge_log(
            LOG_WARNING,
            "%s: a request with version %u, reason %u, vCPU %u cannot be "
            "understood; such are answered by 'continue'",
            monitor->target.name, request->version, request->reason,
            request->vcpu_id);
    if (request->vcpu_id < monitor->target.nr_vcpus) {
        response.vcpu_id = request->vcpu_id;
        response.flags = request->flags & VM_EVENT_FLAG_VCPU_PAUSED;
    }
    legacy_ring_answer(&monitor->ring.legacy, &response);
}

/* ------------------------------------------------------------ requests -- */

static void push(struct monitor *monitor, struct xen_vm_ring_event *event)
{
    bool foreign = event->flags & XEN_VM_RING_FLAG_FOREIGN;
    unsigned int lane = foreign ? monitor->target.nr_vcpus : event->vcpu;

    monitor->stats.at_once++;
    answer_neutrally(monitor, event);
    event->flags &= ~(uint32_t)XEN_VM_RING_FLAG_VCPU_PAUSED;
    if (vmring_producer_push(monitor->producer, lane, event) < 0)
        bridge_log(LOG_ERR, "the producer refuses a record of lane %u", lane);
}

static void post(struct monitor *monitor, const struct xen_vm_ring_event *event)
{
    monitor->stats.posted++;
    if (vmring_producer_post(monitor->producer, event, ++monitor->cookie) < 0) {
        bridge_log(LOG_ERR, "the producer refuses a request of vCPU %u",
                   event->vcpu);
        answer_neutrally(monitor, event);
    }
}

static void handle(struct monitor *monitor, const vm_event_request_t *request)
{
    struct xen_vm_ring_event event;

    monitor->stats.requests++;
    if (vm_event_to_ring(request, monitor->target.arch,
                         monitor->target.nr_vcpus, &event) != CONVERT_OK) {
        answer_malformed(monitor, request);
    } else if (!monitor->producer) {
        monitor->stats.ending++;
        answer_neutrally(monitor, &event);
    } else if (subscription_withholds(monitor->arming, &event)) {
        monitor->stats.arming++;
        answer_neutrally(monitor, &event);
    } else if (!(event.flags & XEN_VM_RING_FLAG_VCPU_PAUSED) ||
               subscription_delivers_async(monitor->arming, &event)) {
        push(monitor, &event);
    } else {
        post(monitor, &event);
    }
}

/* Takes the notification; the ring is looked at afterwards, as it must. */
static void acknowledge(struct monitor *monitor)
{
    struct pollfd fd = {.fd = xenevtchn_fd(monitor->target.xen.xce),
                        .events = POLLIN};
    int port;

    /* xenevtchn_pending() blocks. */
    while (poll(&fd, 1, 0) == 1) {
        port = xenevtchn_pending(monitor->target.xen.xce);
        if (port < 0)
            break;
        xenevtchn_unmask(monitor->target.xen.xce, (evtchn_port_t)port);
    }
}

static void publish(struct monitor *monitor)
{
    if (!monitor->ring.page || !legacy_ring_publish(&monitor->ring.legacy))
        return;
    monitor->stats.notifications++;
    /* Xen takes the responses inside this call. */
    if (xenevtchn_notify(monitor->target.xen.xce,
                         (evtchn_port_t)monitor->ring.port) < 0 &&
        !target_is_dead(&monitor->target))
        bridge_log(LOG_ERR, "cannot notify Xen: %s", strerror(errno));
    ring_note_fullness(&monitor->ring);
    quiesce_disturb(&monitor->quiesce);
}

/* Returns true if there may be more. */
static bool drain(struct monitor *monitor)
{
    vm_event_request_t request;
    int taken = 0, rc = 0;

    ring_note_fullness(&monitor->ring);
    while (taken < MAX_REQUESTS &&
           (rc = legacy_ring_take(&monitor->ring.legacy, &request)) == 1) {
        handle(monitor, &request);
        taken++;
    }
    publish(monitor);
    if (rc < 0)
        bridge_log(LOG_ERR,
                   "%s: the legacy ring's index is out of bounds, so somebody "
                   "else writes to its page; destroy the domain",
                   monitor->target.name);
    return taken == MAX_REQUESTS;
}

/* ---------------------------------------------- what the loop calls -- */

int entries_run(struct monitor *monitor)
{
    int due = subscription_turn(monitor->arming);
    bool more = false;

    if (!monitor->ring.page)
        return target_is_dead(&monitor->target) ? SOURCE_WAIT : LOOK_MS;
    acknowledge(monitor);
    target_read_watch(&monitor->target);
    if (clock_ns() - monitor->target.looked_at >= LOOK_MS * NS_PER_MS)
        target_look(&monitor->target);
    if (target_is_dead(&monitor->target)) {
        /* Our mapping would keep it from going. */
        ring_detach(&monitor->ring);
        return 0;
    }
    if (!monitor->ring.legacy.broken)
        more = drain(monitor);
    if (monitor->ring.legacy.broken)
        return SOURCE_BROKEN;
    if (more)
        return 0;
    if (due != SOURCE_WAIT)
        return due;
    if (monitor->arming->nr_specs == 0) {
        end_settle(monitor);
        if (monitor->quiesce.state != QUIESCE_QUIET)
            return SETTLING_MS;
    }
    return LOOK_MS;
}

static void pause_for_overdue(struct monitor *monitor)
{
    monitor->nr_overdue++;
    if (monitor->target.paused)
        return;
    if (xc_domain_pause(monitor->target.xen.xch, monitor->target.domid) < 0) {
        bridge_log(LOG_ERR, "cannot pause %s: %s", monitor->target.name,
                   strerror(errno));
        return;
    }
    monitor->target.paused = true;
    bridge_log(
        LOG_NOTICE,
        "a verdict on %s is overdue: it is paused until the verdict comes",
        monitor->target.name);
}

static void unpause_if_none(struct monitor *monitor)
{
    if (monitor->nr_overdue > 0)
        monitor->nr_overdue--;
    if (monitor->nr_overdue > 0 || !monitor->target.paused)
        return;
    monitor->target.paused = false;
    if (xc_domain_unpause(monitor->target.xen.xch, monitor->target.domid) < 0)
        pause_cannot_unpause(&monitor->target, errno);
}

void entries_verdict(struct monitor *monitor,
                     const struct vmring_verdict *verdict)
{
    if (verdict->by == VMRING_OVERDUE) {
        if (monitor->ring.page)
            pause_for_overdue(monitor);
        return;
    }
    if (monitor->ring.page)
        answer(monitor, &verdict->event, &verdict->response);
    if (verdict->was_overdue)
        unpause_if_none(monitor);
}

void entries_flush(struct monitor *monitor)
{
    publish(monitor);
}
