/* SPDX-License-Identifier: MIT */
/* control.c: what a consumer asks of the producer: the control plane. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "ring.h"
#include "target.h"
#include "told.h"

/*
 * Sends a request and waits for the answer of this type.  If that does not
 * come by `end`, the producer counts as gone: it may come unasked.
 */
static int ask_until(struct vmring *ring, int64_t end, uint32_t type,
                     const void *body, size_t len, uint32_t answer_type,
                     void *answer, size_t max)
{
    struct link *link = ring->link;
    int err;

    if (ring->lost)
        return ring->lost;
    err = link->ops->send(link, type, body, len);
    if (err && consumer_is_interrupted(ring)) {
        (void)told_lost(ring, -ECONNRESET);
        return -EINTR;
    }
    while (!err) {
        int64_t left = end - clock_ms();
        uint32_t got;
        int ret;

        if (left <= 0) {
            (void)told_lost(ring, -ECONNRESET);
            return -ETIMEDOUT;
        }
        if (consumer_is_interrupted(ring)) {
            (void)told_lost(ring, -ECONNRESET);
            return -EINTR;
        }
        ret = link->ops->recv(link, &got, answer, max,
                              left < LOOK_MS ? (int)left : LOOK_MS);
        if (ret == -EAGAIN || ret == -EINTR || ret == -ETIMEDOUT)
            continue;
        if (ret < 0) {
            (void)told_lost(ring, ret);
            return ret;
        }
        if (got == answer_type)
            return ret;
        told_message(ring, got);
        if (ring->lost)
            return ring->lost;
    }
    return err == -EPIPE ? -ECONNRESET : err;
}

static int ask(struct vmring *ring, uint32_t type, const void *body, size_t len,
               uint32_t answer_type, void *answer, size_t max)
{
    return ask_until(ring, clock_ms() + ring->timeout_ms, type, body, len,
                     answer_type, answer, max);
}

/* A producer arms little by little: what it may take beyond the timeout. */
#define MS_EACH      4
#define MOST_EACH    (1 << 18)
#define FRAMES_OF_MS 64

static int64_t arming_ms(const struct vmring_spec *specs, int nr)
{
    int64_t ms = 0;

    for (int i = 0; i < nr; i++) {
        uint64_t many = specs[i].last - specs[i].first;

        if (specs[i].reason == XEN_VM_RING_REASON_MEM_ACCESS)
            many /= FRAMES_OF_MS;
        else if (specs[i].reason != XEN_VM_RING_REASON_MOV_TO_MSR)
            many = 0;
        ms += (int64_t)(many < MOST_EACH ? many : MOST_EACH) * MS_EACH;
    }
    return ms;
}

int vmring_subscribe(struct vmring *ring, const char *events, int *results,
                     char *error, size_t error_len)
{
    struct vmring_spec specs[VMRING_MAX_SPECS];
    struct vmring_local_subscribed answer;
    int nr =
        vmring_specs_parse(events, specs, VMRING_MAX_SPECS, error, error_len);
    int worst = VMRING_SPEC_ARMED;
    int len;

    if (nr < 0)
        return nr == -E2BIG ? -EINVAL : nr;
    len = ask_until(ring, clock_ms() + ring->timeout_ms + arming_ms(specs, nr),
                    VMRING_LOCAL_SUBSCRIBE, events, strlen(events),
                    VMRING_LOCAL_SUBSCRIBED, &answer, sizeof(answer));
    if (len < 0)
        return fail(len, error, error_len, "no answer from the producer: %s",
                    strerror(-len));
    if (len != sizeof(answer) || (answer.nr && answer.nr != (uint32_t)nr) ||
        (nr && !answer.nr && !answer.text[0]))
        return fail(told_lost(ring, -EPROTO), error, error_len,
                    "the producer's answer is malformed");
    answer.text[sizeof(answer.text) - 1] = '\0';
    if (nr && !answer.nr)
        return fail(-EINVAL, error, error_len, "the producer says: %s",
                    answer.text);
    for (int i = 0; i < nr; i++) {
        if (results)
            results[i] = answer.results[i];
        if (answer.results[i] > worst)
            worst = answer.results[i];
    }
    switch (worst) {
    case VMRING_SPEC_ARMED:
        told_armed_anew(ring);
        return nr;
    case VMRING_SPEC_UNSUPPORTED:
        return fail(-ENOTSUP, error, error_len, "%s", answer.text);
    case VMRING_SPEC_DENIED:
        return fail(-EPERM, error, error_len, "%s", answer.text);
    default:
        return fail(target_is_end(target_now(ring)) ? -ESRCH : -EIO, error,
                    error_len, "%s", answer.text);
    }
}

int vmring_supported(struct vmring *ring, uint64_t *mask)
{
    struct vmring_local_support answer = {0};
    int len = ask(ring, VMRING_LOCAL_SUPPORTED, NULL, 0, VMRING_LOCAL_SUPPORT,
                  &answer, sizeof(answer));

    if (len < 0)
        return len;
    if (len != sizeof(answer))
        return told_lost(ring, -EPROTO);
    *mask = answer.kinds;
    return 0;
}

int vmring_quiesce(struct vmring *ring)
{
    int err = ring->lost;

    if (!err)
        err = ring->link->ops->send(ring->link, VMRING_LOCAL_QUIESCE, NULL, 0);
    return err == -EPIPE ? -ECONNRESET : err;
}

/*
 * Our own rows, joined by the producer's counts.  Those that have come are
 * marked in `reserved`.
 */
static int merge(struct vmring *ring, const struct vmring_local_counts *answer,
                 int len, struct vmring_count *rows)
{
    size_t head = offsetof(struct vmring_local_counts, rows);

    if ((size_t)len < head || answer->nr > VMRING_LOCAL_MAX_ROWS ||
        (size_t)len != head + answer->nr * sizeof(answer->rows[0]))
        return -EPROTO;
    for (uint32_t i = 0; i < answer->nr; i++) {
        const struct vmring_local_row *from = &answer->rows[i];
        struct vmring_count *to;

        if (from->vcpu >= ring->core.geo.nr_lanes ||
            from->reason >= XEN_VM_RING_NR_REASONS)
            return -EPROTO;
        to = &rows[from->vcpu * XEN_VM_RING_NR_REASONS + from->reason];
        /* A second one would replace what the first has said. */
        if (to->reserved)
            return -EPROTO;
        to->reserved = 1;
        to->requests = from->requests;
        to->answered = from->answered;
        to->defaulted = from->defaulted;
        to->records = from->records;
        to->discarded = from->discarded;
    }
    return 0;
}

static int fetch_counts(struct vmring *ring, struct vmring_count *rows)
{
    uint32_t all = ring->core.geo.nr_lanes * XEN_VM_RING_NR_REASONS;
    struct vmring_local_count request = {0};
    struct vmring_local_counts *answer = calloc(1, sizeof(*answer));
    int64_t end = clock_ms() + ring->timeout_ms; /* for all of them */
    int err = answer ? 0 : -ENOMEM;

    while (!err) {
        int len =
            ask_until(ring, end, VMRING_LOCAL_COUNT, &request, sizeof(request),
                      VMRING_LOCAL_COUNTS, answer, sizeof(*answer));

        err = len < 0 ? len : merge(ring, answer, len, rows);
        if (err || answer->next == VMRING_LOCAL_NO_MORE)
            break;
        /* Ever onwards, so that a producer cannot keep us here. */
        if (answer->next <= request.from || answer->next >= all)
            err = -EPROTO;
        request.from = answer->next;
    }
    free(answer);
    return err == -EPROTO ? told_lost(ring, err) : err;
}

static bool is_zero(const struct vmring_count *row)
{
    return !(row->requests | row->records | row->requests_taken |
             row->records_taken);
}

int vmring_counts(struct vmring *ring, struct vmring_count **counts)
{
    uint32_t all = ring->core.geo.nr_lanes * XEN_VM_RING_NR_REASONS;
    struct vmring_count *rows = calloc(all, sizeof(*rows));
    int err, nr = 0;

    if (!rows)
        return -ENOMEM;
    for (uint32_t i = 0; i < all; i++) {
        const struct handed *handed = &ring->handed[i / XEN_VM_RING_NR_REASONS];
        uint32_t reason = i % XEN_VM_RING_NR_REASONS;

        rows[i].requests_taken = vmr_load_relaxed(&handed->of[reason].requests);
        rows[i].records_taken = vmr_load_relaxed(&handed->of[reason].records);
    }
    err = fetch_counts(ring, rows);
    if (err) {
        free(rows);
        return err;
    }
    for (uint32_t i = 0; i < all; i++) {
        if (is_zero(&rows[i]))
            continue;
        rows[i].vcpu = i / XEN_VM_RING_NR_REASONS;
        rows[i].reason = (uint16_t)(i % XEN_VM_RING_NR_REASONS);
        rows[i].reserved = 0;
        rows[nr++] = rows[i];
    }
    *counts = rows;
    return nr;
}
