/* SPDX-License-Identifier: MIT */
/*
 * Of frames there are three sorts.  Those of ours, from the image's end to
 * FRAMES_MORE above the memory that we were started with: a frame that we hold
 * is full of a pattern that depends on where it is.  Those that a toolstack
 * puts below 4 GiB, SPECIAL_FIRST and on: where Xen's legacy ring was, too.
 * And the rest, where nothing should be.
 */
#include "scan.h"

#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>

#include <xen/memory.h>
#include <xen/vcpu.h>

#include "clock.h"
#include "hypercall.h"
#include "options.h"
#include "print.h"
#include "work.h"

#define FRAME         4096u
#define WORDS         (FRAME / sizeof(uint32_t))
#define MAX_FRAMES    16384u
#define FRAMES_MORE   2048u
#define GIVEN_AT_ONCE 64u
#define RAISED        256 /* frames, that hold() waits for */

#define SPECIAL_FIRST 0xfeff8u
#define NR_SPECIAL    8u
#define ALL_FRAMES    0x100000u
#define PROBES        256u /* a turn */
#define MAX_TOLD      12u  /* lines about single frames */

#define NS_PER_MS 1000000ull

/*
 * "VRng", of the ring's header, and "VRgd", of a directory of granted pages.
 * Both are kept inverted, because this image is looked through as well.
 */
static const uint32_t inverted_magic[] = {~0x676e5256u, ~0x64675256u};

extern uint8_t image_start[], image_end[];

static uint32_t first, end;      /* our frames; what we may take ends there */
static uint8_t held[MAX_FRAMES]; /* by frame - first */
static uint32_t special_sum[NR_SPECIAL];
static uint32_t cursor, probe_at, told;

static struct {
    uint32_t turns, held, probed, passes;
    uint64_t checked;
    uint32_t magic;     /* frames that begin with it, or have it in them */
    uint32_t changed;   /* frames with what we did not write there */
    uint32_t special;   /* changes of special frames */
    uint32_t elsewhere; /* frames where nothing should be, in a pass */
    uint64_t given, taken;
    uint32_t refused; /* turns in which we came to the maximum */
    uint32_t lost;    /* frames that we had and that were refused later */
} seen;

static volatile uint32_t *frame(uint32_t gfn)
{
    return (volatile uint32_t *)(gfn * FRAME);
}

static uint32_t pattern(uint32_t gfn, uint32_t word)
{
    return (gfn * WORDS + word) * 2654435761u;
}

static void tell(const char *what, uint32_t gfn)
{
    struct line l;

    if (told++ >= MAX_TOLD)
        return;
    line_begin(&l, "scan ");
    line_text(&l, what);
    line_text(&l, " in frame ");
    line_hex(&l, gfn);
    line_text(&l, ":");
    for (unsigned int i = 0; i < 3; i++) {
        line_text(&l, " ");
        line_hex(&l, frame(gfn)[i]);
    }
    line_end(&l);
}

static void look_for_magic(uint32_t gfn)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        uint32_t word = ~frame(gfn)[i];

        if (word == inverted_magic[0] || word == inverted_magic[1]) {
            seen.magic++;
            tell("a magic", gfn);
            return;
        }
    }
}

static void fill(uint32_t gfn)
{
    for (uint32_t i = 0; i < WORDS; i++)
        frame(gfn)[i] = pattern(gfn, i);
}

static void check(uint32_t gfn)
{
    uint32_t i;

    seen.checked++;
    for (i = 0; i < WORDS && frame(gfn)[i] == pattern(gfn, i);)
        i++;
    if (i == WORDS)
        return;
    seen.changed++;
    tell("a change", gfn);
    look_for_magic(gfn);
    fill(gfn);
}

static void check_ours(void)
{
    uint32_t stack = (uint32_t)__builtin_frame_address(0) / FRAME;

    for (uint32_t gfn = first; gfn < end; gfn++) {
        if (held[gfn - first])
            check(gfn);
    }
    for (uint32_t gfn = (uint32_t)image_start / FRAME; gfn < first; gfn++) {
        if (gfn != stack) /* where a magic is that was found elsewhere */
            look_for_magic(gfn);
    }
}

/* What is not there reads as all ones, which is a sum like any other. */
static uint32_t sum_of(uint32_t gfn)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < WORDS; i++)
        sum = sum * 31 + frame(gfn)[i];
    return sum;
}

static void check_special(void)
{
    for (uint32_t i = 0; i < NR_SPECIAL; i++) {
        uint32_t sum = sum_of(SPECIAL_FIRST + i);

        look_for_magic(SPECIAL_FIRST + i);
        if (seen.turns && sum != special_sum[i]) {
            seen.special++;
            tell("something new", SPECIAL_FIRST + i);
        }
        special_sum[i] = sum;
    }
}

/* A part in each turn: reading what is not there costs a trip into Xen. */
static void probe_elsewhere(void)
{
    for (uint32_t i = 0; i < PROBES; i++) {
        if (probe_at < end)
            probe_at = end + probe_at % options.scan;
        if (probe_at >= SPECIAL_FIRST) {
            seen.passes++;
            probe_at = 0;
            return;
        }
        seen.probed++;
        if (frame(probe_at)[0] != UINT32_MAX ||
            frame(probe_at)[1] != UINT32_MAX) {
            if (!seen.passes)
                seen.elsewhere++;
            look_for_magic(probe_at);
        }
        probe_at += options.scan;
    }
}

static unsigned int move(unsigned int op, xen_pfn_t *frames, unsigned int nr)
{
    struct xen_memory_reservation r = {
        .nr_extents = nr,
        .domid = DOMID_SELF,
    };
    int done;

    set_xen_guest_handle(r.extent_start, frames);
    done = memory_op(op, &r);
    return done > 0 ? (unsigned int)done : 0;
}

/* From the cursor on, round all of our frames, those that are held or not. */
static unsigned int choose(bool which, xen_pfn_t *frames, unsigned int max)
{
    unsigned int nr = 0;

    for (uint32_t i = 0; i < end - first && nr < max; i++) {
        uint32_t at = (cursor + i) % (end - first);

        if (held[at] == which)
            frames[nr++] = first + at;
    }
    return nr;
}

static void give(void)
{
    xen_pfn_t frames[GIVEN_AT_ONCE];
    unsigned int nr = choose(true, frames, GIVEN_AT_ONCE);

    nr = move(XENMEM_decrease_reservation, frames, nr);
    for (unsigned int i = 0; i < nr; i++)
        held[frames[i] - first] = false;
    seen.given += nr;
    seen.held -= nr;
}

/* Until Xen refuses: at the maximum.  Xen overwrites the list of frames. */
static void take(void)
{
    xen_pfn_t frames[GIVEN_AT_ONCE], wanted[GIVEN_AT_ONCE];
    unsigned int nr, got;

    do {
        nr = choose(false, wanted, GIVEN_AT_ONCE);
        for (unsigned int i = 0; i < nr; i++)
            frames[i] = wanted[i];
        got = move(XENMEM_populate_physmap, frames, nr);
        for (unsigned int i = 0; i < got; i++) {
            uint32_t gfn = (uint32_t)wanted[i];

            look_for_magic(gfn); /* Xen does not clear it */
            fill(gfn);
            held[gfn - first] = true;
        }
        seen.taken += got;
        seen.held += got;
    } while (nr && got == nr);
    seen.refused += nr != 0;
}

static void balloon(void)
{
    uint32_t before = seen.held;

    give();
    take();
    if (seen.turns && seen.held < before)
        seen.lost += before - seen.held;
    cursor = (cursor + 997) % (end - first);
}

static void progress(void)
{
    struct line l;

    line_begin(&l, "scan");
    line_pair(&l, "turns", NULL, seen.turns);
    line_pair(&l, "held", NULL, seen.held);
    line_pair(&l, "passes", NULL, seen.passes);
    line_end(&l);
}

static void turn(const struct vcpu *v)
{
    check_ours();
    check_special();
    probe_elsewhere();
    balloon();
    seen.turns++;
    if (seen.turns == 1 || seen.turns % 8 == 0)
        progress();
    sleep_for(v, NS_PER_MS);
}

bool scan_prepare(const struct hvm_start_info *info)
{
    const struct hvm_memmap_table_entry *entry =
        (const void *)(uint32_t)info->memmap_paddr;
    uint32_t image = (uint32_t)image_start, ram_end = 0;

    if (!options.scan)
        return true;
    for (uint32_t i = 0; info->version && i < info->memmap_entries; i++) {
        if (entry[i].type == XEN_HVM_MEMMAP_TYPE_RAM &&
            entry[i].addr <= image &&
            image - (uint32_t)entry[i].addr < entry[i].size)
            ram_end = (uint32_t)((entry[i].addr + entry[i].size) / FRAME);
    }
    first = ((uint32_t)image_end + FRAME - 1) / FRAME;
    end = ram_end + FRAMES_MORE;
    if (ram_end <= first || end - first > MAX_FRAMES) {
        print("error: nothing can be scanned: no memory map, or too much");
        return false;
    }
    seen.held = ram_end - first;
    return true;
}

bool scans(const struct vcpu *v)
{
    return options.scan && v->id == options.nr_vcpus - 1;
}

void scan_start(void)
{
    if (options.scan)
        vcpu_op(VCPUOP_up, options.nr_vcpus - 1, NULL);
}

static bool others_finished(void)
{
    for (unsigned int id = 0; id < options.nr_vcpus - 1; id++) {
        if (!__atomic_load_n(&vcpus[id].finished, __ATOMIC_ACQUIRE))
            return false;
    }
    return true;
}

void scan(const struct vcpu *v)
{
    uint32_t had = seen.held;

    for (uint32_t i = 0; i < had; i++) {
        fill(first + i);
        held[i] = true;
    }
    if (options.plant)
        frame(first + 5)[2] = ~inverted_magic[0];
    while (!others_finished())
        turn(v);
    turn(v);
}

void hold(const struct vcpu *v)
{
    int before = memory_limit();

    while (memory_limit() < before + RAISED)
        sleep_for(v, 20 * NS_PER_MS);
}

void scan_report(void)
{
    struct line l;

    if (!options.scan)
        return;
    line_begin(&l, "scanned");
    line_prefix(&l);
    line_pair(&l, "turns", NULL, seen.turns);
    line_pair(&l, "frames_checked", NULL, seen.checked);
    line_pair(&l, "magic", NULL, seen.magic);
    line_pair(&l, "changed", NULL, seen.changed);
    line_pair(&l, "special_changed", NULL, seen.special);
    line_pair(&l, "probed", NULL, seen.probed);
    line_pair(&l, "passes", NULL, seen.passes);
    line_pair(&l, "elsewhere", NULL, seen.elsewhere);
    line_pair(&l, "given", NULL, seen.given);
    line_pair(&l, "taken", NULL, seen.taken);
    line_pair(&l, "refused", NULL, seen.refused);
    line_pair(&l, "lost", NULL, seen.lost);
    line_end(&l);
}
