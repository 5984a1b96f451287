/* SPDX-License-Identifier: MIT */
/*
 * Description: xenstored is stopped while an end of a rendezvous asks it: each
 * call returns in its time, what was on its way comes back as lost, and
 * closing waits for nobody.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "faults.h"
#include "meeting.h"
#include "transport/errand.h"
#include "transport/grant/meet.h"
#include "xenstored.h"

/* Each call is told that xenstored was too late, and those that follow. */
static void sender_loses(void)
{
    struct meet_agent *meet;
    unsigned char body[64];
    uint32_t type;
    int64_t before;

    fake_xenstore_become(MEETING_AGENT);
    CHECK_EQ(meet_open(0, "5", NULL, &meet, NULL, 0), 0);
    CHECK_EQ(meet_send(meet, VMRING_LOCAL_SUBSCRIBE, body, VMRING_LOCAL_MAX + 1,
                       100, NULL),
             -EINVAL);
    xenstored_stop();
    before = now_ms();
    CHECK_EQ(meet_send(meet, VMRING_LOCAL_QUIESCE, NULL, 0, 100, NULL), -EPIPE);
    CHECK(now_ms() - before >= 100);
    CHECK(now_ms() - before < LOST_MS);
    before = now_ms();
    CHECK_EQ(meet_send(meet, VMRING_LOCAL_QUIESCE, NULL, 0, 100, NULL), -EPIPE);
    CHECK_EQ(meet_recv(meet, &type, body, sizeof(body)), -EPIPE);
    CHECK(!meet_is_waiting(meet));
    meet_close(meet);
    CHECK(now_ms() - before < TURN_MS);
    xenstored_go_on();
}

/* It does not wait, and is told when it is late. */
static void receiver_loses(void)
{
    struct meet_agent *meet;
    unsigned char body[64];
    struct pollfd pfd = {.events = POLLIN};
    struct fault fault;
    int64_t before;
    uint32_t type;
    int ret;

    fake_xenstore_become(MEETING_AGENT);
    CHECK_EQ(meet_open(0, "5", NULL, &meet, NULL, 0), 0);
    CHECK_EQ(meet_send(meet, VMRING_LOCAL_QUIESCE, NULL, 0, PATIENT_MS, NULL),
             0);
    CHECK(meet_is_waiting(meet));
    /* What there is is seen; and from then on nothing makes it look. */
    pfd.fd = meet_fd(meet);
    do
        CHECK_EQ(meet_recv(meet, &type, body, sizeof(body)), -EAGAIN);
    while (poll(&pfd, 1, 300) == 1);
    CHECK(fake_xenstore_put(MEETING_AGENT, MEETING "/agent/request", "no",
                            SIZE_MAX));
    faults_arm(2);
    CHECK_EQ(meet_recv(meet, &type, body, sizeof(body)), -ENOMEM);
    CHECK(faults_disarm(&fault));
    xenstored_stop();
    before = now_ms();
    CHECK_EQ(meet_recv(meet, &type, body, sizeof(body)), -EAGAIN);
    CHECK(meet_is_waiting(meet));
    CHECK_EQ(meet_recv(meet, &type, body, sizeof(body)), -EAGAIN);
    CHECK(now_ms() - before < TURN_MS);
    meet_lost_ms = 100;
    while ((ret = meet_recv(meet, &type, body, sizeof(body))) == -EAGAIN) {
        CHECK(now_ms() - before < 10000);
        usleep(1000);
    }
    CHECK_EQ(ret, -EPIPE);
    CHECK(now_ms() - before >= meet_lost_ms);
    before = now_ms();
    meet_close(meet);
    CHECK(now_ms() - before < TURN_MS);
    xenstored_go_on();
}

/* Xenstored does not answer, and is no longer waited for. */
static void serves_too_late(void)
{
    struct meet_bridge *meet;
    char error[256] = "";

    xenstored_stop();
    fake_xenstore_become(0);
    CHECK_EQ(meet_serve(MEETING_AGENT, "6", &meet, error, sizeof(error)),
             -ETIMEDOUT);
    CHECK_HAS(error, "xenstored does not answer within 2 s");
    xenstored_go_on();
    errands_wait_for_ended();
    fake_xenstore_put(0, MEETING_ABOVE, NULL, 0);
}

/* All that is on its way comes back as lost, and nothing more is begun. */
static void bridge_loses(void)
{
    static struct rendezvous_message request;
    struct meet_bridge *meet;
    struct fault fault;
    uint64_t looks;
    int64_t before;
    int ret;

    fake_xenstore_become(0);
    CHECK_EQ(meet_serve(MEETING_AGENT, "6", &meet, NULL, 0), 0);
    xenstored_stop();
    looks = meet_look(meet);
    CHECK_EQ(meet_next(meet, &request), 0);
    CHECK(!meet_has_looked(meet, looks));
    CHECK_EQ(meet_reply(meet, 1, 1, VMRING_LOCAL_QUIET, NULL, 0), 0);
    CHECK_EQ(meet_tell_quiet(meet, 1, 1), 0);
    faults_arm(1);
    CHECK_EQ(meet_tell_quiet(meet, 1, 1), -ENOMEM);
    CHECK(faults_disarm(&fault));
    fake_xenstore_lose(true);
    xenstored_go_on();
    before = now_ms();
    while ((ret = meet_next(meet, &request)) == 0)
        CHECK(now_ms() - before < 10000);
    CHECK_EQ(ret, -EPIPE);
    CHECK(meet_has_looked(meet, looks));
    CHECK_EQ(meet_reply(meet, 1, 1, VMRING_LOCAL_QUIET, NULL, 0), -EPIPE);
    CHECK_EQ(meet_tell_quiet(meet, 1, 1), -EPIPE);
    meet_serve_end(meet);
    fake_xenstore_lose(false);
}

/* What fails in the thread that serves, and not in the other. */
static void cannot_be_served(void)
{
    struct meet_bridge *meet;
    unsigned int failed = 0;
    char none[256] = "";
    bool fired = true;

    fake_xenstore_lose(true);
    CHECK(meet_serve(MEETING_AGENT, "6", &meet, none, sizeof(none)) < 0);
    CHECK(*none);
    fake_xenstore_lose(false);
    for (unsigned int nth = 1; fired; nth++) {
        char error[256] = "";
        struct fault fault;
        int err;

        fake_xenstore_become(0);
        faults_arm(nth);
        err = meet_serve(MEETING_AGENT, "6", &meet, error, sizeof(error));
        fired = faults_disarm(&fault);
        if (!err)
            meet_serve_end(meet);
        else
            CHECK(*error);
        failed += err != 0;
        errands_wait_for_ended();
    }
    CHECK(failed >= 6);
    fake_xenstore_check_empty(MEETING_ABOVE);
}

int main(void)
{
    struct rendezvous_bridge *bridge;

    meet_lost_ms = PATIENT_MS;
    meeting_prepare();
    bridge = meeting_serve();
    sender_loses();
    receiver_loses();
    errands_wait_for_ended();
    rendezvous_serve_end(bridge);
    fake_xenstore_check_empty(MEETING_ABOVE);
    serves_too_late();
    bridge_loses();
    fake_xenstore_put(0, MEETING_ABOVE, NULL, 0);
    cannot_be_served();
    return 0;
}
