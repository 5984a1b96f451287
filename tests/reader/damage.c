/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include "unit/fixture/rig.h"

static const struct {
    uint32_t at, size;
} fields[] = {
#define FIELD(name)                                                            \
    {                                                                          \
        offsetof(struct xen_vm_ring_header, name),                             \
            sizeof(((struct xen_vm_ring_header *)0)->name)                     \
    }
    FIELD(magic),          FIELD(major),         FIELD(minor),
    FIELD(header_len),     FIELD(arch),          FIELD(features),
    FIELD(epoch),          FIELD(p_len),         FIELD(c_len),
    FIELD(deadline),       FIELD(nr_vcpus),      FIELD(nr_lanes),
    FIELD(nr_groups),      FIELD(policy),        FIELD(verdicts),
    FIELD(clock),          FIELD(slot_len),      FIELD(record_len),
    FIELD(slots_per_lane), FIELD(request_off),   FIELD(p_group_off),
    FIELD(lane_off),       FIELD(record_off),    FIELD(response_off),
    FIELD(cursor_off),     FIELD(c_group_off),   FIELD(c_group_len),
    FIELD(answered_off),   FIELD(attn_lane_off), FIELD(attn_request_off),
    FIELD(target_state),   FIELD(producer_state)};

#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

static const uint64_t values[] = {0,          32,         1ULL << 29,
                                  1,          2,          3,
                                  4,          8,          63,
                                  64,         65,         127,
                                  128,        129,        192,
                                  256,        383,        384,
                                  385,        448,        511,
                                  512,        576,        640,
                                  1024,       2048,       4095,
                                  4096,       4097,       4098,
                                  4224,       65535,      65536,
                                  1u << 30,   1ULL << 31, 1ULL << 32,
                                  1ULL << 63, UINT64_MAX, UINT64_MAX - 127};

/* To what stands there. */
static const uint64_t changes[] = {1,
                                   UINT64_MAX,
                                   8,
                                   64,
                                   128,
                                   4096,
                                   (uint64_t)-8,
                                   (uint64_t)-64,
                                   (uint64_t)-128,
                                   (uint64_t)-4096,
                                   1ULL << 32,
                                   1ULL << 63};

#define NR_VALUES  (sizeof(values) / sizeof(values[0]))
#define NR_CHANGES (sizeof(changes) / sizeof(changes[0]))

/* The i-th damage to a field. */
static void damage(struct xen_vm_ring_header *header, size_t field, size_t i)
{
    char *at = (char *)header + fields[field].at;
    uint64_t value = 0;

    memcpy(&value, at, fields[field].size);
    value = i < NR_VALUES ? values[i] : value + changes[i - NR_VALUES];
    memcpy(at, &value, fields[field].size); /* little-endian */
}

static void write_case(FILE *out, const struct xen_vm_ring_header *header,
                       uint64_t p_len, uint64_t c_len)
{
    struct vmr_geometry geo;
    uint64_t words[3] = {p_len, c_len, 0};

    words[2] = vmr_geometry_read(&geo, header, p_len, c_len);
    CHECK(fwrite(words, sizeof(words), 1, out) == 1);
    CHECK(fwrite(header, sizeof(*header), 1, out) == 1);
}

void damage_header(FILE *out, const struct vmr_geometry *geo, uint64_t *seed)
{
    struct xen_vm_ring_header good, bad;

    memset(&good, 0, sizeof(good));
    vmr_geometry_publish(geo, &good);
    write_case(out, &good, geo->p_len, geo->c_len);
    write_case(out, &good, geo->p_len, VMR_ANY_LEN);
    write_case(out, &good, geo->p_len + 4096, geo->c_len);
    write_case(out, &good, geo->p_len, geo->c_len - 1);
    write_case(out, &good, sizeof(good) - 1, geo->c_len);
    for (size_t field = 0; field < NR_FIELDS; field++)
        for (size_t i = 0; i < NR_VALUES + NR_CHANGES; i++) {
            bad = good;
            damage(&bad, field, i);
            write_case(out, &bad, geo->p_len, geo->c_len);
        }
    for (uint32_t words = 1; words < 20; words++) {
        bad = good;
        bad.answered_off = bad.c_group_len - 8 * words;
        write_case(out, &bad, geo->p_len, geo->c_len);
    }
    for (int round = 0; round < 300; round++) {
        bad = good;
        for (uint32_t n = 2 + rig_random(seed) % 3; n; n--)
            damage(&bad, rig_random(seed) % NR_FIELDS,
                   rig_random(seed) % (NR_VALUES + NR_CHANGES));
        /* As far as they go, the lengths are those that it claims. */
        write_case(out, &bad, rig_random(seed) & 1 ? bad.p_len : geo->p_len,
                   rig_random(seed) & 1 ? VMR_ANY_LEN : bad.c_len);
    }
}
