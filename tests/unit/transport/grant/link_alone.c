/* SPDX-License-Identifier: MIT */
/*
 * Description: a consumer's end of the grant transport, and a bridge that the
 * test plays: silent, malformed, gone, or with calls that fail.  Each ends
 * with an error, and nothing is held afterwards.
 */
#include <errno.h>

#include "fake_xen.h"
#include "faults.h"
#include "meeting.h"
#include "transport/grant/evtchn.h"
#include "transport/grant/grant.h"

static struct rendezvous_bridge *bridge;
static struct link *link_;
static struct evtchn *bells;
static struct vmring_local_accept accept;
static struct link_regions regions;
static unsigned int idles;

static int connect_it(void)
{
    char error[256];
    const struct connecting how = {
        .uri = "grant:0/5",
        .error = error,
        .error_len = sizeof(error),
    };
    int err;

    fake_xenstore.domid = MEETING_AGENT;
    err = grant_connect(&how, "0/5", &link_);
    if (!err)
        link_->timeout_ms = 10000;
    return err;
}

static void serve(void)
{
    link_ = NULL;
    bridge = meeting_serve();
}

static void settle(void)
{
    if (link_)
        link_->ops->close(link_);
    evtchn_close(bells);
    bells = NULL;
    rendezvous_serve_end(bridge);
    faults_idle = NULL;
    fake_xenstore_check_empty(MEETING_ABOVE);
    fake_xen_check_empty();
}

static void start(void)
{
    serve();
    CHECK_EQ(connect_it(), 0);
    idles = 0;
}

static void propose(void)
{
    static const struct xen_vm_ring_propose none = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(none),
        .nr_groups = 1,
    };

    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_PROPOSE, &none, sizeof(none)),
             0);
}

static void answer(uint32_t type, const void *body, size_t len)
{
    const struct rendezvous_message *request = meeting_next(bridge);

    CHECK_EQ(
        meeting_reply(bridge, request->session, request->seq, type, body, len),
        0);
}

static int take(int timeout_ms)
{
    return link_->ops->map(link_, &accept, &regions, timeout_ms);
}

static void granted(uint32_t nr_groups, uint32_t nr_ports, uint32_t port)
{
    struct message_accept message;

    memset(&message, 0, sizeof(message));
    message.wire.body.result = XEN_VM_RING_ACCEPTED;
    message.wire.body.nr_groups = nr_groups;
    message.nr_ports = nr_ports;
    message.ports[0] = port;
    propose();
    answer(VMRING_LOCAL_ACCEPT, &message, sizeof(message));
}

static void malformed(void)
{
    static const struct vmring_local_support support = {1};
    uint32_t type;

    start();
    /* Before it is granted anything there is nothing to ring. */
    link_->ops->kick(link_, 0);
    CHECK_EQ(link_->ops->ack(link_), 0);
    propose();
    CHECK_EQ(take(150), -ETIMEDOUT);
    answer(VMRING_LOCAL_SUPPORT, &support, sizeof(support));
    CHECK_EQ(take(0), -EPROTO);
    /* And one that is longer than what was asked for can be. */
    propose();
    answer(VMRING_LOCAL_SUPPORT, &support, sizeof(support));
    CHECK_EQ(link_->ops->recv(link_, &type, &type, sizeof(type), 0), -EPROTO);
    granted(2, 1, 1);
    CHECK_EQ(take(0), -EPROTO);
    granted(0, 0, 0);
    CHECK_EQ(take(0), -EPROTO);
    granted(1, 1, 200);
    CHECK_EQ(take(0), -EINVAL);
    CHECK_HAS(link_->error, "cannot bind event channel 200");
    settle();
}

static void interrupted(void)
{
    struct fault fault;
    uint32_t type;

    start();
    CHECK_EQ(link_->ops->recv(link_, &type, &accept, sizeof(accept), 0),
             -EAGAIN);
    faults_arm(2); /* after a look without waiting */
    CHECK_EQ(link_->ops->recv(link_, &type, &accept, sizeof(accept), 5000),
             -EINTR);
    CHECK(faults_disarm(&fault));
    CHECK_STR(fault.call, "poll");
    fake_xenstore_lose(true);
    CHECK_EQ(link_->ops->recv(link_, &type, &accept, sizeof(accept), 5000),
             -ECONNRESET);
    fake_xenstore_lose(false);
    settle();
}

/* A grant, with one call of ours failing on the way to its directory. */
static void grant_faults(void)
{
    bool fired;
    unsigned int nth = 0;

    do {
        struct fault fault;
        int ret;

        start();
        CHECK_EQ(evtchn_offer(MEETING_AGENT, 1, NULL, &bells, NULL, 0), 0);
        granted(1, 1, evtchn_port(bells, 0));
        faults_arm(++nth);
        ret = take(0);
        fired = faults_disarm(&fault);
        /* No directory has the number 0. */
        if (!fired || !strcmp(fault.call, "poll"))
            CHECK_EQ(ret, -EINVAL);
        /* An event that libxenstore cannot tell of is a lost connection. */
        else if (ret != -ECONNRESET)
            CHECK_EQ(ret, -fault.err);
        settle();
    } while (fired);
    CHECK(nth > 8);
}

static void ok(void)
{
    idles++;
    answer(MESSAGE_OK, NULL, 0);
}

static void only_once(void)
{
    idles++;
}

/* It is waited for no longer than until it has been seen. */
static void detaches(void)
{
    struct fault fault = {"none", 0};

    start();
    faults_idle = ok;
    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_DETACH, NULL, 0), 0);
    CHECK_EQ(idles, 1);
    settle();

    /* Nor if it is interrupted meanwhile, or another call fails. */
    for (unsigned int nth = 1; strcmp(fault.call, "poll"); nth++) {
        int ret;

        CHECK(nth < 20);
        start();
        faults_idle = ok;
        faults_arm(nth);
        ret = link_->ops->send(link_, VMRING_LOCAL_DETACH, NULL, 0);
        CHECK(faults_disarm(&fault));
        CHECK_EQ(ret, nth == 1 ? -fault.err : 0);
        CHECK(idles <= 1);
        settle();
    }

    /* And not for ever. */
    start();
    faults_idle = only_once;
    CHECK_EQ(link_->ops->send(link_, VMRING_LOCAL_DETACH, NULL, 0), 0);
    CHECK(idles > 1);
    settle();
}

int main(void)
{
    const struct walk connecting = {serve, connect_it, settle, NULL, 0};

    meeting_prepare();
    CHECK(faults_walk(&connecting) > 8);
    malformed();
    interrupted();
    grant_faults();
    detaches();
    return 0;
}
