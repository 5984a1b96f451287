/* SPDX-License-Identifier: MIT */
/*
 * Description: whichever call of xenstore fails, once: what is begun is ended
 * with an error or goes on, nothing is held, and who comes afterwards is
 * served.
 */
#include <errno.h>
#include <stdlib.h>

#include "meeting.h"

static const int errors[] = {EACCES, EIO,    ENOSPC,     ENOENT,  EPIPE,
                             EBADF,  ENODEV, ECONNRESET, ENOTCONN};

static struct rendezvous_message *message;

static void arm(unsigned int nth, int err)
{
    fake_xenstore.fail_at = fake_xenstore.calls + nth;
    fake_xenstore.fail_errno = err;
}

/* false: there was no such call. */
static bool disarm(void)
{
    bool fired = fake_xenstore.calls >= fake_xenstore.fail_at;

    fake_xenstore.fail_at = 0;
    return fired;
}

/* A life of both, as far as it goes. */
static void live(void)
{
    struct rendezvous_bridge *bridge;
    struct rendezvous_agent *agent = NULL;
    uint32_t type;

    fake_xenstore.domid = 0;
    if (rendezvous_serve(MEETING_AGENT, "5", &bridge, NULL, 0))
        return;
    (void)rendezvous_next(bridge, false, message);
    fake_xenstore.domid = MEETING_AGENT;
    if (!rendezvous_open(0, "5", &agent, NULL, 0)) {
        (void)rendezvous_send(agent, VMRING_LOCAL_SUBSCRIBE, "cpuid", 5);
        (void)rendezvous_send(agent, VMRING_LOCAL_QUIESCE, NULL, 0);
        for (int i = 0; i < 3; i++) {
            if (rendezvous_next(bridge, false, message) == 1)
                (void)meeting_reply(bridge, message->session, message->seq,
                                    MESSAGE_OK, NULL, 0);
            (void)rendezvous_recv(agent, &type, message->body.bytes,
                                  sizeof(message->body));
        }
    }
    rendezvous_close(agent);
    rendezvous_serve_end(bridge);
}

int main(void)
{
    message = calloc(1, sizeof(*message));
    CHECK(message);
    meeting_prepare();
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        unsigned int nth = 0;
        bool fired;

        do {
            struct rendezvous_bridge *bridge;
            struct rendezvous_agent *agent;

            arm(++nth, errors[i]);
            live();
            fired = disarm();
            CHECK_EQ(fake_xenstore.handles, 0);
            CHECK_EQ(fake_xenstore.transactions, 0);
            bridge = meeting_serve();
            agent = meeting_open();
            meeting_exchange(bridge, agent);
            rendezvous_close(agent);
            rendezvous_serve_end(bridge);
            fake_xenstore_check_empty(MEETING_ABOVE);
        } while (fired);
        CHECK(nth > 30);
    }
    free(message);
    return 0;
}
