/* SPDX-License-Identifier: MIT */
/*
 * workers.c: threads that take events, each of doorbell groups of its own.
 *
 * The handles of the groups are the ring's, which closes them with itself.  A
 * worker shares a lock with the thread that writes, and with no other
 * worker; either holds it for as long as it takes to swap two buffers.
 */
#include "workers.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "output/say.h"
#include "take.h"

/* Events of a group between two looks at the others. */
#define BATCH 256
/* The limit of stacks may give less, or too much for so many. */
#define STACK_BYTES (512 << 10)
/* For all of them to tell what they were handed. */
#define LEDGER_S 1

struct worker {
    struct workers *all;
    pthread_t thread;
    bool started;
    unsigned int nr; /* of its groups that have not come to their end */
    struct vmring_worker *groups[XEN_VM_RING_MAX_GROUPS];
    struct taker taker;
    struct ledger ledger;
    struct lines filling; /* the worker's */
    struct lines spare;   /* the writer's */
    int nudge;            /* the worker is to look at what follows */

    pthread_mutex_t lock;
    struct lines ready;
    bool is_ready; /* filled by the worker, not yet collected */
    bool waits;    /* for them to be collected */
    bool stop;
    unsigned int columns;   /* of the output, as last told */
    bool ended;             /* its thread touches nothing any more */
    struct ledger *copy_to; /* asked for; NULL again once it is there */
    pthread_cond_t copied;
};

struct workers {
    struct run *run;
    int handed; /* an eventfd: there are lines, or were */
    unsigned int nr, next;
    struct worker each[];
};

static void ring(int fd)
{
    uint64_t one = 1;

    /* It fails only if it is readable already. */
    (void)!write(fd, &one, sizeof(one));
}

static void quieten(int fd)
{
    uint64_t value;

    (void)!read(fd, &value, sizeof(value));
}

static void swap(struct lines *a, struct lines *b)
{
    struct lines was = *a;

    *a = *b;
    *b = was;
}

/* Where the line just written ends. */
static void mark(struct lines *lines)
{
    if (lines->shown >= lines->room) {
        size_t room = lines->room ? 2 * lines->room : BATCH;
        size_t *ends = realloc(lines->ends, room * sizeof(*ends));

        if (!ends) {
            lines->out.error = ENOMEM;
            return;
        }
        lines->ends = ends;
        lines->room = room;
    }
    lines->ends[lines->shown] = lines->out.used;
}

size_t lines_len(const struct lines *lines, uint64_t nr)
{
    if (nr >= lines->shown)
        return lines->out.used;
    /* An end that there was no memory for is not known. */
    return nr && nr <= lines->room ? lines->ends[nr - 1] : 0;
}

/* With the lock: the ledger as of now, if somebody has asked. */
static void copy_ledger(struct worker *worker)
{
    if (!worker->copy_to)
        return;
    ledger_add(worker->copy_to, &worker->ledger);
    worker->copy_to = NULL;
    pthread_cond_signal(&worker->copied);
}

/* Swaps what was filled for what was collected.  false: it is to stop. */
static bool hand_over(struct worker *worker)
{
    bool handed = false, stop;

    pthread_mutex_lock(&worker->lock);
    if (worker->filling.events && !worker->is_ready) {
        swap(&worker->filling, &worker->ready);
        handed = worker->is_ready = true;
    }
    worker->waits = worker->filling.events;
    worker->filling.out.columns = worker->columns;
    copy_ledger(worker);
    stop = worker->stop;
    pthread_mutex_unlock(&worker->lock);
    if (handed)
        ring(worker->all->handed);
    return !stop;
}

static bool stopped(struct worker *worker)
{
    bool stop;

    pthread_mutex_lock(&worker->lock);
    copy_ledger(worker);
    stop = worker->stop;
    pthread_mutex_unlock(&worker->lock);
    return stop;
}

static int64_t now_us(void)
{
    return (int64_t)(clock_ns() / 1000);
}

/* --slow, but not when it is to stop. */
static void dawdle(struct worker *worker)
{
    struct pollfd pfd = {.fd = worker->nudge, .events = POLLIN};
    int64_t left = worker->all->run->options->slow_us;
    int64_t end = now_us() + left;

    for (; left > 0 && !stopped(worker); left = end - now_us()) {
        struct timespec wait = {left / 1000000, left % 1000000 * 1000};

        if (ppoll(&pfd, 1, &wait, NULL) > 0)
            quieten(worker->nudge);
    }
}

static void take(struct worker *worker, const struct vmring_event *event)
{
    const struct options *options = worker->all->run->options;
    struct lines *lines = &worker->filling;
    struct answer answer = take_event(&worker->taker, event);

    lines->events++;
    if (count_if_wanted(&worker->taker, event)) {
        show_event(&worker->taker, event, answer);
        if (options->count)
            mark(lines);
        lines->shown++;
    }
    if (options->slow_us)
        dawdle(worker);
}

/* A batch of one group.  1: there is more; 0: not now; else its end. */
static int take_batch(struct worker *worker, struct vmring_worker *group)
{
    unsigned int most = worker->all->run->options->slow_us ? 1 : BATCH;
    struct vmring_event event;
    int r = 1;

    worker->taker.worker = group;
    for (unsigned int i = 0; r == 1 && i < most; i++) {
        r = vmring_worker_next(group, &event);
        if (r == 1)
            take(worker, &event);
    }
    return r;
}

/* Of all groups.  Returns whether there is more to take at once. */
static bool take_round(struct worker *worker)
{
    bool more = false;

    for (unsigned int i = 0; i < worker->nr;) {
        int r = take_batch(worker, worker->groups[i]);

        more |= r == 1;
        if (r >= 0) {
            i++;
            continue;
        }
        worker->nr--;
        worker->groups[i] = worker->groups[worker->nr];
    }
    return more;
}

/* Until there is an event, or (full) its lines were collected. */
static void wait_for_more(struct worker *worker, bool full)
{
    struct pollfd fds[1 + XEN_VM_RING_MAX_GROUPS];
    nfds_t nr = 1;

    fds[0] = (struct pollfd){.fd = worker->nudge, .events = POLLIN};
    for (unsigned int i = 0; i < worker->nr && !full; i++)
        fds[nr++] = (struct pollfd){.fd = vmring_worker_fd(worker->groups[i]),
                                    .events = POLLIN};
    (void)poll(fds, nr, -1);
    quieten(worker->nudge);
}

static void *work(void *arg)
{
    struct worker *worker = arg;

    while (worker->nr) {
        bool more = take_round(worker), full;

        if (!hand_over(worker))
            break;
        full = output_is_full(&worker->filling.out);
        if (worker->nr && (full || !more))
            wait_for_more(worker, full);
    }
    pthread_mutex_lock(&worker->lock);
    copy_ledger(worker);
    worker->ended = true;
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* Signals are for the thread with the event loop. */
static int start_thread(struct worker *worker)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int r;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    r = pthread_create(&worker->thread, &attributes, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    worker->started = !r;
    return -r;
}

/* The i-th of them: its groups, each nr-th from the i-th on. */
static int worker_open(struct workers *workers, unsigned int i)
{
    struct run *run = workers->run;
    struct worker *worker = &workers->each[i];
    int r = ledger_open(&worker->ledger, run->info, run->options->summary);

    output_buffer(&worker->filling.out, run->out);
    worker->ready = worker->spare = worker->filling;
    worker->columns = run->out->columns;
    if (!r)
        r = taker_open(&worker->taker, run, &worker->ledger,
                       &worker->filling.out);
    worker->nudge = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->nudge < 0)
        return -errno;
    for (uint32_t g = i; !r && g < run->info->nr_groups; g += workers->nr) {
        r = vmring_worker_open(run->ring, g, &worker->groups[worker->nr]);
        if (!r)
            worker->nr++;
    }
    return r;
}

int workers_start(struct run *run, struct workers **out)
{
    unsigned int nr = run->options->nr_workers;
    struct workers *workers =
        calloc(1, sizeof(*workers) + nr * sizeof(workers->each[0]));
    int r = 0;

    *out = workers;
    if (!workers) {
        say("cannot start %u workers: %s; ask for fewer, or raise the limit of "
            "memory (ulimit -v)",
            nr, strerror(ENOMEM));
        return -ENOMEM;
    }
    workers->run = run;
    workers->nr = nr;
    for (unsigned int i = 0; i < nr; i++) {
        workers->each[i].all = workers;
        workers->each[i].nudge = -1;
        pthread_mutex_init(&workers->each[i].lock, NULL);
        pthread_cond_init(&workers->each[i].copied, NULL);
    }
    workers->handed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (workers->handed < 0)
        r = -errno;
    /* No thread is there before all of them can be. */
    for (unsigned int i = 0; !r && i < nr; i++)
        r = worker_open(workers, i);
    for (unsigned int i = 0; !r && i < nr; i++)
        r = start_thread(&workers->each[i]);
    if (r)
        say("cannot start %u workers: %s; ask for fewer, or raise the limits "
            "of threads and memory (ulimit -u, -v)",
            nr, strerror(-r));
    return r;
}

int workers_fd(const struct workers *workers)
{
    return workers->handed;
}

static void clear(struct lines *lines)
{
    lines->events = lines->shown = 0;
    lines->out.start = lines->out.used = 0;
}

static bool collect_of(struct worker *worker)
{
    bool collected, waits;

    clear(&worker->spare);
    pthread_mutex_lock(&worker->lock);
    collected = worker->is_ready;
    waits = collected && worker->waits;
    if (collected)
        swap(&worker->spare, &worker->ready);
    worker->is_ready = false;
    pthread_mutex_unlock(&worker->lock);
    if (waits)
        ring(worker->nudge);
    return collected;
}

struct lines *workers_collect(struct workers *workers)
{
    /* Before the look: what is handed over after it rings again. */
    quieten(workers->handed);
    for (unsigned int i = 0; i < workers->nr; i++) {
        struct worker *worker = &workers->each[workers->next];

        workers->next = (workers->next + 1) % workers->nr;
        if (collect_of(worker))
            return &worker->spare;
    }
    return NULL;
}

void workers_resized(struct workers *workers)
{
    for (unsigned int i = 0; workers && i < workers->nr; i++) {
        struct worker *worker = &workers->each[i];

        pthread_mutex_lock(&worker->lock);
        worker->columns = workers->run->out->columns;
        pthread_mutex_unlock(&worker->lock);
    }
}

/* One that has ended can be asked no more, and be read. */
static void ask_for_ledger(struct worker *worker, struct ledger *sum)
{
    pthread_mutex_lock(&worker->lock);
    worker->copy_to = sum;
    if (worker->ended)
        copy_ledger(worker);
    pthread_mutex_unlock(&worker->lock);
    ring(worker->nudge);
}

static int wait_for_ledger(struct worker *worker, const struct timespec *end)
{
    int r = 0;

    pthread_mutex_lock(&worker->lock);
    while (worker->copy_to && !r)
        r = pthread_cond_clockwait(&worker->copied, &worker->lock,
                                   CLOCK_MONOTONIC, end);
    worker->copy_to = NULL;
    pthread_mutex_unlock(&worker->lock);
    return -r;
}

int workers_add_ledgers(struct workers *workers, struct ledger *sum)
{
    struct timespec end;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += LEDGER_S;
    /* One by one: they add to the same sum. */
    for (unsigned int i = 0; workers && i < workers->nr && !r; i++) {
        ask_for_ledger(&workers->each[i], sum);
        r = wait_for_ledger(&workers->each[i], &end);
    }
    return r;
}

static void lines_free(struct lines *lines)
{
    free(lines->ends);
    free(lines->out.buffer);
}

static void tell_to_stop(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    pthread_mutex_unlock(&worker->lock);
    ring(worker->nudge);
}

static void end_worker(struct worker *worker,
                       void (*add)(void *ctx, struct lines *lines), void *ctx)
{
    if (worker->started) {
        pthread_join(worker->thread, NULL);
        if (worker->is_ready)
            add(ctx, &worker->ready);
        add(ctx, &worker->filling);
        ledger_add(worker->all->run->ledger, &worker->ledger);
    }
    lines_free(&worker->filling);
    lines_free(&worker->ready);
    lines_free(&worker->spare);
    ledger_close(&worker->ledger);
    taker_close(&worker->taker);
    pthread_cond_destroy(&worker->copied);
    pthread_mutex_destroy(&worker->lock);
    if (worker->nudge >= 0)
        close(worker->nudge);
}

void workers_stop(struct workers *workers,
                  void (*add)(void *ctx, struct lines *lines), void *ctx)
{
    if (!workers)
        return;
    for (unsigned int i = 0; i < workers->nr; i++)
        tell_to_stop(&workers->each[i]);
    for (unsigned int i = 0; i < workers->nr; i++)
        end_worker(&workers->each[i], add, ctx);
    if (workers->handed >= 0)
        close(workers->handed);
    free(workers);
}
