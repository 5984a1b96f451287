/* SPDX-License-Identifier: MIT */
/*
 * Description: the process that calls Xen for a consumer does what it is asked,
 * says why it cannot, takes nothing that Xen says for granted, and destroys no
 * ring but its own, nor one that is a successor's to have.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xenctrl.h>

#include "base/cpu.h"
#include "check.h"
#include "fake_native.h"
#include "transport/xen/messages.h"
#include "transport/xen/xen.h"
#include "vmring.h"

#define HUNG_UP     (-1)
#define PATIENCE_MS 10000

static int ours, theirs;
static pthread_t thread;
static struct xen_message message;

static void *serve(void *ctx)
{
    (void)ctx;
    xen_keeper(7, theirs);
    close(theirs);
    return NULL;
}

static void begin(void)
{
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    ours = ends[0];
    theirs = ends[1];
    CHECK_EQ(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void end(void)
{
    if (ours >= 0)
        close(ours);
    pthread_join(thread, NULL);
    CHECK_EQ(fake_native->handles, 0);
}

static void ask(uint32_t type, const void *body, size_t len)
{
    message.header.type = type;
    message.header.length = (uint32_t)(sizeof(message.header) + len);
    if (len)
        memcpy(&message.body, body, len);
    CHECK_EQ(send(ours, &message, message.header.length, MSG_NOSIGNAL),
             message.header.length);
}

/* The type of the answer, or HUNG_UP. */
static int answer(void)
{
    struct pollfd pfd = {.fd = ours, .events = POLLIN};
    ssize_t len;

    CHECK_EQ(poll(&pfd, 1, PATIENCE_MS), 1);
    len = recv(ours, &message, sizeof(message), 0);
    if (len <= 0)
        return HUNG_UP;
    CHECK_EQ(message.header.length, len);
    return (int)message.header.type;
}

static void propose(uint32_t verdicts)
{
    struct xen_vm_ring_propose propose = {
        .magic = XEN_VM_RING_MAGIC, .nr_groups = 2, .verdicts = verdicts};

    ask(VMRING_LOCAL_PROPOSE, &propose, sizeof(propose));
    CHECK_EQ(answer(), VMRING_LOCAL_ACCEPT);
}

static void attach(uint32_t verdicts)
{
    begin();
    propose(verdicts);
    CHECK_EQ(message.body.accept.error, 0);
}

static void it_attaches(void)
{
    fake_native_begin();
    fake_native->ports[1] = 9;
    attach(0);
    CHECK_EQ(message.body.accept.resource, FAKE_RESOURCE);
    CHECK_EQ(message.body.accept.ports[1], 9);
    CHECK(!strcmp(message.body.accept.wire.target, "d7"));
    /* Once. */
    propose(0);
    CHECK_EQ(message.body.accept.error, -EINVAL);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_ATTACH], 1);
    ask(VMRING_LOCAL_DRAINED, NULL, 0);
    ask(VMRING_LOCAL_DETACH, NULL, 0);
    CHECK_EQ(answer(), HUNG_UP);
    end();
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DRAINED], 1);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DISARM], 1);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], 1);
}

static void who_is_gone_leaves_it(void)
{
    fake_native_begin();
    attach(0);
    end();
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], 0);
}

/* What it has made is undone; what it has taken over is left. */
static void abandoned(void)
{
    for (unsigned int nr_prev = 0; nr_prev < 2; nr_prev++) {
        fake_native_begin();
        fake_native->nr_prev = nr_prev;
        attach(0);
        ask(XEN_KEEPER_ABANDON, NULL, 0);
        CHECK_EQ(answer(), HUNG_UP);
        end();
        CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], !nr_prev);
    }
}

/* As of a consumer that attaches only to be told what there is. */
static void what_nobody_has_read_is_left(void)
{
    for (unsigned int nr_prev = 0; nr_prev < 2; nr_prev++)
        for (unsigned int drained = 0; drained < 2; drained++) {
            fake_native_begin();
            fake_native->nr_prev = nr_prev;
            attach(0);
            if (drained)
                ask(VMRING_LOCAL_DRAINED, NULL, 0);
            ask(VMRING_LOCAL_DETACH, NULL, 0);
            CHECK_EQ(answer(), HUNG_UP);
            end();
            CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DISARM], 1);
            CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DETACH],
                     nr_prev && !drained);
            CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY],
                     !nr_prev || drained);
        }
}

/* It hangs up while Xen is at `op`, and the reply goes to nobody. */
static void hang_up_amid(uint32_t op, uint32_t last)
{
    while (!fake_native_ops(op))
        (void)poll(NULL, 0, 1);
    if (last)
        ask(last, NULL, 0);
    close(ours);
    ours = -1;
    fake_native_hold(0);
    end();
}

static void a_reply_to_nobody(void)
{
    static const struct xen_vm_ring_propose propose = {.nr_groups = 2};
    static const struct vmring_local_count from;

    fake_native_begin();
    fake_native_hold(XEN_VM_RING_OP_ATTACH);
    begin();
    ask(VMRING_LOCAL_PROPOSE, &propose, sizeof(propose));
    hang_up_amid(XEN_VM_RING_OP_ATTACH, 0);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], 1);
    for (int detaches = 0; detaches < 2; detaches++) {
        fake_native_begin();
        attach(0);
        fake_native_hold(XEN_VM_RING_OP_COUNT);
        ask(VMRING_LOCAL_COUNT, &from, sizeof(from));
        hang_up_amid(XEN_VM_RING_OP_COUNT, detaches ? VMRING_LOCAL_DETACH : 0);
        CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], detaches);
    }
}

static void an_answer_that_is_left_unread(void)
{
    static const struct xen_vm_ring_propose propose = {.nr_groups = 2};
    struct pollfd pfd = {.events = POLLIN};

    for (unsigned int nr_prev = 0; nr_prev < 2; nr_prev++) {
        fake_native_begin();
        fake_native->nr_prev = nr_prev;
        begin();
        ask(VMRING_LOCAL_PROPOSE, &propose, sizeof(propose));
        pfd.fd = ours;
        CHECK_EQ(poll(&pfd, 1, PATIENCE_MS), 1);
        end();
        CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], !nr_prev);
    }
}

static void not_ours_is_left_alone(void)
{
    fake_native_begin();
    fake_native->result = XEN_VM_RING_REFUSED_BUSY;
    attach(0);
    CHECK_EQ(message.body.accept.wire.body.result, XEN_VM_RING_REFUSED_BUSY);
    ask(VMRING_LOCAL_DETACH, NULL, 0);
    CHECK_EQ(answer(), HUNG_UP);
    end();
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DISARM], 0);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], 0);
}

static void why_not_in_words(void)
{
    static const struct {
        int err, told;
        const char *words;
    } rows[] = {
        {-ENOSYS, -ENOSYS, "vmring-bridge"},
        {-EOPNOTSUPP, -EOPNOTSUPP, "vmring-bridge"},
        {-EACCES, -ENOSYS, "another version"},
        {-ESRCH, -ENXIO, "no such domain"},
        {-EADDRINUSE, -EADDRINUSE, "legacy monitor"},
        {-EBUSY, -EBUSY, "another consumer"},
        {-ENOSPC, -ENOSPC, "no event channel"},
        {-ENODEV, -ENODEV, "no HVM or PVH"},
        {-EPERM, -EPERM, "no right"},
        {-EFAULT, -EFAULT, "Bad address"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_ROW(rows[i].words);
        fake_native_begin();
        fake_native->op_errno[XEN_VM_RING_OP_ATTACH] = rows[i].err;
        begin();
        propose(0);
        CHECK_EQ(message.body.accept.error, rows[i].told);
        CHECK(strstr(message.body.accept.text, rows[i].words));
        end();
    }
    CHECK_ROW(NULL);
    fake_native_begin();
    fake_native->open_errno = EACCES;
    begin();
    propose(0);
    CHECK_EQ(message.body.accept.error, -EACCES);
    CHECK(strstr(message.body.accept.text, "no hypercalls"));
    end();
}

static int ask_counts(uint32_t from)
{
    struct vmring_local_count count = {.from = from};

    ask(VMRING_LOCAL_COUNT, &count, sizeof(count));
    return answer();
}

static void counts(void)
{
    const struct vmring_local_counts *out = &message.body.counts;

    fake_native_begin();
    fake_native->rows = 600;
    attach(0);
    CHECK_EQ(ask_counts(0), VMRING_LOCAL_COUNTS);
    CHECK_EQ(out->nr, 512);
    CHECK_EQ(out->next, 512);
    CHECK_EQ(out->rows[511].vcpu, 511);
    CHECK_EQ(ask_counts(512), VMRING_LOCAL_COUNTS);
    CHECK_EQ(out->nr, 88);
    CHECK_EQ(out->next, VMRING_LOCAL_NO_MORE);
    CHECK_EQ(out->rows[87].vcpu, 599);
    CHECK_EQ(out->rows[87].answered, 2);
    fake_native->rows = 0;
    CHECK_EQ(ask_counts(0), VMRING_LOCAL_COUNTS);
    CHECK_EQ(out->nr, 0);
    /* A ring of somebody else's, a domain that is gone. */
    fake_native->op_errno[XEN_VM_RING_OP_COUNT] = -ENOENT;
    CHECK_EQ(ask_counts(3), VMRING_LOCAL_COUNTS);
    CHECK_EQ(out->next, VMRING_LOCAL_NO_MORE);
    fake_native->op_errno[XEN_VM_RING_OP_COUNT] = -ESRCH;
    CHECK_EQ(ask_counts(3), VMRING_LOCAL_COUNTS);
    CHECK_EQ(out->nr, 0);
    CHECK_EQ(out->next, VMRING_LOCAL_NO_MORE);
    end();
}

static void counts_that_cannot_be(void)
{
    fake_native_begin();
    fake_native->counts = FAKE_COUNTS_STAND;
    attach(0);
    CHECK_EQ(ask_counts(0), HUNG_UP);
    end();
    fake_native_begin();
    fake_native->counts = FAKE_COUNTS_OVERRUN;
    attach(0);
    CHECK_EQ(ask_counts(0), HUNG_UP);
    end();
    fake_native_begin();
    fake_native->op_errno[XEN_VM_RING_OP_COUNT] = -EFAULT;
    attach(0);
    CHECK_EQ(ask_counts(0), HUNG_UP);
    end();
}

static void quiet(void)
{
    fake_native_begin();
    fake_native->pending = 3;
    attach(0);
    ask(VMRING_LOCAL_QUIESCE, NULL, 0);
    CHECK_EQ(answer(), VMRING_LOCAL_QUIET);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DISARM], 1);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_QUERY], 4);
    /* Of a domain that is gone nothing comes. */
    fake_native->op_errno[XEN_VM_RING_OP_DISARM] = -ESRCH;
    fake_native->op_errno[XEN_VM_RING_OP_QUERY] = -ESRCH;
    ask(VMRING_LOCAL_QUIESCE, NULL, 0);
    CHECK_EQ(answer(), VMRING_LOCAL_QUIET);
    fake_native->op_errno[XEN_VM_RING_OP_QUERY] = -EFAULT;
    ask(VMRING_LOCAL_QUIESCE, NULL, 0);
    CHECK_EQ(answer(), HUNG_UP);
    end();
    fake_native_begin();
    fake_native->op_errno[XEN_VM_RING_OP_DISARM] = -EFAULT;
    attach(0);
    ask(VMRING_LOCAL_QUIESCE, NULL, 0);
    CHECK_EQ(answer(), HUNG_UP);
    end();
}

static const struct vmring_local_subscribed *subscribe(const char *events)
{
    fake_native->nr_armed = 0;
    ask(VMRING_LOCAL_SUBSCRIBE, events, strlen(events));
    CHECK_EQ(answer(), VMRING_LOCAL_SUBSCRIBED);
    return &message.body.subscribed;
}

/* A Xen that is asked for others does not survive it. */
static void msrs_that_xen_does_not_bear(void)
{
    static const char *const refused[] = {"msr:0x40000000",
                                          "msr:0x40000000-0x40001fff",
                                          "msr:0x1fff-0x2000",
                                          "msr:0xc0001fff-0xc0002000",
                                          "msr:0xbfffffff-0xc0000000",
                                          "msr:0x79"};
    const struct vmring_local_subscribed *got;

    fake_native_begin();
    attach(0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        CHECK_ROW(refused[i]);
        got = subscribe(refused[i]);
        CHECK_EQ(got->results[0], VMRING_LOCAL_UNSUPPORTED);
        CHECK(strstr(got->text, "event 'msr:0x"));
        CHECK_EQ(fake_native->nr_armed, 0);
    }
    CHECK_ROW(NULL);
    /* Those that may be written alone are left out of a range. */
    got = subscribe("msr:0x48-0x4a msr:0xc0000080");
    CHECK_EQ(got->results[0], 0);
    CHECK_EQ(fake_native->nr_armed, 3);
    CHECK_EQ(fake_native->armed[1].index, 0x4a);
    end();
}

static void arming(void)
{
    const struct vmring_local_subscribed *got;

    fake_native_begin();
    attach(0);
    got = subscribe("cpuid cr4:async msr:0x10-0x12 guest_request debug "
                    "breakpoint descriptor");
    CHECK_EQ(got->nr, 7);
    for (uint32_t i = 0; i < got->nr; i++)
        CHECK_EQ(got->results[i], 0);
    CHECK_EQ(fake_native->nr_armed, 9);
    CHECK(fake_native->armed[1].index == 2 && !fake_native->armed[1].sync);
    CHECK_EQ(fake_native->armed[4].index, 0x12);
    CHECK(fake_native->armed[5].sync);
    CHECK_EQ(fake_native->deferred, 0);
    /* Xen would not handle the exit. */
    got = subscribe("cpuid vmexit");
    CHECK_EQ(got->results[1], VMRING_LOCAL_UNSUPPORTED);
    CHECK(strstr(got->text,
                 cpu_is_intel() ? "vmexit:async" : "does not fire on this"));
    CHECK_EQ(fake_native->nr_armed, 0);
    got = subscribe("");
    CHECK_EQ(got->nr, 0);
    CHECK_EQ(fake_native->nr_armed, 0);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DISARM], 3);
    /* Nothing is changed by what cannot be read. */
    got = subscribe("cpuit");
    CHECK(got->text[0]);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DISARM], 3);

    fake_native->enable_errno = -EOPNOTSUPP;
    got = subscribe("cpuid cr0");
    CHECK_EQ(got->results[0], VMRING_LOCAL_FAILED);
    CHECK(strstr(got->text, "cpuid"));
    /* Before, and after. */
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DISARM], 5);
    got = subscribe("msr:1-3");
    CHECK_EQ(got->results[0], VMRING_LOCAL_FAILED);

    fake_native->capabilities = 0;
    fake_native->get_access_errno = -EINVAL;
    got = subscribe("cpuid");
    CHECK_EQ(got->results[0], VMRING_LOCAL_UNSUPPORTED);
    CHECK_EQ(fake_native->nr_armed, 0);
    ask(VMRING_LOCAL_SUPPORTED, NULL, 0);
    CHECK_EQ(answer(), VMRING_LOCAL_SUPPORT);
    CHECK_EQ(message.body.support.kinds, 0);
    fake_native->capabilities = ~0U;
    /* Xen says so of any CPU. */
    got = subscribe("vmexit:async");
    CHECK_EQ(got->results[0], cpu_is_intel() ? 0 : VMRING_LOCAL_UNSUPPORTED);
    ask(VMRING_LOCAL_SUPPORTED, NULL, 0);
    CHECK_EQ(answer(), VMRING_LOCAL_SUPPORT);
    CHECK(message.body.support.kinds);
    end();
}

static void arming_frames(void)
{
    const struct vmring_local_subscribed *got;

    fake_native_begin();
    attach(0);
    /* A bounded number a call, each frame once. */
    got = subscribe("mem:w@0x100-0x1e7");
    CHECK_EQ(got->results[0], 0);
    CHECK_EQ(fake_native->restricts, 4);
    CHECK_EQ(fake_native->restricted, 0xe8);
    CHECK_EQ(fake_native->restrict_first, 0x100);
    CHECK_EQ(fake_native->restrict_last, 0x1e7);
    CHECK_EQ(fake_native->access, XENMEM_access_rx);
    CHECK_EQ(fake_native->walks_off, 1);
    fake_native->restricted = 0;
    got = subscribe("cpuid mem:x@0xfefff:faults");
    CHECK_EQ(got->results[1], 0);
    CHECK_EQ(fake_native->restricted, 1);
    CHECK_EQ(fake_native->access, XENMEM_access_rw);
    CHECK_EQ(fake_native->walks_off, 1);
    CHECK_EQ(fake_native->nr_armed, 1);

    /* Refused amid: it is disarmed, which lifts what was restricted. */
    fake_native->restricted = 0;
    fake_native->restrict_refused = fake_native->restricts + 2;
    fake_native->ops[XEN_VM_RING_OP_DISARM] = 0;
    got = subscribe("mem:r@0-0xff");
    CHECK_EQ(got->results[0], VMRING_LOCAL_FAILED);
    CHECK(strstr(got->text, "mem_access"));
    CHECK_EQ(fake_native->restricted, 64);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DISARM], 2);
    end();
}

/* As EPT has it: a page that can be written can be read. */
static void what_access_is_left(void)
{
    static const struct {
        const char *events;
        unsigned int access;
    } rows[] = {
        {"mem:r@1", XENMEM_access_x},   {"mem:w@1", XENMEM_access_rx},
        {"mem:x@1", XENMEM_access_rw},  {"mem:rw@1", XENMEM_access_x},
        {"mem:rx@1", XENMEM_access_n},  {"mem:wx@1", XENMEM_access_r},
        {"mem:rwx@1", XENMEM_access_n},
    };

    fake_native_begin();
    attach(0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_ROW(rows[i].events);
        fake_native->restricted = 0;
        CHECK_EQ(subscribe(rows[i].events)->results[0], 0);
        CHECK_EQ(fake_native->access, rows[i].access);
    }
    CHECK_ROW(NULL);
    end();
}

static void frames_that_cannot_be_watched(void)
{
    static const struct {
        const char *events, *words;
    } rows[] = {
        {"cpuid mem:w@0xfeffe-0xff000", "'mem:w@0xfeffe-0xff000' goes beyond"},
        {"cpuid mem:wx@1:walks", "leave :walks out"},
        {"cpuid mem:r@0-0xffffffff", "too many pages"},
    };
    const struct vmring_local_subscribed *got;

    fake_native_begin();
    attach(0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_ROW(rows[i].words);
        got = subscribe(rows[i].events);
        CHECK_EQ(got->results[0], 0);
        CHECK_EQ(got->results[1], VMRING_LOCAL_UNSUPPORTED);
        CHECK(strstr(got->text, rows[i].words));
    }
    CHECK_ROW(NULL);
    fake_native->last_frame = UINT32_MAX;
    got = subscribe("mem:r@0-0x7fffff mem:w@0x800000-0x1000000");
    CHECK_EQ(got->results[1], VMRING_LOCAL_FAILED);
    CHECK(strstr(got->text, "16777216 frames together"));
    /* AMD; and a domain that does not say what it has. */
    fake_native->get_access_errno = -EINVAL;
    got = subscribe("mem:r@0");
    CHECK_EQ(got->results[0], VMRING_LOCAL_UNSUPPORTED);
    CHECK(strstr(got->text, "does not fire on this CPU"));
    fake_native->get_access_errno = 0;
    fake_native->frame_errno = -ESRCH;
    got = subscribe("mem:r@0");
    CHECK_EQ(got->results[0], VMRING_LOCAL_UNSUPPORTED);
    CHECK_EQ(fake_native->restricts, 0);
    CHECK_EQ(fake_native->nr_armed, 0);
    end();
}

static void arming_with_the_right_to_deny(void)
{
    const struct vmring_local_subscribed *got;

    fake_native_begin();
    attach(XEN_VM_RING_VERDICT_DENY);
    got = subscribe("cr4:async");
    CHECK_EQ(got->results[0], VMRING_LOCAL_DENIED);
    CHECK_EQ(fake_native->nr_armed, 0);
    got = subscribe("cr4 cpuid");
    CHECK_EQ(got->results[0], 0);
    CHECK_EQ(fake_native->deferred, 1);
    CHECK(fake_native->armed[0].sync);
    fake_native->defer_errno = -ESRCH;
    got = subscribe("cr4 cpuid");
    CHECK_EQ(got->results[0], VMRING_LOCAL_FAILED);
    CHECK_EQ(fake_native->nr_armed, 0);
    end();
}

static void what_is_no_message(void)
{
    static char text[VMRING_LOCAL_MAX];

    fake_native_begin();
    begin();
    ask(VMRING_LOCAL_PROPOSE, text, 8);
    CHECK_EQ(answer(), VMRING_LOCAL_ACCEPT);
    CHECK_EQ(message.body.accept.error, -EINVAL);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_ATTACH], 0);
    end();
    begin();
    ask(0x7fff, NULL, 0);
    CHECK_EQ(answer(), HUNG_UP);
    end();
    begin();
    CHECK_EQ(send(ours, "abc", 3, MSG_NOSIGNAL), 3);
    CHECK_EQ(answer(), HUNG_UP);
    end();
    begin();
    message.header.length = 5000;
    CHECK_EQ(send(ours, &message, 100, MSG_NOSIGNAL), 100);
    CHECK_EQ(answer(), HUNG_UP);
    end();
    memset(text, 'x', sizeof(text));
    begin();
    ask(VMRING_LOCAL_SUBSCRIBE, text, sizeof(text));
    CHECK_EQ(answer(), HUNG_UP);
    end();
}

int main(void)
{
    alarm(60);
    it_attaches();
    who_is_gone_leaves_it();
    abandoned();
    what_nobody_has_read_is_left();
    a_reply_to_nobody();
    an_answer_that_is_left_unread();
    not_ours_is_left_alone();
    why_not_in_words();
    counts();
    counts_that_cannot_be();
    quiet();
    arming();
    msrs_that_xen_does_not_bear();
    arming_frames();
    what_access_is_left();
    frames_that_cannot_be_watched();
    arming_with_the_right_to_deny();
    what_is_no_message();
    return 0;
}
