/* SPDX-License-Identifier: MIT */
/*
 * control_client.c: vmring_open() and what follows, against a server that
 * sends what it likes, with any descriptors, and whose P changes.
 */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vmring_local.h>

#include "core/producer.h"
#include "vmring.h"

#define NR_VCPUS   2
#define NR_BEFORE  2 /* frozen Ps that it may hand out */
#define MAX_OPS    64
#define MAX_GROUPS 2

/* Descriptors that a server can send in the place of another. */
enum thing {
    THING_P,
    THING_C,
    THING_BEFORE,
    THING_UNSEALED = THING_BEFORE + NR_BEFORE,
    THING_EMPTY,
    THING_NULL,
    THING_PIPE,
    THING_EPOLL,
    THING_BELL,
    NR_THINGS = THING_BELL + MAX_GROUPS
};

static struct client {
    struct vmr_geometry geo;
    int things[NR_THINGS];
    unsigned char *p, *c, *before[NR_BEFORE];
    struct vmr_producer tx;
    void *tx_memory;
    int bells[MAX_GROUPS]; /* our ends */
    int control;           /* our end */
    unsigned int nr_before;

    struct vmring *ring;
    struct vmring_event event;
    uint64_t drained, frozen; /* records of the frozen Ps */
    bool broken;              /* -EPROTO was returned */
    bool honest;              /* the server, so far */
} client;

static int make_memory(size_t len, int seals, unsigned char **at)
{
    int fd = memfd_create("thing", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ALWAYS(fd >= 0 && ftruncate(fd, (off_t)len) == 0);
    if (at) {
        *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ALWAYS(*at != MAP_FAILED);
    }
    ALWAYS(!seals || fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
}

/* Once: regions are used again for each input, mapped anew by the client. */
static void make_things(void)
{
    int pipes[2];
    int seals = F_SEAL_SHRINK | F_SEAL_GROW;

    client.geo = (struct vmr_geometry){
        .features = XEN_VM_RING_FEATURES,
        .nr_vcpus = NR_VCPUS,
        .nr_lanes = NR_VCPUS + 1,
        .nr_groups = MAX_GROUPS,
        .verdicts = XEN_VM_RING_VERDICT_DENY,
        .arch = XEN_VM_RING_ARCH_X86,
        .clock = XEN_VM_RING_CLOCK_MONOTONIC,
        .record_len = 64,
        .minor = XEN_VM_RING_VERSION_MINOR,
    };
    ALWAYS(vmr_geometry_lay_out(&client.geo, 4ULL * 64 * (NR_VCPUS + 1)));
    client.tx_memory = malloc(vmr_producer_size(NR_VCPUS, NR_VCPUS + 1));
    ALWAYS(client.tx_memory);
    client.things[THING_P] = make_memory(client.geo.p_len, seals, &client.p);
    client.things[THING_C] = make_memory(client.geo.c_len, seals, &client.c);
    for (int i = 0; i < NR_BEFORE; i++)
        client.things[THING_BEFORE + i] =
            make_memory(client.geo.p_len, seals, &client.before[i]);
    client.things[THING_UNSEALED] = make_memory(client.geo.p_len, 0, NULL);
    client.things[THING_EMPTY] = make_memory(0, seals, NULL);
    client.things[THING_NULL] = open("/dev/null", O_RDWR | O_CLOEXEC);
    ALWAYS(pipe2(pipes, O_CLOEXEC) == 0);
    client.things[THING_PIPE] = pipes[0];
    client.things[THING_EPOLL] = epoll_create1(EPOLL_CLOEXEC);
}

/* A request, or a record; true: a record that was published. */
static bool raise_event(uint8_t arg)
{
    bool published = false;
    struct vmr_request request = {
        .event = {.reason = arg & 4 ? XEN_VM_RING_REASON_CPUID
                                    : XEN_VM_RING_REASON_MOV_TO_MSR,
                  .vcpu = arg % NR_VCPUS,
                  .length = arg & 8 ? XEN_VM_RING_EVENT_FULL
                                    : XEN_VM_RING_EVENT_HEAD},
        .deadline = VMR_NO_DEADLINE,
    };

    if (arg & 16)
        (void)vmr_producer_post(&client.tx, &request);
    else
        published =
            vmr_producer_push(&client.tx, arg % (NR_VCPUS + 1), &request.event);
    (void)vmr_producer_flush(&client.tx);
    return published;
}

/* One epoch after the other in the regions; the last is P's. */
static void make_epochs(struct input *in)
{
    client.nr_before = take8(in) % (NR_BEFORE + 1);
    client.geo.loss_policy = take8(in) & 1;
    vmr_producer_init(&client.tx, client.tx_memory, NR_VCPUS, NR_VCPUS + 1);
    for (unsigned int i = 0; i <= client.nr_before; i++) {
        unsigned char *p = i < client.nr_before ? client.before[i] : client.p;

        client.geo.epoch = i + 1;
        memset(p, 0, client.geo.p_len);
        memset(client.c, 0, client.geo.c_len);
        vmr_producer_freeze(&client.tx);
        vmr_geometry_publish(&client.geo, (void *)p);
        vmr_producer_attach(&client.tx, &client.geo, p, client.c);
        for (uint8_t n = take8(in) % 8; n; n--)
            client.frozen += raise_event(take8(in)) && i < client.nr_before;
    }
}

/* A word of P, C or a frozen P. */
static void write_word(struct input *in)
{
    unsigned char *regions[] = {client.p, client.c, client.before[0],
                                client.before[1]};
    uint8_t where = take8(in), what = take8(in);
    size_t len = (where & 3) == 1 ? client.geo.c_len : client.geo.p_len;
    uint64_t *word = (void *)(regions[where & 3] + take16(in) * 8U % len);

    client.honest = false;
    switch (what & 3) {
    case 0:
        *word = take8(in);
        break;
    case 1:
        *word += what >> 2;
        break;
    case 2:
        *word = take64(in);
        break;
    default:
        *word ^= 1ULL << (what >> 2);
        break;
    }
}

static void send_grant(struct input *in)
{
    struct {
        struct vmring_local_accept accept;
        unsigned char more[16];
    } body = {
        .accept = {.body =
                       {
                           .magic = XEN_VM_RING_MAGIC,
                           .length = sizeof(body.accept.body),
                           .version = XEN_VM_RING_VERSION,
                           .nr_groups = MAX_GROUPS,
                           .nr_vcpus = NR_VCPUS,
                           .features = client.geo.features,
                           .async_len = client.geo.nr_records *
                                        client.geo.nr_lanes *
                                        client.geo.record_len,
                           .record_len = client.geo.record_len,
                           .policy = client.geo.loss_policy,
                           .arch = client.geo.arch,
                           .epoch = client.geo.epoch,
                           .verdicts = client.geo.verdicts,
                           .p_len = client.geo.p_len,
                           .c_len = client.geo.c_len,
                       },
                   .target = "client"},
    };
    uint8_t shape = take8(in);
    unsigned int nr = 0;
    int fds[32];

    client.honest &= shape == 0;
    fds[nr++] = client.things[THING_P];
    fds[nr++] = client.things[THING_C];
    for (unsigned int i = 0; i < client.nr_before; i++) {
        body.accept.body.prev_p_len[i] = client.geo.p_len;
        fds[nr++] = client.things[THING_BEFORE + i];
    }
    for (unsigned int i = 0; i < MAX_GROUPS; i++)
        fds[nr++] = client.things[THING_BELL + i];
    if (shape & 1)
        control_damage(in, &body, sizeof(body));
    if (shape & 2)
        for (uint8_t n = take8(in) % 4; n; n--) {
            uint8_t at = take8(in);

            fds[at % nr] = client.things[take8(in) % NR_THINGS];
        }
    if (shape & 4)
        nr = take8(in) % 32;
    for (unsigned int i = 4; i < nr; i++)
        if (shape & 4)
            fds[i] = client.things[(shape + i) % NR_THINGS];
    (void)control_send(client.control, VMRING_LOCAL_ACCEPT, &body,
                       shape & 8    ? take8(in)
                       : shape & 16 ? sizeof(body)
                                    : sizeof(body.accept),
                       shape & 32 ? (int8_t)take8(in) : 0, fds,
                       shape & 8 || nr > 31 ? 2 : nr);
}

/* An answer, asked for or not. */
static void send_answer(struct input *in)
{
    static union {
        struct vmring_local_subscribed subscribed;
        struct vmring_local_support support;
        struct vmring_local_counts counts;
        unsigned char bytes[VMRING_LOCAL_MAX];
    } body;
    uint8_t what = take8(in);
    size_t len = 0;
    uint32_t type = VMRING_LOCAL_QUIET;

    memset(&body, 0, sizeof(struct vmring_local_subscribed));
    switch (what % 8) {
    case 0:
    case 1:
        type = VMRING_LOCAL_SUBSCRIBED;
        body.subscribed.nr = what >> 5;
        body.subscribed.results[0] = what >> 3 & 3;
        memset(body.subscribed.text, 'x', sizeof(body.subscribed.text));
        len = sizeof(body.subscribed);
        break;
    case 2:
        type = VMRING_LOCAL_SUPPORT;
        body.support.kinds = take64(in);
        len = sizeof(body.support);
        break;
    case 3:
    case 4:
        type = VMRING_LOCAL_COUNTS;
        body.counts.nr = what >> 4;
        body.counts.next = what & 8 ? take8(in) : VMRING_LOCAL_NO_MORE;
        for (uint32_t i = 0; i < body.counts.nr; i++) {
            body.counts.rows[i] =
                (struct vmring_local_row){.vcpu = take8(in) & 3};
            body.counts.rows[i].reason = take8(in) % 20;
            body.counts.rows[i].records = i;
        }
        len = offsetof(struct vmring_local_counts, rows) +
              body.counts.nr * sizeof(body.counts.rows[0]);
        break;
    case 5:
        type = take8(in) % 16;
        len = take8(in);
        break;
    default:
        break;
    }
    if (what % 8 != 5 && (what & 0xc0) == 0xc0 && len)
        control_damage(in, &body, len > 1024 ? 1024 : len);
    (void)control_send(client.control, type, &body, len, what == 0xff ? 4 : 0,
                       NULL, 0);
}

static void check_event(const struct vmring_event *event)
{
    ALWAYS(event->rec.length == XEN_VM_RING_EVENT_HEAD ||
           event->rec.length == XEN_VM_RING_EVENT_FULL);
    if (event->seq) {
        ALWAYS(event->seq & 1);
        ALWAYS(event->rec.vcpu == event->lane && !event->epoch_mark);
    }
    if (!event->epoch_mark)
        return;
    ALWAYS(event->rec.flags & XEN_VM_RING_FLAG_REPOSTED);
    /* A region holds no more records than fit into it. */
    ALWAYS(++client.drained <= NR_BEFORE * client.geo.p_len / 64);
}

static void next(void)
{
    int ret = vmring_next(client.ring, &client.event);

    ALWAYS(!client.broken || ret == -EPROTO);
    client.broken = ret == -EPROTO;
    if (ret == 1)
        check_event(&client.event);
    else
        ALWAYS(ret == 0 || ret == VMRING_NEXT_TARGET || ret == -ENODATA ||
               ret == -ESRCH || ret == -ECONNRESET || ret == -EPROTO);
    /* What consumers before had not read comes first, all of it, once. */
    if (ret <= 0 && ret != -EPROTO && client.honest &&
        client.geo.loss_policy == XEN_VM_RING_POLICY_DISCARD)
        ALWAYS(client.drained == client.frozen);
}

static void respond(uint8_t arg)
{
    struct xen_vm_ring_response response;
    int ret;

    vmring_neutral(&client.event, &response);
    response.flags = arg ? 1U << arg % 18 : 0;
    ret = vmring_respond(client.ring, &client.event, &response);
    ALWAYS(ret == 0 || ret == -EINVAL || ret == -EPERM || ret == -ESTALE ||
           ret == -EALREADY);
    ALWAYS(ret || client.event.seq);
}

static void ask(uint8_t what)
{
    static const char *const texts[] = {"cpuid", "msr:1", "cpuid msr:5", ""};
    struct vmring_count *counts = NULL;
    int results[VMRING_MAX_SPECS];
    char error[128] = "";
    uint64_t kinds;
    int ret;

    switch (what % 4) {
    case 0:
        ret = vmring_subscribe(client.ring, texts[what >> 2 & 3], results,
                               error, sizeof(error));
        ALWAYS(ret >= 0 || error[0]);
        break;
    case 1:
        ret = vmring_supported(client.ring, &kinds);
        break;
    case 2:
        ret = vmring_counts(client.ring, &counts);
        for (int i = 0; i < ret; i++)
            ALWAYS(counts[i].reason < XEN_VM_RING_NR_REASONS);
        free(counts);
        break;
    default:
        ret = vmring_quiesce(client.ring);
        break;
    }
    ALWAYS(ret >= 0 || ret > -4096);
}

static void look(void)
{
    struct vmring_info info = {.size = sizeof(info)};
    struct vmring_stats stats = {.size = sizeof(stats)};
    struct vmring_lane_count *lanes;
    unsigned int reason;
    int nr;

    ALWAYS(vmring_get_info(client.ring, &info) == 0);
    ALWAYS(memchr(info.target, 0, sizeof(info.target)));
    ALWAYS(vmring_get_stats(client.ring, &stats) == 0);
    ALWAYS(vmring_target_state(client.ring, &reason) <=
           XEN_VM_RING_TARGET_DESTROYED);
    nr = vmring_lane_counts(client.ring, &lanes);
    ALWAYS(nr == (int)info.nr_lanes);
    free(lanes);
}

static void read_requests(void)
{
    unsigned char bytes[512];

    while (recv(client.control, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
}

static void step(struct input *in)
{
    uint8_t op = take8(in);

    switch (op % 8) {
    case 0:
        write_word(in);
        break;
    case 1:
        (void)raise_event(take8(in));
        break;
    case 2:
        respond(op >> 3);
        break;
    case 3:
        ask(op >> 3);
        break;
    case 4:
        look();
        break;
    case 5:
        if (op & 8)
            (void)!send(client.bells[op >> 4 & 1], "", 1,
                        MSG_DONTWAIT | MSG_NOSIGNAL);
        else
            shutdown(client.bells[op >> 4 & 1], SHUT_RDWR);
        read_requests();
        vmring_flush(client.ring);
        break;
    default:
        for (int i = op >> 4; i >= 0; i--)
            next();
        break;
    }
}

static void connect_client(struct input *in, int ends[2])
{
    control_pair(ends);
    client.control = ends[0];
    for (int i = 0; i < MAX_GROUPS; i++) {
        int bell[2];

        ALWAYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                          0, bell) == 0);
        client.bells[i] = bell[0];
        client.things[THING_BELL + i] = bell[1];
    }
    send_grant(in);
    for (int i = 0; i < MAX_GROUPS; i++)
        close(client.things[THING_BELL + i]);
    for (uint8_t n = take8(in) % 8; n; n--)
        send_answer(in);
    /* All that it has to say: nobody waits for more in real time. */
    shutdown(client.control, SHUT_WR);
}

void control_client(struct input *in)
{
    struct vmring_opts opts = {
        .size = sizeof(opts),
        .timeout_ms = 1000,
        .verdicts = XEN_VM_RING_VERDICT_DENY,
        .record_len = 64,
        .nr_groups = MAX_GROUPS,
    };
    char uri[32], error[256] = "";
    int ends[2], err;

    if (!client.p)
        make_things();
    client.drained = client.frozen = 0;
    client.broken = false;
    client.honest = true;
    memset(&client.event, 0, sizeof(client.event));
    make_epochs(in);
    opts.loss_policy = client.geo.loss_policy;
    for (uint8_t n = take8(in) % 4; n; n--)
        write_word(in);
    connect_client(in, ends);
    opts.error = error;
    opts.error_len = sizeof(error);
    snprintf(uri, sizeof(uri), "fd:%d", ends[1]);
    err = vmring_open(uri, &opts, &client.ring);
    ALWAYS(!err || !client.honest);
    if (err) {
        ALWAYS(err < 0 && error[0] && memchr(error, 0, sizeof(error)));
    } else {
        for (int i = 0; i < MAX_OPS && !input_is_over(in); i++)
            step(in);
        vmring_close(client.ring);
    }
    close(client.control);
    for (int i = 0; i < MAX_GROUPS; i++)
        close(client.bells[i]);
}
