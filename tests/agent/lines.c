/* SPDX-License-Identifier: MIT */
/* Description: each reason has its line of text and its valid JSON object. */
#include "../../agent/event/names.h"
#include "../../agent/output/json.h"
#include "../../agent/output/text.h"

#include <json-c/json.h>
#include <unistd.h>

#include "../unit/check.h"

static struct vmring_event event;
static struct line line = {
    .event = &event, .time = 1500000000, .arch = XEN_VM_RING_ARCH_X86};
static char path[] = "/tmp/vmring-lines-XXXXXX";

/* All that is written as JSON, for a test of its keys. */
static FILE *all;

/* What `write` makes of the line, in a static buffer. */
static const char *written(void (*write)(struct output *, const struct line *))
{
    static char text[4096];
    struct output out;
    FILE *file;
    size_t n;

    CHECK_EQ(output_open(&out, path), 0);
    write(&out, &line);
    CHECK_EQ(output_close(&out, OUTPUT_WAITS), 0);
    file = fopen(path, "r");
    CHECK(file);
    n = fread(text, 1, sizeof(text) - 1, file);
    text[n] = '\0';
    fclose(file);
    if (all && text[0] == '{')
        fputs(text, all);
    return text;
}

static void check_both(const char *text, const char *json)
{
    const char *got = written(text_event);
    struct json_object *o;

    CHECK_HAS(got, text);
    CHECK(got[strlen(got) - 1] == '\n');
    got = written(json_event);
    CHECK_HAS(got, json);
    o = json_tokener_parse(got);
    CHECK(o);
    json_object_put(o);
}

static void start(uint16_t reason)
{
    memset(&event, 0, sizeof(event));
    event.rec.reason = reason;
    event.rec.length = XEN_VM_RING_EVENT_HEAD;
    event.rec.vcpu = 7;
    event.seq = 1;
    line.verdict = "neutral";
}

static void check_registers(void)
{
    start(XEN_VM_RING_REASON_WRITE_CTRLREG);
    event.rec.u.write_ctrlreg.index = 2;
    event.rec.u.write_ctrlreg.old_value = 0x6b0;
    event.rec.u.write_ctrlreg.new_value = 0x6b4;
    check_both("cr4 0x6b0 -> 0x6b4, changed 0x4 TSD",
               "\"register\":\"cr4\",\"index\":2,\"old\":\"0x6b0\","
               "\"new\":\"0x6b4\",\"changed\":\"0x4\"");
    line.verdict = "deny";
    check_both("deny ", "\"verdict\":\"deny\"");
    event.rec.u.write_ctrlreg.index = 77;
    check_both("register 77", "\"register\":null");

    start(XEN_VM_RING_REASON_MOV_TO_MSR);
    event.rec.u.mov_to_msr.msr = 0xc0000082;
    event.rec.u.mov_to_msr.new_value = UINT64_MAX;
    check_both("msr 0xc0000082 lstar 0x0 -> 0xffffffffffffffff",
               "\"new\":\"0xffffffffffffffff\","
               "\"changed\":\"0xffffffffffffffff\"");

    start(XEN_VM_RING_REASON_DESCRIPTOR_ACCESS);
    event.rec.u.desc_access.descriptor = 2;
    event.rec.u.desc_access.is_write = 1;
    check_both("load of gdtr", "\"register\":\"gdtr\"");
}

static void check_instructions(void)
{
    start(XEN_VM_RING_REASON_CPUID);
    event.rec.u.cpuid.leaf = 0x80000001;
    event.rec.u.cpuid.subleaf = 3;
    check_both("     1.500000000  v7    cpuid               sync   leaf "
               "0x80000001 subleaf 0x3\n",
               "{\"event\":\"cpuid\",\"time_ns\":1500000000,\"vcpu\":7,"
               "\"sync\":true,\"verdict\":\"neutral\",\"leaf\":\"0x80000001\","
               "\"subleaf\":\"0x3\"");
    start(XEN_VM_RING_REASON_SOFTWARE_BREAKPOINT);
    event.rec.u.debug.gfn = 0x1234;
    event.rec.u.debug.insn_len = 1;
    event.rec.u.debug.type = 6;
    check_both("gfn 0x1234 insn_len 1 sw_exc", "\"gfn\":\"0x1234\"");
    start(XEN_VM_RING_REASON_DEBUG_EXCEPTION);
    check_both("pending_dbg 0x0", "\"pending_dbg\":\"0x0\"");
    start(XEN_VM_RING_REASON_SINGLESTEP);
    check_both("gfn 0x0", "\"event\":\"singlestep\"");
    start(XEN_VM_RING_REASON_GUEST_REQUEST);
    check_both("guest_request", "\"event\":\"guest_request\"");
    /* Of which nothing is said but where: behind the mode, without a gap. */
    event.rec.length = XEN_VM_RING_EVENT_FULL;
    event.rec.regs.x86.rip = 0x10;
    check_both("sync   rip 0x10", "\"rip\":\"0x10\"");
    start(XEN_VM_RING_REASON_INTERRUPT);
    event.rec.u.interrupt.vector = 14;
    event.rec.u.interrupt.type = 3;
    event.rec.u.interrupt.cr2 = 0xdead;
    check_both("vector 14 #PF hw_exc error 0x0 cr2 0xdead",
               "\"cr2\":\"0xdead\"");
    start(XEN_VM_RING_REASON_VMEXIT);
    event.rec.u.vmexit.reason = 30;
    check_both("reason 0x1e qualification 0x0", "\"exit_reason\":\"0x1e\"");
    start(XEN_VM_RING_REASON_IO_INSTRUCTION);
    event.rec.u.io.bytes = 4;
    event.rec.u.io.port = 0xcf8;
    check_both("out port 0xcf8 bytes 4",
               "\"bytes\":4,\"port\":\"0xcf8\",\"in\":false,\"str\":false");
    event.rec.u.io.in = event.rec.u.io.str = 1;
    check_both("ins port", "\"in\":true,\"str\":true");
    start(XEN_VM_RING_REASON_MEM_ACCESS);
    event.rec.u.mem_access.gfn = 0x1000;
    event.rec.u.mem_access.flags = 2 | ACCESS_GLA_VALID | ACCESS_FAULT_IN_GPT;
    check_both("in a page walk", "\"fault\":\"page_walk\"");
    event.rec.u.mem_access.flags = 2 | ACCESS_GLA_VALID;
    check_both("w gfn 0x1000 offset 0x0 gla 0x0", "\"access\":\"w\"");
}

static void check_marks(void)
{
    start(XEN_VM_RING_REASON_CPUID);
    event.seq = 0;
    line.verdict = NULL;
    event.position = 42;
    event.lost_before = 9;
    event.epoch_mark = 1;
    check_both("v7    9 lost here\n", "\"position\":42");
    check_both("[from before this agent]", "\"drained\":true");
    event.rec.flags = XEN_VM_RING_FLAG_FOREIGN;
    check_both("async", "\"foreign\":true");
    check_both("async", "\"lost_before\":9");
    line.time = -1500000000;
    check_both("    -1.500000000  v7 ", "\"time_ns\":-1500000000");
    line.time = 0;

    start(XEN_VM_RING_REASON_CPUID);
    event.rec.flags =
        XEN_VM_RING_FLAG_REPOSTED | XEN_VM_RING_FLAG_ALTERNATE_P2M;
    event.rec.altp2m_idx = 3;
    event.rec.length = XEN_VM_RING_EVENT_FULL;
    event.rec.regs.x86.rip = 0xffffffff81000000;
    check_both("altp2m 3  rip 0xffffffff81000000", "\"altp2m\":3");
    check_both("[seen by an earlier agent, perhaps]", "\"reposted\":true");
    line.late = true;
    check_both("[too late]", "\"verdict\":\"late\"");
    line.late = false;
    line.registers = true;
    check_both("rax 0x0", "\"registers\":{\"rax\":\"0x0\"");
}

/* Whose they are is not known: they are shown by their places, as words. */
static void check_architectures(void)
{
    start(XEN_VM_RING_REASON_CPUID);
    event.rec.length = XEN_VM_RING_EVENT_FULL;
    event.rec.regs.words[5] = 0x5555;
    event.rec.regs.x86.rip = 0xfee1;
    check_both("rip 0xfee1", "\"rip\":\"0xfee1\"");
    line.arch = 77;
    CHECK(!strstr(written(text_event), "rip"));
    CHECK(!strstr(written(json_event), "rip"));
    CHECK(!strstr(written(json_event), "cr3"));
    line.registers = true;
    check_both("word 4 0x0 0x5555 0x0", "\"words\":[\"0x0\",");
    CHECK(!strstr(written(text_event), "rax"));
    CHECK(!strstr(written(json_event), "rax"));
    line.registers = false;
    line.arch = XEN_VM_RING_ARCH_X86;
}

static void target_text(struct output *out, const struct line *of)
{
    text_target(out, of->event, of->times);
}

static void target_json(struct output *out, const struct line *of)
{
    json_target(out, of->event, of->times);
}

static void check_state(uint32_t state, uint32_t reason, const char *text,
                        const char *json)
{
    memset(&event, 0, sizeof(event));
    event.target = state;
    event.shutdown = reason;
    CHECK_STR(written(target_text), text);
    CHECK_STR(written(target_json), json);
}

static void check_target(void)
{
    check_state(XEN_VM_RING_TARGET_PAUSED, 0,
                "                  target paused\n",
                "{\"target\":\"paused\",\"reason\":null}\n");
    check_state(XEN_VM_RING_TARGET_RUNNING, 0,
                "                  target running\n",
                "{\"target\":\"running\",\"reason\":null}\n");
    check_state(XEN_VM_RING_TARGET_SHUTDOWN, 5,
                "                  target shutdown (soft_reset)\n",
                "{\"target\":\"shutdown\",\"reason\":\"soft_reset\"}\n");
    check_state(XEN_VM_RING_TARGET_SHUTDOWN, 6,
                "                  target shutdown (unknown)\n",
                "{\"target\":\"shutdown\",\"reason\":\"unknown\"}\n");
    check_state(XEN_VM_RING_TARGET_DESTROYED, 0,
                "                  target destroyed\n",
                "{\"target\":\"destroyed\",\"reason\":null}\n");
    check_state(XEN_VM_RING_TARGET_DESTROYED, XEN_VM_RING_SHUTDOWN_SUSPEND,
                "                  target destroyed (suspend)\n",
                "{\"target\":\"destroyed\",\"reason\":\"suspend\"}\n");
}

/* lines [FILE]: with everything that was written as JSON. */
int main(int argc, char **argv)
{
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    if (argc > 1) {
        all = fopen(argv[1], "w");
        CHECK(all);
    }
    close(fd);
    check_instructions();
    check_registers();
    check_architectures();
    check_marks();
    check_target();
    unlink(path);
    if (all)
        CHECK_EQ(fclose(all), 0);
    return 0;
}
