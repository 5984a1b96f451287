/* SPDX-License-Identifier: MIT */
/*
 * control_server.c: the real server against up to three consumers that send
 * what they like, when they like, and write into the C that they are given.
 */
#include "control.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmring_local.h>

#include "core/geometry.h"
#include "rules.h"
#include "transport/local/socket.h"
#include "vmring.h"

#define NR_PEERS 3
#define NR_VCPUS 3
#define MAX_OPS  64
#define MAX_POST 256

#define RIGHTS                                                                 \
    (XEN_VM_RING_VERDICT_DENY | XEN_VM_RING_VERDICT_SET_REGISTERS |            \
     XEN_VM_RING_VERDICT_EMULATE)
#define REASONS                                                                \
    (1U << XEN_VM_RING_REASON_CPUID | 1U << XEN_VM_RING_REASON_MOV_TO_MSR |    \
     1U << XEN_VM_RING_REASON_WRITE_CTRLREG |                                  \
     1U << XEN_VM_RING_REASON_MEM_ACCESS)

static const uint16_t reasons[] = {
    XEN_VM_RING_REASON_CPUID, XEN_VM_RING_REASON_MOV_TO_MSR,
    XEN_VM_RING_REASON_WRITE_CTRLREG, XEN_VM_RING_REASON_MEM_ACCESS};

static struct server {
    struct vmring_producer *producer;
    int peers[NR_PEERS]; /* our ends; -1: closed */
    unsigned int nr_posted, nr_verdicts;
    bool answered[MAX_POST];
    uint16_t asked[MAX_POST];
    bool attached, armed;
    uint32_t verdicts; /* of whoever is, or was last, attached */

    /* What the last granted consumer has. */
    unsigned char *c;
    size_t c_len;
    struct vmr_geometry geo;
    int bell;
} server;

static void subscribe(void *ctx, const struct vmring_spec *specs,
                      unsigned int nr, int *results, char *error,
                      size_t error_len)
{
    (void)ctx;
    ALWAYS(nr <= VMRING_MAX_SPECS && error_len);
    error[0] = '\0';
    server.armed = nr > 0;
    for (unsigned int i = 0; i < nr; i++) {
        /* What is not in the allow-list never gets here. */
        ALWAYS(REASONS >> specs[i].reason & 1);
        results[i] = VMRING_SPEC_ARMED;
    }
    ALWAYS(nr == 0 || server.attached);
}

static uint64_t supported(void *ctx)
{
    (void)ctx;
    return UINT64_MAX >> 1;
}

static bool quiet(void *ctx)
{
    (void)ctx;
    return true;
}

static void attached(void *ctx, bool is_attached, uint32_t verdicts)
{
    (void)ctx;
    /* One at a time. */
    ALWAYS(server.attached != is_attached);
    ALWAYS(!(verdicts & ~RIGHTS));
    server.attached = is_attached;
    if (is_attached)
        server.verdicts = verdicts;
}

static void got_verdict(void *ctx, const struct vmring_verdict *verdict)
{
    uint64_t cookie = verdict->cookie;

    (void)ctx;
    if (verdict->by == VMRING_OVERDUE)
        return;
    /* One verdict for each request, and for nothing else. */
    ALWAYS(cookie < server.nr_posted && !server.answered[cookie]);
    ALWAYS(verdict->event.u.words[0] == cookie);
    ALWAYS(verdict->event.reason == server.asked[cookie]);
    server.answered[cookie] = true;
    server.nr_verdicts++;
    ALWAYS(verdict->response.reason == verdict->event.reason);
    if (verdict->by == VMRING_BY_CONSUMER)
        ALWAYS(rules_allow(verdict->event.reason, verdict->response.flags,
                           server.verdicts));
    else
        ALWAYS(!verdict->response.flags);
}

static void open_server(uint8_t shape)
{
    static const struct vmring_producer_ops ops = {
        .size = sizeof(ops),
        .subscribe = subscribe,
        .supported = supported,
        .quiet = quiet,
        .attached = attached,
    };
    struct vmring_producer_opts opts = {
        .size = sizeof(opts),
        .ops = &ops,
        .target = "fuzzed",
        .nr_vcpus = NR_VCPUS,
        .arch = XEN_VM_RING_ARCH_X86,
        .verdicts = RIGHTS,
        .reasons = REASONS,
        .deadline_ns = 1000000,
        .on_deadline = shape & 1,
        .max_async_len = 1 << 16,
        .foreign = (shape & 2) != 0,
    };

    memset(&server, 0, sizeof(server));
    server.bell = -1;
    for (int i = 0; i < NR_PEERS; i++)
        server.peers[i] = -1;
    ALWAYS(vmring_producer_open(&opts, &server.producer) == 0);
}

static void forget_grant(void)
{
    if (server.c)
        munmap(server.c, server.c_len);
    if (server.bell >= 0)
        close(server.bell);
    server.c = NULL;
    server.bell = -1;
}

/* The descriptors of a grant are what its words say, and P is sealed. */
static void got_grant(const struct vmring_local_accept *answer, size_t len,
                      int *fds, unsigned int nr)
{
    const struct xen_vm_ring_accept *accept = &answer->body;
    unsigned int nr_prev = 0;
    void *p;

    ALWAYS(len == sizeof(*answer) && accept->magic == XEN_VM_RING_MAGIC);
    ALWAYS(accept->result <= XEN_VM_RING_REFUSED_ASKED);
    ALWAYS(memchr(answer->target, 0, sizeof(answer->target)));
    if (accept->result) {
        ALWAYS(nr == 0);
        return;
    }
    while (nr_prev < XEN_VM_RING_MAX_PREV && accept->prev_p_len[nr_prev])
        nr_prev++;
    ALWAYS(nr == 2 + nr_prev + accept->nr_groups);
    ALWAYS(!(accept->verdicts & ~accept->allowed_verdicts));
    ALWAYS(!(accept->allowed_verdicts & ~RIGHTS));
    ALWAYS(accept->async_len <= 1 << 16);
    p = mmap(NULL, accept->p_len, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0],
             0);
    ALWAYS(p == MAP_FAILED && errno == EACCES);
    p = mmap(NULL, accept->p_len, PROT_READ, MAP_SHARED, fds[0], 0);
    ALWAYS(p != MAP_FAILED);
    forget_grant();
    if (!vmr_geometry_read(&server.geo, p, accept->p_len, accept->c_len)) {
        /* The session was over before its grant was read: P is taken back. */
        ALWAYS(((const struct xen_vm_ring_header *)p)->magic == 0);
        munmap(p, accept->p_len);
        return;
    }
    munmap(p, accept->p_len);
    server.c_len = accept->c_len;
    server.c = mmap(NULL, accept->c_len, PROT_READ | PROT_WRITE, MAP_SHARED,
                    fds[1], 0);
    ALWAYS(server.c != MAP_FAILED);
    server.bell = dup(fds[2 + nr_prev]);
}

static void got_counts(const struct vmring_local_counts *counts, size_t len)
{
    ALWAYS(counts->nr <= VMRING_LOCAL_MAX_ROWS);
    ALWAYS(len == offsetof(struct vmring_local_counts, rows) +
                      counts->nr * sizeof(counts->rows[0]));
    for (uint32_t i = 0; i < counts->nr; i++) {
        const struct vmring_local_row *row = &counts->rows[i];

        ALWAYS(row->vcpu <= NR_VCPUS && row->reason < XEN_VM_RING_NR_REASONS);
        ALWAYS(row->answered + row->defaulted <= row->requests);
    }
}

static void got_subscribed(const struct vmring_local_subscribed *answer,
                           size_t len)
{
    ALWAYS(len == sizeof(*answer) && answer->nr <= VMRING_MAX_SPECS);
    ALWAYS(memchr(answer->text, 0, sizeof(answer->text)));
}

static void read_answers(int fd)
{
    static union {
        unsigned char bytes[VMRING_LOCAL_MAX];
        struct vmring_local_accept accept;
        struct vmring_local_counts counts;
        struct vmring_local_subscribed subscribed;
    } body;
    int fds[VMRING_LOCAL_MAX_FDS], len;
    unsigned int nr = 0;
    uint32_t type;

    while ((len = socket_recv(fd, &type, &body, sizeof(body), fds,
                              VMRING_LOCAL_MAX_FDS, &nr)) >= 0) {
        ALWAYS(type == VMRING_LOCAL_ACCEPT || !nr);
        if (type == VMRING_LOCAL_ACCEPT)
            got_grant(&body.accept, (size_t)len, fds, nr);
        else if (type == VMRING_LOCAL_COUNTS)
            got_counts(&body.counts, (size_t)len);
        else if (type == VMRING_LOCAL_SUBSCRIBED)
            got_subscribed(&body.subscribed, (size_t)len);
        else
            ALWAYS(type == VMRING_LOCAL_SUPPORT
                       ? len == sizeof(struct vmring_local_support)
                       : type == VMRING_LOCAL_QUIET && len == 0);
        for (unsigned int i = 0; i < nr; i++)
            close(fds[i]);
    }
}

static void propose(struct input *in, int fd)
{
    struct {
        struct xen_vm_ring_propose propose;
        unsigned char more[16];
    } body = {
        .propose =
            {
                .magic = XEN_VM_RING_MAGIC,
                .length = sizeof(body.propose),
                .version_min = XEN_VM_RING_VERSION,
                .version_max = XEN_VM_RING_VERSION,
                .async_len = 4096,
                .record_len = 64,
                .nr_groups = 1,
                .verdicts = XEN_VM_RING_VERDICT_DENY,
            },
    };
    uint8_t shape = take8(in);
    size_t len = sizeof(body.propose);

    body.propose.nr_groups += shape & 1;
    body.propose.policy = shape >> 1 & 1;
    body.propose.verdicts = shape >> 2 & 7;
    if (shape & 32)
        control_damage(in, &body, len);
    if (shape & 64)
        len = take8(in) % sizeof(body);
    if (shape & 128)
        body.propose.length = (uint32_t)(len = sizeof(body));
    (void)control_send(fd, VMRING_LOCAL_PROPOSE, &body, len, 0, NULL, 0);
}

static void ask(struct input *in, int fd)
{
    static const char *const texts[] = {
        "cpuid", "msr:0x10 cr4:onchange", "mem:w@1-5", "int3", "cpuid cpuid",
        "",      "debug:async",           "cr3:async"};
    static const uint8_t bodyless[] = {
        VMRING_LOCAL_SUPPORTED, VMRING_LOCAL_QUIESCE, VMRING_LOCAL_DRAINED,
        VMRING_LOCAL_DETACH};
    uint8_t what = take8(in);
    const char *text = texts[what >> 4 & 7];
    struct vmring_local_count count = {.from = what >> 4};

    switch (what % 8) {
    case 0:
        (void)control_send(fd, VMRING_LOCAL_COUNT, &count, sizeof(count), 0,
                           NULL, 0);
        break;
    case 1:
    case 2:
        (void)control_send(fd, VMRING_LOCAL_SUBSCRIBE, text, strlen(text), 0,
                           NULL, 0);
        break;
    default:
        (void)control_send(fd, bodyless[what % 8 % 4], NULL, 0, 0, NULL, 0);
        break;
    }
}

/* Any message: type, length, a lie about it, bytes, descriptors. */
static void send_raw(struct input *in, int fd)
{
    unsigned char body[64];
    int fds[4] = {fd, fd, fd, fd};
    uint8_t type = take8(in), shape = take8(in);
    size_t len = shape % (sizeof(body) + 1);

    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = i < len ? take8(in) : 0;
    (void)control_send(fd, type % 16, body, len,
                       shape & 0x80 ? (int8_t)take8(in) : 0, fds,
                       type >> 4 & 3);
}

static void post(uint8_t arg)
{
    struct xen_vm_ring_event event = {
        .vcpu = arg % NR_VCPUS,
        .reason = reasons[arg >> 2 & 3],
        .length = arg & 16 ? XEN_VM_RING_EVENT_FULL : XEN_VM_RING_EVENT_HEAD,
    };

    if (arg & 32) {
        ALWAYS(vmring_producer_push(server.producer, event.vcpu, &event) >= 0);
    } else if (server.nr_posted < MAX_POST) {
        event.u.words[0] = server.nr_posted;
        server.asked[server.nr_posted] = event.reason;
        ALWAYS(vmring_producer_post(server.producer, &event,
                                    server.nr_posted) == 0);
        server.nr_posted++;
    }
    vmring_producer_flush(server.producer);
}

static void collect(void)
{
    struct vmring_verdict verdict;
    unsigned int most = 2 * MAX_POST;

    while (most-- && vmring_producer_collect(server.producer, &verdict) == 1)
        got_verdict(NULL, &verdict);
    ALWAYS(most);
}

/* An answer that nobody gave by the library, or any word. */
static void write_c(struct input *in)
{
    uint8_t what = take8(in), value = take8(in);
    struct xen_vm_ring_response *response;
    uint32_t vcpu = what % NR_VCPUS;
    unsigned char *block;

    if (!server.c)
        return;
    if (what & 128) {
        ((uint64_t *)(void *)server.c)[(what & 127) * server.c_len / 8 / 128] =
            value;
        return;
    }
    response = (void *)(server.c + server.geo.response_off +
                        vcpu * server.geo.slot_len);
    response->flags = 1U << value % 18 | (value & 64 ? 1U << 6 : 0);
    response->reason = reasons[what >> 2 & 3];
    response->seq = value >> 4;
    block = server.c + server.geo.c_group_off +
            vmr_group_of(&server.geo, vcpu) * server.geo.c_group_len;
    *(uint64_t *)(void *)(block + server.geo.answered_off) |=
        1ULL << vmr_bit_of(&server.geo, vcpu);
}

static void check_ledger(void)
{
    struct vmring_producer_stats stats = {.size = sizeof(stats)};

    ALWAYS(vmring_producer_get_stats(server.producer, &stats) == 0);
    ALWAYS(stats.requests == server.nr_posted);
    ALWAYS(stats.answered + stats.by_deadline + stats.by_detach +
               stats.by_overflow ==
           server.nr_verdicts);
    ALWAYS(vmring_producer_pending(server.producer) ==
           server.nr_posted - server.nr_verdicts);
    ALWAYS(vmring_producer_attached(server.producer) == server.attached);
}

static void connect_peer(int *peer)
{
    int ends[2];

    if (*peer >= 0)
        close(*peer);
    control_pair(ends);
    *peer = ends[0];
    ALWAYS(vmring_producer_serve_fd(server.producer, ends[1]) == 0);
}

static void step(struct input *in)
{
    uint8_t op = take8(in);
    int *peer = &server.peers[(op >> 4) % NR_PEERS];

    if (*peer < 0)
        connect_peer(peer);
    switch (op % 12) {
    case 0:
        propose(in, *peer);
        break;
    case 1:
        ask(in, *peer);
        break;
    case 2:
        send_raw(in, *peer);
        break;
    case 3:
        close(*peer);
        *peer = -1;
        break;
    case 4:
        post(take8(in));
        break;
    case 5:
        control_now += take8(in) * 100000ULL;
        collect();
        break;
    case 6:
        write_c(in);
        break;
    case 7:
        if (server.bell >= 0)
            (void)!send(server.bell, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (op & 64)
            forget_grant();
        break;
    case 8:
        vmring_producer_release(server.producer);
        if (op & 128)
            vmring_producer_set_target_state(server.producer, op >> 6, 0);
        break;
    case 9: /* a consumer as it should be, in one go */
        propose(in, *peer);
        (void)vmring_producer_dispatch(server.producer);
        read_answers(*peer);
        ask(in, *peer);
        break;
    default:
        break;
    }
    if (op % 12 == 3 || op % 12 > 8)
        (void)vmring_producer_dispatch(server.producer);
    if (op % 12 == 11)
        for (int i = 0; i < NR_PEERS; i++)
            if (server.peers[i] >= 0)
                read_answers(server.peers[i]);
    check_ledger();
}

void control_server(struct input *in)
{
    open_server(take8(in));
    for (int i = 0; i < MAX_OPS && !input_is_over(in); i++)
        step(in);
    for (int i = 0; i < NR_PEERS; i++) {
        if (server.peers[i] < 0)
            continue;
        read_answers(server.peers[i]);
        close(server.peers[i]);
    }
    vmring_producer_close(server.producer, got_verdict, NULL);
    ALWAYS(server.nr_verdicts == server.nr_posted);
    forget_grant();
}
