/* SPDX-License-Identifier: MIT */
#include "peers.h"

#include "slices.h"

void peers_drop(struct vmring_producer *producer, struct peer *peer)
{
    for (int i = 0; i < MAX_PEERS; i++)
        if (producer->peers[i] == peer)
            producer->peers[i] = NULL;
    if (producer->making.peer == peer)
        slices_abandon(producer);
    peer->ops->drop(peer);
}

/* Places of a user, with the one that `coming` is to have. */
static unsigned int places_of(const struct vmring_producer *producer, uid_t uid,
                              const struct peer *coming)
{
    unsigned int nr = uid == coming->uid;

    for (int i = 0; i < MAX_PEERS; i++)
        if (producer->peers[i] && producer->peers[i] != producer->session.peer)
            nr += producer->peers[i]->uid == uid;
    return nr;
}

/*
 * The place of the peer that gives way: the oldest one of the user with the
 * most places, so that a user who connects without end pushes no other out.
 * Never that of the attached peer, or of the next one.
 */
static int place_to_give(const struct vmring_producer *producer,
                         const struct peer *coming)
{
    unsigned int most = 0;
    int place = -1;

    for (int i = 0; i < MAX_PEERS; i++) {
        const struct peer *other = producer->peers[i];
        unsigned int nr;

        if (!other)
            return i;
        if (other == producer->session.peer || other == producer->making.peer)
            continue;
        nr = places_of(producer, other->uid, coming);
        if (nr > most ||
            (nr == most && other->since < producer->peers[place]->since)) {
            most = nr;
            place = i;
        }
    }
    return place;
}

void peers_add(struct vmring_producer *producer, struct peer *peer)
{
    int place = place_to_give(producer, peer);

    if (producer->peers[place])
        peers_drop(producer, producer->peers[place]);
    peer->since = ++producer->arrivals;
    producer->peers[place] = peer;
}

bool peers_are_over(const struct vmring_producer *producer)
{
    if ((producer->listener && producer->listener->open) ||
        producer->session.leaving)
        return false;
    for (int i = 0; i < MAX_PEERS; i++)
        if (producer->peers[i])
            return false;
    return true;
}
