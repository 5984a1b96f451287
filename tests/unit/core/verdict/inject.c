/* SPDX-License-Identifier: MIT */
/*
 * Description: what is injected is something that an x86 CPU raises: vector,
 * type, error code and length fit together.  Every vector with every type, with
 * codes and lengths at the edges, against the table of docs/ABI.md.
 */
#include "core/response_check.h"
#include "rig.h"

#define NONE 0xffffffffU

enum { EXTERNAL, NMI = 2, HARDWARE, INTERRUPT, PRIVILEGED, SOFTWARE };

/* The exceptions that are raised as such, and their error codes. */
static const struct {
    uint32_t vector;
    bool has_code;
    uint32_t max_code;
} exceptions[] = {
    {0, false, 0},      {1, false, 0},      {5, false, 0},
    {6, false, 0},      {7, false, 0},      {8, true, 0},
    {10, true, 0xffff}, {11, true, 0xffff}, {12, true, 0xffff},
    {13, true, 0xffff}, {14, true, 0xffff}, {16, false, 0},
    {17, true, 0},      {18, false, 0},     {19, false, 0},
};

static bool expected(const struct xen_vm_ring_inject *inject)
{
    bool has_code = inject->error_code != NONE;

    if (inject->insn_len > 15)
        return false;
    if (inject->type == HARDWARE) {
        for (size_t i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++)
            if (exceptions[i].vector == inject->vector)
                return has_code == exceptions[i].has_code &&
                       (!has_code ||
                        inject->error_code <= exceptions[i].max_code);
        return false;
    }
    if (has_code || !inject->insn_len)
        return false;
    return (inject->type == INTERRUPT && inject->vector < 256) ||
           (inject->type == PRIVILEGED && inject->vector == 1) ||
           (inject->type == SOFTWARE &&
            (inject->vector == 3 || inject->vector == 4));
}

int main(void)
{
    static const uint32_t codes[] = {0,        1,        0xffff, 0x10000,
                                     NONE - 1, 1U << 31, NONE};
    static const uint32_t lengths[] = {0, 1, 2, 15, 16, 255, 256, 1U << 31};
    uint32_t borne = 0;

    for (uint32_t type = 0; type < 260; type++)
        for (uint32_t vector = 0; vector < 300; vector++)
            for (size_t c = 0; c < sizeof(codes) / sizeof(*codes); c++)
                for (size_t l = 0; l < sizeof(lengths) / sizeof(*lengths);
                     l++) {
                    struct xen_vm_ring_inject inject = {
                        .vector = vector,
                        .type = type,
                        .error_code = codes[c],
                        .insn_len = lengths[l],
                        .cr2 = ~0ULL,
                    };

                    CHECK_EQ(vmr_inject_is_borne(&inject), expected(&inject));
                    borne += expected(&inject);
                }
    /* Interrupts; int1, int3, into; exceptions without, with code, with 0. */
    CHECK_EQ(borne, 3 * 256 + 3 * 3 + 4 * (8 + 5 * 3 + 2));
    CHECK(!vmr_inject_is_borne(&(struct xen_vm_ring_inject){
        .vector = 1U << 31, .type = HARDWARE, .error_code = NONE}));
    CHECK(!vmr_inject_is_borne(
        &(struct xen_vm_ring_inject){.vector = 256 + 14, .type = HARDWARE}));
    return 0;
}
