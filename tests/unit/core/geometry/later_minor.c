/* SPDX-License-Identifier: MIT */
/*
 * Description: what a later minor may do to a header, longer slots included,
 * is passed over, and both ends find everything.
 */
#include "rig.h"

/* A ring as a later minor might lay it out: all areas wider apart. */
static struct vmr_geometry wider(uint32_t slot_len)
{
    struct vmr_geometry geo = rig_geometry(3, 2, XEN_VM_RING_POLICY_DISCARD, 4);
    uint64_t more = 16ULL * XEN_VM_RING_PAGE;

    geo.slot_len = slot_len;
    geo.request_off += XEN_VM_RING_PAGE;
    geo.p_group_off += more;
    geo.lane_off += more;
    geo.record_off += more;
    geo.p_len += more;
    geo.cursor_off += more;
    geo.c_group_off += more;
    geo.c_len += more + XEN_VM_RING_PAGE;
    geo.c_group_len += XEN_VM_RING_LINE;
    geo.attn_lane_off += XEN_VM_RING_LINE;
    geo.answered_off += XEN_VM_RING_LINE;
    return geo;
}

static void works(uint32_t slot_len)
{
    struct vmr_geometry geo = wider(slot_len);
    static struct rig rig;
    struct xen_vm_ring_event event, record;
    struct vmr_request request = rig_request(2, 7, VMR_NO_DEADLINE);
    struct vmr_verdict verdict;
    struct xen_vm_ring_response response = {0};
    uint32_t where;

    rig_make(&rig, &geo);
    CHECK(vmr_producer_post(&rig.tx, &request));
    record = rig_event(XEN_VM_RING_REASON_MOV_TO_MSR, 1, 8);
    CHECK(vmr_producer_push(&rig.tx, 1, &record));
    memcpy(&event, rig.p + geo.request_off + 2ULL * slot_len, 64);
    CHECK_EQ(event.state, 1);
    CHECK_EQ(event.u.words[0], 7);

    CHECK_EQ(vmr_consumer_next(&rig.rx, 0, &event, &where), VMR_NEXT_REQUEST);
    CHECK_EQ(where, 2);
    CHECK_EQ(event.u.words[0], 7);
    (void)rig_answer(&rig, &event, 2);
    memcpy(&response, rig.c + geo.response_off + 2ULL * slot_len,
           sizeof(response));
    CHECK_EQ(response.seq, 1);
    CHECK(rig_collect(&rig, &verdict));
    CHECK_EQ(verdict.by, VMR_BY_CONSUMER);
    (void)vmr_producer_flush(&rig.tx);
    CHECK_EQ(vmr_consumer_next(&rig.rx, 1, &event, &where), VMR_NEXT_RECORD);
    CHECK_EQ(event.u.words[0], 8);
}

static void refused(uint32_t slot_len)
{
    struct vmr_geometry geo = wider(slot_len), seen;
    struct xen_vm_ring_header header;

    memset(&header, 0, sizeof(header));
    vmr_geometry_publish(&geo, &header);
    CHECK(!vmr_geometry_read(&seen, &header, geo.p_len, geo.c_len));
}

/* Words that have no meaning yet have none to us. */
static void passed_over(void)
{
    struct vmr_geometry geo = wider(1024), seen, again;
    struct xen_vm_ring_header header;

    memset(&header, 0, sizeof(header));
    vmr_geometry_publish(&geo, &header);
    CHECK(vmr_geometry_read(&seen, &header, geo.p_len, geo.c_len));
    header.minor = 7;
    header.header_len = 1024;
    header.reserved[0] = header.reserved[8] = UINT64_MAX;
    header.reserved_source = UINT32_MAX;
    header.reserved_live[0] = UINT64_MAX;
    CHECK(vmr_geometry_read(&again, &header, geo.p_len, geo.c_len));
    CHECK_EQ(again.minor, 7);
    again.minor = seen.minor;
    /* Without the padding behind the last member, which nobody sets. */
    CHECK(!memcmp(&again, &seen,
                  offsetof(struct vmr_geometry, answered_off) +
                      sizeof(seen.answered_off)));

    header.verdicts = UINT32_MAX; /* an earlier epoch's, perhaps */
    header.features = UINT64_MAX; /* the caller knows which it can read */
    CHECK(vmr_geometry_read(&again, &header, geo.p_len, geo.c_len));
    CHECK_EQ(again.features, UINT64_MAX);

    header.header_len = XEN_VM_RING_PAGE + 1;
    CHECK(!vmr_geometry_read(&again, &header, geo.p_len, geo.c_len));
    header.header_len = sizeof(header) - 1;
    CHECK(!vmr_geometry_read(&again, &header, geo.p_len, geo.c_len));
    header.header_len = sizeof(header);
    header.major = 2;
    CHECK(!vmr_geometry_read(&again, &header, geo.p_len, geo.c_len));
}

int main(void)
{
    works(XEN_VM_RING_SLOT);
    works(XEN_VM_RING_SLOT + XEN_VM_RING_LINE);
    works(1024);
    works(XEN_VM_RING_PAGE);
    refused(0);
    refused(XEN_VM_RING_SLOT - XEN_VM_RING_LINE);
    refused(XEN_VM_RING_SLOT + 8);
    refused(XEN_VM_RING_PAGE + XEN_VM_RING_LINE);
    passed_over();
    return 0;
}
