/* SPDX-License-Identifier: MIT */
/* thread.h: how the library starts a thread of its own. */
#ifndef VMRING_BASE_THREAD_H
#define VMRING_BASE_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

/* Enough for each of them; the limit of stacks may give less, or too much. */
#define THREAD_STACK_BYTES (512 << 10)

/*
 * It gets no signals: those are for the threads of the program whose process
 * this is.  `thread` NULL: it is detached.  -EAGAIN, -ENOMEM.
 */
static inline int thread_start(pthread_t *thread, void *(*run)(void *ctx),
                               void *ctx)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t started;
    int err;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
    if (!thread)
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(thread ? thread : &started, &attributes, run, ctx);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -err;
}

#endif /* VMRING_BASE_THREAD_H */
