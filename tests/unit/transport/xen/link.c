/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer's end of a ring that Xen produces, and the process
 * that it starts: it maps, binds and gives up; the process holds nothing of the
 * program, is no child of it, and ends with it; whichever is killed or stopped,
 * the other one waits no longer than it says.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenevtchn.h>

#include "base/clock.h"
#include "fake_native.h"
#include "fake_xen.h"
#include "faults.h"
#include "transport/grant/limits.h"
#include "transport/xen/xen.h"

#define PATIENCE_MS 10000

static char error[256];
static struct link *link_;
static struct link_regions regions;
static struct vmring_local_accept accept_;
static xenevtchn_handle *xens; /* the other ends */

static int connect_to(const char *where)
{
    const struct connecting how = {
        .uri = "xen:7", .error = error, .error_len = sizeof(error)};
    int err = xen_connect(&how, where, &link_);

    if (!err)
        link_->timeout_ms = 200;
    return err;
}

static void begin(void)
{
    fake_native_begin();
    xens = xenevtchn_open(&grant_logger, 0);
    CHECK(xens);
    for (int i = 0; i < 2; i++)
        fake_native->ports[i] = (uint32_t)xenevtchn_bind_unbound_port(xens, 0);
    link_ = NULL;
}

static void is_gone(void)
{
    for (int64_t end = clock_ms() + PATIENCE_MS; fake_native->handles;) {
        CHECK(clock_ms() < end);
        (void)poll(NULL, 0, 1);
    }
}

static void drop(void)
{
    region_drop(&regions.p);
    region_drop(&regions.c);
    for (unsigned int i = 0; i < regions.nr_before; i++)
        region_drop(&regions.before[i]);
    regions.nr_before = 0;
}

static void end(void)
{
    if (link_)
        link_close(link_);
    is_gone();
    xenevtchn_close(xens);
    CHECK_EQ(fake_native->memories, 0);
    CHECK_EQ(fake_native->mapped, 0);
    fake_xen_check_empty();
    /* No child is left, not even one that has ended. */
    CHECK_EQ(waitpid(-1, NULL, 0), -1);
    CHECK_EQ(errno, ECHILD);
}

/* Xen has made one, and the consumer could not have it. */
static void no_ring_stays(void)
{
    link_close(link_);
    link_ = NULL;
    is_gone();
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_ATTACH], 1);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], 1);
}

static int propose_groups(uint32_t groups)
{
    struct xen_vm_ring_propose propose = {.magic = XEN_VM_RING_MAGIC,
                                          .nr_groups = groups};
    int err = link_->ops->send(link_, VMRING_LOCAL_PROPOSE, &propose,
                               sizeof(propose));

    return err ? err : link_->ops->map(link_, &accept_, &regions, PATIENCE_MS);
}

static int propose(void)
{
    return propose_groups(2);
}

static void attach(void)
{
    begin();
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(propose(), 0);
}

static void it_has_all(void)
{
    uint32_t type;
    char body[8];
    struct pollfd pfd;

    begin();
    fake_native->nr_prev = XEN_VM_RING_MAX_PREV;
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(propose(), 0);
    CHECK_EQ(regions.p.len, 8192);
    CHECK_EQ(regions.c.len, 4096);
    CHECK_EQ(regions.nr_before, XEN_VM_RING_MAX_PREV);
    CHECK_EQ(fake_native->mapped, 2 + XEN_VM_RING_MAX_PREV);
    /* Binding has rung. */
    pfd = (struct pollfd){.fd = link_->ops->fd(link_), .events = POLLIN};
    CHECK_EQ(poll(&pfd, 1, 0), 1);
    CHECK_EQ(link_->ops->ack(link_), 2);
    CHECK_EQ(link_->ops->ack(link_), 0);
    CHECK_EQ(poll(&pfd, 1, 0), 0);
    /* Another thread's. */
    CHECK_EQ(link_->ops->bell_apart(link_, 1, true), 0);
    fake_xen_notify_port(fake_native->ports[1]);
    CHECK_EQ(link_->ops->ack(link_), 0);
    pfd.fd = link_->ops->bell_fd(link_, 1);
    CHECK_EQ(poll(&pfd, 1, 0), 1);
    CHECK(link_->ops->bell_ack(link_, 1));
    CHECK_EQ(link_->ops->bell_apart(link_, 1, false), 0);
    link_->ops->kick(link_, 7); /* there is none */
    CHECK_EQ(link_->ops->give_up(link_), 0);
    CHECK(!link_->ops->hung_up(link_));
    /* What is too long, and what is not there. */
    CHECK_EQ(link_->ops->send(link_, 1, body, VMRING_LOCAL_MAX + 1), -EINVAL);
    CHECK_EQ(link_->ops->recv(link_, &type, body, sizeof(body), 0), -EAGAIN);
    CHECK_EQ(link_->ops->recv(link_, &type, body, sizeof(body), 1), -ETIMEDOUT);
    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    CHECK_EQ(link_->ops->recv(link_, &type, body, 1, PATIENCE_MS), -EPROTO);
    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    CHECK_EQ(link_->ops->recv(link_, &type, body, sizeof(body), PATIENCE_MS),
             8);
    CHECK_EQ(type, VMRING_LOCAL_SUPPORT);
    /* It has been done when send() returns. */
    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_DETACH, NULL, 0), 0);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DETACH], 1);
    CHECK(link_->ops->hung_up(link_));
    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_COUNT, NULL, 0), -EPIPE);
    drop();
    end();
}

static void no_domain(void)
{
    static const char *const rows[] = {
        "", "x", "7x", "-1", " 7", "32752", "99999999999999999999"};

    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_ROW(rows[i]);
        CHECK_EQ(connect_to(rows[i]), -EINVAL);
        CHECK(strstr(error, "say xen:DOMID"));
    }
    CHECK_ROW(NULL);
    end();
}

static void what_fails(void)
{
    begin();
    fake_native->open_errno = EACCES;
    CHECK_EQ(connect_to("7"), -EPERM);
    CHECK(strstr(error, "run it as root"));
    end();

    begin();
    fake_native->open_errno = ENOENT;
    CHECK_EQ(connect_to("7"), -ENOENT);
    CHECK(strstr(error, "no Xen here"));
    end();

    begin();
    fake_native->op_errno[XEN_VM_RING_OP_ATTACH] = -ESRCH;
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(propose(), -ENXIO);
    CHECK(strstr(link_->error, "no such domain"));
    end();

    begin();
    fake_native->result = XEN_VM_RING_REFUSED_BUSY;
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(propose(), 0);
    CHECK_EQ(accept_.body.result, XEN_VM_RING_REFUSED_BUSY);
    CHECK_EQ(regions.p.len, 0);
    end();

    begin();
    fake_native->map_errno = ENOMEM;
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(propose(), -ENOMEM);
    drop();
    no_ring_stays();
    end();

    begin();
    fake_native->ports[1] = 200;
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(propose(), -EBUSY);
    CHECK(strstr(link_->error, "has taken its place"));
    no_ring_stays();
    end();

    begin();
    fake_native->groups = XEN_VM_RING_MAX_GROUPS + 1;
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(propose(), -EPROTO);
    no_ring_stays();
    end();

    begin();
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(propose_groups(0), -EPROTO);
    no_ring_stays();
    end();

    begin();
    fake_native->p_len = 1ULL << 50;
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(propose(), -EPROTO);
    drop();
    no_ring_stays();
    end();

    begin();
    fake_native->p_len = 4097;
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(propose(), -EPROTO);
    drop();
    no_ring_stays();
    end();

    attach();
    fake_native->restrict_errno = ENOTTY;
    CHECK_EQ(link_->ops->give_up(link_), -EOPNOTSUPP);
    fake_native->restrict_errno = EACCES;
    CHECK_EQ(link_->ops->give_up(link_), -EACCES);
    fake_native->restrict_errno = 0;
    fake_xen.restrict_errno = EPERM;
    CHECK_EQ(link_->ops->give_up(link_), -EPERM);
    fake_xen.restrict_errno = 0;
    drop();
    end();

    /* Another message than the answer. */
    begin();
    CHECK_EQ(connect_to("7"), 0);
    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_SUPPORTED, NULL, 0), 0);
    CHECK_EQ(link_->ops->map(link_, &accept_, &regions, PATIENCE_MS), -EPROTO);
    end();
}

/* A pipe whose other end is closed here ends here. */
static void nothing_is_held_open(void)
{
    struct pollfd pfd = {.events = POLLIN};
    int ends[2];
    char byte;

    CHECK_EQ(pipe(ends), 0);
    attach();
    close(ends[1]);
    pfd.fd = ends[0];
    CHECK_EQ(poll(&pfd, 1, PATIENCE_MS), 1);
    CHECK_EQ(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    drop();
    end();
}

/* Of /proc/PID/status, behind its name. */
static void status_of(pid_t pid, const char *name, char *value, size_t len)
{
    char path[64], line[256];
    size_t name_len = strlen(name);
    FILE *file;

    *value = '\0';
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    file = fopen(path, "r");
    CHECK(file);
    while (fgets(line, sizeof(line), file))
        if (!strncmp(line, name, name_len) && line[name_len] == ':')
            snprintf(value, len, "%s", line + name_len + 2);
    (void)fclose(file);
}

/* Nothing but what it has open: neither capabilities, nor a way to get some. */
static void it_has_no_privileges(void)
{
    static const char *const capabilities[] = {"CapInh", "CapPrm", "CapEff",
                                               "CapAmb"};
    char value[64], before[64];

    status_of(getpid(), "NoNewPrivs", before, sizeof(before));
    attach();
    for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++) {
        CHECK_ROW(capabilities[i]);
        status_of(fake_native->keeper, capabilities[i], value, sizeof(value));
        CHECK(!strcmp(value, "0000000000000000\n"));
    }
    CHECK_ROW(NULL);
    status_of(fake_native->keeper, "NoNewPrivs", value, sizeof(value));
    CHECK(!strcmp(value, "1\n"));
    /* Ours are as they were. */
    status_of(getpid(), "NoNewPrivs", value, sizeof(value));
    CHECK(!strcmp(value, before));
    drop();
    end();
}

static int *handled; /* in memory that the keeper has, too */

static void handle(int sig)
{
    (void)sig;
    ++*handled;
}

static void signals_are_not_its(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};

    handled = mmap(NULL, sizeof(*handled), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(handled != MAP_FAILED);
    (void)signal(SIGUSR1, handle);
    attach();
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        CHECK_EQ(kill(fake_native->keeper, signals[i]), 0);
    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_DETACH, NULL, 0), 0);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], 1);
    CHECK_EQ(*handled, 0);
    /* Ours are as they were. */
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(*handled, 1);
    drop();
    end();
}

static void a_killed_keeper(void)
{
    struct pollfd pfd = {.events = POLLIN};
    char body[8];
    struct link_regions none;
    uint32_t type;

    attach();
    (void)link_->ops->ack(link_);
    CHECK_EQ(kill(fake_native->keeper, SIGKILL), 0);
    fake_native->handles = 0;
    pfd.fd = link_->ops->fd(link_);
    CHECK_EQ(poll(&pfd, 1, PATIENCE_MS), 1);
    CHECK(link_->ops->hung_up(link_));
    CHECK_EQ(link_->ops->recv(link_, &type, body, sizeof(body), PATIENCE_MS),
             -ECONNRESET);
    CHECK_EQ(link_->ops->map(link_, &accept_, &none, PATIENCE_MS), -ECONNRESET);
    CHECK(strstr(link_->error, "has been killed"));
    drop();
    end();
}

static void a_stopped_keeper(void)
{
    static char body[VMRING_LOCAL_MAX - sizeof(struct vmring_local_header)];
    int64_t start;
    pid_t keeper;
    int err = 0;

    attach();
    keeper = fake_native->keeper;
    CHECK_EQ(kill(keeper, SIGSTOP), 0);
    start = clock_ms();
    for (int i = 0; i < 1000 && !err; i++)
        err = link_->ops->send(link_, VMRING_LOCAL_SUBSCRIBE, body,
                               sizeof(body) - 1);
    CHECK_EQ(err, -EAGAIN);
    CHECK(clock_ms() - start >= 200 && clock_ms() - start < 5000);
    link_->timeout_ms = 0;
    CHECK_EQ(
        link_->ops->send(link_, VMRING_LOCAL_SUBSCRIBE, body, sizeof(body) - 1),
        -EAGAIN);
    drop();
    start = clock_ms();
    link_close(link_);
    link_ = NULL;
    CHECK(clock_ms() - start < 1000);
    CHECK_EQ(kill(keeper, SIGCONT), 0);
    end();
}

static void a_detach_that_is_not_seen(void)
{
    int64_t start;

    attach();
    CHECK_EQ(kill(fake_native->keeper, SIGSTOP), 0);
    start = clock_ms();
    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_DETACH, NULL, 0), 0);
    CHECK(clock_ms() - start >= 1000 && clock_ms() - start < 5000);
    CHECK_EQ(kill(fake_native->keeper, SIGCONT), 0);
    drop();
    end();
}

/* The keeper goes, and the ring stays. */
static void a_killed_consumer(void)
{
    int status;
    pid_t pid;

    begin();
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(connect_to("7"), 0);
        CHECK_EQ(propose(), 0);
        (void)raise(SIGKILL);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    is_gone();
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_ATTACH], 1);
    CHECK_EQ(fake_native->ops[XEN_VM_RING_OP_DESTROY], 0);
    fake_native->memories = fake_native->mapped = 0;
    end();
}

/* A program that wants to know of no child. */
static void children_that_nobody_waits_for(void)
{
    (void)signal(SIGCHLD, SIG_IGN);
    attach();
    drop();
    end();
    (void)signal(SIGCHLD, SIG_DFL);
}

static void close_all(void)
{
    drop();
    link_close(link_);
    link_ = NULL;
}

static int all_of_it(void)
{
    int err = connect_to("7");

    if (err) {
        link_ = NULL;
        return err;
    }
    err = propose();
    if (!err)
        err = link_->ops->bell_apart(link_, 0, true);
    if (err)
        close_all();
    return err;
}

/*
 * How a good end goes is nobody's to know: no call of it fails here.  A keeper
 * whose consumer gave up at once may only be about to begin.
 */
static void settle(void)
{
    if (link_)
        close_all();
    while (waitpid(-1, NULL, 0) > 0)
        ;
    is_gone();
    xenevtchn_close(xens);
    CHECK_EQ(fake_native->mapped, 0);
    CHECK_EQ(fake_native->memories, 0);
}

/* The calls of the consumer, and not those of the process that it starts. */
static void fail_no_more(void)
{
    struct fault fault;

    (void)faults_disarm(&fault);
}

static void calls_that_fail(void)
{
    const struct walk walk = {
        .prepare = begin, .op = all_of_it, .settle = settle};

    fake_native_opened = fail_no_more;
    /* The keepers are this process's to wait for. */
    CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L));
    CHECK(faults_walk(&walk) >= 10);
    CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 0L, 0L, 0L, 0L));
    fake_native_opened = NULL;
}

int main(void)
{
    alarm(120);
    it_has_all();
    no_domain();
    what_fails();
    nothing_is_held_open();
    it_has_no_privileges();
    signals_are_not_its();
    a_killed_keeper();
    a_stopped_keeper();
    a_detach_that_is_not_seen();
    a_killed_consumer();
    children_that_nobody_waits_for();
    calls_that_fail();
    return 0;
}
