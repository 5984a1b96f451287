/* SPDX-License-Identifier: MIT */
/* The life of the guest: boot, work, report, power off. */
#include <stddef.h>
#include <stdint.h>

#include <xen/arch-x86/hvm/start_info.h>

#include "beat.h"
#include "clock.h"
#include "cpuid.h"
#include "hypercall.h"
#include "machine.h"
#include "options.h"
#include "ports.h"
#include "print.h"
#include "report.h"
#include "scan.h"
#include "selfcheck.h"
#include "smp.h"
#include "traps.h"
#include "work.h"

void guest_main(const struct hvm_start_info *info);

static void prepare(const struct hvm_start_info *info)
{
    build_descriptors();
    install_descriptors(&vcpus[0]);
    install_hypercalls();
    if (info->magic != XEN_HVM_START_MAGIC_VALUE) {
        print("error: not started as a PVH guest");
        power_off_crashed();
    }
    if (!parse_command_line((const char *)(uint32_t)info->cmdline_paddr))
        power_off_crashed();
    if (!scan_prepare(info))
        power_off_crashed();
    if (register_clock(0)) {
        print("error: cannot register vcpu_info");
        power_off_crashed();
    }
    learn_cpuid();
    learn_limit();
}

static void announce(const char *what)
{
    struct line l;

    line_begin(&l, what);
    line_pair(&l, "vcpus", NULL, options.nr_vcpus);
    line_end(&l);
}

void guest_main(const struct hvm_start_info *info)
{
    uint64_t start;

    prepare(info);
    announce("start");
    if (!start_secondaries())
        power_off_crashed();
    wait_for_barrier();
    announce("ready");
    if (options.ports)
        take_ports();
    scan_start();
    if (options.hold)
        hold(&vcpus[0]);
    start = system_time(&vcpus[0]);
    beat_start(start);
    open_barrier();
    do_work(&vcpus[0]);
    if (options.self)
        self_check();
    finish(&vcpus[0]);
    wait_for_finished();
    report(system_time(&vcpus[0]) - start);
    print("done");
    power_off();
}
