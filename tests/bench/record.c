/* SPDX-License-Identifier: MIT */
/* record.c: what everybody carries, also bench_lttng. */
#include "queue.h"

#include <xen/vm_ring.h>

void queue_fill(unsigned char *records, size_t nr, size_t len)
{
    for (size_t i = 0; i < nr; i++) {
        struct xen_vm_ring_event *event = (void *)(records + i * len);

        memset(event, 0x5a, len);
        event->flags = 0;
        event->reason = XEN_VM_RING_REASON_MOV_TO_MSR;
        event->vcpu = 0;
        event->length = (uint16_t)len;
    }
}
