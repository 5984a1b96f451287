/* SPDX-License-Identifier: MIT */
/* errand.c: see errand.h. */
#include "errand.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/thread.h"

/* Between two looks whether to go on waiting. */
#define LOOK_MS 100

struct queue {
    struct errand *first, *last;
};

struct errands {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct queue waiting, done;
    int64_t since; /* ms; 0: there is nothing in hand */
    int fd;        /* an eventfd: `done` is not empty */
    bool over;     /* all of it is the thread's */
};

/* Those that were ended, and until when the process is held for them. */
static pthread_mutex_t ended_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int nr_ended;
static int64_t ended_until;

static void append(struct queue *queue, struct errand *errand)
{
    errand->next = NULL;
    if (queue->last)
        queue->last->next = errand;
    else
        queue->first = errand;
    queue->last = errand;
}

static struct errand *pop(struct queue *queue)
{
    struct errand *errand = queue->first;

    if (errand)
        queue->first = errand->next;
    if (!queue->first)
        queue->last = NULL;
    return errand;
}

static void destroy(struct errands *errands)
{
    struct errand *errand;

    while ((errand = pop(&errands->done)) != NULL)
        free(errand);
    if (errands->fd >= 0)
        close(errands->fd);
    pthread_cond_destroy(&errands->changed);
    pthread_mutex_destroy(&errands->lock);
    free(errands);
}

/* With the lock. */
static void finish(struct errands *errands, struct errand *errand)
{
    errands->since = 0;
    errand->is_done = true;
    if (errands->over || errand->how == ERRAND_FORGOTTEN) {
        free(errand);
    } else if (errand->how == ERRAND_POSTED) {
        append(&errands->done, errand);
        (void)eventfd_write(errands->fd, 1);
    } else {
        pthread_cond_broadcast(&errands->changed);
    }
}

static void *work(void *ctx)
{
    struct errands *errands = ctx;
    struct errand *errand;

    pthread_mutex_lock(&errands->lock);
    for (;;) {
        while (!errands->waiting.first && !errands->over)
            pthread_cond_wait(&errands->changed, &errands->lock);
        errand = pop(&errands->waiting);
        if (!errand)
            break;
        errands->since = clock_ms();
        pthread_mutex_unlock(&errands->lock);
        errand->run(errand);
        pthread_mutex_lock(&errands->lock);
        finish(errands, errand);
    }
    pthread_mutex_unlock(&errands->lock);
    destroy(errands);
    pthread_mutex_lock(&ended_lock);
    nr_ended--;
    pthread_mutex_unlock(&ended_lock);
    return NULL;
}

int errands_start(struct errands **out)
{
    struct errands *errands = calloc(1, sizeof(*errands));
    pthread_condattr_t attr;
    int err = 0;

    if (!errands)
        return -ENOMEM;
    pthread_mutex_init(&errands->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&errands->changed, &attr);
    pthread_condattr_destroy(&attr);
    errands->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (errands->fd < 0)
        err = -errno;
    if (!err)
        err = thread_start(NULL, work, errands);
    if (err)
        destroy(errands);
    else
        *out = errands;
    return err;
}

static void add(struct errands *errands, struct errand *errand)
{
    errand->is_done = false;
    append(&errands->waiting, errand);
    pthread_cond_broadcast(&errands->changed);
}

/* With the lock, and until something has changed, or for a tenth of a second.
 */
static void wait_a_little(struct errands *errands, int64_t end)
{
    int64_t until = clock_ms() + LOOK_MS;
    struct timespec ts;

    if (end < until)
        until = end;
    ts.tv_sec = until / 1000;
    ts.tv_nsec = until % 1000 * 1000000;
    (void)pthread_cond_timedwait(&errands->changed, &errands->lock, &ts);
}

bool errands_do(struct errands *errands, struct errand *errand, int ms,
                const struct patience *patience)
{
    int64_t end = clock_ms() + ms;
    bool is_done, enough = false;

    pthread_mutex_lock(&errands->lock);
    errand->how = ERRAND_AWAITED;
    add(errands, errand);
    while (!errand->is_done && !enough && clock_ms() < end) {
        wait_a_little(errands, end);
        pthread_mutex_unlock(&errands->lock);
        enough = patience_is_over(patience);
        pthread_mutex_lock(&errands->lock);
    }
    is_done = errand->is_done;
    if (!is_done)
        errand->how = ERRAND_FORGOTTEN;
    pthread_mutex_unlock(&errands->lock);
    return is_done;
}

void errands_post(struct errands *errands, struct errand *errand)
{
    pthread_mutex_lock(&errands->lock);
    errand->how = ERRAND_POSTED;
    add(errands, errand);
    pthread_mutex_unlock(&errands->lock);
}

void errands_leave(struct errands *errands, struct errand *errand)
{
    pthread_mutex_lock(&errands->lock);
    errand->how = ERRAND_FORGOTTEN;
    add(errands, errand);
    pthread_mutex_unlock(&errands->lock);
}

int errands_fd(const struct errands *errands)
{
    return errands->fd;
}

struct errand *errands_done(struct errands *errands)
{
    struct errand *errand;
    eventfd_t count;

    pthread_mutex_lock(&errands->lock);
    errand = pop(&errands->done);
    if (!errands->done.first)
        (void)eventfd_read(errands->fd, &count);
    pthread_mutex_unlock(&errands->lock);
    return errand;
}

int64_t errands_late(struct errands *errands)
{
    int64_t now = clock_ms(), late = 0;

    pthread_mutex_lock(&errands->lock);
    if (errands->since && now > errands->since)
        late = now - errands->since;
    else if (errands->since || errands->waiting.first)
        late = 1;
    pthread_mutex_unlock(&errands->lock);
    return late;
}

void errands_end(struct errands *errands, struct errand *last, int ms)
{
    int64_t until = clock_ms() + ms;

    if (!errands)
        return;
    pthread_mutex_lock(&ended_lock);
    if (!nr_ended++ || until > ended_until)
        ended_until = until;
    pthread_mutex_unlock(&ended_lock);
    pthread_mutex_lock(&errands->lock);
    if (last)
        add(errands, last);
    errands->over = true;
    pthread_cond_broadcast(&errands->changed);
    pthread_mutex_unlock(&errands->lock);
}

/* The threads are the parent's, and so is what they are waited for. */
static void in_a_child(void)
{
    pthread_mutex_init(&ended_lock, NULL);
    nr_ended = 0;
}

__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, in_a_child);
}

static bool have_all_ended(void)
{
    bool all;

    pthread_mutex_lock(&ended_lock);
    all = !nr_ended || clock_ms() >= ended_until;
    pthread_mutex_unlock(&ended_lock);
    return all;
}

__attribute__((destructor)) void errands_wait_for_ended(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    while (!have_all_ended())
        nanosleep(&pause, NULL);
}
