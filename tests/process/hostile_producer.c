/* SPDX-License-Identifier: MIT */
/*
 * Description: a producer that hands out regions which are short, unsealed or
 * nonsense, too few descriptors or a torn answer is refused with -EPROTO.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/geometry.h"
#include "transport/local/socket.h"
#include "wired.h"

/* What a hostile producer does differently. */
struct act {
    const char *name;
    int seals_p, seals_c; /* -1: no memfd at all; or HUGE_PAGES */
    int short_p, short_c; /* bytes missing of the files */
    int nr_fds;           /* 0: as it should be */
    size_t cut;           /* bytes missing of the message */
    int grown;            /* bytes too many */
    size_t longer;        /* bytes that the answer itself has more */
    uint32_t type;        /* 0: VMRING_LOCAL_ACCEPT */
    uint64_t p_len, c_len, prev_p_len;
    uint32_t nr_groups;
    uint32_t result;
    uint32_t version;  /* beyond ours */
    uint64_t features; /* in the header */
    uint32_t verdicts; /* in the header */
    int header;        /* another than answered, as below */
    int before;        /* a P of before comes along */
    int bell;          /* BELL_*: instead of a socket */
    int c_read_only;   /* its descriptor */
    int c_is_p;        /* the same region twice */
    /* The answer is of our wishes, and its header of others: added there. */
    struct vmr_geometry more;
    /* Both are of others than our wishes. */
    uint32_t policy, record_len;
    int err;
};

enum { NO_HEADER = 1, NOISE, OTHER_VCPUS, OTHER_GROUPS };
enum { BEFORE_EMPTY = 1, BEFORE_UNSEALED };
enum {
    BELL_FILE = 1,
    BELL_EVENTFD,
    BELL_PIPE,
    BELL_EPOLL,
    BELL_DATAGRAM,
    BELL_PACKETS,
    BELL_LISTENS,
    BELL_ALONE,
    BELL_INTERNET
};

#define HUGE_PAGES 7
#define HUGE_LEN   (2UL << 20)

#define SEALED (F_SEAL_SHRINK | F_SEAL_GROW)

static const struct act acts[] = {
    {.name = "keeps the rules", .err = 0},
    {.name = "P unsealed", .seals_p = 1, .err = -EPROTO},
    {.name = "C unsealed", .seals_c = 1, .err = -EPROTO},
    {.name = "P no memfd", .seals_p = -1, .err = -EPROTO},
    {.name = "C no memfd", .seals_c = -1, .err = -EPROTO},
    {.name = "P of huge pages", .seals_p = HUGE_PAGES, .err = -EPROTO},
    {.name = "C of huge pages", .seals_c = HUGE_PAGES, .err = -EPROTO},
    {.name = "P truncated", .short_p = 4096, .err = -EPROTO},
    {.name = "C truncated", .short_c = 4096, .err = -EPROTO},
    {.name = "P of no length", .p_len = 1, .err = -EPROTO},
    {.name = "P of any length", .p_len = UINT64_MAX, .err = -EPROTO},
    {.name = "C of any length", .c_len = UINT64_MAX - 4095, .err = -EPROTO},
    {.name = "a P before that is not there",
     .prev_p_len = 4096,
     .err = -EPROTO},
    {.name = "a P before with nothing in it",
     .before = BEFORE_EMPTY,
     .prev_p_len = 4096,
     .err = 0},
    {.name = "a P before, unsealed",
     .before = BEFORE_UNSEALED,
     .prev_p_len = 4096,
     .err = -EPROTO},
    {.name = "a P before, and a file for a doorbell",
     .before = BEFORE_EMPTY,
     .prev_p_len = 4096,
     .bell = BELL_FILE,
     .err = -EPROTO},
    {.name = "too few descriptors", .nr_fds = 2, .err = -EPROTO},
    {.name = "one descriptor", .nr_fds = 1, .err = -EPROTO},
    {.name = "too many descriptors", .nr_fds = 5, .err = -EPROTO},
    {.name = "all descriptors", .nr_fds = VMRING_LOCAL_MAX_FDS, .err = -EPROTO},
    {.name = "torn message", .cut = 8, .err = -EPROTO},
    {.name = "no message",
     .cut = sizeof(struct vmring_local_accept),
     .err = -EPROTO},
    {.name = "long message", .grown = 8, .err = -EPROTO},
    {.name = "another message", .type = VMRING_LOCAL_QUIET, .err = -EPROTO},
    {.name = "an answer of a later minor", .longer = 8, .err = 0},
    {.name = "a long answer of a later minor", .longer = 3500, .err = 0},
    {.name = "an answer longer than any", .longer = 8000, .err = -EPROTO},
    {.name = "a version not asked for", .version = 1, .err = -EPROTO},
    {.name = "a version of another major", .version = -2U, .err = -EPROTO},
    {.name = "groups not asked for",
     .header = OTHER_GROUPS,
     .nr_groups = 2,
     .nr_fds = 4,
     .err = -EPROTO},
    {.name = "a version before ours", .version = -1U, .err = -EPROTO},
    {.name = "features unheard of", .features = 1 << 2, .err = -EPROTO},
    {.name = "high features", .features = 1ULL << 63, .err = -EPROTO},
    {.name = "verdicts not asked for", .verdicts = 1, .err = -EPROTO},
    {.name = "no groups", .nr_groups = UINT32_MAX, .err = -EPROTO},
    {.name = "groups beyond limits", .nr_groups = 65, .err = -EPROTO},
    {.name = "unknown refusal", .result = 77, .err = -EPROTO},
    {.name = "no header", .header = NO_HEADER, .err = -EPROTO},
    {.name = "noise", .header = NOISE, .err = -EPROTO},
    {.name = "other vCPUs than answered",
     .header = OTHER_VCPUS,
     .err = -EPROTO},
    {.name = "other groups than answered",
     .header = OTHER_GROUPS,
     .err = -EPROTO},
    {.name = "another epoch", .more = {.epoch = 1}, .err = -EPROTO},
    {.name = "another deadline", .more = {.deadline = 1}, .err = -EPROTO},
    {.name = "another policy", .more = {.loss_policy = 1}, .err = -EPROTO},
    {.name = "another arch", .more = {.arch = 1}, .err = -EPROTO},
    {.name = "another verdict", .more = {.verdicts = 1}, .err = -EPROTO},
    {.name = "another minor", .more = {.minor = 1}, .err = -EPROTO},
    {.name = "another record", .more = {.record_len = 64}, .err = -EPROTO},
    {.name = "fewer records", .more = {.nr_records = -1ULL}, .err = -EPROTO},
    {.name = "a feature in the header",
     .more = {.features = XEN_VM_RING_FEATURE_REGISTERS},
     .err = -EPROTO},
    {.name = "an id and a source of its own",
     .more = {.target_id = 7, .source = 77, .clock = 77},
     .err = 0},
    {.name = "a policy not asked for", .policy = 1, .err = -EPROTO},
    {.name = "a record not asked for", .record_len = 128, .err = -EPROTO},
    {.name = "a file for a doorbell", .bell = BELL_FILE, .err = -EPROTO},
    {.name = "an eventfd for a doorbell", .bell = BELL_EVENTFD, .err = -EPROTO},
    {.name = "a pipe for a doorbell", .bell = BELL_PIPE, .err = -EPROTO},
    {.name = "an epoll for a doorbell", .bell = BELL_EPOLL, .err = -EPROTO},
    {.name = "datagrams for a doorbell", .bell = BELL_DATAGRAM, .err = -EPROTO},
    {.name = "packets for a doorbell", .bell = BELL_PACKETS, .err = -EPROTO},
    {.name = "a socket that listens for a doorbell",
     .bell = BELL_LISTENS,
     .err = -EPROTO},
    {.name = "a socket without another for a doorbell",
     .bell = BELL_ALONE,
     .err = -EPROTO},
    {.name = "a socket of the internet for a doorbell",
     .bell = BELL_INTERNET,
     .err = -EPROTO},
    {.name = "C for reading only", .c_read_only = 1, .err = -EPROTO},
    {.name = "one region for both", .c_is_p = 1, .err = -EPROTO},
};

static int region(const char *name, uint64_t len, int seals)
{
    int fd;

    if (seals == HUGE_PAGES) {
        /* A length that they can have, and that is answered. */
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
        CHECK(fd >= 0);
        CHECK_EQ(ftruncate(fd, HUGE_LEN), 0);
        CHECK_EQ(fcntl(fd, F_ADD_SEALS, SEALED), 0);
        return fd;
    }
    if (seals < 0) {
        fd = fileno(tmpfile());
        CHECK(fd >= 0);
    } else {
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, (off_t)len), 0);
    if (seals == 0)
        CHECK_EQ(fcntl(fd, F_ADD_SEALS, SEALED), 0);
    return fd;
}

/* What is not a doorbell, and polls readable where it can. */
static int no_bell(int kind)
{
    int ends[2];

    switch (kind) {
    case BELL_FILE:
        return region("b", 10, -1);
    case BELL_EVENTFD:
        return eventfd(5, 0);
    case BELL_PIPE:
        CHECK_EQ(pipe(ends), 0);
        CHECK(write(ends[1], "x", 1) == 1);
        return ends[0];
    case BELL_DATAGRAM:
        CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
        CHECK_EQ(send(ends[1], "", 0, 0), 0);
        return ends[0];
    case BELL_PACKETS:
        CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
        return ends[0];
    case BELL_LISTENS:
        ends[0] = socket(AF_UNIX, SOCK_STREAM, 0);
        /* A name of the kernel's, in no folder. */
        CHECK_EQ(bind(ends[0], &(struct sockaddr){.sa_family = AF_UNIX},
                      sizeof(sa_family_t)),
                 0);
        CHECK_EQ(listen(ends[0], 1), 0);
        return ends[0];
    case BELL_ALONE:
        return socket(AF_UNIX, SOCK_STREAM, 0);
    case BELL_INTERNET:
        return socket(AF_INET, SOCK_STREAM, 0);
    default:
        return epoll_create1(0);
    }
}

static int read_only(int fd)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY);
}

static void add(struct vmr_geometry *geo, const struct vmr_geometry *more)
{
    geo->epoch += more->epoch;
    geo->deadline += more->deadline;
    geo->loss_policy += more->loss_policy;
    geo->arch += more->arch;
    geo->verdicts += more->verdicts;
    geo->minor += more->minor;
    geo->features += more->features;
    geo->target_id += more->target_id;
    geo->source += more->source;
    geo->clock += more->clock;
    if (more->nr_records)
        geo->nr_records /= 2;
    if (more->record_len) {
        geo->record_len += more->record_len;
        geo->nr_records /= 2; /* so that it fits */
    }
}

/* The ring, as it would be but for what the act changes of its shape. */
static struct vmr_geometry shape_of(const struct act *act)
{
    struct vmr_geometry geo = {
        .epoch = 1,
        .nr_vcpus = act->header == OTHER_VCPUS ? 3 : 2,
        .nr_lanes = act->header == OTHER_VCPUS ? 3 : 2,
        .nr_groups = act->header == OTHER_GROUPS ? 2 : 1,
        .loss_policy = act->policy,
        .record_len = act->record_len ? act->record_len : 64,
        .minor = XEN_VM_RING_VERSION_MINOR,
        .deadline = 1000,
        .arch = XEN_VM_RING_ARCH_X86,
        .features = act->features,
        .verdicts = act->verdicts,
    };

    CHECK(vmr_geometry_lay_out(&geo, 65536));
    return geo;
}

/* Regions and doorbells, into fds: how many. */
static int hand_over(const struct act *act, const struct vmr_geometry *geo,
                     int *fds)
{
    int bells[2], nr = 2;

    fds[0] = region("p", geo->p_len - (uint64_t)act->short_p, act->seals_p);
    fds[1] = region("c", geo->c_len - (uint64_t)act->short_c, act->seals_c);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, bells), 0);
    if (act->before)
        fds[nr++] = region("before", act->prev_p_len,
                           act->before == BEFORE_UNSEALED ? 1 : 0);
    fds[nr++] = act->bell ? no_bell(act->bell) : bells[1];
    if (act->c_read_only)
        fds[1] = read_only(fds[1]);
    if (act->c_is_p)
        fds[1] = fds[0];
    for (; nr < act->nr_fds; nr++)
        fds[nr] = bells[1];
    return act->nr_fds ? act->nr_fds : nr;
}

static void write_header(const struct act *act, const struct vmr_geometry *geo,
                         int p_fd)
{
    struct vmr_geometry published = *geo;
    struct xen_vm_ring_header header;

    memset(&header, 0, sizeof(header));
    add(&published, &act->more);
    vmr_geometry_publish(&published, &header);
    if (act->header == NOISE)
        memset((char *)&header + 4, 0x5a, sizeof(header) - 4);
    if (act->header != NO_HEADER && act->seals_p != HUGE_PAGES)
        CHECK(pwrite(p_fd, &header, sizeof(header), 0) == sizeof(header));
}

static struct xen_vm_ring_accept answer_to(const struct act *act,
                                           const struct vmr_geometry *geo)
{
    return (struct xen_vm_ring_accept){
        .magic = XEN_VM_RING_MAGIC,
        .length = (uint32_t)(sizeof(struct xen_vm_ring_accept) + act->longer),
        .version = XEN_VM_RING_VERSION + act->version,
        .result = act->result,
        .features = act->features,
        .async_len = geo->nr_records * geo->nr_lanes * geo->record_len,
        .deadline = geo->deadline,
        .record_len = geo->record_len,
        .policy = geo->loss_policy,
        .verdicts = act->verdicts,
        .arch = geo->arch,
        .nr_groups = act->nr_groups ? act->nr_groups : 1,
        .p_len = act->seals_p == HUGE_PAGES ? HUGE_LEN
                 : act->p_len               ? act->p_len
                                            : geo->p_len,
        .c_len = act->seals_c == HUGE_PAGES ? HUGE_LEN
                 : act->c_len               ? act->c_len
                                            : geo->c_len,
        .prev_p_len = {act->prev_p_len},
        .nr_vcpus = 2,
        .epoch = 1,
    };
}

static void perform(const struct act *act, int control)
{
    struct vmr_geometry geo = shape_of(act);
    struct {
        struct vmring_local_accept accept;
        char more[8192];
    } body = {0};
    int fds[VMRING_LOCAL_MAX_FDS], nr;
    unsigned char proposal[512];

    CHECK(recv(control, proposal, sizeof(proposal), 0) > 0);
    nr = hand_over(act, &geo, fds);
    write_header(act, &geo, fds[0]);
    body.accept.body = answer_to(act, &geo);
    memset((char *)&body + body.accept.body.length, 'x',
           sizeof(body.accept.target));
    CHECK_EQ(socket_send(control, act->type ? act->type : VMRING_LOCAL_ACCEPT,
                         &body,
                         sizeof(body.accept) + act->longer - act->cut +
                             (size_t)act->grown,
                         fds, (unsigned int)nr),
             0);
    /* Until the consumer has gone. */
    while (recv(control, proposal, sizeof(proposal), 0) > 0)
        ;
}

static void meet(const struct act *act)
{
    char uri[32], error[256] = "";
    struct vmring_opts opts = {.size = sizeof(opts),
                               .timeout_ms = 5000,
                               .record_len = 64,
                               .error = error,
                               .error_len = sizeof(error)};
    struct vmring *ring;
    struct vmring_event event;
    int ends[2], err, status;
    pid_t pid;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    fflush(NULL);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        close(ends[1]);
        perform(act, ends[0]);
        exit(0);
    }
    close(ends[0]);
    snprintf(uri, sizeof(uri), "fd:%d", ends[1]);
    err = vmring_open(uri, &opts, &ring);
    if (err != act->err)
        fprintf(stderr, "%s: %d (%s), not %d\n", act->name, err, error,
                act->err);
    CHECK_EQ(err, act->err);
    if (!err) {
        CHECK_EQ(vmring_next(ring, &event), 0);
        vmring_close(ring);
    } else {
        CHECK(*error);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
}

/* How many regions are mapped here. */
static int nr_mapped(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int nr = 0;

    CHECK(maps);
    while (fgets(line, sizeof(line), maps))
        nr += strstr(line, "memfd:") != NULL;
    fclose(maps);
    return nr;
}

int main(void)
{
    int next = open("/dev/null", O_RDONLY);

    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        meet(&acts[i]);
    /* No descriptor was left behind, and no region. */
    CHECK_EQ(nr_mapped(), 0);
    CHECK_EQ(open("/dev/null", O_RDONLY), next + 1);
    return 0;
}
