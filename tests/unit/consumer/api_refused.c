/* SPDX-License-Identifier: MIT */
/*
 * Description: arguments that make no sense are refused, each by the error
 * that vmring.h says, and nothing has happened.
 */
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static struct pair pair;

#define REFUSED(field, value)                                                  \
    do {                                                                       \
        struct vmring_producer_opts changed = pair_opts();                     \
        struct vmring_producer *none;                                          \
                                                                               \
        changed.field = (value);                                               \
        CHECK_EQ(vmring_producer_open(&changed, &none), -EINVAL);              \
    } while (0)

static void producers(void)
{
    REFUSED(nr_vcpus, 0);
    REFUSED(nr_vcpus, XEN_VM_RING_MAX_VCPUS + 1);
    REFUSED(arch, 0);
    REFUSED(arch, 77);
    REFUSED(verdicts, 1U << 31);
    REFUSED(on_deadline, VMRING_DEADLINE_PAUSE + 1);
    REFUSED(source, XEN_VM_RING_SOURCE_SIMULATED + 1);
    REFUSED(max_async_len, XEN_VM_RING_MAX_ASYNC + 1ULL);
}

static void events(void)
{
    struct xen_vm_ring_event event = pair_event(XEN_VM_RING_REASON_CPUID, 2);

    CHECK_EQ(vmring_producer_post(pair.producer, &event, 0), -EINVAL);
    CHECK_EQ(vmring_producer_push(pair.producer, 2, &event), -EINVAL);
    event.vcpu = 1;
    event.reason = XEN_VM_RING_NR_REASONS;
    CHECK_EQ(vmring_producer_post(pair.producer, &event, 0), -EINVAL);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &event), -EINVAL);
    event.reason = XEN_VM_RING_REASON_CPUID;
    event.length = XEN_VM_RING_EVENT_HEAD + 8;
    CHECK_EQ(vmring_producer_post(pair.producer, &event, 0), -EINVAL);
    CHECK_EQ(vmring_producer_push(pair.producer, 1, &event), -EINVAL);
    CHECK_EQ(vmring_producer_pending(pair.producer), 0);
}

/* What is answered, and by what: the right ones, with one thing changed. */
struct attempt {
    struct vmring_event event;
    struct xen_vm_ring_response response;
};

static void as_a_record(struct attempt *attempt)
{
    attempt->event.seq++;
}

static void of_no_vcpu(struct attempt *attempt)
{
    attempt->event.rec.vcpu = 2;
}

static void of_another_reason(struct attempt *attempt)
{
    attempt->response.reason = XEN_VM_RING_REASON_MOV_TO_MSR;
}

static void reserved(struct attempt *attempt)
{
    attempt->response.reserved[0] = 1;
}

static void senseless(struct attempt *attempt)
{
    attempt->response.flags = XEN_VM_RING_FLAG_DENY; /* of a CPUID */
}

static void not_granted(struct attempt *attempt)
{
    attempt->response.flags = XEN_VM_RING_FLAG_SET_REGISTERS;
}

static void never_posted(struct attempt *attempt)
{
    attempt->event.seq += 2;
}

static const struct {
    const char *row;
    void (*change)(struct attempt *attempt);
    int err;
} attempts[] = {
    {"as if it were a record", as_a_record, -EINVAL},
    {"of no vCPU", of_no_vcpu, -EINVAL},
    {"of another reason", of_another_reason, -EINVAL},
    {"a reserved word", reserved, -EINVAL},
    {"a verdict on what cannot have it", senseless, -EINVAL},
    {"a verdict that was not negotiated", not_granted, -EPERM},
    {"never posted", never_posted, -ESTALE},
};

static void responses(void)
{
    struct xen_vm_ring_event raised = pair_event(XEN_VM_RING_REASON_CPUID, 1);
    struct vmring_verdict verdict;
    struct attempt right;

    CHECK_EQ(vmring_producer_post(pair.producer, &raised, 5), 0);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &right.event), 1);
    vmring_neutral(&right.event, &right.response);

    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        struct attempt wrong = right;

        CHECK_ROW(attempts[i].row);
        attempts[i].change(&wrong);
        CHECK_EQ(vmring_respond(pair.ring, &wrong.event, &wrong.response),
                 attempts[i].err);
    }
    CHECK_ROW(NULL);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 0);

    CHECK_EQ(vmring_respond(pair.ring, &right.event, &right.response), 0);
    /* One answer for each: the producer may be at it. */
    CHECK_EQ(vmring_respond(pair.ring, &right.event, &right.response),
             -EALREADY);
    vmring_flush(pair.ring);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 1);
    CHECK_EQ(verdict.cookie, 5);
    CHECK_EQ(verdict.by, VMRING_BY_CONSUMER);
    CHECK_EQ(vmring_respond(pair.ring, &right.event, &right.response),
             -EALREADY);
}

static void serving(void)
{
    char path[160] = "local:";

    CHECK_EQ(vmring_producer_serve(pair.producer, "fd:3", 0), -EINVAL);
    CHECK_EQ(vmring_producer_serve(pair.producer, "nowhere:3", 0), -EINVAL);
    CHECK_EQ(vmring_producer_serve(pair.producer, "local:", 0), -EINVAL);
    CHECK_EQ(vmring_producer_serve(pair.producer, "local:/tmp/x", 01777),
             -EINVAL);
    memset(path + 6, 'x', sizeof(path) - 7);
    CHECK_EQ(vmring_producer_serve(pair.producer, path, 0), -ENAMETOOLONG);
    CHECK_EQ(vmring_producer_serve(pair.producer, "local:/no/such/folder", 0),
             -ENOENT);
    snprintf(path, sizeof(path), "local:/tmp/vmring-test-%d.sock",
             (int)getpid());
    CHECK_EQ(vmring_producer_serve(pair.producer, path, 0640), 0);
    CHECK_EQ(vmring_producer_serve(pair.producer, path, 0640), -EINVAL);
}

static void opens(const char *uri, const struct vmring_opts *opts, int err)
{
    struct vmring *ring;

    CHECK_EQ(vmring_open(uri, opts, &ring), err);
}

static const struct {
    const char *uri;
    int err;
} no_endpoints[] = {
    {"local:", -EINVAL},  {"fd:", -EINVAL},         {"fd:stdin", -EINVAL},
    {"fd:-1", -EINVAL},   {"fd:1023x", -EINVAL},    {"fd:99999999999", -EINVAL},
    {"fd:1000", -EINVAL},
#ifdef VMRING_GRANT
    {"grant:0", -EINVAL},
#else
    {"grant:0/5", -EOPNOTSUPP},
#endif
    {"", -EINVAL},        {"sim:vcpus=0", -EINVAL},
};

static void endpoints(void)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = -1};
    char uri[32];
    int fd;

    for (size_t i = 0; i < sizeof(no_endpoints) / sizeof(*no_endpoints); i++) {
        CHECK_ROW(no_endpoints[i].uri);
        opens(no_endpoints[i].uri, NULL, no_endpoints[i].err);
    }
    CHECK_ROW(NULL);
    opens("local:/tmp/x", &opts, -EINVAL);
    opens("nowhere:/tmp/x", &opts, -EINVAL);
    opens("fd:none", &opts, -EINVAL);
    opts.error = uri; /* and no room in it */
    opens("local:", &opts, -EINVAL);
    opts.timeout_ms = 0;
    opens("local:", &opts, -EINVAL);
    /* No socket at all. */
    fd = open("/dev/null", O_RDWR);
    snprintf(uri, sizeof(uri), "fd:%d", fd);
    opens(uri, NULL, -EINVAL);
    CHECK(fcntl(fd, F_GETFD) < 0);
    CHECK_EQ(errno, EBADF);
    vmring_close(NULL);
    vmring_producer_close(NULL, NULL, NULL);
}

int main(void)
{
    struct vmring_producer_opts opts = pair_opts();
    struct vmring_opts ours = {.size = sizeof(ours),
                               .verdicts = XEN_VM_RING_VERDICT_DENY};

    producers();
    pair_make(&pair, &opts);
    pair_attach(&pair, &ours);
    events();
    responses();
    pair_end(&pair);
    pair_make(&pair, &opts);
    serving();
    pair_end(&pair);
    endpoints();
    return 0;
}
