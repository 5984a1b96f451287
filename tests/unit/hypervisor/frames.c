/* SPDX-License-Identifier: MIT */
/*
 * frames.c: hypervisor/common/vm_ring/frames.c on a fake memory of 2^36 frames:
 * what is lifted, in how many calls, and what is left to the next lift.
 */
#include "../check.h"
#include "ring.h"

#define NR        4096ul /* frames that there are, from 0 on */
#define LAST      ((1ul << 36) - 1)
#define ORDER     9 /* of an entry none of whose frames is there */
#define MAX_TURNS 1000000
#define NONE      ~0ul

static bool restricted[NR], last_restricted;
static unsigned long looks, sets, refused = NONE;
static struct vm_ring ring;
static struct domain guest = {.vm_ring = &ring};

bool vm_ring_active(const struct domain *d)
{
    return d->vm_ring->active;
}

static bool *frame(unsigned long gfn)
{
    CHECK(gfn < NR || gfn == LAST);
    return gfn == LAST ? &last_restricted : &restricted[gfn];
}

/* Of a frame that is there its own entry; of a hole, as large a one as fits. */
mfn_t p2m_get_entry(struct p2m_domain *p2m, gfn_t gfn, p2m_type_t *type,
                    p2m_access_t *access, unsigned int *order, bool *valid)
{
    unsigned long at = gfn_x(gfn);

    CHECK(p2m->locked);
    looks++;
    *order = 0;
    *type = p2m_invalid;
    if (at >= NR && at != LAST) {
        while (*order < 27 && at >> (*order + ORDER) &&
               at >> (*order + ORDER) != LAST >> (*order + ORDER))
            *order += ORDER;
        *access = p2m_access_n; /* as Xen says of them */
        return INVALID_MFN;
    }
    *type = p2m_ram_rw;
    *access = *frame(at) ? p2m_access_n : p2m_access_rwx;
    return _mfn(at);
}

long p2m_set_mem_access(struct domain *d, gfn_t gfn, uint32_t nr,
                        uint32_t start, uint32_t mask, xenmem_access_t access,
                        unsigned int view)
{
    sets++;
    CHECK_EQ(access, XENMEM_access_rwx);
    CHECK(nr && nr <= 64 && !start);
    for (uint32_t i = 0; i < nr; i++) {
        if (gfn_x(gfn) + i == refused)
            return -ENOMEM;
        /* Nothing else is touched, unless it is tried again. */
        CHECK(*frame(gfn_x(gfn) + i) || refused != NONE);
        *frame(gfn_x(gfn) + i) = false;
    }
    return 0;
}

static void restrict_frames(unsigned long first, unsigned long nr)
{
    vm_ring_restrict(&guest, first, nr);
    for (unsigned long i = first; i < first + nr; i++)
        *frame(i) = true;
}

static unsigned long nr_restricted(void)
{
    unsigned long nr = last_restricted;

    for (unsigned long i = 0; i < NR; i++)
        nr += restricted[i];
    return nr;
}

/* Every look is a turn's last, as hypercall_preempt_check() says so. */
static int finish(void)
{
    int rc, turns = 0;

    do {
        rc = ring_lift(&ring);
        CHECK(++turns < MAX_TURNS);
    } while (rc == -ERESTART);
    return rc;
}

static int lift_all(void)
{
    ring_lift_begin(&ring);
    return finish();
}

static void set_up(void)
{
    memset(restricted, 0, sizeof(restricted));
    ring = (struct vm_ring){.domain = &guest, .active = true};
    refused = NONE;
    looks = sets = 0;
}

static void test_in_runs(void)
{
    set_up();
    restrict_frames(7, 640);
    CHECK_EQ(lift_all(), 0);
    CHECK_EQ(nr_restricted(), 0);
    CHECK_EQ(sets, 10);
}

/* A guest may have one frame as high as it likes: p2m never forgets that. */
static void test_holes(void)
{
    set_up();
    restrict_frames(0, 1);
    restrict_frames(LAST, 1);
    CHECK_EQ(lift_all(), 0);
    CHECK_EQ(nr_restricted(), 0);
    CHECK(looks < 16384);
}

/* Also behind the place that the lift has come to. */
static void test_amid(void)
{
    set_up();
    restrict_frames(0, 1000);
    ring_lift_begin(&ring);
    CHECK_EQ(ring_lift(&ring), -ERESTART);
    restrict_frames(3, 1);
    CHECK_EQ(finish(), 0);
    CHECK_EQ(nr_restricted(), 1);
    CHECK_EQ(lift_all(), 0);
    CHECK_EQ(nr_restricted(), 0);
}

/* Somebody who restricts a frame each turn keeps no lift from its end. */
static void test_without_end(void)
{
    int turns = 0;

    set_up();
    restrict_frames(0, 1000);
    ring_lift_begin(&ring);
    while (ring_lift(&ring) == -ERESTART) {
        vm_ring_restrict(&guest, 0, 1);
        CHECK(++turns < 1000);
    }
    CHECK_EQ(nr_restricted(), 0);
}

static void test_refused(void)
{
    set_up();
    restrict_frames(0, 1000);
    refused = 70;
    CHECK_EQ(lift_all(), -ENOMEM); /* of a turn that was not the last */
    CHECK_EQ(nr_restricted(), 1);
    CHECK_EQ(lift_all(), -ENOMEM);
    refused = NONE;
    CHECK_EQ(lift_all(), 0);
    CHECK_EQ(nr_restricted(), 0);
}

static void test_of_nobody(void)
{
    set_up();
    vm_ring_restrict(&guest, 0, 0);
    CHECK_EQ(ring.restricted_end, 0);
    ring.active = false;
    vm_ring_restrict(&guest, 5, 10);
    CHECK_EQ(ring.restricted_end, 0);
    CHECK_EQ(lift_all(), 0);
    CHECK_EQ(looks, 0);
}

int main(void)
{
    test_in_runs();
    test_holes();
    test_amid();
    test_without_end();
    test_refused();
    test_of_nobody();
    return 0;
}
