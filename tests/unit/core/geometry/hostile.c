/* SPDX-License-Identifier: MIT */
/*
 * Description: whatever a header says, it is refused or nothing outside of
 * the regions is touched.
 */
#include "rig.h"

static unsigned int accepted, refusals;

/* Uses all that a consumer has of a ring whose header was accepted. */
static void use(const struct vmr_geometry *geo, unsigned char *p,
                unsigned char *c)
{
    void *memory = calloc(1, vmr_consumer_size(geo));
    static struct vmr_consumer rx;
    struct xen_vm_ring_event event;
    struct xen_vm_ring_response response = {0};
    uint64_t head, lost;
    uint32_t where;

    CHECK(memory);
    vmr_consumer_init(&rx, geo, memory, p, c);
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
        lane->tail = head - 1;
        lane->faulted = false;
        (void)vmr_lane_pull(lane, &event);
        vmr_lane_publish_cursor(lane);
        lane->tail = geo->slots - 1;
        (void)vmr_lane_pull(lane, &event);
    }
    free(memory);
}

static void try(const struct xen_vm_ring_header *header, uint64_t p_len,
                uint64_t c_len, unsigned char *p, unsigned char *c)
{
    struct vmr_geometry geo;

    memcpy(p, header, sizeof(*header));
    if (!vmr_geometry_read(&geo, (void *)p, p_len, c_len)) {
        refusals++;
        return;
    }
    accepted++;
    use(&geo, p, c);
}

int main(void)
{
    static const uint32_t values[] = {
        0,      1,          2,          3,          5,         63,
        64,     127,        128,        129,        255,       4095,
        4096,   8192,       0x10000,    0x7fffffff, 0x8000000, 0x80000000,
        100000, 0xffffff80, 0xfffffff8, 0xffffffff};
    struct vmr_geometry geo =
        rig_geometry(130, 3, XEN_VM_RING_POLICY_OVERWRITE, 4);
    unsigned char *p = guarded(geo.p_len), *c = guarded(geo.c_len);
    struct xen_vm_ring_header good;
    uint32_t words[sizeof(good) / 4];
    uint64_t seed = 1;

    for (uint64_t i = 0; i < geo.p_len; i++)
        p[i] = (unsigned char)rig_random(&seed);
    memset(&good, 0, sizeof(good));
    vmr_geometry_publish(&geo, &good);
    try(&good, geo.p_len, geo.c_len, p, c);
    CHECK_EQ(accepted, 1);

    /* Where armed is there is no bitmap: arming would find a bit set. */
    for (int i = 0; i < 3; i++) {
        struct xen_vm_ring_header header = good;

        *(i == 0   ? &header.attn_request_off
          : i == 1 ? &header.attn_lane_off
                   : &header.answered_off) = 0;
        try(&header, geo.p_len, geo.c_len, p, c);
        CHECK_EQ(accepted, 1);
    }

    /* Every word by itself. */
    for (size_t i = 0; i < sizeof(words) / 4; i++) {
        for (size_t v = 0; v < sizeof(values) / 4 + 4; v++) {
            struct xen_vm_ring_header header;

            memcpy(words, &good, sizeof(words));
            if (v < sizeof(values) / 4)
                words[i] = values[v];
            else
                words[i] +=
                    (uint32_t[]){1, (uint32_t)-1, 128,
                                 (uint32_t)-128}[v - sizeof(values) / 4];
            memcpy(&header, words, sizeof(header));
            try(&header, geo.p_len, geo.c_len, p, c);
        }
    }
    /* Several at once. */
    for (int round = 0; round < 200000; round++) {
        struct xen_vm_ring_header header;

        memcpy(words, &good, sizeof(words));
        for (uint32_t n = 1 + rig_random(&seed) % 4; n; n--) {
            uint32_t *word =
                &words[rig_random(&seed) %
                       (offsetof(struct xen_vm_ring_header, reserved) / 4)];

            if (rig_random(&seed) & 1)
                *word = values[rig_random(&seed) % (sizeof(values) / 4)];
            else
                *word += 8 * (rig_random(&seed) % 64) - 256;
        }
        memcpy(&header, words, sizeof(header));
        try(&header, geo.p_len, geo.c_len, p, c);
    }
    CHECK(refusals > 1000);
    CHECK(accepted > 100);
    return 0;
}
