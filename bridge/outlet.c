/* SPDX-License-Identifier: MIT */
/* outlet.c: writing without waiting for the reader. */
#include "outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* It does little, also where a sanitizer looks on. */
#define STACK_BYTES (256 << 10)

/* Bytes outside of the queue are the thread's, or nobody's. */
struct outlet {
    int fd;
    pthread_t thread;
    pthread_mutex_t lock; /* held for a few instructions at a time */
    pthread_cond_t news;
    size_t head, tail; /* bytes that were put, and written; free-running */
    bool begun;        /* the thread has: it has no capabilities any more */
    bool closing;
    bool ended; /* the thread has, or is about to */
    int error;  /* the first of writing */
    char queue[OUTLET_BYTES];
};

static void write_all(struct outlet *outlet, const char *data, size_t len)
{
    struct pollfd pfd = {.fd = outlet->fd, .events = POLLOUT};

    while (len) {
        ssize_t written = write(outlet->fd, data, len);

        if (written >= 0) {
            data += written;
            len -= (size_t)written;
        } else if (errno == EAGAIN) {
            /* Somebody else has made the open file so. */
            (void)poll(&pfd, 1, -1);
        } else if (errno != EINTR) {
            if (!outlet->error)
                outlet->error = -errno;
            return; /* there may be room later: try with what comes next */
        }
    }
}

/* One run of bytes of the queue, as it does not wrap. */
static size_t wait_for_some(struct outlet *outlet, size_t *at)
{
    size_t nr;

    pthread_mutex_lock(&outlet->lock);
    while (outlet->head == outlet->tail && !outlet->closing)
        pthread_cond_wait(&outlet->news, &outlet->lock);
    nr = outlet->head - outlet->tail;
    *at = outlet->tail % OUTLET_BYTES;
    pthread_mutex_unlock(&outlet->lock);
    return nr < OUTLET_BYTES - *at ? nr : OUTLET_BYTES - *at;
}

/* They are each thread's own, and this one needs none. */
static void give_up_capabilities(void)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = 0}};

    (void)syscall(SYS_capset, &header, none);
}

static void *write_on(void *ctx)
{
    struct outlet *outlet = ctx;
    size_t at, nr;

    give_up_capabilities();
    pthread_mutex_lock(&outlet->lock);
    outlet->begun = true;
    pthread_cond_broadcast(&outlet->news);
    pthread_mutex_unlock(&outlet->lock);
    while ((nr = wait_for_some(outlet, &at)) > 0) {
        write_all(outlet, outlet->queue + at, nr);
        pthread_mutex_lock(&outlet->lock);
        outlet->tail += nr;
        pthread_mutex_unlock(&outlet->lock);
    }
    pthread_mutex_lock(&outlet->lock);
    outlet->ended = true;
    pthread_cond_broadcast(&outlet->news);
    pthread_mutex_unlock(&outlet->lock);
    return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct outlet *outlet)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int err;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&outlet->thread, &attributes, write_on, outlet);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    /* A filter of system calls that comes first would leave it them. */
    pthread_mutex_lock(&outlet->lock);
    while (!err && !outlet->begun)
        pthread_cond_wait(&outlet->news, &outlet->lock);
    pthread_mutex_unlock(&outlet->lock);
    return err;
}

static void discard(struct outlet *outlet)
{
    if (outlet->fd >= 0)
        close(outlet->fd);
    pthread_cond_destroy(&outlet->news);
    pthread_mutex_destroy(&outlet->lock);
    free(outlet);
}

struct outlet *outlet_open(int fd)
{
    struct outlet *outlet = calloc(1, sizeof(*outlet));
    pthread_condattr_t attributes;
    int err;

    if (!outlet)
        return NULL;
    pthread_mutex_init(&outlet->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&outlet->news, &attributes);
    pthread_condattr_destroy(&attributes);
    /* Its own: a number that is closed may soon be another file's. */
    outlet->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    err = outlet->fd < 0 ? errno : start_thread(outlet);
    if (err) {
        discard(outlet);
        errno = err;
        return NULL;
    }
    return outlet;
}

int outlet_put(struct outlet *outlet, const void *data, size_t len)
{
    const char *from = data;
    size_t at, first;
    bool fits;

    pthread_mutex_lock(&outlet->lock);
    fits = len <= OUTLET_BYTES - (outlet->head - outlet->tail);
    if (fits) {
        at = outlet->head % OUTLET_BYTES;
        first = len < OUTLET_BYTES - at ? len : OUTLET_BYTES - at;
        memcpy(outlet->queue + at, from, first);
        memcpy(outlet->queue, from + first, len - first);
        outlet->head += len;
        pthread_cond_signal(&outlet->news);
    }
    pthread_mutex_unlock(&outlet->lock);
    return fits ? 0 : -ENOBUFS;
}

/* false: it still writes when `limit_ms` have passed. */
static bool wait_for_the_end(struct outlet *outlet, int limit_ms)
{
    struct timespec until;
    bool ended;
    int err = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += limit_ms / 1000;
    until.tv_nsec += limit_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    pthread_mutex_lock(&outlet->lock);
    outlet->closing = true;
    pthread_cond_broadcast(&outlet->news);
    while (!outlet->ended && !err)
        err = pthread_cond_timedwait(&outlet->news, &outlet->lock, &until);
    ended = outlet->ended;
    pthread_mutex_unlock(&outlet->lock);
    return ended;
}

int outlet_close(struct outlet *outlet, int limit_ms)
{
    int err;

    if (!wait_for_the_end(outlet, limit_ms))
        return -ETIMEDOUT;
    pthread_join(outlet->thread, NULL);
    err = outlet->error;
    discard(outlet);
    return err;
}
