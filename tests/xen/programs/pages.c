/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-pages: either end of granted pages, by hand.
 *
 *   vmring-lab-pages share DOMID P_PAGES C_PAGES GROUPS
 *   vmring-lab-pages try DOMID PAGES     shares them, and ends
 *   vmring-lab-pages map DOMID GREF P_PAGES C_PAGES PORT...
 *
 * Says what there is, one line each, and does what its standard input says:
 *   fill SEED       writes a word in each page that it may write
 *   check SEED      compares those of the other side with that
 *   echo            from now on rings back whenever it is rung
 *   serve GROUP N   rings, and rings again when it is rung back, N times
 *   flood SECONDS   rings group 0 all the time
 *   counts          rings heard, by group
 *   write-p         (map) tries to write P, by two ways
 *   leave           gives everything back, as far as the other side lets it
 *   collect         (share) how much is parked still
 *   gone            (share) the other domain is destroyed
 *   quit
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xengnttab.h>

#include "transport/grant/evtchn.h"
#include "transport/grant/limits.h"
#include "transport/grant/pages.h"

#define PAGE  4096
#define EPOCH 1

static struct {
    bool shares;
    char error[256];
    struct evtchn *bells;
    uint32_t nr_groups, domid;
    uint64_t heard[XEN_VM_RING_MAX_GROUPS];
    bool echoes, peer_gone;
    uint32_t serving; /* the group; and how many rings are left */
    uint64_t left;
    struct region p, c;
    struct grant_share *share;
    struct grant_handout *handout;
    struct grant_map *map;
    uint32_t gref;
} me;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static void must(int err)
{
    if (!err)
        return;
    fprintf(stderr, "%s\n", me.error);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static uint32_t number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 0);
}

static void share(char **args)
{
    struct grant_offer offer = {.p = &me.p, .c = &me.c, .epoch = EPOCH};

    me.shares = true;
    me.domid = number(args[0]);
    me.nr_groups = number(args[3]);
    must(evtchn_offer(me.domid, me.nr_groups, NULL, &me.bells, me.error,
                      sizeof(me.error)));
    must(grant_share_open(me.domid, &me.share, me.error, sizeof(me.error)));
    must(grant_share_make(me.share, &me.p, number(args[1]) * (size_t)PAGE, true,
                          me.error, sizeof(me.error)));
    must(grant_share_make(me.share, &me.c, number(args[2]) * (size_t)PAGE,
                          false, me.error, sizeof(me.error)));
    offer.port = evtchn_port(me.bells, 0);
    must(grant_handout_make(me.share, &offer, &me.handout, &me.gref, me.error,
                            sizeof(me.error)));
    printf("offer %u", me.gref);
    for (uint32_t g = 0; g < me.nr_groups; g++)
        printf(" %u", evtchn_port(me.bells, g));
    say("%s", "");
}

static void try(uint32_t domid, uint32_t pages)
{
    must(grant_share_open(domid, &me.share, me.error, sizeof(me.error)));
    must(grant_share_make(me.share, &me.p, pages * (size_t)PAGE, true, me.error,
                          sizeof(me.error)));
}

static void map(char **args, int nr)
{
    struct link_regions regions;
    struct xen_vm_ring_accept accept = {.epoch = EPOCH};
    uint32_t ports[XEN_VM_RING_MAX_GROUPS];

    me.domid = number(args[0]);
    me.gref = number(args[1]);
    accept.p_len = number(args[2]) * (uint64_t)PAGE;
    accept.c_len = number(args[3]) * (uint64_t)PAGE;
    for (int i = 4; i < nr && me.nr_groups < XEN_VM_RING_MAX_GROUPS; i++)
        ports[me.nr_groups++] = number(args[i]);
    must(evtchn_bind(me.domid, ports, me.nr_groups, &me.bells, me.error,
                     sizeof(me.error)));
    must(grant_map_open(me.domid, &me.map, me.error, sizeof(me.error)));
    must(grant_map_attach(me.map, me.gref, evtchn_port(me.bells, 0), &accept,
                          &regions, me.error, sizeof(me.error)));
    me.p = regions.p;
    me.c = regions.c;
    /* Binding rings it. */
    (void)evtchn_ack(me.bells);
    say("mapped %zu %zu", me.p.len / PAGE, me.c.len / PAGE);
}

static uint32_t expected(uint32_t seed, size_t page)
{
    return seed * 2654435761U + (uint32_t)page;
}

static void fill(struct region *region, uint32_t seed)
{
    for (size_t i = 0; i < region->len / PAGE; i++)
        *(volatile uint32_t *)((char *)region->at + i * PAGE + 8) =
            expected(seed, i);
}

static size_t differing(const struct region *region, uint32_t seed)
{
    size_t nr = 0;

    for (size_t i = 0; i < region->len / PAGE; i++)
        nr += *(volatile uint32_t *)((char *)region->at + i * PAGE + 8) !=
              expected(seed, i);
    return nr;
}

static void watch_peer(void)
{
    bool gone = me.shares ? me.handout && grant_handout_life(me.handout) ==
                                              XEN_VM_RING_LIFE_GONE
                          : me.map && !grant_map_producer_lives(me.map);

    if (gone && !me.peer_gone) {
        me.peer_gone = true;
        say("peer gone");
    }
}

static void heard(uint64_t rung)
{
    for (uint32_t g = 0; g < me.nr_groups; g++) {
        if (!(rung & (1ULL << g)))
            continue;
        me.heard[g]++;
        if (me.echoes)
            evtchn_ring(me.bells, g);
        if (me.left && me.serving == g) {
            if (--me.left)
                evtchn_ring(me.bells, g);
            else
                say("served %u", g);
        }
    }
}

static void flood(uint32_t seconds)
{
    uint64_t end = now_ns() + seconds * 1000000000ULL, nr = 0;

    for (; now_ns() < end; nr++)
        evtchn_ring(me.bells, 0);
    say("flooded %llu", (unsigned long long)nr);
}

static void counts(void)
{
    struct rusage usage;

    printf("heard");
    for (uint32_t g = 0; g < me.nr_groups; g++)
        printf(" %llu", (unsigned long long)me.heard[g]);
    getrusage(RUSAGE_SELF, &usage);
    say(", CPU %lld ms",
        (long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
            (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000);
}

/* In a child: it may not survive. */
static void write_p(void)
{
    pid_t pid;
    int status = 0;
    xengnttab_handle *gnttab = xengnttab_open(&grant_logger, 0);
    struct xen_vm_ring_directory directory;
    void *at = xengnttab_map_grant_ref(gnttab, me.domid, me.gref, PROT_READ);

    if (!at) {
        say("failed: the directory cannot be mapped");
        exit(1);
    }
    memcpy(&directory, at, sizeof(directory));
    xengnttab_unmap(gnttab, at, 1);
    at = xengnttab_map_grant_ref(gnttab, me.domid, directory.refs[0],
                                 PROT_READ | PROT_WRITE);
    say("mapping P writable: %s", at ? "done" : strerror(errno));
    xengnttab_close(gnttab);

    pid = fork();
    if (pid == 0) {
        volatile uint32_t *word = (uint32_t *)((char *)me.p.at + 8);
        uint32_t old = *word;

        if (mprotect(me.p.at, PAGE, PROT_READ | PROT_WRITE))
            _exit(1);
        *word = ~old;
        _exit(*word == old ? 2 : 0);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        say("writing P all the same: signal %d", WTERMSIG(status));
    else
        say("writing P all the same: %s", WEXITSTATUS(status) == 2
                                              ? "nothing came of it"
                                          : WEXITSTATUS(status) == 1 ? "refused"
                                                                     : "done");
}

static void leave(void)
{
    region_drop(&me.p);
    region_drop(&me.c);
    if (me.shares) {
        grant_handout_end(me.handout);
        evtchn_ring(me.bells, 0);
        me.handout = NULL;
        say("parked %zu", grant_share_parked(me.share));
    } else {
        grant_map_close(me.map);
        me.map = NULL;
        say("left");
    }
}

static void collect(void)
{
    uint64_t end = now_ns() + 2000000000U;
    size_t parked;

    do {
        parked = grant_share_collect(me.share, now_ns());
        usleep(10000);
    } while (parked && now_ns() < end);
    say("parked %zu of %zu", parked, grant_share_pages(me.share));
}

static void command(char *line)
{
    char verb[32] = "";
    unsigned int a = 0, b = 0;

    if (sscanf(line, "%31s %u %u", verb, &a, &b) < 1)
        return;
    if (!strcmp(verb, "fill")) {
        fill(me.shares ? &me.p : &me.c, a);
        say("filled %u", a);
    } else if (!strcmp(verb, "check")) {
        say("check %u: %zu differ", a, differing(me.shares ? &me.c : &me.p, a));
    } else if (!strcmp(verb, "echo")) {
        me.echoes = true;
        say("echoing");
    } else if (!strcmp(verb, "serve")) {
        me.serving = a;
        me.left = b;
        evtchn_ring(me.bells, a);
    } else if (!strcmp(verb, "flood")) {
        flood(a);
    } else if (!strcmp(verb, "counts")) {
        counts();
    } else if (!strcmp(verb, "write-p")) {
        write_p();
    } else if (!strcmp(verb, "leave")) {
        leave();
    } else if (!strcmp(verb, "collect")) {
        collect();
    } else if (!strcmp(verb, "gone")) {
        grant_share_peer_gone(me.share);
        say("parked %zu of %zu", grant_share_parked(me.share),
            grant_share_pages(me.share));
    } else if (!strcmp(verb, "quit")) {
        exit(0);
    } else {
        say("no such command: %s", verb);
    }
}

int main(int argc, char **argv)
{
    setvbuf(stdin, NULL, _IONBF, 0);
    if (argc == 6 && !strcmp(argv[1], "share")) {
        share(argv + 2);
    } else if (argc == 4 && !strcmp(argv[1], "try")) {
        try(number(argv[2]), number(argv[3]));
        return 0;
    } else if (argc >= 7 && !strcmp(argv[1], "map")) {
        map(argv + 2, argc - 2);
    } else {
        fprintf(stderr, "see the source for how it is used\n");
        return 64;
    }
    for (;;) {
        struct pollfd pfd[] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = evtchn_fd(me.bells), .events = POLLIN},
        };
        char line[128];

        if (poll(pfd, 2, -1) < 0)
            return 1;
        if (pfd[1].revents)
            heard(evtchn_ack(me.bells));
        watch_peer();
        if (pfd[0].revents) {
            if (!fgets(line, sizeof(line), stdin))
                return 0;
            command(line);
        }
    }
}
