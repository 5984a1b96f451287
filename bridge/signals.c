/* SPDX-License-Identifier: MIT */
/* signals.c: what a signal does to a bridge. */
#include "signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* SIGXCPU comes before SIGKILL does: see limits.c. */
const int bridge_ending_signals[NR_SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT,
                                               SIGXCPU};

/*
 * A fault of its own: the kernel does not let it be ignored, and what it would
 * do next cannot be trusted.  (SIGBUS is the library's, of memory that a peer
 * has taken away.)
 */
static const int faults[] = {SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS};

static bool is_in(int signal, const int *list, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        if (list[i] == signal)
            return true;
    return false;
}

static bool was_ignored(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 &&
           action.sa_handler == SIG_IGN;
}

int bridge_signal_ends(int number)
{
    return is_in(number, bridge_ending_signals, NR_SIGNALS) &&
           !(number == SIGHUP && was_ignored(SIGHUP));
}

/*
 * Every other one: timers (SIGALRM, SIGVTALRM, SIGPROF), limits (SIGXFSZ),
 * peers (SIGPIPE, SIGIO), terminals (SIGTSTP, SIGTTIN, SIGTTOU: a bridge that
 * is stopped holds its guest), somebody's own use (SIGUSR1, SIGUSR2, the
 * real-time ones), and those to come.
 */
void bridge_signals_begin(void)
{
    sigset_t none;

    for (int number = 1; number <= SIGRTMAX; number++)
        if (!is_in(number, bridge_ending_signals, NR_SIGNALS) &&
            !is_in(number, faults, sizeof(faults) / sizeof(faults[0])))
            (void)signal(number, SIG_IGN); /* SIGKILL, SIGSTOP: cannot be */
    for (size_t i = 0; i < NR_SIGNALS; i++)
        if (bridge_ending_signals[i] != SIGHUP)
            (void)signal(bridge_ending_signals[i], SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void bridge_signals_end(void)
{
    sigset_t ending;

    sigemptyset(&ending);
    for (size_t i = 0; i < NR_SIGNALS; i++)
        sigaddset(&ending, bridge_ending_signals[i]);
    (void)sigprocmask(SIG_BLOCK, &ending, NULL);
}
