/* SPDX-License-Identifier: MIT */
/* early.c: signals that come while there is no loop to take them. */
#include "early.h"

#include <signal.h>
#include <stddef.h>

static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,
                              SIGQUIT, SIGXCPU, SIGUSR1};
#define NR_SIGNALS (sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t come; /* the last one; 0: none */
static struct sigaction before[NR_SIGNALS];
static sigset_t let_in;

static void note(int number)
{
    come = number;
}

static sigset_t all(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < NR_SIGNALS; i++)
        sigaddset(&set, signals[i]);
    return set;
}

void early_begin(void)
{
    struct sigaction action = {.sa_handler = note};
    sigset_t ours = all();

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < NR_SIGNALS; i++) {
        (void)sigaction(signals[i], NULL, &before[i]);
        /* There is no ledger to show yet. */
        action.sa_handler = signals[i] == SIGUSR1 ? SIG_IGN : note;
        /* As nohup(1) has it. */
        if (before[i].sa_handler != SIG_IGN)
            (void)sigaction(signals[i], &action, NULL);
    }
    (void)sigprocmask(SIG_UNBLOCK, &ours, NULL);
}

bool early_has_come(void *ctx)
{
    (void)ctx;
    return come != 0;
}

void early_forget(void)
{
    come = 0;
}

void early_hold(void)
{
    sigset_t held = all();

    (void)sigprocmask(SIG_BLOCK, &held, NULL);
}

void early_hand_over(void)
{
    sigset_t held = all();
    int last;

    (void)sigprocmask(SIG_BLOCK, &held, &let_in);
    last = come;
    early_forget();
    for (size_t i = 0; i < NR_SIGNALS; i++)
        (void)sigaction(signals[i], &before[i], NULL);
    if (last)
        (void)raise(last);
}

void early_end(void)
{
    (void)sigprocmask(SIG_SETMASK, &let_in, NULL);
}
