/* SPDX-License-Identifier: MIT */
/*
 * inject_check.c: what can be injected into an x86 guest.  docs/ABI.md,
 * "Verdicts", has the same table.
 *
 * Vector, type, error code and length belong together.  Xen asserts some of it
 * (hvm_inject_event(), vmx_inject_event(), svm_inject_event()), and the CPU
 * refuses to run a guest for the rest: VM entry's checks of what it is to
 * deliver, VMEXIT_INVALID.
 */
#include "response_check.h"

#define NO_ERROR_CODE 0xffffffffU

/* Numerically HVMOP_TRAP_*. */
#define HARDWARE   3 /* exception */
#define INTERRUPT  4 /* int n */
#define PRIVILEGED 5 /* int1, also called icebp */
#define SOFTWARE   6 /* int3, into */

#define VEC(vector) (1U << (vector))

/* #DE #DB, #BR #UD #NM #DF, #TS #NP #SS #GP #PF, #MF #AC #MC #XM. */
#define EXCEPTIONS                                                             \
    (VEC(0) | VEC(1) | VEC(5) | VEC(6) | VEC(7) | VEC(8) | VEC(10) | VEC(11) | \
     VEC(12) | VEC(13) | VEC(14) | VEC(16) | VEC(17) | VEC(18) | VEC(19))

/* Of these, with an error code; of those again, with one of 0. */
#define WITH_CODE                                                              \
    (VEC(8) | VEC(10) | VEC(11) | VEC(12) | VEC(13) | VEC(14) | VEC(17))
#define WITH_ZERO (VEC(8) | VEC(17))

#define MAX_CODE 0xffffU
#define MAX_INSN 15

static bool is_exception(const struct xen_vm_ring_inject *inject)
{
    uint32_t bit = inject->vector < 32 ? VEC(inject->vector) : 0;

    if (!(bit & EXCEPTIONS))
        return false;
    if (!(bit & WITH_CODE))
        return inject->error_code == NO_ERROR_CODE;
    return inject->error_code <= ((bit & WITH_ZERO) ? 0 : MAX_CODE);
}

/* An instruction raises it, and is behind when it is delivered. */
static bool is_software(const struct xen_vm_ring_inject *inject)
{
    return inject->error_code == NO_ERROR_CODE && inject->insn_len > 0;
}

bool vmr_inject_is_borne(const struct xen_vm_ring_inject *inject)
{
    if (inject->insn_len > MAX_INSN)
        return false;
    switch (inject->type) {
    case HARDWARE:
        return is_exception(inject);
    case INTERRUPT:
        return is_software(inject) && inject->vector <= 255;
    case PRIVILEGED:
        return is_software(inject) && inject->vector == 1;
    case SOFTWARE:
        return is_software(inject) &&
               (inject->vector == 3 || inject->vector == 4);
    default:
        return false;
    }
}
