/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer that has gone before it knew of its ring leaves none
 * behind, whether it gave up or was killed, and the ring of a former consumer
 * where there was one; one that knew of it leaves it to its successor; and what
 * it has said last is done, whatever it has left unread.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenevtchn.h>

#include "base/clock.h"
#include "check.h"
#include "fake_native.h"
#include "fake_xen.h"
#include "transport/grant/limits.h"
#include "transport/xen/messages.h"
#include "transport/xen/xen.h"

#define PATIENCE_MS 10000

static struct link *link_;
static struct link_regions regions;
static xenevtchn_handle *xens; /* the other ends */

static void begin(unsigned int nr_prev)
{
    fake_native_begin();
    fake_native->nr_prev = nr_prev;
    xens = xenevtchn_open(&grant_logger, 0);
    CHECK(xens);
    for (int i = 0; i < 2; i++)
        fake_native->ports[i] = (uint32_t)xenevtchn_bind_unbound_port(xens, 0);
}

static void wait_for(const unsigned int *number, unsigned int value)
{
    for (int64_t end = clock_ms() + PATIENCE_MS; *number != value;) {
        CHECK(clock_ms() < end);
        (void)poll(NULL, 0, 1);
    }
}

static void is_made(void)
{
    wait_for(&fake_native->ops[XEN_VM_RING_OP_ATTACH], 1);
}

/* The keeper has ended, and has disarmed and destroyed so often. */
static void ends_as(unsigned int disarmed, unsigned int destroyed)
{
    fake_native_hold(0);
    is_made();
    wait_for(&fake_native->handles, 0);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], destroyed);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DISARM], disarmed);
    xenevtchn_close(xens);
}

static void ends_with(unsigned int destroyed)
{
    ends_as(destroyed, destroyed);
}

static void propose(void)
{
    const struct connecting how = {.uri = "xen:7"};
    struct xen_vm_ring_propose body = {.magic = XEN_VM_RING_MAGIC,
                                       .nr_groups = 2};

    CHECK_EQ(xen_connect(&how, "7", &link_), 0);
    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_PROPOSE, &body, sizeof(body)),
             0);
}

static void is_answered(void)
{
    struct pollfd pfd = {.fd = link_->ops->fd(link_), .events = POLLIN};

    CHECK_EQ(poll(&pfd, 1, PATIENCE_MS), 1);
}

static void is_known(void)
{
    struct vmring_local_accept accept;

    CHECK_EQ(link_->ops->map(link_, &accept, &regions, PATIENCE_MS), 0);
}

/* How far it comes. */
static const struct {
    const char *name;
    void (*get)(void);
    uint32_t hold;
    bool is_its; /* if it is killed */
} stages[] = {
    {"before the answer", is_made, XEN_VM_RING_OP_ATTACH, false},
    {"the answer unread", is_answered, 0, false},
    {"attached", is_known, 0, true},
};

#define NR_STAGES (sizeof(stages) / sizeof(stages[0]))

static void killed(size_t stage, unsigned int nr_prev)
{
    int status;
    pid_t pid;

    begin(nr_prev);
    fake_native_hold(stages[stage].hold);
    pid = fork();
    if (pid == 0) {
        propose();
        stages[stage].get();
        (void)raise(SIGKILL);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ends_with(!nr_prev && !stages[stage].is_its);
}

/* It is told of no end by which the ring is its own: it never had it. */
static void given_up(size_t stage, unsigned int nr_prev)
{
    begin(nr_prev);
    fake_native_hold(stages[stage].hold);
    propose();
    stages[stage].get();
    region_drop(&regions.p);
    region_drop(&regions.c);
    for (unsigned int i = 0; i < regions.nr_before; i++)
        region_drop(&regions.before[i]);
    regions.nr_before = 0;
    link_close(link_);
    ends_with(!nr_prev);
    CHECK_EQ(fake_native->memories, 0);
    CHECK_EQ(fake_native->mapped, 0);
    fake_xen_check_empty();
}

/* It need not wait for the answer to have it undone when it returns. */
static void the_end_is_waited_for(void)
{
    begin(0);
    propose();
    link_close(link_);
    ends_with(1);
}

/* What cannot be mapped is left to who may come and can. */
static void one_that_is_not_mapped(void)
{
    struct vmring_local_accept accept;

    begin(1);
    fake_native->map_errno = ENOMEM;
    propose();
    CHECK_EQ(link_->ops->map(link_, &accept, &regions, PATIENCE_MS), -ENOMEM);
    link_close(link_);
    ends_with(0);
    fake_xen_check_empty();
}

/* ------------------------------------- what was said last, by hand -- */

static int keeper;

static void say(uint32_t type, size_t len)
{
    static struct xen_message message;

    memset(&message, 0, sizeof(message));
    message.header.type = type;
    message.header.length = (uint32_t)(sizeof(message.header) + len);
    CHECK_EQ(send(keeper, &message, message.header.length, MSG_NOSIGNAL),
             message.header.length);
}

static void is_replied_to(bool read)
{
    static struct xen_message message;
    struct pollfd pfd = {.fd = keeper, .events = POLLIN};

    CHECK_EQ(poll(&pfd, 1, PATIENCE_MS), 1);
    if (read)
        CHECK(recv(keeper, &message, sizeof(message), 0) > 0);
}

static void attach(unsigned int nr_prev, bool read)
{
    begin(nr_prev);
    CHECK_EQ(xen_keeper_start(7, &keeper), 0);
    say(VMRING_LOCAL_PROPOSE, sizeof(struct xen_vm_ring_propose));
    is_replied_to(read);
}

/* While the keeper is at something else. */
static void hang_up_amid(uint32_t op, uint32_t type, size_t len, uint32_t last)
{
    fake_native_hold(op);
    say(type, len);
    wait_for(&fake_native->ops[op], 1);
    if (last)
        say(last, 0);
    close(keeper);
}

static void a_word_behind_what_is_unread(void)
{
    for (unsigned int nr_prev = 0; nr_prev < 2; nr_prev++) {
        attach(nr_prev, false);
        hang_up_amid(XEN_VM_RING_OP_DRAINED, VMRING_LOCAL_DRAINED, 0,
                     VMRING_LOCAL_DETACH);
        ends_with(1);
    }
}

static void a_word_behind_a_reply_to_nobody(void)
{
    for (unsigned int nr_prev = 0; nr_prev < 2; nr_prev++) {
        attach(nr_prev, true);
        hang_up_amid(XEN_VM_RING_OP_COUNT, VMRING_LOCAL_COUNT,
                     sizeof(struct vmring_local_count), VMRING_LOCAL_DETACH);
        /* Nor has it read what was there before. */
        ends_as(1, !nr_prev);
    }
}

/* Unread is here what came after: it knew of its ring. */
static void no_word(void)
{
    attach(0, true);
    hang_up_amid(XEN_VM_RING_OP_COUNT, VMRING_LOCAL_COUNT,
                 sizeof(struct vmring_local_count), 0);
    ends_with(0);
    attach(0, true);
    say(VMRING_LOCAL_SUPPORTED, 0);
    is_replied_to(false);
    close(keeper);
    ends_with(0);
}

/* Detaching ends a ring, unless it has what nobody has read. */
static void detached_at_once(void)
{
    for (unsigned int nr_prev = 0; nr_prev < 2; nr_prev++) {
        attach(nr_prev, true);
        say(VMRING_LOCAL_DETACH, 0);
        wait_for(&fake_native->handles, 0);
        close(keeper);
        ends_as(1, !nr_prev);
    }
}

int main(void)
{
    alarm(120);
    for (unsigned int nr_prev = 0; nr_prev < 2; nr_prev++) {
        for (size_t i = 0; i < NR_STAGES; i++) {
            CHECK_ROW(stages[i].name);
            killed(i, nr_prev);
            given_up(i, nr_prev);
        }
    }
    CHECK_ROW(NULL);
    the_end_is_waited_for();
    one_that_is_not_mapped();
    a_word_behind_what_is_unread();
    a_word_behind_a_reply_to_nobody();
    no_word();
    detached_at_once();
    return 0;
}
