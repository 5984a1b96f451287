/* SPDX-License-Identifier: MIT */
#include "meeting.h"

#include <errno.h>

static struct rendezvous_message message;

void meeting_prepare(void)
{
    CHECK(fake_xenstore_put(0, "/local/domain/0/domid", "0", SIZE_MAX));
}

struct rendezvous_bridge *meeting_serve(void)
{
    struct rendezvous_bridge *bridge;
    char error[256] = "";
    int err;

    fake_xenstore.domid = 0;
    err = rendezvous_serve(MEETING_AGENT, "5", &bridge, error, sizeof(error));
    CHECK_STR(error, "");
    CHECK_EQ(err, 0);
    meeting_none(bridge);
    return bridge;
}

struct rendezvous_agent *meeting_open(void)
{
    struct rendezvous_agent *agent;
    char error[256] = "";
    int err;

    fake_xenstore.domid = MEETING_AGENT;
    err = rendezvous_open(0, "5", &agent, error, sizeof(error));
    CHECK_STR(error, "");
    CHECK_EQ(err, 0);
    return agent;
}

int meeting_reply(struct rendezvous_bridge *bridge, uint64_t session,
                  uint64_t seq, uint32_t type, const void *body, size_t len)
{
    char text[MESSAGE_MAX];
    int ret = message_write(type, body, len, text);

    return ret < 0 ? ret : rendezvous_tell(bridge, false, session, seq, text);
}

int meeting_tell_quiet(struct rendezvous_bridge *bridge, uint64_t session,
                       uint64_t seq)
{
    return rendezvous_tell(bridge, true, session, seq, "quiet");
}

const struct rendezvous_message *meeting_next(struct rendezvous_bridge *bridge)
{
    CHECK_EQ(rendezvous_next(bridge, false, &message), 1);
    return &message;
}

void meeting_none(struct rendezvous_bridge *bridge)
{
    CHECK_EQ(rendezvous_next(bridge, false, &message), 0);
}

const char *meeting_asked(uint64_t *session, uint64_t *seq)
{
    static char text[MESSAGE_MAX + 128];
    const char *value = fake_xenstore_get(0, MEETING "/agent/request");
    const char *rest = text;
    uint64_t instance;

    snprintf(text, sizeof(text), " %s", value ? value : "");
    rest = message_field(rest, "bridge", UINT64_MAX, &instance);
    if (rest)
        rest = message_field(rest, "session", UINT64_MAX, session);
    return rest ? message_field(rest, "seq", UINT64_MAX, seq) : NULL;
}

void meeting_exchange(struct rendezvous_bridge *bridge,
                      struct rendezvous_agent *agent)
{
    static const struct xen_vm_ring_propose propose = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(propose),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .nr_groups = 1,
    };
    struct message_accept accept;
    uint32_t type;

    CHECK_EQ(
        rendezvous_send(agent, VMRING_LOCAL_PROPOSE, &propose, sizeof(propose)),
        0);
    meeting_next(bridge);
    CHECK_EQ(message.type, VMRING_LOCAL_PROPOSE);
    CHECK_EQ(message.len, sizeof(propose));
    CHECK(!memcmp(message.body.bytes, &propose, sizeof(propose)));
    CHECK_EQ(rendezvous_recv(agent, &type, &accept, sizeof(accept)), -EAGAIN);
    memset(&accept, 0, sizeof(accept));
    accept.wire.body.result = XEN_VM_RING_REFUSED_BUSY;
    CHECK_EQ(meeting_reply(bridge, message.session, message.seq,
                           VMRING_LOCAL_ACCEPT, &accept, sizeof(accept)),
             0);
    CHECK_EQ(rendezvous_recv(agent, &type, &accept, sizeof(accept)),
             (int)sizeof(accept));
    CHECK_EQ(type, VMRING_LOCAL_ACCEPT);
    CHECK_EQ(accept.wire.body.result, XEN_VM_RING_REFUSED_BUSY);
    CHECK(!rendezvous_is_waiting(agent));
}
