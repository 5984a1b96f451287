/* SPDX-License-Identifier: MIT */
/* hostile_attach.c: attaching as one should. */
#include "hostile.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xengnttab.h>

#include "core/atomic.h"
#include "transport/grant/limits.h"

static struct rendezvous_message message;

int ask(struct rendezvous_agent *meet, uint32_t type, const void *body,
        size_t len, uint32_t expected)
{
    uint64_t end = now_ms() + ANSWER_MS;
    uint32_t got = 0;
    int ret = rendezvous_send(meet, type, body, len);

    while (ret >= 0 && now_ms() < end) {
        struct pollfd pfd = {.fd = rendezvous_fd(meet), .events = POLLIN};

        ret = rendezvous_recv(meet, &got, message.body.bytes,
                              sizeof(message.body));
        if (ret >= 0)
            return got == expected ? 0 : -EPROTO;
        if (ret != -EAGAIN)
            return ret;
        ret = poll(&pfd, 1, 100);
    }
    return ret < 0 ? ret : -ETIMEDOUT;
}

void tell(struct rendezvous_agent *meet, uint32_t type)
{
    uint64_t end = now_ms() + ANSWER_MS;

    (void)rendezvous_send(meet, type, NULL, 0);
    while (rendezvous_is_waiting(meet) && now_ms() < end) {
        uint32_t got;

        (void)rendezvous_recv(meet, &got, message.body.bytes,
                              sizeof(message.body));
        usleep(10000);
    }
}

static int propose(struct held *held, uint64_t len)
{
    struct xen_vm_ring_propose wish = {
        .magic = XEN_VM_RING_MAGIC,
        .length = sizeof(wish),
        .version_min = XEN_VM_RING_VERSION,
        .version_max = XEN_VM_RING_VERSION,
        .async_len = len,
        .record_len = XEN_VM_RING_MIN_RECORD,
        .nr_groups = 1,
    };
    int err = ask(held->meet, VMRING_LOCAL_PROPOSE, &wish, sizeof(wish),
                  VMRING_LOCAL_ACCEPT);

    return err ? err : (int)message.body.accept.wire.body.result;
}

/* By a handle of our own: the library's stays as it is. */
static void map_life(struct held *held, uint32_t gref)
{
    xengnttab_handle *gnttab = xengnttab_open(&grant_logger, 0);
    const struct xen_vm_ring_directory *directory =
        xengnttab_map_grant_ref(gnttab, BACKEND, gref, PROT_READ);

    if (directory)
        held->life = xengnttab_map_grant_ref(gnttab, BACKEND, directory->life,
                                             PROT_READ | PROT_WRITE);
    if (!held->life)
        say("failed: the life page cannot be mapped");
}

static int take_accept(struct held *held)
{
    struct message_accept accept = message.body.accept;
    char error[256] = "";
    int err = evtchn_bind(BACKEND, accept.ports, accept.nr_ports, &held->bells,
                          error, sizeof(error));

    if (!err)
        err = grant_map_open(BACKEND, &held->map, error, sizeof(error));
    if (!err)
        err = grant_map_attach(held->map, accept.directory,
                               evtchn_port(held->bells, 0), &accept.wire.body,
                               &held->regions, error, sizeof(error));
    if (err) {
        say("failed: %s", error);
        return err;
    }
    vmr_copy_from_shared(&held->header, held->regions.p.at,
                         sizeof(held->header));
    map_life(held, accept.directory);
    return 0;
}

int attach(uint64_t len)
{
    struct held *held = &me.held[me.nr];
    char error[256] = "";
    int ret;

    if (me.nr == MAX_HELD)
        return -ENOSPC;
    memset(held, 0, sizeof(*held));
    ret =
        rendezvous_open(BACKEND, me.target, &held->meet, error, sizeof(error));
    if (!ret)
        ret = propose(held, len);
    if (!ret)
        ret = take_accept(held);
    if (ret) {
        rendezvous_close(held->meet);
        return ret;
    }
    me.now = held;
    me.nr++;
    return 0;
}
