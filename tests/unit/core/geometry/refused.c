/* SPDX-License-Identifier: MIT */
/*
 * Description: a header with one word that cannot be is refused, and one
 * whose areas end with their region is not.
 */
#include "rig.h"

static struct xen_vm_ring_header good;

/* Regions with room behind what is laid out: no area ends with them. */
static void begin(void)
{
    struct vmr_geometry geo = rig_geometry(1, 1, XEN_VM_RING_POLICY_DISCARD, 4);

    geo.nr_vcpus = 2;
    geo.features = XEN_VM_RING_FEATURE_REGISTERS;
    geo.p_len += 16ULL * XEN_VM_RING_PAGE;
    geo.c_len += 16ULL * XEN_VM_RING_PAGE;
    memset(&good, 0, sizeof(good));
    vmr_geometry_publish(&geo, &good);
}

static bool taken(const struct xen_vm_ring_header *header)
{
    struct vmr_geometry geo;

    return vmr_geometry_read(&geo, header, good.p_len, good.c_len);
}

/* With another value in one field. */
static bool taken_with(size_t off, size_t size, uint64_t value)
{
    struct xen_vm_ring_header header = good;

    memcpy((char *)&header + off, &value, size);
    return taken(&header);
}

#define FIELD(field)                                                           \
#field, offsetof(struct xen_vm_ring_header, field), sizeof(good.field)

#define SLOT XEN_VM_RING_SLOT
#define LINE XEN_VM_RING_LINE
#define PAGE XEN_VM_RING_PAGE

/* This value, or what the header has and so much more. */
static const struct {
    const char *row;
    size_t off, size;
    uint64_t value;
    enum { IS, MORE } how;
    bool taken;
} words[] = {
    {FIELD(magic), 1, MORE, false},
    {FIELD(major), 0, IS, false},
    {FIELD(major), 2, IS, false},
    {FIELD(header_len), sizeof(good) - 8, IS, false},
    {FIELD(header_len), 0, IS, false},
    {FIELD(header_len), PAGE, IS, true},
    {FIELD(header_len), PAGE + 8, IS, false},
    {FIELD(p_len), PAGE, MORE, false},
    {FIELD(p_len), -(uint64_t)PAGE, MORE, false},
    {FIELD(c_len), PAGE, MORE, false},
    {FIELD(c_len), -(uint64_t)PAGE, MORE, false},
    {FIELD(nr_vcpus), 0, IS, false},
    {FIELD(nr_lanes), 1, IS, false},
    {FIELD(nr_lanes), 4, IS, false},
    /* The foreign lane, and the feature that tells of it: both, or neither. */
    {FIELD(nr_lanes), 3, IS, false},
    {FIELD(features), XEN_VM_RING_FEATURES, IS, false},
    {FIELD(features), UINT64_MAX, IS, false},
    {FIELD(features), UINT64_MAX - XEN_VM_RING_FEATURE_FOREIGN, IS, true},
    {FIELD(nr_groups), 0, IS, false},
    {FIELD(nr_groups), 3, IS, false},
    {FIELD(policy), 2, IS, false},
    {FIELD(record_len), 0, IS, false},
    {FIELD(record_len), 32, IS, false},
    {FIELD(record_len), 96, IS, false},
    {FIELD(record_len), 576, IS, false},
    {FIELD(slots_per_lane), 0, IS, false},
    {FIELD(slots_per_lane), 1, IS, false},
    {FIELD(slots_per_lane), 2, IS, true},
    {FIELD(slots_per_lane), 3, IS, false},
    /* Records of 64 bytes: their sum is 0, modulo 2^64. */
    {FIELD(slots_per_lane), 1ULL << 58, IS, false},
    {FIELD(slots_per_lane), 1ULL << 63, IS, false},
    {FIELD(slot_len), SLOT - LINE, IS, false},
    {FIELD(slot_len), 0, IS, false},
    {FIELD(slot_len), SLOT + 64, IS, false},
    {FIELD(slot_len), PAGE, IS, true},
    {FIELD(slot_len), PAGE + LINE, IS, false},
    /* The group's first line is armed's. */
    {FIELD(attn_request_off), LINE - 8, IS, false},
    {FIELD(attn_lane_off), LINE - 8, IS, false},
    {FIELD(answered_off), LINE - 8, IS, false},
    {FIELD(c_group_len), LINE, MORE, true},
    {FIELD(c_group_len), 64, MORE, false},
    {FIELD(c_group_len), 0, IS, false},
    {FIELD(c_group_len), 0x80000000U, IS, false},
};

static void one_word(void)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        uint64_t value = 0;

        if (words[i].how == MORE)
            memcpy(&value, (char *)&good + words[i].off, words[i].size);
        value += words[i].value;
        CHECK_ROW(words[i].row);
        if (taken_with(words[i].off, words[i].size, value) != words[i].taken) {
            fprintf(stderr, "%s = %#llx is%s taken\n", words[i].row,
                    (unsigned long long)value, words[i].taken ? " not" : "");
            exit(1);
        }
    }
}

/* Areas by their place, their size and what they are in. */
static const struct {
    const char *row;
    size_t off, size;
    uint64_t len;
    enum { IN_P, IN_C, IN_GROUP } in;
    uint64_t align;
} areas[] = {
    {FIELD(request_off), 2ULL * SLOT, IN_P, LINE},
    {FIELD(p_group_off), LINE, IN_P, LINE},
    {FIELD(lane_off), 2ULL * XEN_VM_RING_LANE, IN_P, LINE},
    {FIELD(record_off), 2ULL * 4 * 64, IN_P, 64},
    {FIELD(response_off), 2ULL * SLOT, IN_C, LINE},
    {FIELD(cursor_off), 2ULL * LINE, IN_C, LINE},
    {FIELD(c_group_off), 0, IN_C, LINE}, /* c_group_len */
    {FIELD(attn_request_off), 8, IN_GROUP, 8},
    {FIELD(attn_lane_off), 8, IN_GROUP, 8},
    {FIELD(answered_off), 8, IN_GROUP, 8},
};

/* An area is held to what it is in, and to its alignment. */
static void one_area(size_t i)
{
    uint64_t room = areas[i].in == IN_P   ? good.p_len
                    : areas[i].in == IN_C ? good.c_len
                                          : good.c_group_len;
    uint64_t end = room - (areas[i].len ? areas[i].len : good.c_group_len);
    size_t off = areas[i].off, size = areas[i].size;
    uint64_t align = areas[i].align;

    CHECK_ROW(areas[i].row);
    CHECK(taken_with(off, size, end));
    CHECK(!taken_with(off, size, end + align));
    CHECK(!taken_with(off, size, room));
    CHECK(!taken_with(off, size, room + align));
    CHECK(!taken_with(off, size, end - align / 2));
    CHECK(!taken_with(off, size, UINT64_MAX - align + 1));
}

/* A P that ends within its header is not read to the header's end. */
static void too_short(void)
{
    size_t len = sizeof(good) - 8;
    unsigned char *page = guarded(XEN_VM_RING_PAGE);
    struct xen_vm_ring_header *header = (void *)(page + XEN_VM_RING_PAGE - len);
    struct vmr_geometry geo;

    memcpy(header, &good, len);
    header->p_len = len;
    CHECK(!vmr_geometry_read(&geo, header, len, good.c_len));
}

/* Lengths agree with their mappings, and are no whole pages. */
static void no_page(void)
{
    struct xen_vm_ring_header header = good;
    struct vmr_geometry geo;

    header.p_len += XEN_VM_RING_PAGE / 2;
    CHECK(!vmr_geometry_read(&geo, &header, header.p_len, good.c_len));
    header = good;
    header.c_len += 8;
    CHECK(!vmr_geometry_read(&geo, &header, good.p_len, header.c_len));
    CHECK(!vmr_geometry_read(&geo, &header, good.p_len, VMR_ANY_LEN));
}

int main(void)
{
    begin();
    CHECK(taken(&good));
    too_short();
    no_page();
    one_word();
    for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
        one_area(i);
    return 0;
}
