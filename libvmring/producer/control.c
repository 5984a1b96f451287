/* SPDX-License-Identifier: MIT */
/* control.c: what an attached consumer asks for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "frozen.h"

static int reply(struct vmring_producer *producer, uint32_t type,
                 const void *body, size_t len)
{
    struct peer *peer = producer->session.peer;

    if (!peer->ops->send(peer, type, body, len))
        return 0;
    /*
     * One that has gone may have said so, behind what is replied to here.  One
     * that does not read its replies is as good as gone.
     */
    return peer->ops->gone(peer) ? 0 : -EPROTO;
}

/* The allow-list comes before the source is asked. */
static int deny(const struct vmring_producer *producer,
                const struct vmring_spec *specs, unsigned int nr, int *results,
                char *text, size_t text_len)
{
    int denied = 0;

    for (unsigned int i = 0; i < nr; i++) {
        results[i] = VMRING_SPEC_ARMED;
        if (producer->reasons & 1u << specs[i].reason)
            continue;
        results[i] = VMRING_SPEC_DENIED;
        if (!denied++)
            snprintf(text, text_len,
                     "event '%s' is not in the producer's allow-list; ask for "
                     "others, or see its --allow-events",
                     vmring_reason_name(specs[i].reason));
    }
    return denied;
}

static void arm(struct vmring_producer *producer,
                const struct vmring_spec *specs, unsigned int nr, int *results,
                char *text, size_t text_len)
{
    if (producer->ops->subscribe)
        producer->ops->subscribe(producer->ops_ctx, specs, nr, results, text,
                                 text_len);
}

/* Nothing is armed once it is over: QUIET that was to be told is told. */
static bool is_over(const struct vmring_producer *producer, unsigned int nr,
                    int *results, char *text, size_t text_len)
{
    const char *what = producer->session.dismissed ? "the producer ends"
                       : producer->target_state >= XEN_VM_RING_TARGET_DESTROYED
                           ? "the target has ended"
                           : NULL;

    if (!what)
        return false;
    snprintf(text, text_len, "%s: nothing is armed any more", what);
    for (unsigned int i = 0; i < nr; i++)
        results[i] = VMRING_SPEC_FAILED;
    return true;
}

void control_disarm(struct vmring_producer *producer)
{
    char text[64];

    arm(producer, NULL, 0, NULL, text, sizeof(text));
}

/*
 * Its reply waits for the source, and so does all else that this consumer
 * asks for (serve.c): so there is one at a time.
 */
static int subscribe(struct vmring_producer *producer, char *events, size_t len)
{
    struct vmring_spec specs[VMRING_MAX_SPECS];
    struct vmring_local_subscribed *message = &producer->subscribed;
    int nr;

    events[len] = '\0'; /* the receiver has left room */
    *message = (struct vmring_local_subscribed){0};
    nr = vmring_specs_parse(events, specs, VMRING_MAX_SPECS, message->text,
                            sizeof(message->text));
    if (nr < 0 || strlen(events) != len) {
        /* A consumer of a later version may know more of it: say so. */
        if (nr >= 0)
            snprintf(message->text, sizeof(message->text),
                     "a NUL in the events; leave it out");
        return reply(producer, VMRING_LOCAL_SUBSCRIBED, message,
                     sizeof(*message));
    }
    producer->session.subscribing = true;
    memset(producer->results, 0, sizeof(producer->results));
    *message = (struct vmring_local_subscribed){.nr = (uint32_t)nr};
    if (is_over(producer, (unsigned int)nr, producer->results, message->text,
                sizeof(message->text)))
        return control_say_subscribed(producer);
    producer->session.quiescing = false;
    if (deny(producer, specs, (unsigned int)nr, producer->results,
             message->text, sizeof(message->text)))
        control_disarm(producer); /* what was armed was to be replaced */
    else
        arm(producer, specs, (unsigned int)nr, producer->results, message->text,
            sizeof(message->text));
    return control_say_subscribed(producer);
}

int control_say_subscribed(struct vmring_producer *producer)
{
    struct session *session = &producer->session;
    struct vmring_local_subscribed *message = &producer->subscribed;
    int err;

    if (!session->subscribing || source_is_arming(producer))
        return 0;
    for (uint32_t i = 0; i < message->nr; i++)
        message->results[i] = (uint8_t)producer->results[i];
    err = reply(producer, VMRING_LOCAL_SUBSCRIBED, message, sizeof(*message));
    session->subscribing = err != 0;
    return err;
}

static int supported(struct vmring_producer *producer)
{
    struct vmring_local_support message = {0};
    struct vmring_kind kind;

    if (producer->ops->supported)
        message.kinds = producer->ops->supported(producer->ops_ctx);
    for (unsigned int i = 0; vmring_get_kind(i, &kind) == 0; i++)
        if (!(producer->reasons & 1u << kind.reason))
            message.kinds &= ~(1ULL << i);
    return reply(producer, VMRING_LOCAL_SUPPORT, &message, sizeof(message));
}

/* Reasons that the version in use has: the rows of a vCPU. */
static uint32_t nr_reasons(const struct vmring_producer *producer)
{
    return producer->session.version > XEN_VM_RING_VERSION_MAJOR << 16
               ? XEN_VM_RING_NR_REASONS
               : XEN_VM_RING_NR_REASONS_1_0;
}

static void add_since_epoch(const struct vmring_producer *producer,
                            uint32_t lane, uint32_t reason,
                            struct vmring_local_row *row)
{
    size_t i = (size_t)lane * XEN_VM_RING_NR_REASONS + reason;
    const struct tally *now = &producer->tallies[i];
    const struct tally *base = &producer->base[i];

    row->requests += now->requests - base->requests;
    row->answered += now->answered - base->answered;
    row->defaulted += now->defaulted - base->defaulted;
    row->records += now->records - base->records;
    row->discarded += now->discarded - base->discarded;
}

/* Row i; false: there is nothing in it. */
static bool since_epoch(const struct vmring_producer *producer, uint32_t i,
                        struct vmring_local_row *row)
{
    uint32_t nr = nr_reasons(producer);

    *row = (struct vmring_local_row){.vcpu = i / nr, .reason = i % nr};
    add_since_epoch(producer, row->vcpu, row->reason, row);
    /* As the consumer counts what it does not know. */
    if (row->reason == XEN_VM_RING_REASON_UNKNOWN)
        for (; nr < XEN_VM_RING_NR_REASONS; nr++)
            add_since_epoch(producer, row->vcpu, nr, row);
    return row->requests || row->records || row->discarded;
}

/*
 * What the consumer answered before it asked may not be collected yet: its
 * rows would say that nobody has.
 */
static int count(struct vmring_producer *producer, const void *body, size_t len)
{
    struct vmring_local_count request;

    if (len != sizeof(request))
        return -EPROTO;
    memcpy(&request, body, len);
    producer->session.counting = true;
    producer->session.collected = false;
    producer->session.from = request.from;
    return 0;
}

int control_say_counts(struct vmring_producer *producer)
{
    struct session *session = &producer->session;
    uint32_t all = producer->nr_lanes * nr_reasons(producer);
    struct vmring_local_counts *message = &producer->counts;
    uint32_t i;
    int err;

    if (!session->counting)
        return 0;
    message->nr = 0;
    message->next = VMRING_LOCAL_NO_MORE;
    for (i = session->from;
         i < all && message->nr < session->peer->ops->max_rows; i++)
        if (since_epoch(producer, i, &message->rows[message->nr]))
            message->nr++;
    if (i < all)
        message->next = i;
    err = reply(producer, VMRING_LOCAL_COUNTS, message,
                offsetof(struct vmring_local_counts, rows) +
                    message->nr * sizeof(message->rows[0]));
    session->counting = err != 0;
    return err;
}

int control_message(struct vmring_producer *producer, uint32_t type, void *body,
                    size_t len)
{
    int err = control_say_subscribed(producer);

    if (!err)
        err = control_say_counts(producer);
    if (err)
        return err;
    /* The others are a word, and no more. */
    if (len && type != VMRING_LOCAL_SUBSCRIBE && type != VMRING_LOCAL_COUNT)
        return -EPROTO;
    switch (type) {
    case VMRING_LOCAL_SUBSCRIBE:
        return subscribe(producer, body, len);
    case VMRING_LOCAL_SUPPORTED:
        return supported(producer);
    case VMRING_LOCAL_COUNT:
        return count(producer, body, len);
    case VMRING_LOCAL_QUIESCE:
        control_disarm(producer);
        producer->session.quiescing = true;
        return 0;
    case VMRING_LOCAL_DRAINED:
        frozen_drop(producer);
        return 0;
    case VMRING_LOCAL_DETACH:
        producer->session.clean = true;
        return -ECONNRESET;
    default:
        return -EPROTO;
    }
}

void vmring_producer_dismiss(struct vmring_producer *producer)
{
    if (!producer->session.peer)
        return;
    control_disarm(producer);
    producer->session.dismissed = producer->session.quiescing = true;
}

int control_say_quiet(struct vmring_producer *producer)
{
    struct session *session = &producer->session;
    int err;

    if (!session->quiescing || producer->nr_pending ||
        !source_is_quiet(producer))
        return 0;
    /* Between the question and the reply the source may have raised some. */
    if (producer->nr_pending)
        return 0;
    vmring_producer_flush(producer);
    err = reply(producer, VMRING_LOCAL_QUIET, NULL, 0);
    session->quiescing = err != 0;
    return err;
}
