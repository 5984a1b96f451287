/* SPDX-License-Identifier: MIT */
/*
 * witness_check.c: the notes against each other, and against a region that
 * is read here by its header's offsets alone, without the library.
 */
#include "witness.h"

static uint64_t word_at(const void *p, uint64_t off)
{
    return __atomic_load_n(
        (const uint64_t *)(const void *)((const char *)p + off),
        __ATOMIC_ACQUIRE);
}

/* Every record of a lane that is not overwritten is whole, and is that. */
static void check_records_of(struct witness *w,
                             const struct xen_vm_ring_header *h, uint32_t lane,
                             uint64_t head, bool frozen)
{
    const char *records = (const char *)h + h->record_off +
                          (uint64_t)lane * h->slots_per_lane * h->record_len;
    uint64_t from = head > h->slots_per_lane ? head - h->slots_per_lane : 0;

    /* A push that was cut short has begun to overwrite the oldest. */
    if (!frozen && from)
        from++;
    for (uint64_t i = from; i < head; i++) {
        const struct xen_vm_ring_event *record =
            (const void *)(records + i % h->slots_per_lane * h->record_len);
        unsigned int number = (unsigned int)(record->u.words[0] >> 32);

        WITNESS(w, record->state == 2 * i + 2, "position %llu: state %llu",
                (unsigned long long)i, (unsigned long long)record->state);
        WITNESS(w, witness_is_whole(record, number), "position %llu is torn",
                (unsigned long long)i);
        WITNESS(w,
                number ==
                    w->base[h->epoch % W_EPOCHS][lane] + i + record->lost + 1,
                "position %llu: record %u, %u lost", (unsigned long long)i,
                number, record->lost);
    }
}

void check_region(struct witness *w, const void *p, bool frozen)
{
    const struct xen_vm_ring_header *h = p;
    uint64_t next = h->epoch + 1;

    WITNESS(w, h->nr_lanes == W_VCPUS, "%u lanes", h->nr_lanes);
    for (uint32_t lane = 0; lane < h->nr_lanes && lane < W_VCPUS; lane++) {
        uint64_t line = h->lane_off + (uint64_t)lane * XEN_VM_RING_LANE;
        uint64_t head = word_at(p, line), lost = word_at(p, line + 8);
        unsigned int base = w->base[h->epoch % W_EPOCHS][lane];
        unsigned int most = w->vcpu[lane].pushed, least = w->vcpu[lane].done;

        /* The next epoch's begin was this one's end. */
        if (frozen)
            most = least = w->base[next % W_EPOCHS][lane];
        /* A source that died before it noted the epoch pushed nothing. */
        if (h->epoch > w->epochs)
            base = most;
        WITNESS(w, head + lost >= least - base && head + lost <= most - base,
                "lane %u of epoch %llu: head %llu, lost %llu, attempted %u to "
                "%u",
                lane, (unsigned long long)h->epoch, (unsigned long long)head,
                (unsigned long long)lost, least - base, most - base);
        WITNESS(w, most - least <= 1, "%u, %u", least, most);
        check_records_of(w, h, lane, head, frozen);
    }
}

static void check_requests(struct witness *w, unsigned int v)
{
    const struct w_vcpu *vcpu = &w->vcpu[v];

    for (unsigned int i = 1; i <= vcpu->raised; i++) {
        WITNESS(w, vcpu->verdicts[i] == 1, "request %u of vCPU %u has %u", i, v,
                vcpu->verdicts[i]);
        WITNESS(w, !(vcpu->requests[i] & UNMARKED),
                "request %u of vCPU %u came twice unmarked", i, v);
        WITNESS(w, vcpu->overdue[i] <= 1, "%u", i);
    }
}

static unsigned long check_records(struct witness *w, unsigned int v)
{
    const struct w_vcpu *vcpu = &w->vcpu[v];
    unsigned long missing = 0, unpublished = 0;

    for (unsigned int i = 1; i <= vcpu->pushed; i++) {
        unsigned char notes = vcpu->records[i];

        unpublished += !(notes & PUBLISHED);
        WITNESS(w, (notes & PUBLISHED) || !(notes & SEEN),
                "record %u of vCPU %u had found no room", i, v);
        WITNESS(w, !(notes & UNMARKED),
                "record %u of vCPU %u came twice unmarked", i, v);
        WITNESS(w, !(notes & UNCAUSED) || w->hostile,
                "record %u of vCPU %u came twice, and nobody had crashed", i,
                v);
        if ((notes & PUBLISHED) && !(notes & SEEN) &&
            !(w->policy == XEN_VM_RING_POLICY_OVERWRITE && (notes & TOLD_LOST)))
            missing++;
    }
    /* Of what a chain of deaths made the producer give up, some was seen. */
    WITNESS(w, missing <= w->given_up[v] || w->hostile,
            "vCPU %u: %lu records are missing, %lu were given up", v, missing,
            w->given_up[v]);
    return unpublished + w->given_up[v];
}

void check_witness(struct witness *w)
{
    uint64_t raised = 0, pushed = 0, discarded = 0, verdicts = 0;

    for (unsigned int v = 0; v < W_VCPUS; v++) {
        check_requests(w, v);
        discarded += check_records(w, v);
        raised += w->vcpu[v].raised;
        pushed += w->vcpu[v].pushed;
    }
    for (unsigned int i = VMRING_BY_CONSUMER; i <= VMRING_BY_OVERFLOW; i++)
        verdicts += w->by[i];
    /* The producer's own ledger agrees with the source's notes. */
    WITNESS(w, verdicts == raised, "%llu, not %llu",
            (unsigned long long)verdicts, (unsigned long long)raised);
    WITNESS(w, w->stats.requests == raised, "%llu",
            (unsigned long long)w->stats.requests);
    WITNESS(w, w->stats.records == pushed, "%llu",
            (unsigned long long)w->stats.records);
    WITNESS(w, w->stats.discarded == discarded, "%llu, not %llu",
            (unsigned long long)w->stats.discarded,
            (unsigned long long)discarded);
    WITNESS(w, w->stats.answered == w->by[VMRING_BY_CONSUMER], "%llu",
            (unsigned long long)w->stats.answered);
    for (unsigned int e = 0; e <= w->epochs && e < W_EPOCHS; e++) {
        if (w->hostile)
            break;
        WITNESS(w, w->to_consumer[e].rung <= w->to_consumer[e].armed,
                "epoch %u: %lu armings, %lu doorbells", e,
                w->to_consumer[e].armed, w->to_consumer[e].rung);
        WITNESS(w, w->to_source[e].rung <= w->to_source[e].armed,
                "epoch %u: %lu armings for answers, %lu doorbells", e,
                w->to_source[e].armed, w->to_source[e].rung);
    }
}
