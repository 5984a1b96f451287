/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-domain: what xl does to a domain, without xenstore.
 *
 *   vmring-lab-domain pause|unpause|resume|destroy|reset DOMID
 *   vmring-lab-domain shutdown DOMID REASON    Xen's SHUTDOWN_*, a number
 *   vmring-lab-domain says DOMID               its lines in Xen's log
 *   vmring-lab-domain port|page DOMID          takes one more for it
 *   vmring-lab-domain hole DOMID GFN           gives that page of its back
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>
#include <xenguest.h>

/* Above what the lab's guests have, below what is the toolstack's. */
#define FREE_GFN 0xfe000

/* "(d5) ..." */
static int says(xc_interface *xch, uint32_t domid)
{
    static char log[1 << 20];
    unsigned int len = sizeof(log) - 1;
    char mark[16];

    if (xc_readconsolering(xch, log, &len, 0, 0, NULL) < 0)
        return -1;
    log[len] = '\0';
    snprintf(mark, sizeof(mark), "(d%u) ", domid);
    for (char *line = strtok(log, "\r\n"); line; line = strtok(NULL, "\r\n"))
        if (!strncmp(line, mark, strlen(mark)))
            puts(line);
    return 0;
}

static int add_page(xc_interface *xch, uint32_t domid)
{
    xen_pfn_t gfn = FREE_GFN;

    return xc_domain_populate_physmap_exact(xch, domid, 1, 0, 0, &gfn);
}

/* As a guest does that balloons down. */
static int give_back(xc_interface *xch, uint32_t domid, const char *which)
{
    xen_pfn_t gfn = strtoul(which, NULL, 0);

    return xc_domain_decrease_reservation_exact(xch, domid, 1, 0, &gfn);
}

/* As if xl had not waited for the guest to agree. */
static int carry_out(xc_interface *xch, int argc, char **argv)
{
    uint32_t domid = (uint32_t)atoi(argv[2]);

    if (!strcmp(argv[1], "pause"))
        return xc_domain_pause(xch, domid);
    if (!strcmp(argv[1], "unpause"))
        return xc_domain_unpause(xch, domid);
    if (!strcmp(argv[1], "resume"))
        return xc_domain_resume(xch, domid, 1);
    /* As when it boots another kernel by kexec: it keeps its id and memory. */
    if (!strcmp(argv[1], "reset"))
        return xc_domain_soft_reset(xch, domid);
    if (!strcmp(argv[1], "says"))
        return says(xch, domid);
    if (!strcmp(argv[1], "port"))
        return xc_evtchn_alloc_unbound(xch, domid, 0);
    if (!strcmp(argv[1], "page"))
        return add_page(xch, domid);
    if (!strcmp(argv[1], "hole") && argc == 4)
        return give_back(xch, domid, argv[3]);
    if (!strcmp(argv[1], "destroy"))
        return xc_domain_destroy(xch, domid);
    if (!strcmp(argv[1], "shutdown") && argc == 4)
        return xc_domain_shutdown(xch, domid, atoi(argv[3]));
    errx(2, "%s: not known", argv[1]);
}

int main(int argc, char **argv)
{
    xc_interface *xch;

    if (argc < 3)
        errx(2, "which domain?");
    xch = xc_interface_open(NULL, NULL, 0);
    if (!xch)
        err(1, "no Xen");
    if (carry_out(xch, argc, argv) < 0)
        err(1, "%s", argv[1]);
    xc_interface_close(xch);
    return 0;
}
