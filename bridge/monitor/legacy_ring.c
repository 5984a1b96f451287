/* SPDX-License-Identifier: MIT */
/* legacy_ring.c: our end of the ring of vm_event.h. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "legacy_ring.h"

#include "../../libvmring/core/atomic.h"

/* The page's geometry, from <xen/io/ring.h>: DEFINE_RING_TYPES. */
static_assert(sizeof(vm_event_request_t) == 400 &&
                  sizeof(vm_event_response_t) == 400,
              "the interface has changed");
static_assert(offsetof(vm_event_sring_t, ring) == 64,
              "the interface has changed");
static_assert(offsetof(vm_event_sring_t, ring) +
                      LEGACY_RING_ENTRIES * sizeof(vm_event_request_t) <=
                  LEGACY_RING_PAGE,
              "eight entries fit into the page");

static union vm_event_sring_entry *entry(struct legacy_ring *ring,
                                         uint32_t index)
{
    return &ring->shared->ring[index & (LEGACY_RING_ENTRIES - 1)];
}

void legacy_ring_init(struct legacy_ring *ring, void *page)
{
    *ring = (struct legacy_ring){.shared = page};
    vmr_store_relaxed32(&ring->shared->req_prod, 0);
    vmr_store_relaxed32(&ring->shared->rsp_prod, 0);
    vmr_store_relaxed32(&ring->shared->req_event, 1);
    vmr_store_relaxed32(&ring->shared->rsp_event, 1);
    vmr_fence_full();
}

/* Pairs with the write barrier of Xen's RING_PUSH_REQUESTS. */
static bool bound_producer(struct legacy_ring *ring, uint32_t *producer)
{
    *producer = vmr_load_acquire32(&ring->shared->req_prod);
    if (ring->broken || *producer - ring->answered > LEGACY_RING_ENTRIES ||
        *producer - ring->taken > LEGACY_RING_ENTRIES)
        ring->broken = true;
    return !ring->broken;
}

uint32_t legacy_ring_unanswered(struct legacy_ring *ring)
{
    uint32_t producer;

    if (!bound_producer(ring, &producer))
        return ring->taken - ring->answered;
    return producer - ring->answered;
}

int legacy_ring_take(struct legacy_ring *ring, vm_event_request_t *request)
{
    uint32_t producer;

    if (!bound_producer(ring, &producer))
        return -EPROTO;
    if (producer == ring->taken)
        return 0;
    vmr_copy_from_shared(request, &entry(ring, ring->taken)->req,
                         sizeof(*request));
    ring->taken++;
    return 1;
}

void legacy_ring_answer(struct legacy_ring *ring,
                        const vm_event_response_t *response)
{
    assert(ring->answered != ring->taken);
    /*
     * Free of an untaken request: Xen puts at most eight ahead of the
     * responses that it has taken, and we answer only what we have taken.
     */
    vmr_copy_to_shared(&entry(ring, ring->answered)->rsp, response,
                       sizeof(*response));
    ring->answered++;
}

void legacy_ring_release(struct legacy_ring *ring, uint32_t vcpu)
{
    vm_event_response_t response = {
        .version = VM_EVENT_INTERFACE_VERSION,
        .flags = VM_EVENT_FLAG_VCPU_PAUSED,
        .vcpu_id = vcpu,
    };

    /* Xen takes responses without counting, as if this had been asked. */
    ring->taken++;
    legacy_ring_answer(ring, &response);
}

bool legacy_ring_publish(struct legacy_ring *ring)
{
    if (ring->published == ring->answered)
        return false;
    ring->published = ring->answered;
    /* Pairs with the read of rsp_prod in vm_event_get_response(). */
    vmr_store_release32(&ring->shared->rsp_prod, ring->published);
    return true;
}
