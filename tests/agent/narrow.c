/* SPDX-License-Identifier: MIT */
/*
 * Description: on a terminal a line of each reason keeps within its columns,
 * whatever the values are, and says in the first of them what it is; in a file
 * an event is one line.
 */
#include <stdlib.h>

#include "../../agent/event/names.h"
#include "../../agent/output/text.h"
#include "../unit/check.h"

static struct vmring_event event;
static struct line line = {
    .event = &event, .verdict = "neutral", .arch = XEN_VM_RING_ARCH_X86};
static struct output out;

static const char *written(unsigned int columns)
{
    free(out.buffer);
    out = (struct output){.columns = columns};
    text_event(&out, &line);
    output_bytes(&out, "", 1);
    return out.buffer;
}

/* The longest line; escapes take no column. */
static size_t longest(const char *text)
{
    size_t most = 0, len = 0;

    for (; *text; text++) {
        if (*text == '\033')
            text = strchr(text, 'm');
        else if (*text == '\n')
            len = 0;
        else if (++len > most)
            most = len;
    }
    return most;
}

static size_t lines_of(const char *text)
{
    size_t nr = 0;

    for (; *text; text++)
        nr += *text == '\n';
    return nr;
}

static void start(uint16_t reason, int byte)
{
    memset(&event, 0, sizeof(event));
    memset(&event.rec.u, byte, sizeof(event.rec.u));
    memset(&event.rec.regs, byte, sizeof(event.rec.regs));
    event.rec.reason = reason;
    event.rec.length = XEN_VM_RING_EVENT_FULL;
    event.rec.vcpu = 7;
    event.seq = 1;
    line.time = 1500000000;
}

static void check_all(unsigned int columns)
{
    for (uint16_t reason = 0; reason < XEN_VM_RING_NR_REASONS + 1; reason++) {
        for (int byte = 0; byte < 2; byte++) {
            start(reason, byte ? 0xff : 0);
            event.rec.flags =
                XEN_VM_RING_FLAG_REPOSTED | XEN_VM_RING_FLAG_ALTERNATE_P2M;
            event.epoch_mark = line.late = true;
            event.lost_before = UINT32_MAX;
            if (longest(written(columns)) > columns)
                fprintf(stderr, "%u columns:\n%s", columns, out.buffer);
            CHECK(longest(written(columns)) <= columns);
            /* And one for what was lost. */
            CHECK_EQ(lines_of(written(0)), 2);
            line.late = false;
        }
    }
}

static void check_everything(void)
{
    static const unsigned int columns[] = {40, 50,  63,  64,  79,
                                           80, 100, 123, 124, 200};

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        for (int times = TIMES_RELATIVE; times <= TIMES_DELTA; times++)
            for (int all = 0; all < 2; all++) {
                line.times = (enum times)times;
                line.registers = all;
                check_all(columns[i]);
                line.arch = 77;
                check_all(columns[i]);
                line.arch = XEN_VM_RING_ARCH_X86;
            }
    line.times = TIMES_RELATIVE;
    line.registers = false;
}

static void check_forms(void)
{
    start(XEN_VM_RING_REASON_WRITE_CTRLREG, 0);
    event.rec.u.write_ctrlreg.index = 1;
    event.rec.u.write_ctrlreg.old_value = 0x123456789012;
    event.rec.u.write_ctrlreg.new_value = 0x22222222222;
    event.rec.regs.x86.rip = 0xffffffff81078e51;
    line.verdict = NULL;
    CHECK_STR(written(80),
              "    1.500000 v7  async cr3 0x123456789012 -> 0x22222222222\n"
              "                       rip 0xffffffff81078e51\n");
    event.rec.u.write_ctrlreg.old_value = 0x123456000;
    CHECK_STR(written(80), "    1.500000 v7  async cr3 0x123456000 -> "
                           "0x22222222222 rip 0xffffffff81078e51\n");
    line.verdict = "deny";
    event.rec.u.write_ctrlreg.index = 2;
    event.rec.u.write_ctrlreg.old_value = 0x3506f0;
    event.rec.u.write_ctrlreg.new_value = 0x2506f0;
    CHECK_STR(written(80), "    1.500000 v7  deny  cr4 0x3506f0 -> 0x2506f0 "
                           "SMEP rip 0xffffffff81078e51\n");
    /* A bit that has no name is not left out. */
    event.rec.u.write_ctrlreg.old_value |= 1 << 15;
    CHECK_HAS(written(80), ", changed 0x108000 SMEP");
    line.verdict = "neutral";
    line.time = -1500000000;
    CHECK_HAS(written(80), "   -1.500000 v7  sync  cr4");
    line.time = -365000000;
    CHECK_HAS(written(0), "    -0.365000000  v7    write_ctrlreg");
}

static void check_times(void)
{
    start(XEN_VM_RING_REASON_CPUID, 0);
    line.wall = INT64_C(1796160870123456789);
    line.delta = 1001;
    line.times = TIMES_ABSOLUTE;
    CHECK_HAS(written(0), "2026-12-01T21:34:30.123456789Z  v7    cpuid");
    CHECK_HAS(written(80), "21:34:30.123456Z v7  sync  cpuid leaf 0x0");
    line.times = TIMES_DELTA;
    CHECK_HAS(written(0), "     0.000001001  v7 ");
    line.times = TIMES_RELATIVE;
}

/* No line is blank, and each says something. */
static void check_few_columns(void)
{
    start(XEN_VM_RING_REASON_MOV_TO_MSR, 0);
    event.rec.u.mov_to_msr.msr = 0xc0000082;
    event.rec.u.mov_to_msr.new_value = 0xffffffff81a00080;
    event.rec.regs.x86.rip = 0xffffffff8106e044;
    line.time = 1118000;
    CHECK_STR(written(40), "    0.001118 v7  sync  \n"
                           "    msr 0xc0000082 lstar\n"
                           "    0x0 -> 0xffffffff81a00080\n"
                           "    rip 0xffffffff8106e044\n");
    line.time = 1500000000;
}

/* Colours take no room. */
static void check_colours(void)
{
    start(XEN_VM_RING_REASON_MOV_TO_MSR, 0xff);
    free(out.buffer);
    out = (struct output){.columns = 80, .colour = true};
    text_event(&out, &line);
    output_bytes(&out, "", 1);
    CHECK(strchr(out.buffer, '\033'));
    CHECK(longest(out.buffer) <= 80);
    CHECK(longest(out.buffer) > 60);
    free(out.buffer);
    out = (struct output){.columns = 40, .colour = true};
    text_event(&out, &line);
    output_bytes(&out, "", 1);
    CHECK(longest(out.buffer) <= 40);
}

static void check_kinds(void)
{
    struct vmring_kind kind;

    for (unsigned int i = 0; vmring_get_kind(i, &kind) == 0; i++) {
        const char *name = name_of_kind(kind.reason);

        CHECK(name);
        if (kind.reason == XEN_VM_RING_REASON_WRITE_CTRLREG)
            continue;
        CHECK_STR(name, kind.name);
    }
}

int main(void)
{
    check_everything();
    check_forms();
    check_times();
    check_few_columns();
    check_colours();
    check_kinds();
    free(out.buffer);
    return 0;
}
