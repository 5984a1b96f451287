/* SPDX-License-Identifier: MIT */
/*
 * Description: whatever a header says, it is refused or nothing outside of
 * the regions is touched.
 */
#include "rig.h"

static unsigned int accepted, refusals;

/* Uses all that a consumer has of a ring whose header was accepted. */
static void use(const struct vmr_geometry *geo, unsigned char *p_at,
                unsigned char *c_at)
{
    void *memory = calloc(1, vmr_consumer_size(geo));
    static struct vmr_consumer rx;
    struct xen_vm_ring_event event;
    struct xen_vm_ring_response response = {0};
    uint64_t head, lost;
    uint32_t where;

    CHECK(memory);
    vmr_consumer_init(&rx, geo, memory, p_at, c_at);
    for (uint32_t g = 0; g < geo->nr_groups; g++) {
        for (int i = 0; i < 40; i++)
            (void)vmr_consumer_next(&rx, g, &event, &where);
        (void)vmr_consumer_flush(&rx, g);
        (void)vmr_consumer_arm(&rx, g);
        vmr_consumer_publish(&rx, g);
    }
    for (uint32_t v = 0; v < geo->nr_vcpus; v++) {
        vmr_slot_answer(&rx.slots[v], 1, &response);
        vmr_bits_set(&rx.groups[vmr_group_of(geo, v)].bell.given,
                     vmr_bit_of(geo, v));
    }
    for (uint32_t g = 0; g < geo->nr_groups; g++)
        (void)vmr_consumer_flush(&rx, g);
    for (uint32_t i = 0; i < geo->nr_lanes; i++) {
        struct vmr_lane_rx *lane = &rx.lanes[i];

        vmr_consumer_lane(&rx, i, &head, &lost);
        /* The last record's place, and the first's. */
        lane->tail = lane->end = head - 1;
        lane->broken = false;
        (void)vmr_lane_pull(lane, &event);
        vmr_lane_publish_cursor(lane);
        lane->tail = lane->end = geo->nr_records - 1;
        (void)vmr_lane_pull(lane, &event);
    }
    free(memory);
}

static struct vmr_geometry laid_out;
static struct xen_vm_ring_header good;
static unsigned char *p, *c;
static uint64_t seed = 1;

static void try(const struct xen_vm_ring_header *header)
{
    struct vmr_geometry geo;

    memcpy(p, header, sizeof(*header));
    if (!vmr_geometry_read(&geo, (void *)p, laid_out.p_len, laid_out.c_len)) {
        refusals++;
        return;
    }
    accepted++;
    use(&geo, p, c);
}

#define NR_WORDS (sizeof(good) / 4)

static void try_words(const uint32_t *words)
{
    struct xen_vm_ring_header header;

    memcpy(&header, words, sizeof(header));
    try(&header);
}

static void begin(void)
{
    laid_out = rig_geometry(130, 3, XEN_VM_RING_POLICY_OVERWRITE, 4);
    p = guarded(laid_out.p_len);
    c = guarded(laid_out.c_len);
    for (uint64_t i = 0; i < laid_out.p_len; i++)
        p[i] = (unsigned char)rig_random(&seed);
    memset(&good, 0, sizeof(good));
    vmr_geometry_publish(&laid_out, &good);
    try(&good);
    CHECK_EQ(accepted, 1);
}

/* Where armed is there is no bitmap: arming would find a bit set. */
static void bitmap_over_armed(void)
{
    for (int i = 0; i < 3; i++) {
        struct xen_vm_ring_header header = good;

        *(i == 0   ? &header.attn_request_off
          : i == 1 ? &header.attn_lane_off
                   : &header.answered_off) = 0;
        try(&header);
        CHECK_EQ(accepted, 1);
    }
}

static const uint32_t values[] = {
    0,      1,          2,          3,          5,         63,
    64,     127,        128,        129,        255,       4095,
    4096,   8192,       0x10000,    0x7fffffff, 0x8000000, 0x80000000,
    100000, 0xffffff80, 0xfffffff8, 0xffffffff};
static const int32_t steps[] = {1, -1, 128, -128};

#define NR_VALUES (sizeof(values) / sizeof(values[0]))
#define NR_STEPS  (sizeof(steps) / sizeof(steps[0]))

static void each_word(void)
{
    uint32_t words[NR_WORDS];

    for (size_t i = 0; i < NR_WORDS; i++) {
        for (size_t v = 0; v < NR_VALUES + NR_STEPS; v++) {
            memcpy(words, &good, sizeof(words));
            if (v < NR_VALUES)
                words[i] = values[v];
            else
                words[i] += (uint32_t)steps[v - NR_VALUES];
            try_words(words);
        }
    }
}

static void several_words(void)
{
    uint32_t words[NR_WORDS];

    for (int round = 0; round < 200000; round++) {
        memcpy(words, &good, sizeof(words));
        for (uint32_t n = 1 + rig_random(&seed) % 4; n; n--) {
            uint32_t *word =
                &words[rig_random(&seed) %
                       (offsetof(struct xen_vm_ring_header, reserved) / 4)];

            if (rig_random(&seed) & 1)
                *word = values[rig_random(&seed) % NR_VALUES];
            else
                *word += 8 * (rig_random(&seed) % 64) - 256;
        }
        try_words(words);
    }
}

int main(void)
{
    begin();
    bitmap_over_armed();
    each_word();
    several_words();
    CHECK(refusals > 1000);
    CHECK(accepted > 100);
    return 0;
}
