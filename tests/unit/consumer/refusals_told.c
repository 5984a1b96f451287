/* SPDX-License-Identifier: MIT */
/*
 * Description: why a producer refused, in its consumer's terms: an errno and
 * a line that says what would be accepted; and one that was asked only.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vmring_local.h>

#include "check.h"
#include "transport/local/socket.h"
#include "transport/region.h"
#include "vmring.h"

static char uri[32], error[256];

static struct vmring_opts opts = {
    .size = sizeof(opts),
    .record_len = 96,
    .loss_policy = 9,
    .error = error,
    .error_len = sizeof(error),
};

/* What its producer would say, but for the result. */
static const struct vmring_local_accept said = {
    .body =
        {
            .magic = XEN_VM_RING_MAGIC,
            .length = sizeof(said.body),
            .version = 3 << 16 | 7,
            .features = 0x40,
            .min_async_len = 512,
            .max_async_len = 1024,
            .max_deadline = 20000000,
            .max_groups = 5,
            .allowed_verdicts = 2,
        },
};

/* The producer's end, to which `uri` is the other. */
static int connected(void)
{
    int ends[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    snprintf(uri, sizeof(uri), "fd:%d", ends[1]);
    *error = '\0';
    return ends[0];
}

/* An end that has this answer ready. */
static int answers(const struct vmring_local_accept *answer, const int *fds,
                   unsigned int nr_fds)
{
    int end = connected();

    CHECK_EQ(socket_send(end, VMRING_LOCAL_ACCEPT, answer, sizeof(*answer), fds,
                         nr_fds),
             0);
    return end;
}

static int ask_of(const struct vmring_local_accept *answer, const int *fds,
                  unsigned int nr_fds, struct vmring_limits *limits)
{
    struct vmring_opts asking = {
        .size = sizeof(asking), .error = error, .error_len = sizeof(error)};
    int end = answers(answer, fds, nr_fds);
    int ret = vmring_ask(uri, &asking, limits);

    close(end);
    return ret;
}

static void opens(int err, const char *says)
{
    struct vmring *ring;

    CHECK_EQ(vmring_open(uri, &opts, &ring), err);
    CHECK_HAS(error, says);
}

static const struct {
    const char *row;
    uint32_t result;
    int err;
    const char *says;
} refusals[] = {
    {"malformed", XEN_VM_RING_REFUSED_MALFORMED, -EPROTO, "for reason 1"},
    {"version", XEN_VM_RING_REFUSED_VERSION, -EOPNOTSUPP, "speaks version 3.7"},
    {"feature", XEN_VM_RING_REFUSED_FEATURE, -EOPNOTSUPP, "it has 0x40"},
    {"async_len", XEN_VM_RING_REFUSED_ASYNC_LEN, -EMSGSIZE,
     "the minimum is 512"},
    {"record", XEN_VM_RING_REFUSED_RECORD, -EOPNOTSUPP,
     "record size 96 refused"},
    {"policy", XEN_VM_RING_REFUSED_POLICY, -EOPNOTSUPP, "policy 9 refused"},
    {"groups", XEN_VM_RING_REFUSED_GROUPS, -EOPNOTSUPP, "at most 5"},
    {"verdicts", XEN_VM_RING_REFUSED_VERDICTS, -EPERM,
     "the producer allows set_registers:"},
    {"deadline", XEN_VM_RING_REFUSED_DEADLINE, -ERANGE, "maximum is 20 ms"},
    {"busy", XEN_VM_RING_REFUSED_BUSY, -EBUSY, "another agent"},
    {"permission", XEN_VM_RING_REFUSED_PERMISSION, -EACCES,
     "does not serve this user"},
    {"memory", XEN_VM_RING_REFUSED_MEMORY, -ENOMEM, "no memory"},
    {"target", XEN_VM_RING_REFUSED_TARGET, -ESRCH, "the target is gone"},
    {"unknown", 1000, -EPROTO, "for reason 1000"},
};

static void each_refusal(void)
{
    struct vmring_local_accept answer = said;

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        CHECK_ROW(refusals[i].row);
        answer.body.result = refusals[i].result;
        close(answers(&answer, NULL, 0)); /* it has said all that it has to */
        opens(refusals[i].err, refusals[i].says);
    }
    CHECK_ROW(NULL);
}

static void no_producer_of_ours(void)
{
    for (int lie = 0; lie < 2; lie++) {
        struct vmring_local_accept wrong = said;
        int end;

        if (lie)
            wrong.body.length = 8;
        else
            wrong.body.magic++;
        end = answers(&wrong, NULL, 0);
        opens(-EPROTO, "no vm_ring producer");
        close(end);
    }
}

static void bits_without_a_name(void)
{
    struct vmring_local_accept answer = said;
    int end;

    answer.body.result = XEN_VM_RING_REFUSED_VERDICTS;
    opts.verdicts = 1U << 30 | XEN_VM_RING_VERDICT_DENY;
    end = answers(&answer, NULL, 0);
    opens(-EPERM, "bits 0x40000000 have no name here, besides deny; the "
                  "producer allows set_registers");
    close(end);
    opts.verdicts = 0;
}

static void no_answer(void)
{
    int end = connected();

    opts.timeout_ms = 1;
    opens(-ETIMEDOUT, "within 1 ms");
    close(end);
    close(connected());
    opens(-ECONNRESET, "hung up");
    opts.timeout_ms = 0;
}

/* A question gets its answer, an error that is its own, and never a ring. */
static void asked(void)
{
    struct vmring_local_accept answer = said;
    struct vmring_limits limits = {.size = sizeof(limits)};
    struct region p, c;
    int fds[3], bell[2];

    CHECK_EQ(vmring_ask("local:/no/such/folder", NULL, &limits), -ENOENT);

    answer.body.result = XEN_VM_RING_REFUSED_ASKED;
    CHECK_EQ(ask_of(&answer, NULL, 0, &limits), 0);
    CHECK_EQ(limits.would, 0);
    CHECK_EQ(limits.max_groups, 5);
    /* However long a name its producer gives. */
    memset(answer.target, 'x', sizeof(answer.target));
    CHECK_EQ(ask_of(&answer, NULL, 0, &limits), 0);
    CHECK_EQ(strlen(limits.target), sizeof(limits.target) - 1);
    answer.body.result = XEN_VM_RING_REFUSED_BUSY;
    CHECK_EQ(ask_of(&answer, NULL, 0, &limits), 0);
    CHECK_EQ(limits.would, -EBUSY);
    answer.body.result = XEN_VM_RING_REFUSED_PERMISSION;
    CHECK_EQ(ask_of(&answer, NULL, 0, &limits), -EACCES);
    CHECK_HAS(error, "does not serve this user");

    CHECK_EQ(region_make(&p, "asked-p", 4096, 1), 0);
    CHECK_EQ(region_make(&c, "asked-c", 4096, 0), 0);
    CHECK_EQ(doorbell_make(bell), 0);
    fds[0] = p.fd;
    fds[1] = c.fd;
    fds[2] = bell[1];
    answer.body.result = XEN_VM_RING_ACCEPTED;
    answer.body.p_len = answer.body.c_len = 4096;
    answer.body.nr_groups = 1;
    CHECK_EQ(ask_of(&answer, fds, 3, &limits), -EPROTO);
    CHECK_HAS(error, "was only asked, and has accepted");
    close(bell[0]);
    close(bell[1]);
    region_drop(&p);
    region_drop(&c);

    answer.body.magic++;
    CHECK_EQ(ask_of(&answer, NULL, 0, &limits), -EPROTO);
    CHECK_HAS(error, "no vm_ring producer");
}

int main(void)
{
    no_producer_of_ours();
    bits_without_a_name();
    no_answer();
    each_refusal();
    asked();
    return 0;
}
