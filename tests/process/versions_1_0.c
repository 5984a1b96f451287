/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer of version 1.0, written from its header as it was,
 * takes events from today's producer, answers and counts them, and is given
 * no right of a later version; and today's consumer goes on with a producer
 * of 1.0, and learns what that one would accept.
 */
#include "abi/vm_ring-1.0.h" /* first: then it is the only one there is */

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/atomic.h"
#include "core/geometry.h"
#include "transport/local/socket.h"
#include "transport/region.h"
#include "wired.h"

#if XEN_VM_RING_VERSION_MINOR != 0 || XEN_VM_RING_NR_REASONS != 16
#error "this is not the header of 1.0"
#endif

#define RAISED 3

/* Rights that came later have no names here. */
#define LATER_VERDICT (1U << 8)

/* ------------------------------------------------ a consumer of 1.0 -- */

struct old {
    int control, bell;
    unsigned char *p, *c;
    struct xen_vm_ring_header header;
    uint64_t taken, tail;
};

static void *map(int fd, uint64_t len, int prot)
{
    void *at = mmap(NULL, len, prot, MAP_SHARED, fd, 0);

    CHECK(at != MAP_FAILED);
    close(fd);
    return at;
}

/* What 1.0 required of an answer and of the header. */
static void check_ring(const struct old *old,
                       const struct xen_vm_ring_accept *accept)
{
    const struct xen_vm_ring_header *h = &old->header;

    CHECK_EQ(accept->length, 192);
    CHECK_EQ(accept->version, XEN_VM_RING_VERSION);
    CHECK_EQ(accept->allowed_verdicts, XEN_VM_RING_VERDICT_DENY);
    CHECK_EQ(h->magic, XEN_VM_RING_MAGIC);
    CHECK_EQ(h->major, 1);
    CHECK_EQ(h->minor, 0);
    CHECK(h->header_len >= sizeof(*h));
    CHECK_EQ(h->nr_vcpus, 4);
    CHECK_EQ(h->nr_lanes, 5);
    CHECK_EQ(h->features, XEN_VM_RING_FEATURES);
    CHECK_EQ(h->verdicts, XEN_VM_RING_VERDICT_DENY);
}

static struct old attach(const char *path)
{
    struct xen_vm_ring_propose propose = wired_propose();
    struct old old = {.control = wired_connect(path)};
    struct xen_vm_ring_accept accept;
    int fds[VMRING_LOCAL_MAX_FDS];
    unsigned int nr = 0;

    propose.features_wanted = XEN_VM_RING_FEATURES;
    propose.version_min = propose.version_max = XEN_VM_RING_VERSION;
    propose.verdicts = XEN_VM_RING_VERDICT_DENY;
    accept = wired_ask(old.control, &propose, fds, &nr);
    CHECK_EQ(accept.result, XEN_VM_RING_ACCEPTED);
    CHECK_EQ(nr, 3);
    old.p = map(fds[0], accept.p_len, PROT_READ);
    old.c = map(fds[1], accept.c_len, PROT_READ | PROT_WRITE);
    old.bell = fds[2];
    memcpy(&old.header, old.p, sizeof(old.header));
    check_ring(&old, &accept);
    return old;
}

static uint64_t fetch(const void *word)
{
    return vmr_load_acquire(word);
}

/* The request of vCPU 1 that is new, answered with the neutral verdict. */
static bool answer_one(struct old *old)
{
    const struct xen_vm_ring_header *h = &old->header;
    struct xen_vm_ring_event *slot =
        (void *)(old->p + h->request_off + h->slot_len);
    struct xen_vm_ring_response *response =
        (void *)(old->c + h->response_off + h->slot_len);
    uint64_t seq = fetch(&slot->state);

    if (!(seq & 1) || seq == old->taken)
        return false;
    old->taken = seq;
    CHECK_EQ(slot->reason, XEN_VM_RING_REASON_CPUID);
    CHECK_EQ(slot->length, XEN_VM_RING_EVENT_HEAD);
    response->flags = 0;
    response->reason = slot->reason;
    vmr_store_release(&response->seq, seq);
    vmr_fence_full();
    CHECK(vmr_or((void *)(old->c + h->c_group_off + h->answered_off), 1U << 1));
    doorbell_ring(old->bell);
    return true;
}

/* The next record of lane 2. */
static bool pull_one(struct old *old)
{
    const struct xen_vm_ring_header *h = &old->header;
    const struct xen_vm_ring_lane *lane =
        (void *)(old->p + h->lane_off + 2 * sizeof(*lane));
    const struct xen_vm_ring_event *record =
        (void *)(old->p + h->record_off +
                 (2 * h->slots_per_lane + old->tail % h->slots_per_lane) *
                     h->record_len);

    if (fetch(&lane->shown) == old->tail)
        return false;
    CHECK_EQ(fetch(&record->state), 2 * old->tail + 2);
    CHECK_EQ(record->reason, XEN_VM_RING_REASON_MOV_TO_MSR);
    CHECK_EQ(record->length, XEN_VM_RING_EVENT_HEAD);
    old->tail++;
    return true;
}

/* How many answers does the producer have counted? */
static uint64_t count(const struct old *old)
{
    static struct vmring_local_counts counts;
    struct vmring_local_count request = {0};
    uint64_t answered = 0, records = 0;
    uint32_t type;

    CHECK_EQ(socket_send(old->control, VMRING_LOCAL_COUNT, &request,
                         sizeof(request), NULL, 0),
             0);
    CHECK_EQ(socket_wait(old->control, 5000), 0);
    CHECK(socket_recv(old->control, &type, &counts, sizeof(counts), NULL, 0,
                      NULL) > 0);
    CHECK_EQ(type, VMRING_LOCAL_COUNTS);
    CHECK_EQ(counts.next, VMRING_LOCAL_NO_MORE);
    for (uint32_t i = 0; i < counts.nr; i++) {
        CHECK(counts.rows[i].reason < XEN_VM_RING_NR_REASONS);
        answered += counts.rows[i].answered;
        records += counts.rows[i].records;
        /* A reason that came later counts as one that is not known. */
        if (counts.rows[i].vcpu == 3) {
            CHECK_EQ(counts.rows[i].reason, XEN_VM_RING_REASON_UNKNOWN);
            CHECK_EQ(counts.rows[i].records, RAISED);
        }
    }
    CHECK_EQ(records, 2 * RAISED);
    return answered;
}

static void old_consumer(void)
{
    struct vmring_producer_opts opts = wired_opts();
    unsigned int answered = 0, pulled = 0;
    struct old old;
    char path[96];
    pid_t producer;

    opts.foreign = true;
    opts.verdicts |= LATER_VERDICT;
    opts.target_id = 77;
    opts.source = 4;
    wired_path(path);
    producer = wired_serve_later(path, &opts, RAISED);
    old = attach(path);
    for (int i = 0; answered < RAISED || pulled < RAISED; i++) {
        CHECK(i < 20000);
        answered += answer_one(&old);
        pulled += pull_one(&old);
        usleep(500);
    }
    CHECK_EQ(count(&old), RAISED);
    CHECK_EQ(socket_send(old.control, VMRING_LOCAL_DETACH, NULL, 0, NULL, 0),
             0);
    close(old.control);
    wired_end(producer);
    place_drop(path);
}

/* With 1.0 in use a right of 1.1 is none, whoever names it. */
static void later_right(void)
{
    struct xen_vm_ring_propose propose = wired_propose();
    struct vmring_producer_opts opts = wired_opts();
    struct xen_vm_ring_accept accept;
    int fds[VMRING_LOCAL_MAX_FDS], control;
    unsigned int nr = 0;
    char path[96];
    pid_t producer;

    opts.verdicts |= LATER_VERDICT;
    wired_path(path);
    producer = wired_serve(path, &opts, 0);
    propose.version_min = propose.version_max = XEN_VM_RING_VERSION;
    propose.verdicts = LATER_VERDICT;
    control = wired_connect(path);
    accept = wired_ask(control, &propose, fds, &nr);
    CHECK_EQ(accept.result, XEN_VM_RING_REFUSED_VERDICTS);
    CHECK_EQ(accept.allowed_verdicts & LATER_VERDICT, 0);
    close(control);
    /* Who speaks 1.1 has it. */
    propose.version_max = XEN_VM_RING_VERSION + 1;
    control = wired_connect(path);
    accept = wired_ask(control, &propose, fds, &nr);
    CHECK_EQ(accept.result, XEN_VM_RING_ACCEPTED);
    CHECK_EQ(accept.verdicts, LATER_VERDICT);
    close(control);
    wired_end(producer);
    place_drop(path);
}

/* ------------------------------------------------ a producer of 1.0 -- */

/* What 1.0 made of a proposal; what it would accept is in the answer anyway. */
static uint32_t judge(const struct xen_vm_ring_propose *propose)
{
    if (propose->length != sizeof(*propose))
        return XEN_VM_RING_REFUSED_MALFORMED;
    if (propose->version_max < 1 << 16 ||
        propose->version_min > XEN_VM_RING_VERSION)
        return XEN_VM_RING_REFUSED_VERSION;
    if (propose->features_required & ~(uint64_t)XEN_VM_RING_FEATURES)
        return XEN_VM_RING_REFUSED_FEATURE;
    if (propose->verdicts & ~XEN_VM_RING_VERDICT_DENY)
        return XEN_VM_RING_REFUSED_VERDICTS;
    return XEN_VM_RING_ACCEPTED;
}

/* An answer with the limits of 1.0, to what it made of this proposal. */
static struct vmring_local_accept
old_answer(const struct vmr_geometry *geo,
           const struct xen_vm_ring_propose *propose)
{
    return (struct vmring_local_accept){
        .target = "old",
        .body =
            {
                .magic = XEN_VM_RING_MAGIC,
                .length = sizeof(struct xen_vm_ring_accept),
                .result = judge(propose),
                .version = XEN_VM_RING_VERSION,
                .features = geo->features,
                .nr_vcpus = geo->nr_vcpus,
                .arch = geo->arch,
                .max_groups = 2,
                .max_deadline = geo->deadline,
                .allowed_verdicts = XEN_VM_RING_VERDICT_DENY,
            },
    };
}

static void old_producer(int control)
{
    struct vmr_geometry geo = {
        .features = XEN_VM_RING_FEATURE_REGISTERS,
        .epoch = 1,
        .deadline = 1000000000,
        .nr_vcpus = 2,
        .nr_lanes = 2,
        .nr_groups = 1,
        .record_len = 448,
        .arch = XEN_VM_RING_ARCH_X86,
        .clock = XEN_VM_RING_CLOCK_MONOTONIC,
    };
    struct region p = REGION_NONE, c = REGION_NONE;
    struct xen_vm_ring_propose propose;
    struct vmring_local_accept answer;
    int fds[3], bells[2];
    uint32_t type;
    char byte;

    CHECK_EQ(socket_wait(control, 5000), 0);
    CHECK_EQ(
        socket_recv(control, &type, &propose, sizeof(propose), NULL, 0, NULL),
        sizeof(propose));
    CHECK_EQ(type, VMRING_LOCAL_PROPOSE);
    geo.verdicts = propose.verdicts;
    answer = old_answer(&geo, &propose);
    if (answer.body.result) {
        (void)socket_send(control, VMRING_LOCAL_ACCEPT, &answer, sizeof(answer),
                          NULL, 0);
        return;
    }
    CHECK(vmr_geometry_lay_out(&geo, 65536));
    CHECK_EQ(region_make(&p, "p", geo.p_len, 1), 0);
    CHECK_EQ(region_make(&c, "c", geo.c_len, 0), 0);
    vmr_geometry_publish(&geo, p.at);
    CHECK_EQ(doorbell_make(bells), 0);
    answer.body.async_len = geo.nr_records * geo.nr_lanes * geo.record_len;
    answer.body.deadline = geo.deadline;
    answer.body.record_len = geo.record_len;
    answer.body.nr_groups = geo.nr_groups;
    answer.body.verdicts = geo.verdicts;
    answer.body.epoch = geo.epoch;
    answer.body.p_len = geo.p_len;
    answer.body.c_len = geo.c_len;
    fds[0] = p.fd;
    fds[1] = c.fd;
    fds[2] = bells[1];
    (void)socket_send(control, VMRING_LOCAL_ACCEPT, &answer, sizeof(answer),
                      fds, 3);
    /* Until the consumer has gone. */
    while (recv(control, &byte, 1, 0) > 0)
        ;
}

/* fd:N, with a producer of 1.0 behind it. */
static pid_t begin(char uri[32])
{
    int ends[2];
    pid_t pid;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(ends[1]);
        old_producer(ends[0]);
        exit(0);
    }
    close(ends[0]);
    snprintf(uri, 32, "fd:%d", ends[1]);
    return pid;
}

static void end(pid_t pid)
{
    int status;

    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
}

static void new_consumer(void)
{
    char uri[32], error[256] = "";
    struct vmring_opts opts = {.size = sizeof(opts),
                               .timeout_ms = 5000,
                               .verdicts = XEN_VM_RING_VERDICT_DENY,
                               .error = error,
                               .error_len = sizeof(error)};
    struct vmring_limits limits = {.size = sizeof(limits)};
    struct vmring_info info = {.size = sizeof(info)};
    struct vmring_event event;
    struct vmring *ring;
    pid_t pid = begin(uri);

    CHECK_EQ(vmring_open(uri, &opts, &ring), 0);
    CHECK_EQ(vmring_get_info(ring, &info), 0);
    CHECK_EQ(info.version, XEN_VM_RING_VERSION);
    CHECK_EQ(info.allowed_verdicts, XEN_VM_RING_VERDICT_DENY);
    CHECK_EQ(info.target_id, 0); /* not told */
    CHECK_EQ(info.source, 0);
    CHECK_EQ(vmring_next(ring, &event), 0);
    vmring_close(ring);
    end(pid);

    pid = begin(uri);
    CHECK_EQ(vmring_ask(uri, &opts, &limits), 0);
    CHECK_EQ(limits.would, 1); /* not known */
    CHECK_EQ(limits.version, XEN_VM_RING_VERSION);
    CHECK_EQ(limits.verdicts, XEN_VM_RING_VERDICT_DENY);
    CHECK_EQ(limits.max_deadline_ns, 1000000000);
    CHECK_STR(limits.target, "old");
    end(pid);

    /* What it has never heard of it does not accept, and we hear of that. */
    opts.verdicts = LATER_VERDICT;
    pid = begin(uri);
    CHECK_EQ(vmring_open(uri, &opts, &ring), -EPERM);
    end(pid);
}

int main(void)
{
    old_consumer();
    later_right();
    new_consumer();
    return 0;
}
