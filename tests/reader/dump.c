/* SPDX-License-Identifier: MIT */
/*
 * dump.c: dump FOLDER
 *
 * Rings made with libvmring's core, as files: NAME.p, NAME.c (not for frozen
 * ones) and NAME.json, which is what the core reads from them; and headers
 * that were damaged, with the core's decision on each: see damage.c.
 */
#include "damage.h"
#include "unit/fixture/rig.h"
#include "view.h"

static uint64_t seed;
static const char *folder;

static uint32_t below(uint32_t limit)
{
    return rig_random(&seed) % limit;
}

static FILE *create(const char *name, const char *suffix)
{
    char path[512];
    FILE *file;

    CHECK((size_t)snprintf(path, sizeof(path), "%s/%s.%s", folder, name,
                           suffix) < sizeof(path));
    file = fopen(path, "wb");
    CHECK(file);
    return file;
}

static void save(const char *name, const char *suffix, const void *bytes,
                 uint64_t len)
{
    FILE *file = create(name, suffix);

    CHECK_EQ(fwrite(bytes, 1, len, file), len);
    CHECK_EQ(fclose(file), 0);
}

/* c may be NULL. */
static void dump(const char *name, const void *p, uint64_t p_len, const void *c,
                 uint64_t c_len)
{
    FILE *view = create(name, "json");

    save(name, "p", p, p_len);
    if (c)
        save(name, "c", c, c_len);
    view_ring(view, p, p_len, c, c_len);
    CHECK_EQ(fclose(view), 0);
}

static void dump_rig(const char *name, const struct rig *rig)
{
    dump(name, rig->p, rig->geo.p_len, rig->c, rig->geo.c_len);
}

/* Every field that has no meaning for us is noise. */
static struct xen_vm_ring_event noise(uint32_t vcpu)
{
    struct xen_vm_ring_event event;
    uint32_t words[sizeof(event) / 4];

    for (size_t i = 0; i < sizeof(words) / 4; i++)
        words[i] = rig_random(&seed) << 1 ^ below(4);
    memcpy(&event, words, sizeof(event));
    event.reason = (uint16_t)below(XEN_VM_RING_NR_REASONS + 1);
    event.vcpu = (uint16_t)vcpu;
    event.length = below(2) ? XEN_VM_RING_EVENT_FULL : XEN_VM_RING_EVENT_HEAD;
    return event;
}

static void answer(struct rig *rig, const struct xen_vm_ring_event *event,
                   uint32_t vcpu)
{
    struct xen_vm_ring_response response = {.reason = event->reason};

    if (below(2)) {
        response.flags = XEN_VM_RING_FLAG_SET_REGISTERS;
        response.data = noise(0).regs;
    } else if (below(2)) {
        response.flags = XEN_VM_RING_FLAG_INJECT | rig_random(&seed) >> 16;
        response.inject = (struct xen_vm_ring_inject){
            below(256), below(256), below(256), below(16), rig_random(&seed)};
        response.altp2m_idx = (uint16_t)below(10);
        response.reserved[below(3)] = below(2);
    }
    (void)vmr_consumer_answer(&rig->rx, vcpu, event->state, &response);
    if (below(3))
        (void)vmr_consumer_flush(&rig->rx, vmr_group_of(&rig->geo, vcpu));
}

static void step(struct rig *rig)
{
    uint32_t vcpu = below(rig->geo.nr_vcpus), lane = below(rig->geo.nr_lanes);
    uint32_t group = below(rig->geo.nr_groups), where;
    struct xen_vm_ring_event event = noise(vcpu);
    struct vmr_request request = {.event = event,
                                  .deadline = rig->now + below(100)};
    struct vmr_verdict verdict;

    rig->now++;
    switch (below(12)) {
    case 0:
    case 1:
        (void)vmr_producer_post(&rig->tx, &request);
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        (void)vmr_producer_push(&rig->tx, lane, &event);
        break;
    case 6:
        (void)vmr_producer_flush(&rig->tx);
        break;
    case 7:
        for (uint32_t i = below(8); i; i--)
            if (vmr_consumer_next(&rig->rx, group, &event, &where) ==
                    VMR_NEXT_REQUEST &&
                below(4))
                answer(rig, &event, where);
        break;
    case 8:
        (void)rig_collect(rig, &verdict);
        break;
    case 9:
        if (below(2))
            (void)vmr_consumer_arm(&rig->rx, group);
        else
            (void)vmr_producer_arm(&rig->tx);
        break;
    case 10:
        vmr_consumer_publish(&rig->rx, group);
        break;
    case 11:
        /* As several callers do that find the lock taken. */
        if (rig->geo.nr_lanes > rig->geo.nr_vcpus && !below(8))
            rig_lane(rig, rig->geo.nr_vcpus)->lost_contended++;
        break;
    }
}

static struct vmr_geometry shape(uint32_t nr_vcpus, uint32_t nr_groups,
                                 uint32_t policy, uint32_t record_len)
{
    struct vmr_geometry geo = rig_geometry(nr_vcpus, nr_groups, policy, 8);

    geo.record_len = record_len;
    geo.epoch = 1 + below(1000);
    geo.deadline = rig_random(&seed);
    CHECK(vmr_geometry_lay_out(&geo, 8ULL * geo.nr_lanes * record_len));
    return geo;
}

/* Positions that wrap, as after 2^64 records, and seqs of all bytes. */
static void begin_at(struct rig *rig, uint64_t position)
{
    for (uint32_t v = 0; v < rig->geo.nr_vcpus; v++)
        rig->tx.slots[v].seq = position << 1 ^ 1ULL << 60;
    for (uint32_t i = 0; i < rig->geo.nr_lanes; i++) {
        rig->tx.lanes[i].head = rig->tx.lanes[i].cons = position;
        rig->tx.lanes[i].shown = position;
        rig_lane(rig, i)->head = rig_lane(rig, i)->shown = position;
        rig->rx.lanes[i].tail = rig->rx.lanes[i].end = position;
        rig_cursor(rig, i)->cons = position;
    }
    for (uint32_t g = 0; g < rig->geo.nr_groups; g++)
        rig->rx.groups[g].from = rig->rx.groups[g].until = position;
}

/* The producer is killed in the middle of a record and of a request. */
static void die(struct rig *rig)
{
    struct vmr_lane_tx *lane = &rig->tx.lanes[0];
    struct xen_vm_ring_event *record =
        (void *)(lane->records + (lane->head & lane->mask) * lane->record_len);
    struct vmr_slot_tx *slot = &rig->tx.slots[0];

    record->state = 2 * lane->head + 1;
    record->time = 0;
    record->u.words[0] = ~0ULL;
    if (!(slot->seq & 1))
        rig_slot(rig, 0)->u.words[1] = 1;
}

/* A producer that lies, as a consumer finds it. */
static void lie(struct rig *rig)
{
    struct vmr_lane_tx *lane = &rig->tx.lanes[0];
    uint64_t cons = rig_cursor(rig, 0)->cons;
    uint32_t last = rig->geo.nr_lanes - 1;

    if (lane->head != cons)
        ((struct xen_vm_ring_event *)(void *)(lane->records +
                                              (cons & lane->mask) *
                                                  lane->record_len))
            ->length = 100;
    rig_lane(rig, last)->head =
        rig_cursor(rig, last)->cons - (below(2) ? 1 : 1ULL << 63);
    if (last > 1)
        rig_lane(rig, 1)->head = rig_cursor(rig, 1)->cons + 9 + below(90);
    if (rig->tx.slots[0].seq & 1)
        rig_slot(rig, 0)->length = 72;
}

/* A consumer that writes anything into its responses. */
static void babble(struct rig *rig)
{
    struct xen_vm_ring_event event = noise(0);

    memcpy((char *)rig_response(rig, below(rig->geo.nr_vcpus)), &event,
           sizeof(event));
}

static void make_live(const char *name, const struct vmr_geometry *geo,
                      uint64_t position, void (*spoil)(struct rig *rig))
{
    static struct rig rig;

    rig_make(&rig, geo);
    if (position)
        begin_at(&rig, position);
    for (int i = 0; i < 60 + (int)geo->nr_vcpus * 20; i++)
        step(&rig);
    vmr_producer_set_target(&rig.tx, below(4), below(5));
    if (!below(3))
        vmr_producer_set_state(&rig.tx, XEN_VM_RING_PRODUCER_CLOSED);
    if (spoil)
        spoil(&rig);
    dump_rig(name, &rig);
}

/* The consumer goes, records come on, the next one attaches. */
static void make_frozen(const char *name, const struct vmr_geometry *geo)
{
    static struct rig rig;
    struct vmr_verdict verdict;
    unsigned char *before;
    char successor[64];

    rig_make(&rig, geo);
    for (int i = 0; i < 200; i++)
        step(&rig);
    vmr_producer_sweep(&rig.tx);
    while (rig_collect(&rig, &verdict))
        ;
    for (int i = 0; i < 30; i++) {
        struct xen_vm_ring_event event = noise(0);

        (void)vmr_producer_push(&rig.tx, below(geo->nr_lanes), &event);
    }
    before = rig.p;
    rig_attach(&rig);
    dump(name, before, geo->p_len, NULL, 0);
    /* What was visible is posted anew there. */
    snprintf(successor, sizeof(successor), "%s_successor", name);
    dump_rig(successor, &rig);
}

/* A ring as a later minor might lay it out. */
static struct vmr_geometry wide(uint32_t policy)
{
    struct vmr_geometry geo = shape(3, 2, policy, 448);

    geo.slot_len = 1024;
    geo.p_group_off += 4 * XEN_VM_RING_PAGE;
    geo.lane_off += 5 * XEN_VM_RING_PAGE;
    geo.record_off += 8 * XEN_VM_RING_PAGE;
    geo.p_len += 8 * XEN_VM_RING_PAGE;
    geo.cursor_off += 2 * XEN_VM_RING_PAGE;
    geo.c_group_off += 3 * XEN_VM_RING_PAGE;
    geo.c_group_len += XEN_VM_RING_LINE;
    geo.answered_off += XEN_VM_RING_LINE;
    geo.c_len += 4 * XEN_VM_RING_PAGE;
    return geo;
}

/* Room for everything: only limits are in the way. No such ring exists. */
static struct vmr_geometry spacious(void)
{
    struct vmr_geometry geo =
        shape(XEN_VM_RING_MAX_VCPUS, XEN_VM_RING_MAX_GROUPS,
              XEN_VM_RING_POLICY_DISCARD, 512);

    geo.p_len = geo.c_len = 1ULL << 60;
    geo.request_off = geo.response_off = 1ULL << 50;
    geo.p_group_off = geo.cursor_off = 1ULL << 51;
    geo.lane_off = geo.c_group_off = 1ULL << 52;
    geo.record_off = 1ULL << 55;
    geo.c_group_len = 1U << 20;
    return geo;
}

static void make_all(int round)
{
    static const uint32_t vcpus[] = {1, 2, 5, 70, 200};
    static const uint32_t lengths[] = {64, 384, 448, 512};
    uint32_t nr_vcpus = vcpus[round % 5];
    char name[32];

    for (uint32_t policy = 0; policy < 2; policy++) {
        struct vmr_geometry geo =
            shape(nr_vcpus, 1 + (uint32_t)round % (nr_vcpus < 3 ? nr_vcpus : 3),
                  policy, lengths[round % 4]);
        struct vmr_geometry other = wide(policy);

        if (round % 3 == 2)
            geo.arch = XEN_VM_RING_ARCH_ARM;
        if (round % 6 == 5)
            geo.arch = 77;
        snprintf(name, sizeof(name), "live_%u_%d", policy, round);
        make_live(name, &geo, 0, NULL);
        snprintf(name, sizeof(name), "wrapped_%u_%d", policy, round);
        make_live(name, &geo, UINT64_MAX - below(12), NULL);
        snprintf(name, sizeof(name), "babble_%u_%d", policy, round);
        make_live(name, &geo, 0, babble);
        snprintf(name, sizeof(name), "lies_%u_%d", policy, round);
        make_live(name, &geo, 0, lie);
        snprintf(name, sizeof(name), "frozen_%u_%d", policy, round);
        make_frozen(name, &geo);
        snprintf(name, sizeof(name), "wide_%u_%d", policy, round);
        make_live(name, &other, 0, NULL);
        if (policy == XEN_VM_RING_POLICY_OVERWRITE) {
            snprintf(name, sizeof(name), "dead_%d", round);
            make_live(name, &geo, 0, die);
        }
    }
}

int main(int argc, char **argv)
{
    struct vmr_geometry shapes[7];
    FILE *damages;

    CHECK_EQ(argc, 2);
    folder = argv[1];
    for (int round = 0; round < 6; round++) {
        seed = (uint64_t)round + 1;
        make_all(round);
    }
    shapes[0] = shape(1, 1, XEN_VM_RING_POLICY_DISCARD, 64);
    shapes[1] = shape(130, 3, XEN_VM_RING_POLICY_OVERWRITE, 448);
    shapes[2] = wide(XEN_VM_RING_POLICY_OVERWRITE);
    shapes[3] = spacious();
    /* Lanes of a group in one word exactly, and one more. */
    shapes[4] = shape(127, 2, XEN_VM_RING_POLICY_DISCARD, 64);
    shapes[5] = shape(128, 2, XEN_VM_RING_POLICY_DISCARD, 64);
    shapes[6] = shape(1000, 1, XEN_VM_RING_POLICY_DISCARD, 64);
    damages = create("headers", "damaged");
    for (int i = 0; i < 7; i++)
        damage_header(damages, &shapes[i], &seed);
    CHECK_EQ(fclose(damages), 0);
    return 0;
}
