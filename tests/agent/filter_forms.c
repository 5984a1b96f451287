/* SPDX-License-Identifier: MIT */
/* Description: which events pass which filter, and where one is wrong. */
#include "../../agent/event/fields.h"
#include "../../agent/event/names.h"
#include "../../agent/filter/filter.h"

#include <errno.h>

#include "../unit/check.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* On vCPU 2, with registers. */
static struct vmring_event event_of(uint16_t reason)
{
    struct vmring_event event = {.seq = 1};

    event.rec.reason = reason;
    event.rec.vcpu = 2;
    event.rec.length = XEN_VM_RING_EVENT_FULL;
    event.rec.regs.x86.rip = 0xffffffff81000010;
    event.rec.regs.x86.cr3 = 0x1000;
    return event;
}

static bool passes(const char *text, const struct vmring_event *event)
{
    static struct filter filter;
    struct filter_error error;

    filter.nr = 0;
    if (filter_add(&filter, text, &error)) {
        fprintf(stderr, "'%s' at %zu: %s\n", text, error.at, error.text);
        exit(1);
    }
    return filter_passes(&filter, event, XEN_VM_RING_ARCH_X86);
}

static void check(const struct vmring_event *event, const char *const *pass,
                  const char *const *hide)
{
    for (; *pass; pass++)
        if (!passes(*pass, event)) {
            fprintf(stderr, "hidden by '%s'\n", *pass);
            exit(1);
        }
    for (; *hide; hide++)
        if (passes(*hide, event)) {
            fprintf(stderr, "passed by '%s'\n", *hide);
            exit(1);
        }
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void check_relations(void)
{
    struct vmring_event event = event_of(XEN_VM_RING_REASON_CPUID);

    event.rec.u.cpuid.leaf = 7;
    check(&event,
          LIST("leaf == 7", "leaf == 0x7", "leaf!=6", "leaf < 8", "leaf <= 7",
               "leaf > 6", "leaf >= 7", "leaf in 7", "leaf in 1,7",
               "leaf in 1-3, 5-9", "leaf in 7-7", "leaf & 4", "leaf & 6 == 6",
               "leaf & 8 == 0", "leaf & 0x3 != 1", "leaf & 3 in 2-3",
               "leaf >= 0", "leaf <= 0xffffffffffffffff", "leaf",
               "register == cr3 or cr3 == 0x1000",
               "register == cr3 or cr3 & 0x1000",
               "register in cr0 or cr3 in 1, 4096",
               "register == cr4 or vcpu == 2 or cr3", "register == cr4 or rip",
               "subleaf == 0", "subleaf <= 0", "event == cpuid",
               "reason == cpuid", "event in msr, cpuid", "event != msr",
               "vcpu == 2", "rip in 0xffffffff81000000-0xffffffff81ffffff",
               "cr3 == 0x1000", "sync == true", "sync", "drained == false"),
          LIST("leaf == 6", "leaf != 7", "leaf < 7", "leaf <= 6", "leaf > 7",
               "leaf >= 8", "leaf in 1-6", "leaf in 1,8-9", "leaf & 8",
               "leaf & 4 == 0", "leaf > 0xffffffffffffffff", "subleaf < 0",
               "subleaf", "event == msr", "event != cpuid", "vcpu in 0-1,3",
               "rip < 0xffffffff81000000", "sync == false", "lost_before"));
}

/* An event without the field fails every test of it. */
static void check_undefined(void)
{
    struct vmring_event event = event_of(XEN_VM_RING_REASON_CPUID);

    check(&event,
          LIST("not msr == 1", "not msr != 1", "! msr", "not gfn >= 0",
               "not altp2m", "not position >= 0", "not port >= 0",
               "not register == cr4", "not (msr == 1 or gfn == 1)"),
          LIST("msr == 1", "msr != 1", "msr", "gfn >= 0", "altp2m == 0",
               "position >= 0", "register != cr4", "register in cr4, lstar"));
    /* Nor has it registers where it came without, or of another machine. */
    CHECK(passes("rip > 0", &event));
    event.rec.length = XEN_VM_RING_EVENT_HEAD;
    CHECK(!passes("rip >= 0", &event));
    event = event_of(XEN_VM_RING_NR_REASONS + 30);
    CHECK(!passes("leaf >= 0 or old >= 0 or event == cpuid", &event));
    CHECK(passes("vcpu == 2", &event));
}

static void check_other_arch(void)
{
    struct vmring_event event = event_of(XEN_VM_RING_REASON_CPUID);
    struct filter_error error;
    static struct filter filter;

    CHECK_EQ(filter_add(&filter, "rip >= 0", &error), 0);
    CHECK(filter_passes(&filter, &event, XEN_VM_RING_ARCH_X86));
    CHECK(!filter_passes(&filter, &event, XEN_VM_RING_ARCH_X86 + 1));
}

/* not before and before or; parentheses before all. */
static void check_precedence(void)
{
    struct vmring_event event = event_of(XEN_VM_RING_REASON_CPUID);

    event.rec.u.cpuid.leaf = 1;
    check(&event,
          LIST("leaf == 1 or leaf == 1 and vcpu == 9",
               "vcpu == 9 and leaf == 1 or leaf == 1", "not vcpu == 9 or vcpu",
               "not not leaf == 1", "!!(leaf == 1)", "not(vcpu==9)&&leaf==1",
               "leaf==2||leaf==1", "((leaf == 1))",
               "not (leaf == 1 and vcpu == 9)", "leaf == 1\tand\nvcpu == 2",
               "leaf == 9 or leaf == 8 or leaf in 7, 1",
               "not leaf in 2, 3 and not vcpu in 0, 1"),
          LIST("(leaf == 1 or leaf == 1) and vcpu == 9",
               "vcpu == 9 and (leaf == 1 or leaf == 1)",
               "not leaf == 1 and leaf == 1", "not (leaf == 1 or vcpu == 9)",
               "not leaf in 2, 1"));
}

static void check_reasons(void)
{
    struct vmring_event event = event_of(XEN_VM_RING_REASON_WRITE_CTRLREG);

    event.rec.u.write_ctrlreg.index = 2;
    event.rec.u.write_ctrlreg.old_value = 0x6b0;
    event.rec.u.write_ctrlreg.new_value = 0x1006b0;
    check(&event,
          LIST("register == cr4", "index == 2", "new & 0x100000",
               "changed == 0x100000", "old == 0x6b0", "register in cr0, cr4"),
          LIST("register == cr3", "register == lstar", "msr", "old & 0x100000",
               "register == gdtr"));

    event = event_of(XEN_VM_RING_REASON_MOV_TO_MSR);
    event.rec.u.mov_to_msr.msr = 0xc0000082;
    event.rec.u.mov_to_msr.old_value = 3;
    event.rec.u.mov_to_msr.new_value = 5;
    check(&event,
          LIST("msr == lstar", "msr == 0xc0000082", "register == lstar",
               "event == msr", "event == mov_to_msr", "msr in star-cstar",
               "old == 3 and new == 5", "changed == 6"),
          LIST("msr == star", "register == cr0", "index == 0"));

    event = event_of(XEN_VM_RING_REASON_MEM_ACCESS);
    event.rec.u.mem_access.gfn = 0x1234;
    event.rec.u.mem_access.gla = 0x5678;
    event.rec.u.mem_access.flags = 2;
    check(&event,
          LIST("event == mem", "access == w", "access & rw", "gfn == 0x1234",
               "not gla >= 0", "not fault in gla, page_walk"),
          LIST("access == rw", "access & x", "gla == 0x5678", "access != w",
               "access == none"));
    event.rec.u.mem_access.flags |= ACCESS_GLA_VALID | ACCESS_FAULT_IN_GPT;
    check(&event, LIST("gla == 0x5678", "access == w", "fault == page_walk"),
          LIST("fault == gla"));
    event.rec.u.mem_access.flags |= ACCESS_FAULT_WITH_GLA;
    CHECK(passes("fault == gla", &event));

    event = event_of(XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT);
    event.rec.u.debug.gfn = 0x99;
    event.rec.u.debug.insn_len = 1;
    event.rec.u.debug.type = 6;
    check(&event,
          LIST("gfn == 0x99", "insn_len == 1", "type == sw_exc",
               "event == breakpoint", "event == software_breakpoint",
               "event == int3"),
          LIST("type == nmi", "access >= 0", "offset >= 0"));

    event = event_of(XEN_VM_RING_REASON_DESCRIPTOR_ACCESS);
    event.rec.u.desc_access.descriptor = 2;
    event.rec.u.desc_access.is_write = 1;
    event.rec.u.desc_access.exit_qualification = 77;
    check(&event,
          LIST("register == gdtr", "descriptor == gdtr", "write",
               "exit_qualification == 77"),
          LIST("register == idtr", "register == cr4", "exit_reason >= 0"));

    event = event_of(XEN_VM_RING_REASON_INTERRUPT);
    event.rec.u.interrupt.vector = 14;
    event.rec.u.interrupt.cr2 = 0xdead;
    event.rec.regs.x86.cr2 = 0xbeef;
    check(&event, LIST("vector == #PF", "vector == 14", "cr2 == 0xdead"),
          LIST("vector == NMI", "cr2 == 0xbeef"));
    event.rec.reason = XEN_VM_RING_REASON_CPUID;
    CHECK(passes("cr2 == 0xbeef", &event));

    event = event_of(XEN_VM_RING_REASON_IO_INSTRUCTION);
    event.rec.u.io.port = 0x3f8;
    event.rec.u.io.bytes = 1;
    event.rec.u.io.in = 1;
    check(&event,
          LIST("event == io and port == 0x3f8 and in", "in == true",
               "in in 1, 2", "bytes == 1", "not str"),
          LIST("in == false", "str"));

    event = event_of(XEN_VM_RING_REASON_VMEXIT);
    event.rec.u.vmexit.reason = 48;
    event.rec.u.vmexit.qualification = 5;
    check(&event, LIST("exit_reason == 48", "exit_qualification == 5"),
          LIST("exit_qualification == 77"));
}

/* What is said of an event besides what happened. */
static void check_state(void)
{
    struct vmring_event event = event_of(XEN_VM_RING_REASON_CPUID);

    event.seq = 0;
    event.position = 12;
    event.epoch_mark = 1;
    event.lost_before = 3;
    event.rec.altp2m_idx = 4;
    event.rec.flags = XEN_VM_RING_FLAG_ALTERNATE_P2M |
                      XEN_VM_RING_FLAG_FOREIGN | XEN_VM_RING_FLAG_REPOSTED;
    check(&event,
          LIST("not sync", "position == 12", "drained", "lost_before > 2",
               "altp2m == 4", "foreign", "reposted == true"),
          LIST("sync", "foreign == false"));
}

static const struct {
    const char *text;
    size_t at;
    const char *why;
} bad[] = {
    {"", 0, "a field is wanted"},
    {"leef == 1", 0, "no field 'leef'; did you mean leaf?"},
    {"vcpu == 1 and raison == cpuid", 14, "no field 'raison'"},
    {"leaf = 1", 5, "write == to compare"},
    {"(leaf = 1)", 6, "write == to compare"},
    {"leaf == 1 | leaf == 2", 10, "write || or or"},
    {"leaf ==", 7, "a value of leaf is wanted, not the end"},
    {"leaf == -1", 8, "a value of leaf is wanted, not '-'"},
    {"leaf == 010", 8, "'010' is no number"},
    {"leaf == 0x10000000000000000", 8, "64 bits at most"},
    {"leaf == vcpu", 8, "'vcpu' is no number"},
    {"leaf 1", 5, "a relation is wanted"},
    {"leaf == 1 vcpu", 10, "and, or or the end is wanted, not 'vcpu'"},
    {"(leaf == 1", 10, "a ) is missing"},
    {"(leaf == 1 vcpu", 11, "and, or or a ) is wanted"},
    {"leaf == 1)", 9, "a ( is missing before it"},
    {"leaf == 1 and", 13, "a field is wanted"},
    {"not", 3, "a field is wanted"},
    {"vcpu in 3-1", 8, "upside down"},
    {"vcpu in 1,", 10, "a value of vcpu is wanted"},
    {"vcpu in", 7, "a value of vcpu is wanted"},
    {"event", 5, "event is compared by ==, != or in"},
    {"event < cpuid", 6, "event is compared by"},
    {"event & cpuid", 6, "event is compared by"},
    {"event == 5", 9, "'5' is no name of event"},
    {"event == cr4", 9, "write register == cr4"},
    {"event == cupid", 9, "did you mean cpuid?"},
    {"register == lstra", 12, "did you mean lstar?"},
    {"register == cr9", 12, "is no name of register"},
    {"msr == lstra", 7, "did you mean lstar?"},
    {"leaf == 1 and \033", 14, "not '?'"},
    {"leaf == 1; vcpu", 9, "not ';'"},
    {"register == cr3 or cr4", 19, "write register in cr3, cr4, or cr4 != 0"},
    {"register == cr3 || (not cr0)", 24, "register in cr3, cr0, or cr0 != 0"},
    {"register in cr0, cr3 or cr4", 24, "write register in cr3, cr4"},
    {"msr == star or fs_base and vcpu", 15, "write msr in star, fs_base"},
    {"event == msr or cpuid", 16, "nothing; write event in msr, cpuid"},
    {"vcpu == 2 or 3", 13, "nothing; write vcpu in 2, 3"},
    {"register in cr0-cr4", 15,
     "register has no ranges; name each, as in "
     "register in cr0, ..."},
    {"event in msr, cpuid-io", 19, "event has no ranges"},
    {"efer == 0xd01", 0, "no field 'efer'; did you mean msr_efer?"},
    {"leaf == 1 or leef", 13, "no field 'leef'; did you mean leaf?"},
};

static void check_refused(void)
{
    struct filter filter = {0};
    struct filter_error error;
    char mark[FILTER_MARK_LEN];

    for (size_t i = 0; i < NR(bad); i++) {
        const char *line;

        if (filter_add(&filter, bad[i].text, &error) != -EINVAL) {
            fprintf(stderr, "taken: '%s'\n", bad[i].text);
            exit(1);
        }
        CHECK_EQ(filter.nr, 0);
        CHECK_HAS(error.text, bad[i].why);
        CHECK_EQ(error.at, bad[i].at);
        filter_mark(bad[i].text, &error, mark);
        line = strchr(mark, '\n');
        CHECK(line);
        CHECK_EQ(strlen(line + 1), error.at + 3);
        CHECK_EQ(line[error.at + 3], '^');
        CHECK(!strchr(mark, '\033'));
    }
}

/* Whatever is too much is refused, and the mark stays on the screen. */
static void check_bounds(void)
{
    static struct filter filter;
    struct filter_error error;
    char text[4096] = "", mark[FILTER_MARK_LEN];

    for (int i = 0; i < FILTER_MAX_DEPTH; i++)
        strcat(text, "(");
    strcat(text, "leaf == 1");
    for (int i = 0; i < FILTER_MAX_DEPTH; i++)
        strcat(text, ")");
    CHECK_EQ(filter_add(&filter, text, &error), 0);
    memmove(text + 1, text, strlen(text) + 1);
    text[0] = '(';
    CHECK_EQ(filter_add(&filter, text, &error), -EINVAL);
    CHECK_HAS(error.text, "more than 16 parentheses");
    CHECK_EQ(error.at, FILTER_MAX_DEPTH);

    strcpy(text, "leaf == 0");
    for (int i = 1; i < 64; i++)
        strcat(text, " or leaf == 0");
    filter.nr = 0;
    CHECK_EQ(filter_add(&filter, text, &error), 0);
    CHECK_EQ(filter.nr, 127);
    strcat(text, " or leaf == 0");
    filter.nr = 0;
    CHECK_EQ(filter_add(&filter, text, &error), -EINVAL);
    CHECK_HAS(error.text, "too long");
    filter_mark(text, &error, mark);
    CHECK(strchr(mark, '\n') - mark < 80);
    CHECK(strlen(strchr(mark, '\n') + 1) < 80);
    CHECK_HAS(mark, "leaf == 0");
}

/* Two must both hold; one that is refused leaves the first as it was. */
static void check_both(void)
{
    struct vmring_event event = event_of(XEN_VM_RING_REASON_CPUID);
    static struct filter filter;
    struct filter_error error;

    CHECK(filter_passes(&filter, &event, 0));
    CHECK_EQ(filter_add(&filter, "vcpu == 2 or vcpu == 3", &error), 0);
    CHECK(filter_passes(&filter, &event, 0));
    CHECK_EQ(filter_add(&filter, "leaf =", &error), -EINVAL);
    CHECK(filter_passes(&filter, &event, 0));
    CHECK_EQ(filter_add(&filter, "leaf == 1 or leaf == 2", &error), 0);
    CHECK(!filter_passes(&filter, &event, 0));
    event.rec.u.cpuid.leaf = 2;
    CHECK(filter_passes(&filter, &event, 0));
    event.rec.vcpu = 1;
    CHECK(!filter_passes(&filter, &event, 0));
}

/* Each name of the table, and of a value, can be written. */
static void check_names(void)
{
    struct vmring_event event = event_of(XEN_VM_RING_REASON_CPUID);
    const struct field *field;
    const char *name;
    char text[128];
    uint64_t value;

    for (unsigned int i = 0; (field = field_at(i)) != NULL; i++) {
        if (!field->name)
            continue;
        CHECK_EQ(field_named(field->name, strlen(field->name)), i);
        for (unsigned int n = 0;
             field->names && (name = field->names(n, &value)) != NULL; n++) {
            if (!*name)
                continue;
            snprintf(text, sizeof(text), "%s == %s", field->name, name);
            (void)passes(text, &event);
        }
    }
}

int main(void)
{
    check_relations();
    check_undefined();
    check_other_arch();
    check_precedence();
    check_reasons();
    check_state();
    check_refused();
    check_bounds();
    check_both();
    check_names();
    return 0;
}
