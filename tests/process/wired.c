/* SPDX-License-Identifier: MIT */
#include "wired.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "transport/local/socket.h"

static volatile sig_atomic_t ending;
static bool raises_later;

static void end(int signal)
{
    (void)signal;
    ending = 1;
}

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

struct vmring_producer_opts wired_opts(void)
{
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .target = "wired",
        .nr_vcpus = 4,
        .arch = XEN_VM_RING_ARCH_X86,
        .verdicts = XEN_VM_RING_VERDICT_DENY,
        .max_async_len = 1 << 20,
    };

    return opts;
}

/* Requests of vCPU 1, records of vCPU 2. */
static void raise_for_consumer(struct vmring_producer *producer,
                               unsigned int raise)
{
    struct xen_vm_ring_event event = {.length = XEN_VM_RING_EVENT_HEAD};

    for (unsigned int i = 0; i < raise; i++) {
        event.reason = XEN_VM_RING_REASON_CPUID;
        event.vcpu = 1;
        CHECK_EQ(vmring_producer_post(producer, &event, i), 0);
        event.reason = XEN_VM_RING_REASON_MOV_TO_MSR;
        event.vcpu = 2;
        CHECK(vmring_producer_push(producer, 2, &event) >= 0);
        if (raises_later) {
            event.reason = XEN_VM_RING_REASON_IO_INSTRUCTION;
            event.vcpu = 3;
            CHECK(vmring_producer_push(producer, 3, &event) >= 0);
        }
    }
    vmring_producer_flush(producer);
}

static void serve(const char *path, const struct vmring_producer_opts *opts,
                  unsigned int raise, int ready)
{
    struct vmring_producer_stats stats = {.size = sizeof(stats)};
    struct vmring_producer *producer;
    struct vmring_verdict verdict;
    uint64_t epochs = 0;
    char uri[128];

    signal(SIGTERM, end);
    CHECK_EQ(vmring_producer_open(opts, &producer), 0);
    snprintf(uri, sizeof(uri), "local:%s", path);
    CHECK_EQ(vmring_producer_serve(producer, uri, 0), 0);
    CHECK(write(ready, "", 1) == 1);
    while (!ending) {
        struct pollfd pfd = {vmring_producer_fd(producer), POLLIN, 0};
        int timeout = vmring_producer_timeout(producer);

        (void)poll(&pfd, 1, timeout < 0 || timeout > 20 ? 20 : timeout);
        CHECK_EQ(vmring_producer_dispatch(producer), 0);
        CHECK_EQ(vmring_producer_get_stats(producer, &stats), 0);
        if (vmring_producer_attached(producer) && stats.epochs != epochs) {
            epochs = stats.epochs;
            raise_for_consumer(producer, raise);
        }
        while (vmring_producer_collect(producer, &verdict) == 1)
            ;
    }
    vmring_producer_close(producer, NULL, NULL);
}

pid_t wired_serve(const char *path, const struct vmring_producer_opts *opts,
                  unsigned int raise)
{
    int ready[2];
    char byte;
    pid_t pid;

    CHECK(pipe(ready) == 0);
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        serve(path, opts, raise, ready[1]);
        exit(0);
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    return pid;
}

pid_t wired_serve_later(const char *path,
                        const struct vmring_producer_opts *opts,
                        unsigned int raise)
{
    pid_t pid;

    raises_later = true;
    pid = wired_serve(path, opts, raise);
    raises_later = false;
    return pid;
}

void wired_end(pid_t pid)
{
    int status;

    CHECK_EQ(kill(pid, SIGTERM), 0);
    for (int i = 0; waitpid(pid, &status, WNOHANG) != pid; i++) {
        CHECK(i < 10000);
        pause_ms(1);
    }
    CHECK_EQ(status, 0);
}

void wired_path(char path[96])
{
    strcpy(path, "/tmp/vmring-test-XXXXXX");
    CHECK(mkdtemp(path));
    strcat(path, "/ring");
}

int wired_connect(const char *path)
{
    struct sockaddr_un addr;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    CHECK_EQ(socket_address(path, &addr), 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    return fd;
}

struct vmr_geometry wired_geometry(uint32_t nr_vcpus)
{
    struct vmr_geometry geo = {.minor = XEN_VM_RING_VERSION_MINOR,
                               .epoch = 1,
                               .nr_vcpus = nr_vcpus,
                               .nr_lanes = nr_vcpus,
                               .nr_groups = 1,
                               .record_len = 64,
                               .arch = XEN_VM_RING_ARCH_X86};

    CHECK(vmr_geometry_lay_out(&geo, 65536));
    return geo;
}

struct vmring_local_accept wired_answer(const struct vmr_geometry *geo)
{
    struct vmring_local_accept answer;

    memset(&answer, 0, sizeof(answer));
    answer.body = (struct xen_vm_ring_accept){
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(answer.body),
        .version = XEN_VM_RING_VERSION,
        .async_len = geo->nr_records * geo->nr_lanes * geo->record_len,
        .record_len = geo->record_len,
        .nr_groups = geo->nr_groups,
        .p_len = geo->p_len,
        .c_len = geo->c_len,
        .nr_vcpus = geo->nr_vcpus,
        .arch = geo->arch,
        .epoch = geo->epoch,
    };
    return answer;
}

struct xen_vm_ring_propose wired_propose(void)
{
    struct xen_vm_ring_propose propose = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(propose),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .async_len = 65536,
        .record_len = 64,
        .nr_groups = 1,
    };

    return propose;
}

void wired_listen(struct wired_producer *producer, const char *path)
{
    struct sockaddr_un addr;

    *producer = (struct wired_producer){
        .control = -1, .bells = {-1, -1}, .p = REGION_NONE, .c = REGION_NONE};
    producer->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    CHECK_EQ(socket_address(path, &addr), 0);
    CHECK_EQ(bind(producer->listener, (struct sockaddr *)&addr, sizeof(addr)),
             0);
    CHECK_EQ(listen(producer->listener, 8), 0);
}

void wired_accept(struct wired_producer *producer)
{
    producer->control = accept4(producer->listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(producer->control >= 0);
}

void wired_hand_over(struct wired_producer *producer, uint32_t nr_vcpus)
{
    const struct vmr_geometry geo = wired_geometry(nr_vcpus);
    struct vmring_local_accept answer = wired_answer(&geo);

    CHECK_EQ(region_make(&producer->p, "vmring-p", geo.p_len, 0), 0);
    CHECK_EQ(region_make(&producer->c, "vmring-c", geo.c_len, 0), 0);
    CHECK_EQ(doorbell_make(producer->bells), 0);
    vmr_geometry_publish(&geo, producer->p.at);
    (void)socket_send(
        producer->control, VMRING_LOCAL_ACCEPT, &answer, sizeof(answer),
        (int[]){producer->p.fd, producer->c.fd, producer->bells[1]}, 3);
}

void wired_hang_up(struct wired_producer *producer)
{
    for (int i = 0; i < 2; i++) {
        if (producer->bells[i] >= 0)
            close(producer->bells[i]);
        producer->bells[i] = -1;
    }
    region_drop(&producer->p);
    region_drop(&producer->c);
    close(producer->control);
    producer->control = -1;
}

void wired_unlisten(struct wired_producer *producer, const char *path)
{
    close(producer->listener);
    unlink(path);
}

struct xen_vm_ring_accept wired_ask(int fd,
                                    const struct xen_vm_ring_propose *propose,
                                    int *fds, unsigned int *nr)
{
    int own[VMRING_LOCAL_MAX_FDS];
    unsigned int own_nr = 0;
    struct vmring_local_accept accept;
    uint32_t type;

    CHECK_EQ(socket_send(fd, VMRING_LOCAL_PROPOSE, propose, sizeof(*propose),
                         NULL, 0),
             0);
    CHECK_EQ(socket_wait(fd, 5000), 0);
    CHECK_EQ(socket_recv(fd, &type, &accept, sizeof(accept), fds ? fds : own,
                         VMRING_LOCAL_MAX_FDS, fds ? nr : &own_nr),
             sizeof(accept));
    CHECK_EQ(type, VMRING_LOCAL_ACCEPT);
    for (unsigned int i = 0; i < own_nr; i++)
        close(own[i]);
    return accept.body;
}

void wired_check_alive(const char *path, unsigned int raise)
{
    struct vmring_opts opts = {.size = sizeof(opts), .timeout_ms = 5000};
    struct vmring_event event;
    unsigned int answered = 0, records = 0;
    struct vmring *ring;
    char uri[128];
    int ret;

    snprintf(uri, sizeof(uri), "local:%s", path);
    for (int i = 0; (ret = vmring_open(uri, &opts, &ring)) == -EBUSY; i++) {
        CHECK(i < 2000);
        pause_ms(1);
    }
    CHECK_EQ(ret, 0);
    while ((raise && !answered) || records < raise) {
        struct pollfd pfd = {vmring_fd(ring), POLLIN, 0};
        struct xen_vm_ring_response response;

        ret = vmring_next(ring, &event);
        CHECK(ret >= 0);
        if (ret != VMRING_NEXT_EVENT) {
            CHECK(poll(&pfd, 1, 30000) == 1);
            continue;
        }
        if (!event.seq) {
            records += !event.epoch_mark;
            continue;
        }
        vmring_neutral(&event, &response);
        ret = vmring_respond(ring, &event, &response);
        CHECK(ret == 0 || ret == -ESTALE);
        answered += ret == 0;
    }
    vmring_close(ring);
}
