/* SPDX-License-Identifier: MIT */
/* guard.c: pages that a peer can take away.  See guard.h. */
#include "guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../core/atomic.h"
#include "../vmring.h"

/* P, C and eight frozen Ps of 25 rings. */
#define MAX_GUARDS 256

/* Written under the lock, read by a handler that may interrupt any thread. */
struct guard {
    xen_vm_ring_u64 at; /* 0: free */
    xen_vm_ring_u64 len;
    xen_vm_ring_u64 broken;
};

static struct guard guards[MAX_GUARDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t page;
static struct sigaction before;

struct guard *guard_memory(void *at, size_t len)
{
    struct guard *guard = NULL;

    pthread_mutex_lock(&lock);
    page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (unsigned int i = 0; i < MAX_GUARDS && !guard; i++)
        if (!guards[i].at)
            guard = &guards[i];
    if (guard) {
        vmr_store_relaxed(&guard->len, len);
        vmr_store_relaxed(&guard->broken, 0);
        /* Pairs with the acquire load in vmring_survive_sigbus(). */
        vmr_store_release(&guard->at, (uintptr_t)at);
    }
    pthread_mutex_unlock(&lock);
    return guard;
}

void guard_end(struct guard *guard)
{
    if (!guard)
        return;
    pthread_mutex_lock(&lock);
    vmr_store_relaxed(&guard->at, 0);
    pthread_mutex_unlock(&lock);
}

bool guard_is_broken(const struct guard *guard)
{
    return guard && vmr_load_relaxed(&guard->broken);
}

bool vmring_survive_sigbus(const void *addr)
{
    uintptr_t where = (uintptr_t)addr;

    for (unsigned int i = 0; i < MAX_GUARDS; i++) {
        /* Pairs with the release store in guard_memory(). */
        uint64_t at = vmr_load_acquire(&guards[i].at);

        if (!at || where < at || where - at >= vmr_load_relaxed(&guards[i].len))
            continue;
        /* One page: there may be no memory for more. */
        if (mmap((void *)(where & ~(page - 1)), page, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            return false;
        vmr_store_relaxed(&guards[i].broken, 1);
        return true;
    }
    return false;
}

/*
 * Does what would happen without us: calls the handler that was there, or sets
 * the default again, so that the access faults once more.  A signal that was
 * sent does not come again by itself, and is raised.
 */
static void pass_on(int sig, siginfo_t *info, void *context)
{
    bool was_sent = info->si_code <= 0;

    if (before.sa_handler == SIG_IGN && was_sent)
        return;
    if (before.sa_handler == SIG_IGN || before.sa_handler == SIG_DFL) {
        (void)sigaction(sig, &before, NULL);
        if (was_sent)
            (void)raise(sig);
    } else if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(sig, info, context);
    } else {
        before.sa_handler(sig);
    }
}

static void handle(int sig, siginfo_t *info, void *context)
{
    int err = errno;

    /* One that was sent has no address. */
    if (info->si_code <= 0 || !vmring_survive_sigbus(info->si_addr))
        pass_on(sig, info, context);
    errno = err;
}

int vmring_catch_sigbus(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    struct sigaction now;

    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, NULL, &now) < 0)
        return -errno;
    if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handle)
        return 0;
    before = now;
    return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}
