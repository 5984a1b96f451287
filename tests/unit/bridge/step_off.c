/* SPDX-License-Identifier: MIT */
/*
 * Description: a vCPU that verdicts let step is off it in the end, however the
 * last verdict and the disarming come about: Xen's response can only toggle,
 * and a vCPU left stepping takes no interrupt.
 */
#include "bridge/monitor/end.h"
#include "bridge/monitor/entries.h"
#include "bridge/monitor/pause.h"
#include "check.h"

static struct monitor monitor;
static struct arming arming;
static _Alignas(4096) unsigned char page[LEGACY_RING_PAGE];
static vm_event_sring_t *const shared = (void *)page;
static bool steps[2]; /* what Xen has, by vCPU */
static bool has_no_trap_flag;
static unsigned int views;

/* --------------------------------------------------- Xen, and the rest -- */

int xc_domain_debug_control(xc_interface *xch, uint32_t domid, uint32_t op,
                            uint32_t vcpu)
{
    (void)xch;
    (void)domid;
    CHECK_EQ(op, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF);
    if (has_no_trap_flag)
        return -1;
    steps[vcpu] = false;
    return 0;
}

int xc_altp2m_switch_to_view(xc_interface *xch, uint32_t domid, uint16_t view)
{
    (void)xch;
    (void)domid;
    CHECK_EQ(view, 0);
    views++;
    return 0;
}

bool target_get_vcpu(struct target *of, unsigned int vcpu, xc_vcpuinfo_t *info)
{
    (void)of;
    (void)vcpu;
    *info = (xc_vcpuinfo_t){.online = 1, .blocked = 1};
    return true;
}

int pause_domain(struct target *of, struct lock *lock)
{
    (void)of;
    (void)lock;
    return 0;
}

void pause_release(struct target *of, struct lock *lock)
{
    (void)of;
    (void)lock;
}

void pause_cannot_unpause(const struct target *of, int error)
{
    (void)of;
    (void)error;
}

bool target_is_dead(const struct target *of)
{
    (void)of;
    return false;
}

bool target_is_suspended(const struct target *of)
{
    (void)of;
    return false;
}

/* Nothing of these comes up. */
int subscription_turn(struct arming *of)
{
    (void)of;
    return SOURCE_WAIT;
}

bool subscription_withholds(const struct arming *of,
                            const struct xen_vm_ring_event *event)
{
    (void)of;
    (void)event;
    return false;
}

bool subscription_delivers_async(const struct arming *of,
                                 const struct xen_vm_ring_event *event)
{
    (void)of;
    (void)event;
    return false;
}

void target_look(struct target *of)
{
    (void)of;
}

void target_read_watch(struct target *of)
{
    (void)of;
}

void ring_detach(struct ring *of)
{
    (void)of;
}

int ring_disable(struct ring *of)
{
    (void)of;
    return 0;
}

void ring_note_fullness(struct ring *of)
{
    (void)of;
}

int vmring_producer_post(struct vmring_producer *producer,
                         const struct xen_vm_ring_event *event, uint64_t cookie)
{
    (void)producer;
    (void)event;
    (void)cookie;
    return 0;
}

int vmring_producer_push(struct vmring_producer *producer, unsigned int lane,
                         const struct xen_vm_ring_event *event)
{
    (void)producer;
    (void)lane;
    (void)event;
    return 0;
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
    (void)xce;
    (void)port;
    return 0;
}

/* Xen takes the last response, as vm_event_resume() does. */
static void take_response(void)
{
    const vm_event_response_t *rsp =
        &shared->ring[(shared->rsp_prod - 1) & 7].rsp;

    if (rsp->flags & VM_EVENT_FLAG_TOGGLE_SINGLESTEP)
        steps[rsp->vcpu_id] = !steps[rsp->vcpu_id];
    if (rsp->flags & VM_EVENT_FLAG_FAST_SINGLESTEP)
        steps[rsp->vcpu_id] = true;
}

/* A vCPU raises it, and gets a verdict with these flags. */
static void verdict(unsigned int reason, unsigned int vcpu, uint32_t flags)
{
    struct vmring_verdict verdict = {
        .event = {.flags = XEN_VM_RING_FLAG_VCPU_PAUSED,
                  .reason = (uint16_t)reason,
                  .vcpu = (uint16_t)vcpu},
        .response = {.flags = flags, .reason = (uint16_t)reason},
    };
    vm_event_request_t request;

    shared->ring[shared->req_prod & 7].req.vcpu_id = vcpu;
    shared->req_prod++;
    CHECK_EQ(legacy_ring_take(&monitor.ring.legacy, &request), 1);
    entries_verdict(&monitor, &verdict);
    entries_flush(&monitor);
    take_response();
}

static void start(void)
{
    static uint64_t times[4];
    static bool passed[2];

    memset(steps, 0, sizeof(steps));
    monitor = (struct monitor){
        .target = {.nr_vcpus = 2, .arch = XEN_VM_RING_ARCH_X86},
        .ring = {.page = page},
        .arming = &arming,
        .quiesce = {.target = &monitor.target,
                    .state = QUIESCE_BUSY,
                    .harmless = times,
                    .started = times + 2,
                    .passed = passed},
    };
    legacy_ring_init(&monitor.ring.legacy, page);
}

static void settle(void)
{
    for (int i = 0; i < 3; i++)
        end_settle(&monitor);
    CHECK_EQ(monitor.quiesce.state, QUIESCE_QUIET);
}

#define TOGGLE XEN_VM_RING_FLAG_TOGGLE_SINGLESTEP

int main(void)
{
    /* The neutral verdict is off, even if it is off already. */
    start();
    verdict(XEN_VM_RING_REASON_MEM_ACCESS, 0, TOGGLE);
    CHECK(steps[0]);
    verdict(XEN_VM_RING_REASON_SINGLESTEP, 0, 0);
    CHECK(!steps[0]);
    verdict(XEN_VM_RING_REASON_SINGLESTEP, 0, 0);
    CHECK(!steps[0]);

    /* Where there is no other way it toggles. */
    has_no_trap_flag = true;
    verdict(XEN_VM_RING_REASON_MEM_ACCESS, 1, TOGGLE);
    verdict(XEN_VM_RING_REASON_SINGLESTEP, 1, 0);
    CHECK(!steps[1]);
    has_no_trap_flag = false;

    /* The last verdict switches it on: it is off before all is quiet. */
    start();
    verdict(XEN_VM_RING_REASON_MEM_ACCESS, 1,
            TOGGLE | XEN_VM_RING_FLAG_ALTERNATE_P2M);
    CHECK(steps[1]);
    CHECK_EQ(views, 0);
    settle();
    CHECK(!steps[1]);
    CHECK_EQ(views, 1);

    /* And again, when it is disturbed again. */
    verdict(XEN_VM_RING_REASON_MEM_ACCESS, 0, XEN_VM_RING_FLAG_FAST_SINGLESTEP);
    CHECK(steps[0]);
    settle();
    CHECK(!steps[0]);
    CHECK_EQ(views, 2);
    return 0;
}
