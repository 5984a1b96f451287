/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-superpages: how many entries of each size a guest's nested page
 * tables have, by the tables themselves.
 *
 *   vmring-lab-superpages [ROOT]
 *
 * Without ROOT it only finds out whether this Xen lets it read them. ROOT is
 * the machine address of the topmost one, in hexadecimal: H_CR3 of what Xen's
 * debug key v says. Prints 1g=N 2m=N 4k=N tables=N.
 *
 * No call of Xen's hands these tables out. gdbsx's reads the memory of a PV
 * domain through page tables whose root the caller may name, and this dom0 is a
 * PV domain: so two pages here are such tables, and lead to any page at all.
 */
#include <err.h>
#include <inttypes.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define __XEN_TOOLS__ 1
#include <xencall.h>
#include <xenctrl.h>

#include <xen/domctl.h>

#define PAGE    4096
#define ENTRIES 512
#define PRESENT UINT64_C(1)
#define LARGE   UINT64_C(0x80)
#define ADDRESS UINT64_C(0x000ffffffffff000)

/* Where Xen has a PV domain's page tables for that domain's vCPU to read. */
#define LINEAR UINT64_C(0xffff810000000000)

static xencall_handle *xcall;
static struct xen_domctl *call;
static uint64_t *answer;          /* a page that Xen writes to */
static uint64_t *middle, *lowest; /* the two tables */
static uint64_t middle_at;        /* a machine address */
static uint64_t nr_1g, nr_2m, nr_4k, nr_tables;

static void *page(void)
{
    void *at = xencall_alloc_buffer_pages(xcall, 1);

    if (!at)
        err(1, "no page that Xen can reach");
    memset(at, 0, PAGE);
    return at;
}

/* `root` 0: through the tables that this very process has. */
static void read_through(uint64_t root, uint64_t address, uint32_t len)
{
    memset(call, 0, sizeof(*call));
    call->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    call->cmd = XEN_DOMCTL_gdbsx_guestmemio;
    call->u.gdbsx_guest_memio.pgd3val = root;
    call->u.gdbsx_guest_memio.gva = address;
    call->u.gdbsx_guest_memio.uva = (uintptr_t)answer;
    call->u.gdbsx_guest_memio.len = len;
    if (xencall1(xcall, __HYPERVISOR_domctl, (uint64_t)(uintptr_t)call) < 0)
        err(1, "Xen does not read %#" PRIx64 " below %#" PRIx64, address, root);
}

static uint64_t machine_address(const void *at)
{
    read_through(0, LINEAR + ((uintptr_t)at >> 12) * sizeof(uint64_t),
                 sizeof(uint64_t));
    if (!(*answer & PRESENT))
        errx(1, "a page of this process is not present");
    return *answer & ADDRESS;
}

/* One of the guest's tables, as a copy. */
static void read_table(uint64_t at, uint64_t table[ENTRIES])
{
    lowest[0] = (at & ADDRESS) | PRESENT;
    read_through(middle_at, 0, PAGE);
    memcpy(table, answer, PAGE);
}

static void walk(uint64_t at, int level)
{
    uint64_t table[ENTRIES];

    nr_tables++;
    read_table(at, table);
    for (int i = 0; i < ENTRIES; i++) {
        if (!(table[i] & PRESENT))
            continue;
        if (level == 1)
            nr_4k++;
        else if (level == 4 || !(table[i] & LARGE))
            walk(table[i], level - 1);
        else if (level == 3)
            nr_1g++;
        else
            nr_2m++;
    }
}

/* What is read through them is what is there, or nothing else is worth it. */
static void check(void)
{
    uint64_t table[ENTRIES];

    middle[1] = UINT64_C(0x7665726966696564);
    read_table(middle_at, table);
    if (memcmp(table, middle, PAGE))
        errx(1, "another page is read than was meant");
    middle[1] = 0;
}

int main(int argc, char **argv)
{
    cpu_set_t first;

    if (argc > 2)
        errx(2, "one topmost table");
    /* Xen walks the tables of the domain's vCPU 0. */
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    if (sched_setaffinity(0, sizeof(first), &first))
        err(1, "cannot be on vCPU 0");
    xcall = xencall_open(NULL, 0);
    if (!xcall)
        err(1, "no Xen");
    call = page();
    answer = page();
    middle = page();
    lowest = page();
    middle[0] = machine_address(lowest) | PRESENT;
    middle_at = machine_address(middle);
    check();
    if (argc == 1)
        return 0;
    walk(strtoull(argv[1], NULL, 16), 4);
    printf("1g=%" PRIu64 " 2m=%" PRIu64 " 4k=%" PRIu64 " tables=%" PRIu64 "\n",
           nr_1g, nr_2m, nr_4k, nr_tables);
    return 0;
}
