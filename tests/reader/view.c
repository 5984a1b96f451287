/* SPDX-License-Identifier: MIT */
#include "view.h"

#include "unit/fixture/rig.h"

/* One JSON text at a time. */
static FILE *to;
static bool begun; /* something stands before, in the object or list */

static void name(const char *key)
{
    if (begun)
        fputc(',', to);
    if (key)
        fprintf(to, "\"%s\":", key);
    begun = true;
}

static void number(const char *key, uint64_t value)
{
    name(key);
    fprintf(to, "%llu", (unsigned long long)value);
}

static void truth(const char *key, bool value)
{
    name(key);
    fputs(value ? "true" : "false", to);
}

static void open_with(const char *key, char bracket)
{
    name(key);
    fputc(bracket, to);
    begun = false;
}

static void close_with(char bracket)
{
    fputc(bracket, to);
    begun = true;
}

#define OF(field) number(#field, of->field)

static void view_header(const struct xen_vm_ring_header *of)
{
    open_with("header", '{');
    OF(magic), OF(major), OF(minor), OF(header_len), OF(arch), OF(features),
        OF(epoch), OF(p_len), OF(c_len), OF(deadline), OF(nr_vcpus),
        OF(nr_lanes), OF(nr_groups), OF(policy), OF(verdicts), OF(clock),
        OF(slot_len), OF(record_len), OF(slots_per_lane), OF(request_off),
        OF(p_group_off), OF(lane_off), OF(record_off), OF(response_off),
        OF(cursor_off), OF(c_group_off), OF(c_group_len), OF(attn_request_off),
        OF(attn_lane_off), OF(answered_off), OF(target_id), OF(source),
        OF(target_state), OF(shutdown_reason), OF(producer_state);
    close_with('}');
}

static void view_data(const struct xen_vm_ring_event *event)
{
#define MEMBER(member) const struct xen_vm_ring_##member *of = &event->u.member
    switch (event->reason) {
    case XEN_VM_RING_REASON_MEM_ACCESS: {
        MEMBER(mem_access);
        open_with("u", '{');
        OF(gfn), OF(offset), OF(gla), OF(flags);
        break;
    }
    case XEN_VM_RING_REASON_WRITE_CTRLREG: {
        MEMBER(write_ctrlreg);
        open_with("u", '{');
        OF(index), OF(new_value), OF(old_value);
        break;
    }
    case XEN_VM_RING_REASON_MOV_TO_MSR: {
        MEMBER(mov_to_msr);
        open_with("u", '{');
        OF(msr), OF(new_value), OF(old_value);
        break;
    }
    case XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT:
    case XEN_VM_RING_REASON_SINGLESTEP:
    case XEN_VM_RING_REASON_DEBUG_EXCEPTION: {
        MEMBER(debug);
        open_with("u", '{');
        OF(gfn), OF(pending_dbg), OF(insn_len), OF(type);
        break;
    }
    case XEN_VM_RING_REASON_CPUID: {
        MEMBER(cpuid);
        open_with("u", '{');
        OF(insn_len), OF(leaf), OF(subleaf);
        break;
    }
    case XEN_VM_RING_REASON_INTERRUPT: {
        MEMBER(interrupt);
        open_with("u", '{');
        OF(vector), OF(type), OF(error_code), OF(cr2);
        break;
    }
    case XEN_VM_RING_REASON_DESCRIPTOR_ACCESS: {
        MEMBER(desc_access);
        open_with("u", '{');
        OF(exit_qualification), OF(instr_info), OF(descriptor), OF(is_write);
        break;
    }
    case XEN_VM_RING_REASON_VMEXIT: {
        MEMBER(vmexit);
        open_with("u", '{');
        OF(reason), OF(qualification);
        break;
    }
    case XEN_VM_RING_REASON_IO_INSTRUCTION: {
        MEMBER(io);
        open_with("u", '{');
        OF(bytes), OF(port), OF(in), OF(str);
        break;
    }
    default:
        return;
    }
#undef MEMBER
    close_with('}');
}

static void view_origin(const struct xen_vm_ring_origin *of)
{
    open_with("origin", '{');
    OF(view_gen), OF(plane);
    close_with('}');
}

static void view_x86(const struct xen_vm_ring_regs_x86 *of)
{
    OF(rax), OF(rcx), OF(rdx), OF(rbx), OF(rsp), OF(rbp), OF(rsi), OF(rdi),
        OF(r8), OF(r9), OF(r10), OF(r11), OF(r12), OF(r13), OF(r14), OF(r15),
        OF(rflags), OF(dr6), OF(dr7), OF(rip), OF(cr0), OF(cr2), OF(cr3),
        OF(cr4), OF(sysenter_cs), OF(sysenter_esp), OF(sysenter_eip),
        OF(msr_efer), OF(msr_star), OF(msr_lstar), OF(gdtr_base), OF(npt_base),
        OF(vmtrace_pos), OF(cs_base), OF(ss_base), OF(ds_base), OF(es_base),
        OF(fs_base), OF(gs_base), OF(cs), OF(ss), OF(ds), OF(es), OF(fs),
        OF(gs), OF(shadow_gs), OF(gdtr_limit), OF(cs_sel), OF(ss_sel),
        OF(ds_sel), OF(es_sel), OF(fs_sel), OF(gs_sel), OF(known);
}

static void view_regs(const union xen_vm_ring_tail *tail, uint32_t arch)
{
    if (arch != XEN_VM_RING_ARCH_X86 && arch != XEN_VM_RING_ARCH_ARM)
        return;
    open_with("regs", '{');
    if (arch == XEN_VM_RING_ARCH_X86) {
        view_x86(&tail->x86);
    } else {
        const struct xen_vm_ring_regs_arm *of = &tail->arm;

        OF(ttbr0), OF(ttbr1), OF(ttbcr), OF(pc), OF(cpsr);
    }
    close_with('}');
}

static void view_event(const char *key, const struct xen_vm_ring_event *of,
                       uint32_t arch)
{
    open_with(key, '{');
    OF(state), OF(time), OF(flags), OF(lost), OF(reason), OF(vcpu),
        OF(altp2m_idx), OF(length);
    view_origin(&of->u.origin);
    view_data(of);
    if (of->length == XEN_VM_RING_EVENT_FULL)
        view_regs(&of->regs, arch);
    close_with('}');
}

static void view_slots(const struct vmr_geometry *geo, const void *p, void *c)
{
    open_with("slots", '[');
    for (uint32_t v = 0; v < geo->nr_vcpus; v++) {
        struct xen_vm_ring_event event;
        struct vmr_slot_rx rx;

        vmr_slot_rx_init(&rx, geo, v, p, c);
        open_with(NULL, '{');
        number("vcpu", v);
        number("seq", vmr_load_acquire(&rx.request->state));
        switch (vmr_slot_take(&rx, &event)) {
        case VMR_TAKE_EVENT:
            view_event("request", &event, geo->arch);
            break;
        case VMR_TAKE_BROKEN:
            truth("broken", true);
            break;
        case VMR_TAKE_NONE:
            break;
        case VMR_TAKE_AGAIN:
            CHECK(!"it stands still");
        }
        close_with('}');
    }
    close_with(']');
}

/* The members of a group that are set in `bits`. */
static void view_bits(const char *key, const struct vmr_geometry *geo,
                      uint32_t group, struct vmr_bits *bits)
{
    uint32_t bit;

    open_with(key, '[');
    while (vmr_bits_next(bits, 0, &bit)) {
        vmr_bits_clear(bits, bit);
        number(NULL, bit * geo->nr_groups + group);
    }
    close_with(']');
}

static void forget(struct vmr_bits *bits)
{
    uint32_t bit;

    while (vmr_bits_next(bits, 0, &bit))
        vmr_bits_clear(bits, bit);
}

static void view_groups(const struct vmr_geometry *geo, void *p, void *c,
                        bool has_c)
{
    uint64_t words[2][3 * VMR_BITMAP_WORDS];

    open_with("groups", '[');
    for (uint32_t g = 0; g < geo->nr_groups; g++) {
        struct vmr_bell_rx rx;
        struct vmr_bell_tx tx;

        vmr_bell_rx_init(&rx, geo, g, p, c, words[0]);
        vmr_bell_tx_init(&tx, geo, g, p, c, words[1]);
        open_with(NULL, '{');
        number("group", g);
        number("armed_for_answers", rx.answers->armed);
        if (has_c) {
            number("armed", rx.line->armed);
            forget(&rx.requests); /* what the first pass looks at anyway */
            forget(&rx.lanes);
            CHECK(vmr_bell_refill(&rx));
            view_bits("attention_requests", geo, g, &rx.requests);
            view_bits("attention_lanes", geo, g, &rx.lanes);
            CHECK_EQ(vmr_bell_fetch_answers(&tx), VMR_RMW_DONE);
            view_bits("answered", geo, g, &tx.fetched);
        }
        close_with('}');
    }
    close_with(']');
}

/* True: the lane is broken. */
static bool view_records(struct vmr_lane_rx *rx, uint32_t arch)
{
    bool known = rx->tail == 0;
    struct xen_vm_ring_event event;
    uint32_t lost = 0;
    enum vmr_pull pull;

    open_with("records", '[');
    while ((pull = vmr_lane_pull(rx, &event)) != VMR_PULL_NONE &&
           pull != VMR_PULL_BROKEN) {
        if (pull == VMR_PULL_AGAIN)
            continue;
        open_with(NULL, '{');
        number("position", rx->tail - 1);
        number("overwritten", rx->gap);
        rx->gap = 0;
        if (known) {
            number("discarded", event.lost - lost);
        } else {
            name("discarded");
            fputs("null", to);
        }
        known = true;
        lost = event.lost;
        view_event("event", &event, arch);
        close_with('}');
    }
    close_with(']');
    return pull == VMR_PULL_BROKEN;
}

static void view_lanes(const struct vmr_geometry *geo, const void *p, void *c,
                       bool has_c)
{
    const struct xen_vm_ring_header *header = p;

    open_with("lanes", '[');
    for (uint32_t i = 0; i < geo->nr_lanes; i++) {
        const struct xen_vm_ring_lane *of;
        struct vmr_lane_rx rx;
        bool broken;

        vmr_lane_rx_init(&rx, geo, i, p, c);
        of = rx.line;
        open_with(NULL, '{');
        number("lane", i);
        OF(head), OF(lost), OF(lost_contended), OF(resume), OF(shown);
        /* Nobody will flush it any more. */
        vmr_lane_rx_to_head(&rx);
        if (has_c) {
            number("cons", rx.cursor->cons);
            rx.tail = rx.end = rx.cursor->cons;
        }
        if (!has_c || header->producer_state == XEN_VM_RING_PRODUCER_FROZEN)
            vmr_lane_rx_resume(&rx);
        broken = view_records(&rx, geo->arch);
        number("overwritten", rx.overwritten);
        truth("broken", broken);
        close_with('}');
    }
    close_with(']');
}

/* As the producer would collect them, if each request were the visible one. */
static void view_responses(const struct vmr_geometry *geo, void *p, void *c)
{
    open_with("responses", '[');
    for (uint32_t v = 0; v < geo->nr_vcpus; v++) {
        struct xen_vm_ring_response response;
        static struct vmr_slot_tx tx;
        bool answers;

        tx.seq = 0;
        vmr_slot_tx_attach(&tx, geo, v, p, c);
        tx.seq = vmr_load_acquire(&tx.request->state);
        answers = vmr_slot_collect(&tx, &response) == VMR_COLLECT_ANSWER;
        vmr_copy_from_shared(&response, tx.response, sizeof(response));
        open_with(NULL, '{');
        number("vcpu", v);
        {
            const struct xen_vm_ring_response *of = &response;

            OF(seq), OF(flags), OF(reason), OF(altp2m_idx);
        }
        truth("answers", answers);
        open_with("inject", '{');
        {
            const struct xen_vm_ring_inject *of = &response.inject;

            OF(vector), OF(type), OF(error_code), OF(insn_len), OF(cr2);
        }
        close_with('}');
        truth("reserved_is_zero", !response.reserved[0] &&
                                      !response.reserved[1] &&
                                      !response.reserved[2]);
        if (response.flags & XEN_VM_RING_FLAG_SET_REGISTERS)
            view_regs(&response.data, geo->arch);
        close_with('}');
    }
    close_with(']');
}

static void *copy_of(const void *region, uint64_t len)
{
    void *copy = aligned_alloc(XEN_VM_RING_LINE, len);

    CHECK(copy);
    if (region)
        memcpy(copy, region, len);
    else
        memset(copy, 0, len);
    return copy;
}

void view_ring(FILE *out, const void *p, uint64_t p_len, const void *c,
               uint64_t c_len)
{
    struct vmr_geometry geo;
    void *own_p, *own_c;

    CHECK(vmr_geometry_read(&geo, p, p_len, c ? c_len : VMR_ANY_LEN));
    own_p = copy_of(p, p_len);
    own_c = copy_of(c, geo.c_len);
    to = out;
    begun = false;
    open_with(NULL, '{');
    view_header(own_p);
    view_slots(&geo, own_p, own_c);
    view_groups(&geo, own_p, own_c, c != NULL);
    view_lanes(&geo, own_p, own_c, c != NULL);
    if (c)
        view_responses(&geo, own_p, own_c);
    close_with('}');
    fputc('\n', out);
    free(own_p);
    free(own_c);
}
