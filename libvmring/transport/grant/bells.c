/* SPDX-License-Identifier: MIT */
/* bells.c: see bells.h. */
#include "bells.h"

#include "../../base/watch.h"

int bells_bind(struct bells *bells, uint32_t domid, const uint32_t *ports,
               uint32_t nr, char *error, size_t error_len)
{
    int err = 0;

    while (!err && bells->nr < nr) {
        struct evtchn **bell = &bells->bell[bells->nr];

        err = evtchn_bind(domid, &ports[bells->nr], 1, bell, error, error_len);
        if (err)
            break;
        evtchn_count_with(*bell, &bells->rung);
        bells->nr++;
        err = watch_add(bells->epoll, evtchn_fd(*bell));
    }
    return err;
}

void bells_kick(const struct bells *bells, uint32_t group)
{
    if (group < bells->nr)
        evtchn_ring(bells->bell[group], 0);
}

bool bells_ack_one(const struct bells *bells, uint32_t group)
{
    return evtchn_ack(bells->bell[group]) != 0;
}

unsigned int bells_ack(const struct bells *bells)
{
    unsigned int rung = 0;

    for (uint32_t g = 0; g < bells->nr; g++)
        if (!(bells->apart >> g & 1) && bells_ack_one(bells, g))
            rung++;
    return rung;
}

int bells_fd(const struct bells *bells, uint32_t group)
{
    return evtchn_fd(bells->bell[group]);
}

int bells_apart(struct bells *bells, uint32_t group, bool apart)
{
    int bell = bells_fd(bells, group);
    int err = apart ? watch_remove(bells->epoll, bell)
                    : watch_add(bells->epoll, bell);

    if (err)
        return err;
    evtchn_count_with(bells->bell[group], apart ? NULL : &bells->rung);
    bells->apart &= ~(1ULL << group);
    bells->apart |= (uint64_t)apart << group;
    return 0;
}

int bells_restrict(const struct bells *bells)
{
    int err = 0;

    for (uint32_t g = 0; !err && g < bells->nr; g++)
        err = evtchn_restrict(bells->bell[g]);
    return err;
}

void bells_close(struct bells *bells)
{
    while (bells->nr)
        evtchn_close(bells->bell[--bells->nr]);
}
