/* SPDX-License-Identifier: MIT */
/*
 * peer_legacy.c: the status quo, <xen/io/ring.h> over <xen/vm_event.h>.
 *
 * As in Xen 4.17's vm_event.c: a ticket lock around both directions, a
 * request is copied in whole (400 bytes, whatever it says), and its entry is
 * free again when its response has been copied in and out, which a consumer
 * owes for asynchronous requests too.  The notifications, hypercalls there,
 * are left out.
 */
#include <sched.h>
#include <stdlib.h>

#include "queue.h"
#include "tables.h"

#include "core/atomic.h"

#define __XEN_TOOLS__             1
#define xen_mb()                  vmr_fence_full()
#define xen_rmb()                 vmr_fence_acquire()
#define xen_wmb()                 vmr_fence_release()
#define XEN_PAGE                  4096
#define __XEN_INTERFACE_VERSION__ 0x00041100
#include <xen/vm_event.h>

/*
 * Threads that ask draw a number, and wait for it to be called.  Xen's own are
 * not preempted while they hold it; ours, if they share a CPU, let each other
 * go on.
 */
struct ticket_lock {
    uint16_t next, called;
};

static void lock(struct ticket_lock *lock)
{
    uint16_t mine = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&lock->called, __ATOMIC_ACQUIRE) != mine)
        sched_yield();
}

static void unlock(struct ticket_lock *lock)
{
    __atomic_store_n(&lock->called, (uint16_t)(lock->called + 1),
                     __ATOMIC_RELEASE);
}

struct legacy {
    vm_event_sring_t *shared;
    size_t len;
    struct {
        struct ticket_lock lock;
        vm_event_front_ring_t ring;
    } xen __attribute__((__aligned__(128)));
    vm_event_back_ring_t tool __attribute__((__aligned__(128)));
};

static void legacy_end(void *queue)
{
    struct legacy *legacy = queue;

    bench_unmap(legacy->shared, legacy->len);
    bench_unmap(legacy, sizeof(*legacy));
}

static void *legacy_make(struct bench_sample *sample, size_t len)
{
    struct legacy *legacy = bench_map(sizeof(*legacy));

    if (legacy) {
        legacy->len = len;
        legacy->shared = bench_map(len);
    }
    if (!legacy || !legacy->shared) {
        (void)bench_skip(sample, "no memory");
        if (legacy)
            legacy_end(legacy);
        return NULL;
    }
    SHARED_RING_INIT(legacy->shared);
    FRONT_RING_INIT(&legacy->xen.ring, legacy->shared, len);
    BACK_RING_INIT(&legacy->tool, legacy->shared, len);
    return legacy;
}

static void *page_make(const struct queue_plan *plan,
                       struct bench_sample *sample)
{
    (void)plan;
    return legacy_make(sample, XEN_PAGE);
}

static void *large_make(const struct queue_plan *plan,
                        struct bench_sample *sample)
{
    (void)plan;
    return legacy_make(sample, QUEUE_BYTES);
}

/* vm_event_resume(): entries are freed by their responses. */
static void take_responses(vm_event_front_ring_t *ring)
{
    while (RING_HAS_UNCONSUMED_RESPONSES(ring)) {
        vm_event_response_t response;

        RING_COPY_RESPONSE(ring, ring->rsp_cons, &response);
        __asm__ volatile("" : : "r"(&response) : "memory");
        ring->rsp_cons++;
        ring->sring->rsp_event = ring->rsp_cons + 1;
    }
}

/* vm_event_put_request(). */
static bool put(struct legacy *legacy, const vm_event_request_t *request)
{
    vm_event_front_ring_t *ring = &legacy->xen.ring;
    bool room;

    lock(&legacy->xen.lock);
    take_responses(ring);
    room = !RING_FULL(ring);
    if (room) {
        memcpy(RING_GET_REQUEST(ring, ring->req_prod_pvt), request,
               sizeof(*request));
        ring->req_prod_pvt++;
        RING_PUSH_REQUESTS(ring);
    }
    unlock(&legacy->xen.lock);
    return room;
}

static size_t legacy_push(void *queue, uint32_t who,
                          const unsigned char *records, size_t nr, size_t len)
{
    vm_event_request_t request;
    size_t accepted = 0;

    (void)who;
    memset(&request, 0, sizeof(request));
    for (size_t i = 0; i < nr; i++) {
        const unsigned char *record = records + i * len;

        memcpy(&request.u, record + QUEUE_NUMBER_AT, sizeof(uint64_t));
        memcpy(&request.data.regs, record + len - 8, sizeof(uint64_t));
        accepted += put(queue, &request);
    }
    return accepted;
}

static size_t legacy_pull(void *queue, unsigned char *records, size_t nr,
                          size_t len)
{
    struct legacy *legacy = queue;
    vm_event_back_ring_t *ring = &legacy->tool;
    vm_event_response_t response;
    size_t taken = 0;

    memset(&response, 0, sizeof(response));
    while (taken < nr && RING_HAS_UNCONSUMED_REQUESTS(ring)) {
        unsigned char *record = records + taken * len;
        vm_event_request_t request;

        RING_COPY_REQUEST(ring, ring->req_cons, &request);
        ring->req_cons++;
        ring->sring->req_event = ring->req_cons + 1;
        memcpy(record + QUEUE_NUMBER_AT, &request.u, sizeof(uint64_t));
        memcpy(record + len - 8, &request.data.regs, sizeof(uint64_t));
        memcpy(RING_GET_RESPONSE(ring, ring->rsp_prod_pvt), &response,
               sizeof(response));
        ring->rsp_prod_pvt++;
        RING_PUSH_RESPONSES(ring);
        taken++;
    }
    return taken;
}

static const struct queue_ops page_ops = {
    .make = page_make,
    .end = legacy_end,
    .push = legacy_push,
    .pull = legacy_pull,
};
QUEUE_CONTESTANT(page);

static const struct queue_ops large_ops = {
    .make = large_make,
    .end = legacy_end,
    .push = legacy_push,
    .pull = legacy_pull,
};
QUEUE_CONTESTANT(large);

#define PAGE  "vm_event's ring as it is: a page, 8 entries of 400 bytes"
#define LARGE "the same with as many bytes as the others"

static const struct bench_case cases[] = {
    QUEUE_THREADS("legacy ring", PAGE, 0, page),
    QUEUE_THREADS("legacy ring, large", LARGE, 0, large),
    QUEUE_PROCESSES("legacy ring", PAGE, 0, page),
    QUEUE_PRODUCERS("legacy ring", PAGE, 0, page),
    QUEUE_PRODUCERS("legacy ring, large", LARGE, 0, large),
};

const struct bench_table peer_legacy_cases = {cases,
                                              sizeof(cases) / sizeof(cases[0])};
