/* SPDX-License-Identifier: MIT */
/* budget.c: see budget.h. */
#include "budget.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND      1000000000ULL
#define MIN_HOLD_NS 1000000ULL
#define MAX_HOLD_NS 100000000ULL

/* How long until there were not too many of late? */
static uint64_t spend(struct budget *budget, uint64_t now, uint64_t each,
                      uint64_t burst)
{
    uint64_t most = now + burst * each;

    if (budget->paid_until < now)
        budget->paid_until = now;
    budget->paid_until += each;
    return budget->paid_until > most ? budget->paid_until - most : 0;
}

uint64_t budget_ring(struct budget *budget, uint64_t now)
{
    if (budget->earned) {
        budget->earned--;
        return 0;
    }
    return spend(budget, now, SECOND / BELLS_PER_SECOND, BELLS_BURST);
}

uint64_t budget_ask(struct budget *budget, uint64_t now)
{
    return spend(budget, now, SECOND / MESSAGES_PER_SECOND, MESSAGES_BURST);
}

void budget_earn(struct budget *budget)
{
    if (budget->earned < BELLS_BURST)
        budget->earned++;
}

int pause_open(void)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    return timer < 0 ? -errno : timer;
}

void pause_begin(int timer, uint64_t ns)
{
    struct itimerspec when = {.it_value = {.tv_nsec = MIN_HOLD_NS}};

    if (ns > MIN_HOLD_NS)
        when.it_value.tv_nsec = (long)(ns < MAX_HOLD_NS ? ns : MAX_HOLD_NS);
    (void)timerfd_settime(timer, 0, &when, NULL);
}

bool pause_is_over(int timer)
{
    uint64_t ticks;

    return read(timer, &ticks, sizeof(ticks)) == sizeof(ticks);
}
