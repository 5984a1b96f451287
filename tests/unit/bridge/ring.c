/* SPDX-License-Identifier: MIT */
/* Description: the legacy ring is taken from and answered in any order, past
 * the wrap of its indices; each request is owed one response; vCPUs that wait
 * for one of a ring that is gone get theirs unasked. */
#include "bridge/monitor/legacy_ring.h"
#include "check.h"

static _Alignas(4096) unsigned char page[LEGACY_RING_PAGE];
static vm_event_sring_t *const shared = (void *)page;
static struct legacy_ring ring;

/* Xen's end. */
static void put(unsigned int nr, uint32_t *next)
{
    while (nr--) {
        shared->ring[shared->req_prod & 7].req.vcpu_id = (*next)++;
        shared->req_prod++;
    }
}

static void take_and_answer(unsigned int nr, uint32_t *expected)
{
    vm_event_request_t request;
    vm_event_response_t response = {0};

    while (nr--) {
        CHECK_EQ(legacy_ring_take(&ring, &request), 1);
        CHECK_EQ(request.vcpu_id, (*expected)++);
        response.vcpu_id = request.vcpu_id;
        legacy_ring_answer(&ring, &response);
    }
}

static void release(void)
{
    const vm_event_response_t *rsp;

    legacy_ring_init(&ring, page);
    for (uint32_t vcpu = 20; vcpu < 28; vcpu++)
        legacy_ring_release(&ring, vcpu);
    CHECK_EQ(shared->rsp_prod, 0);
    CHECK_EQ(legacy_ring_publish(&ring), 1);
    CHECK_EQ(shared->rsp_prod, 8);
    for (uint32_t i = 0; i < 8; i++) {
        rsp = &shared->ring[i].rsp;
        CHECK_EQ(rsp->vcpu_id, 20 + i);
        CHECK_EQ(rsp->version, VM_EVENT_INTERFACE_VERSION);
        CHECK_EQ(rsp->flags, VM_EVENT_FLAG_VCPU_PAUSED);
        CHECK_EQ(rsp->reason, 0);
    }
}

int main(void)
{
    vm_event_request_t request;
    uint32_t put_so_far = 0, taken = 0, answered = 0;

    memset(page, 0xc2, sizeof(page)); /* as Xen's debug builds scrub */
    legacy_ring_init(&ring, page);
    CHECK_EQ(shared->req_prod, 0);
    CHECK_EQ(shared->rsp_prod, 0);
    CHECK_EQ(legacy_ring_take(&ring, &request), 0);
    CHECK_EQ(legacy_ring_publish(&ring), 0);

    /* Near the wrap of 32 bits. */
    shared->req_prod = shared->rsp_prod = UINT32_MAX - 3;
    ring.taken = ring.answered = ring.published = UINT32_MAX - 3;
    for (int i = 0; i < 3; i++) {
        put(8, &put_so_far);
        CHECK_EQ(legacy_ring_unanswered(&ring), 8);
        take_and_answer(8, &taken);
        CHECK_EQ(legacy_ring_take(&ring, &request), 0);
        CHECK_EQ(legacy_ring_unanswered(&ring), 0);
        CHECK_EQ(legacy_ring_publish(&ring), 1);
        CHECK_EQ(shared->rsp_prod, ring.answered);
        CHECK_EQ(legacy_ring_publish(&ring), 0);
        for (uint32_t k = 0; k < 8; k++)
            CHECK_EQ(shared->ring[(shared->rsp_prod - 8 + k) & 7].rsp.vcpu_id,
                     answered++);
    }
    CHECK_EQ(ring.broken, 0);
    release();
    return 0;
}
