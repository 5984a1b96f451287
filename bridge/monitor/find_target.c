/* SPDX-License-Identifier: MIT */
/* find_target.c: which domain is meant, and whether it can be watched. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../libvmring/base/cpu.h"
#include "../../libvmring/vm_event/convert.h"
#include "../domain.h"
#include "../exit_status.h"
#include "../log.h"
#include "../xenstore_names.h"
#include "find_target.h"
#include "wait_built.h"

/*
 * `found` is what xenstore calls it, or "": any bytes: they are made visible
 * where they are shown.
 */
static void call_it(struct target *target, const char *found)
{
    char *title = target->title;

    snprintf(target->name, sizeof(target->name), "domain %u", target->domid);
    snprintf(title, sizeof(target->title), "%s", target->name);
    if (!*found)
        return;
    snprintf(target->name, sizeof(target->name), "domain %u (%.40s)",
             target->domid, found);
    snprintf(title, sizeof(target->title), "%.40s, domain %u", found,
             target->domid);
}

/* ------------------------------------------------------- what it can do -- */

static uint32_t host_arch(void)
{
#if defined(__aarch64__) || defined(__arm__)
    return XEN_VM_RING_ARCH_ARM;
#else
    return XEN_VM_RING_ARCH_X86;
#endif
}

static int check_target(struct target *target, const struct domain_info *info)
{
    int version = xc_vm_event_get_version(target->xen.xch);

    if (info->dying) {
        bridge_log(LOG_ERR, "%s is being destroyed; start it again",
                   target->name);
        return EXIT_NO_TARGET;
    }
    if (version != VM_EVENT_INTERFACE_VERSION) {
        bridge_log(
            LOG_ERR,
            "this Xen has version %d of vm_event, this program %d; build "
            "it for this Xen",
            version, VM_EVENT_INTERFACE_VERSION);
        return EXIT_UNSUPPORTED;
    }
    if (target->domid == 0 ||
        (target->arch == XEN_VM_RING_ARCH_X86 && !info->is_hvm)) {
        bridge_log(
            LOG_ERR,
            "%s is a PV domain, which Xen cannot monitor; make it PVH or "
            "HVM",
            target->name);
        return EXIT_UNSUPPORTED;
    }
    if (xc_monitor_get_capabilities(target->xen.xch, target->domid,
                                    &target->capabilities) < 0) {
        bridge_log(LOG_ERR, "%s has no monitor: %s", target->name,
                   strerror(errno));
        return EXIT_UNSUPPORTED;
    }
    return 0;
}

static int no_names(const char *name, int err)
{
    if (err == -ETIMEDOUT)
        bridge_log(
            LOG_ERR,
            "xenstored does not answer within %d s, so no domain is found "
            "by its name, '%s'; look whether it runs, or give an id",
            STORE_MS / 1000, name);
    else
        bridge_log(
            LOG_ERR,
            "cannot ask xenstore (%s), so no domain is found by its name, "
            "'%s'; look whether xenstored runs, or give an id",
            strerror(-err), name);
    return EXIT_NO_TARGET;
}

/*
 * Among those that xenstore has under that name, the one that Xen has: nodes of
 * domains that have gone may be left in it.
 */
static int find_by_name(struct target *target, struct store *store,
                        const char *name)
{
    struct store_namesakes found;
    int err = store_find(store, name, &found);
    bool is_dying = false;
    struct domain_info info;

    if (err)
        return no_names(name, err);
    for (unsigned int i = 0; i < found.nr; i++) {
        uint32_t domid = target->domid;

        target->domid = found.of[i].domid;
        err = target_get_info(target, &info);
        if (err != -ESRCH && (err || !info.dying))
            return 0;
        is_dying |= !err;
        if (err)
            target->domid = domid;
    }
    if (is_dying)
        return 0; /* which is said of it */
    bridge_log(LOG_ERR, "no domain is called '%s'; 'xl list' shows them", name);
    return EXIT_NO_TARGET;
}

static int find_it(struct target *target, struct store *store, const char *text)
{
    char name[STORE_NAME];
    int status = 0;

    if (!domain_is_id(text, &target->domid))
        status = find_by_name(target, store, text);
    if (status)
        return status;
    if (store_watch(store, target->domid, name) < 0)
        bridge_log(LOG_WARNING,
                   "xenstore does not answer; domain %u goes without its name, "
                   "and its end is seen by asking Xen",
                   target->domid);
    call_it(target, name);
    return 0;
}

int find_target(struct target *target, const struct source_start *start)
{
    /* Without xenstore there are no names, and the end is seen by polling. */
    struct store *store = store_open();
    int status = find_it(target, store, domain_text(start->target));
    struct domain_info info;
    int error;

    target->xen.xs = store_take(store);
    if (status)
        return status;
    error = target_get_info(target, &info);
    if (error == -EACCES || error == -EPERM)
        return target_not_permitted(target, "domain { getdomaininfo }");
    if (error < 0) {
        bridge_log(LOG_ERR, "there is no domain %u; 'xl list' shows them",
                   target->domid);
        return EXIT_NO_TARGET;
    }
    if (start->agents && target->domid == start->agents) {
        bridge_log(LOG_ERR,
                   "%s cannot watch itself: its vCPUs would wait for their own "
                   "verdicts; give another domain to --to",
                   target->name);
        return EXIT_USAGE;
    }
    status = wait_built(target, start->wait_s, &info);
    if (status)
        return status;
    target->nr_vcpus = info.nr_vcpus;
    target->has_devices = info.has_devices;
    target->arch = host_arch();
    target->is_intel = cpu_is_intel();
    return check_target(target, &info);
}
