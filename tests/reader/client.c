/* SPDX-License-Identifier: MIT */
/*
 * client.c: a session over the local binding, from docs/BINDING-LOCAL.md.
 *
 * usage: client PATH EVENTS [key=number...]
 *
 * Keys: groups, policy, async (bytes), deny (1: deny writes of registers),
 * leave (1: go without a word once that many events were taken).  Prints what
 * was taken as JSON.  Exit status: 0; 1 where the producer's ledger says
 * another thing; 2 where the document does.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

#define ANSWER_MS 10000

static struct ring ring;
static struct vmring_local_accept offer;
static uint64_t groups = 1, policy, async_len, deny, leave;
static bool quiet;

static uint64_t all_taken(void)
{
    uint64_t sum = 0;

    for (uint32_t l = 0; l < ring.header.nr_lanes; l++)
        for (int r = 0; r < NR_REASONS; r++)
            sum += ring.taken[l].requests[r] + ring.taken[l].records[r];
    return sum;
}

/* One turn: what is there is taken and answered, or we sleep. */
static void turn(int timeout_ms)
{
    if (!ring_look(&ring) && ring_arm(&ring) && !channel.gone)
        channel_sleep(timeout_ms);
    if (ring.broken)
        fail("the producer has broken a rule of the ring");
    if (leave && all_taken() >= leave)
        exit(0);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The answer to a question, which takes and answers events meanwhile. */
static ssize_t wait_for(uint32_t type)
{
    int64_t end = now_ms() + ANSWER_MS;

    while (now_ms() < end) {
        uint32_t got;
        ssize_t len = channel_hear(&got);

        if (len >= 0 && got == type)
            return len;
        quiet = quiet || (len >= 0 && got == VMRING_LOCAL_QUIET);
        if (len >= 0 && got != VMRING_LOCAL_QUIET)
            fail("a message that nobody asked for");
        if (channel.gone)
            fail("the producer has gone");
        turn(1);
    }
    fail("no answer in time");
    return -1;
}

static void propose(void)
{
    struct xen_vm_ring_propose ours = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(ours),
        .version_min = 1 << 16,
        .version_max = 1 << 16 | 1,
        .async_len = async_len,
        .policy = (uint32_t)policy,
        .nr_groups = (uint32_t)groups,
        .verdicts = deny ? XEN_VM_RING_VERDICT_DENY : 0,
    };
    struct pollfd pfd = {.fd = channel.control, .events = POLLIN};
    uint32_t type = 0, length;
    ssize_t len;

    channel_say(VMRING_LOCAL_PROPOSE, &ours, sizeof(ours));
    if (poll(&pfd, 1, ANSWER_MS) <= 0)
        fail("no answer to the proposal");
    len = channel_hear(&type);
    if (type != VMRING_LOCAL_ACCEPT || len < (ssize_t)sizeof(offer))
        fail("no answer to the proposal, but something else");
    memcpy(&offer.body, channel.body, sizeof(offer.body));
    length = offer.body.length;
    if (offer.body.magic != XEN_VM_RING_MAGIC || length < sizeof(offer.body) ||
        length + 64 != (size_t)len)
        fail("an answer that is none");
    memcpy(offer.target, channel.body + length, sizeof(offer.target)); /* V2 */
    if (offer.body.result) {
        printf("{\"refused\": %u, \"vcpus\": %u, \"least\": %llu, "
               "\"most\": %llu}\n",
               offer.body.result, offer.body.nr_vcpus,
               (unsigned long long)offer.body.min_async_len,
               (unsigned long long)offer.body.max_async_len);
        exit(0);
    }
}

static bool is_as_proposed(void)
{
    const struct xen_vm_ring_accept *a = &offer.body;

    return a->version >= 1 << 16 && a->version <= (1 << 16 | 1) &&
           a->policy == policy && a->nr_groups == groups &&
           (a->verdicts & ~(deny ? XEN_VM_RING_VERDICT_DENY : 0U)) == 0 &&
           (a->features & ~(uint64_t)XEN_VM_RING_FEATURES) == 0; /* H8 */
}

static bool is_as_answered(const struct xen_vm_ring_header *h)
{
    const struct xen_vm_ring_accept *a = &offer.body;

    return h->minor == (a->version & 0xffff) && h->features == a->features &&
           h->epoch == a->epoch && h->deadline == a->deadline &&
           h->nr_vcpus == a->nr_vcpus && h->nr_groups == a->nr_groups &&
           h->policy == a->policy && h->verdicts == a->verdicts &&
           h->arch == a->arch && h->record_len == a->record_len &&
           h->nr_lanes * h->slots_per_lane * h->record_len ==
               a->async_len; /* H9 */
}

static void *map(int fd, uint64_t len, int prot)
{
    int seals = fcntl(fd, F_GET_SEALS);
    void *at = mmap(NULL, len, prot, MAP_SHARED, fd, 0);

    if (seals < 0 || !(seals & F_SEAL_SHRINK) || at == MAP_FAILED ||
        lseek(fd, 0, SEEK_END) != (off_t)len)
        fail("a region that cannot be"); /* B18 */
    return at;
}

static void attach(void)
{
    const struct xen_vm_ring_accept *a = &offer.body;
    unsigned int nr_frozen = 0;
    const void *p;
    void *c;

    while (nr_frozen < 8 && a->prev_p_len[nr_frozen])
        nr_frozen++;
    channel.first_bell = 2 + nr_frozen;
    if (!is_as_proposed() ||
        channel.nr_fds != channel.first_bell + a->nr_groups)
        fail("an answer that was not proposed");
    p = map(channel.fds[0], a->p_len, PROT_READ);
    c = map(channel.fds[1], a->c_len, PROT_READ | PROT_WRITE);
    if (header_check(&ring.header, p, a->p_len, a->c_len, false) ||
        !is_as_answered(&ring.header))
        fail("a header that cannot be");
    ring.denies = deny;
    ring.ring_doorbell = channel_ring;
    ring_open(&ring, p, c);
    for (unsigned int i = 0; i < nr_frozen; i++) {
        void *frozen = map(channel.fds[2 + i], a->prev_p_len[i], PROT_READ);

        if (!ring_drain(&ring, frozen, a->prev_p_len[i]))
            fail("a frozen P that cannot be");
        munmap(frozen, a->prev_p_len[i]);
        close(channel.fds[2 + i]);
    }
    if (nr_frozen)
        channel_say(VMRING_LOCAL_DRAINED, NULL, 0);
}

/* ---------------------------------------------------------- what it asks -- */

static void subscribe(const char *events)
{
    struct vmring_local_subscribed answer;

    channel_say(VMRING_LOCAL_SUBSCRIBE, events, strlen(events));
    if (wait_for(VMRING_LOCAL_SUBSCRIBED) != sizeof(answer))
        fail("SUBSCRIBED of another length");
    memcpy(&answer, channel.body, sizeof(answer));
    if (answer.text[0]) {
        fprintf(stderr, "client: %.512s\n", answer.text);
        exit(2);
    }
}

static void until_the_end(void)
{
    while (!ring_has_ended(&ring) && !channel.gone) {
        uint32_t type;

        if (channel_hear(&type) >= 0 && type == VMRING_LOCAL_QUIET)
            quiet = true;
        turn(-1);
    }
    ring_to_head(&ring);
    channel_say(VMRING_LOCAL_QUIESCE, NULL, 0);
    if (!quiet)
        (void)wait_for(VMRING_LOCAL_QUIET);
    while (ring_look(&ring))
        ;
}

/* The producer's rows of one vCPU, added up, against what was taken. */
static int compare(const struct vmring_local_row *sum, uint32_t lane)
{
    const struct taken *taken = &ring.taken[lane];
    uint64_t requests = 0, records = taken->overwritten;
    uint64_t lost = ring_lost(&ring, lane);

    for (int r = 0; r < NR_REASONS; r++) {
        requests += taken->requests[r];
        records += taken->records[r];
    }
    if (sum->requests == requests && sum->answered == taken->answered &&
        sum->records == records + lost && sum->discarded == lost)
        return 0;
    fprintf(stderr,
            "client: lane %u: %llu requests, %llu records, %llu lost; the "
            "producer has %llu, %llu, %llu\n",
            lane, (unsigned long long)requests, (unsigned long long)records,
            (unsigned long long)lost, (unsigned long long)sum->requests,
            (unsigned long long)sum->records,
            (unsigned long long)sum->discarded);
    return 1;
}

static int check_ledger(void)
{
    struct vmring_local_row *sums = calloc(ring.header.nr_lanes, sizeof(*sums));
    struct vmring_local_count ask = {0, 0};
    int wrong = 0;

    while (sums && ask.from != VMRING_LOCAL_NO_MORE) {
        static struct vmring_local_counts counts;
        size_t len;

        channel_say(VMRING_LOCAL_COUNT, &ask, sizeof(ask));
        len = (size_t)wait_for(VMRING_LOCAL_COUNTS);
        memcpy(&counts, channel.body,
               len < sizeof(counts) ? len : sizeof(counts));
        if (counts.nr > VMRING_LOCAL_MAX_ROWS || len != 8 + 48 * counts.nr)
            fail("COUNTS of another length");
        for (uint32_t i = 0; i < counts.nr; i++) {
            const struct vmring_local_row *row = &counts.rows[i];
            struct vmring_local_row *sum = &sums[row->vcpu];

            if (row->vcpu >= ring.header.nr_lanes)
                fail("a row of no lane");
            sum->requests += row->requests;
            sum->answered += row->answered;
            sum->records += row->records;
            sum->discarded += row->discarded;
        }
        ask.from = counts.next;
    }
    for (uint32_t l = 0; sums && l < ring.header.nr_lanes; l++)
        wrong |= compare(&sums[l], l);
    free(sums);
    return wrong;
}

static void print(void)
{
    uint64_t requests = 0, records = 0;
    struct taken all = {.answered = 0};
    uint64_t lost = 0;

    for (uint32_t l = 0; l < ring.header.nr_lanes; l++) {
        const struct taken *taken = &ring.taken[l];

        for (int r = 0; r < NR_REASONS; r++) {
            requests += taken->requests[r];
            records += taken->records[r];
        }
        all.answered += taken->answered;
        all.drained += taken->drained;
        all.reposted += taken->reposted;
        lost += taken->overwritten + ring_lost(&ring, l);
    }
    printf("{\"target\": \"%.64s\", \"epoch\": %llu, \"requests\": %llu, "
           "\"answered\": %llu, \"records\": %llu, \"lost\": %llu, "
           "\"drained\": %llu, \"reposted\": %llu}\n",
           offer.target, (unsigned long long)ring.header.epoch,
           (unsigned long long)requests, (unsigned long long)all.answered,
           (unsigned long long)records, (unsigned long long)lost,
           (unsigned long long)all.drained, (unsigned long long)all.reposted);
}

static void take_options(int argc, char **argv)
{
    static const struct {
        const char *key;
        uint64_t *value;
    } keys[] = {{"groups", &groups},
                {"policy", &policy},
                {"async", &async_len},
                {"deny", &deny},
                {"leave", &leave}};

    for (int i = 0; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        bool known = false;

        for (size_t k = 0; value && k < sizeof(keys) / sizeof(*keys); k++) {
            if (strncmp(argv[i], keys[k].key, strlen(keys[k].key)))
                continue;
            *keys[k].value = strtoull(value + 1, NULL, 0);
            known = true;
        }
        if (!known)
            fail("a key that is none");
    }
}

int main(int argc, char **argv)
{
    int wrong;

    if (argc < 3)
        fail("usage: client PATH EVENTS [key=number...]");
    take_options(argc - 3, argv + 3);
    channel_connect(argv[1]);
    propose();
    attach();
    subscribe(argv[2]);
    until_the_end();
    wrong = check_ledger();
    print(); /* before DETACH: P may be taken back, and read as zeros */
    channel_say(VMRING_LOCAL_DETACH, NULL, 0);
    ring_close(&ring);
    return wrong;
}
