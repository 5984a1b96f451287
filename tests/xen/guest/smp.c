/* SPDX-License-Identifier: MIT */
/* The other vCPUs: started by Xen's vcpu_op, as xen/vcpu.h has it. */
#include "smp.h"

#include <stddef.h>
#include <xen/xen.h>

#include <xen/hvm/hvm_vcpu.h>
#include <xen/vcpu.h>

#include "beat.h"
#include "clock.h"
#include "hypercall.h"
#include "machine.h"
#include "options.h"
#include "print.h"
#include "scan.h"
#include "traps.h"
#include "work.h"

/* Attributes as xen/hvm/hvm_vcpu.h lays them out; limits are in bytes. */
#define FLAT_CODE       0xc9b
#define FLAT_DATA       0xc93
#define BUSY_TSS        0x08b
#define FLAT_LIMIT      0xffffffffu
#define TSS_LIMIT       0x67
#define CR0_PE          0x01
#define CR0_ET          0x10 /* Xen sets it only with the first write */
#define EFLAGS_RESERVED 2

#define NS_PER_MS 1000000ull

struct vcpu vcpus[MAX_VCPUS];

void secondary_entry(void);
void secondary_main(unsigned int id);

static int initialise(unsigned int id)
{
    static struct vcpu_hvm_context context;
    struct vcpu_hvm_x86_32 *r = &context.cpu_regs.x86_32;

    context.mode = VCPU_HVM_MODE_32B;
    r->eip = (uint32_t)secondary_entry;
    r->esp = (uint32_t)vcpu_stacks[id] + STACK_SIZE;
    r->ebx = id;
    r->eflags = EFLAGS_RESERVED;
    r->cr0 = CR0_PE | CR0_ET;
    r->cs_limit = r->ds_limit = r->es_limit = r->ss_limit = FLAT_LIMIT;
    r->tr_limit = TSS_LIMIT;
    r->cs_ar = FLAT_CODE;
    r->ds_ar = r->es_ar = r->ss_ar = FLAT_DATA;
    r->tr_ar = BUSY_TSS;
    return vcpu_op(VCPUOP_initialise, id, &context);
}

/* Xen initialises no vCPU above 31 that has no registered vcpu_info. */
static int start(unsigned int id)
{
    int rc = register_clock(id);

    if (!rc)
        rc = initialise(id);
    if (!rc)
        rc = vcpu_op(VCPUOP_up, id, NULL);
    return rc;
}

bool start_secondaries(void)
{
    for (unsigned int id = 1; id < options.nr_vcpus; id++) {
        int rc;

        vcpus[id].id = id;
        rc = start(id);
        if (rc) {
            struct line l;

            line_begin(&l, "error: cannot start vcpu ");
            line_number(&l, id);
            line_text(&l, ", Xen says -");
            line_number(&l, (uint32_t)-rc);
            line_end(&l);
            return false;
        }
    }
    return true;
}

/*
 * The barrier: a vCPU that is ready takes itself down, which costs the others
 * nothing (a hundred that spin, or wake up to look, would keep the rest from
 * starting), and is up again when vCPU 0 says so.
 */
void wait_for_barrier(void)
{
    for (unsigned int id = 1; id < options.nr_vcpus; id++) {
        while (vcpu_op(VCPUOP_is_up, id, NULL))
            sleep_for(&vcpus[0], NS_PER_MS);
    }
}

void open_barrier(void)
{
    for (unsigned int id = 1; id < options.nr_vcpus; id++)
        vcpu_op(VCPUOP_up, id, NULL);
}

/* Acquire: what a vCPU counted is read after it said that it is finished. */
void wait_for_finished(void)
{
    for (unsigned int id = 1; id < options.nr_vcpus; id++) {
        while (!__atomic_load_n(&vcpus[id].finished, __ATOMIC_ACQUIRE)) {
            sleep_for(&vcpus[0], NS_PER_MS);
            beat(&vcpus[0]);
        }
    }
}

void finish(struct vcpu *v)
{
    __atomic_store_n(&v->finished, 1, __ATOMIC_RELEASE);
}

void secondary_main(unsigned int id)
{
    struct vcpu *v = &vcpus[id];

    install_descriptors(v);
    vcpu_op(VCPUOP_down, id, NULL);
    if (scans(v))
        scan(v);
    else
        do_work(v);
    finish(v);
    halt();
}
