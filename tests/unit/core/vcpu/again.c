/* SPDX-License-Identifier: MIT */
/*
 * Description: where a shared word takes a loop (LL/SC), vCPUs and groups in
 * each other's way are no fault of the consumer: what a vCPU could not tell is
 * told by its next call, once, and a group does not sleep on hints that it
 * could not fetch.
 */
#include "by_vcpu.h"

/* The call that is kept from its word by others of ours; 0: none is. */
static unsigned int kept_from;
static struct rig rig;

static bool is_kept(void)
{
    if (!kept_from || --kept_from)
        return false;
    rig.tx.rmws.begun++;
    rig.tx.rmws.ended++;
    return true;
}

static bool try_or(xen_vm_ring_u64 *p, uint64_t bits)
{
    return !is_kept() && vmr_or(p, bits);
}

static bool try_exchange(xen_vm_ring_u64 *p, uint64_t v, uint64_t *old)
{
    return !is_kept() && vmr_exchange(p, v, old);
}

/* The ring's own source, with these, as where such calls can fail. */
#undef VMR_RMW_CAN_FAIL
#define VMR_RMW_CAN_FAIL 1
#define vmr_or           try_or
#define vmr_exchange     try_exchange
#include "core/doorbell.c"

static void sleep_again(void)
{
    vcpu_none_taken(&rig, 0);
    CHECK(vmr_consumer_arm(&rig.rx, 0));
}

static void make(void)
{
    struct vmr_geometry geo = rig_geometry(2, 1, 0, 2);

    kept_from = 0;
    rig_make(&rig, &geo);
    sleep_again();
}

enum teller { FLUSH, POST, RETIRE };

/* Its bit or the armed word; then by one of its next calls. */
static void vcpu_flushes(unsigned int call, enum teller by)
{
    make();
    kept_from = call;
    CHECK_EQ(vcpu_post(&rig, 1, 1, 100), VMR_FLUSH_AGAIN);
    CHECK_EQ(*vcpu_attention(&rig, 1), call == 1 ? 0 : 2);
    if (by == POST)
        CHECK_EQ(vcpu_post(&rig, 1, 2, 200), VMR_FLUSH_RING);
    else if (by == RETIRE)
        CHECK_EQ(vmr_vcpu_retire(&rig.tx, 1), VMR_FLUSH_RING);
    else
        CHECK_EQ(vmr_vcpu_flush(&rig.tx, 1), VMR_FLUSH_RING);
    CHECK_EQ(vmr_vcpu_flush(&rig.tx, 1), VMR_FLUSH_QUIET);
    if (by == RETIRE)
        vcpu_none_taken(&rig, 0); /* taken back before it was told of */
    else
        (void)vcpu_taken(&rig, 1, 1);
    CHECK(!rig.tx.slots[1].kept_from);
}

/* The consumer takes bit and request meanwhile, and sleeps again. */
static void ring_is_owed(unsigned int call)
{
    make();
    kept_from = call;
    CHECK_EQ(vcpu_post(&rig, 1, 1, 100), VMR_FLUSH_AGAIN);
    vmr_consumer_disarm(&rig.rx, 0);
    if (call == 2)
        (void)vcpu_taken(&rig, 1, 1);
    sleep_again();
    rig.now = 100;
    (void)vcpu_verdict(&rig, 1, 1, VMR_BY_DEADLINE);
    (void)vmr_vcpu_retire(&rig.tx, 1);
    vcpu_none_taken(&rig, 0);
    vmr_consumer_disarm(&rig.rx, 0);
    sleep_again();
    CHECK_EQ(vcpu_post(&rig, 1, 2, 200), VMR_FLUSH_RING);
    (void)vcpu_taken(&rig, 1, 2);
}

/* Nothing of it is owed to the next consumer. */
static void attached_anew(void)
{
    make();
    kept_from = 2;
    CHECK_EQ(vcpu_post(&rig, 1, 1, 100), VMR_FLUSH_AGAIN);
    rig_attach(&rig);
    CHECK_EQ(vmr_vcpu_flush(&rig.tx, 1), VMR_FLUSH_QUIET);
    CHECK_EQ(*vcpu_attention(&rig, 1), 0);
    (void)vcpu_taken(&rig, 1, 1);
    sleep_again();
    *vcpu_attention(&rig, 1) = 2;
    rig.now = 100;
    (void)vcpu_verdict(&rig, 1, 1, VMR_BY_DEADLINE);
    (void)vmr_vcpu_retire(&rig.tx, 1);
    CHECK_EQ(vcpu_post(&rig, 1, 2, 200), VMR_FLUSH_QUIET);
    CHECK_EQ(rig_group(&rig, 0)->armed, 1);
}

static void group_fetches(bool by_arming)
{
    struct xen_vm_ring_event event;
    uint32_t vcpu;

    make();
    (void)vcpu_post(&rig, 1, 1, 100);
    event = vcpu_taken(&rig, 1, 1);
    vcpu_answer(&rig, &event, 0);
    (void)vmr_consumer_flush(&rig.rx, 0);
    kept_from = 1;
    if (by_arming)
        CHECK(!vmr_group_arm(&rig.tx, 0));
    else
        CHECK(!vmr_group_answered(&rig.tx, 0, &vcpu));
    CHECK_EQ(kept_from, 0);
    CHECK_EQ(rig.tx.bells[0].answers->armed, 0);
    CHECK(!vmr_group_arm(&rig.tx, 0));
    CHECK(vmr_group_answered(&rig.tx, 0, &vcpu));
    CHECK_EQ(vcpu, 1);
    CHECK(!vmr_group_answered(&rig.tx, 0, &vcpu));
    CHECK(vmr_group_arm(&rig.tx, 0));
}

int main(void)
{
    for (unsigned int call = 1; call <= 2; call++) {
        for (enum teller by = FLUSH; by <= RETIRE; by++)
            vcpu_flushes(call, by);
        ring_is_owed(call);
    }
    attached_anew();
    group_fetches(false);
    group_fetches(true);
    return 0;
}
