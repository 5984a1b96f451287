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

static void responses(void)
{
    struct xen_vm_ring_event raised = pair_event(XEN_VM_RING_REASON_CPUID, 1);
    struct xen_vm_ring_response right, wrong;
    struct vmring_event event, other;
    struct vmring_verdict verdict;

    CHECK_EQ(vmring_producer_post(pair.producer, &raised, 5), 0);
    vmring_producer_flush(pair.producer);
    CHECK_EQ(vmring_next(pair.ring, &event), 1);
    vmring_neutral(&event, &right);

    other = event;
    other.seq++; /* as if it were a record */
    CHECK_EQ(vmring_respond(pair.ring, &other, &right), -EINVAL);
    other = event;
    other.rec.vcpu = 2;
    CHECK_EQ(vmring_respond(pair.ring, &other, &right), -EINVAL);
    wrong = right;
    wrong.reason = XEN_VM_RING_REASON_MOV_TO_MSR;
    CHECK_EQ(vmring_respond(pair.ring, &event, &wrong), -EINVAL);
    wrong = right;
    wrong.reserved[0] = 1;
    CHECK_EQ(vmring_respond(pair.ring, &event, &wrong), -EINVAL);
    wrong = right;
    wrong.flags = XEN_VM_RING_FLAG_DENY; /* a CPUID cannot be denied */
    CHECK_EQ(vmring_respond(pair.ring, &event, &wrong), -EINVAL);
    wrong.flags = XEN_VM_RING_FLAG_SET_REGISTERS; /* not granted */
    CHECK_EQ(vmring_respond(pair.ring, &event, &wrong), -EPERM);
    other = event;
    other.seq += 2; /* never posted */
    CHECK_EQ(vmring_respond(pair.ring, &other, &right), -ESTALE);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 0);

    CHECK_EQ(vmring_respond(pair.ring, &event, &right), 0);
    /* One answer for each: the producer may be at it. */
    CHECK_EQ(vmring_respond(pair.ring, &event, &right), -EALREADY);
    vmring_flush(pair.ring);
    CHECK_EQ(vmring_producer_collect(pair.producer, &verdict), 1);
    CHECK_EQ(verdict.cookie, 5);
    CHECK_EQ(verdict.by, VMRING_BY_CONSUMER);
    CHECK_EQ(vmring_respond(pair.ring, &event, &right), -EALREADY);
}

static void serving(void)
{
    char path[160] = "local:";

    CHECK_EQ(vmring_producer_serve(pair.producer, "fd:3", 0), -EINVAL);
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

static void endpoints(void)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = -1};
    char uri[32];
    int fd;

    opens("local:", NULL, -EINVAL);
    opens("fd:", NULL, -EINVAL);
    opens("fd:stdin", NULL, -EINVAL);
    opens("fd:-1", NULL, -EINVAL);
    opens("fd:1023x", NULL, -EINVAL);
    opens("fd:99999999999", NULL, -EINVAL);
    opens("fd:1000", NULL, -EINVAL);
#ifdef VMRING_GRANT
    opens("grant:0", NULL, -EINVAL);
#else
    opens("grant:0/5", NULL, -EOPNOTSUPP);
#endif
    opens("", NULL, -EINVAL);
    opens("sim:vcpus=0", NULL, -EINVAL);
    opens("local:/tmp/x", &opts, -EINVAL);
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
