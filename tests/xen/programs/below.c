/* SPDX-License-Identifier: MIT */
/*
 * vmring-lab-below: what a program finds below it instead of Xen's libraries,
 * by LD_PRELOAD, where a real Xen would have to be another one.
 * VMRING_LAB_BELOW says which:
 *
 *   version  a Xen whose domctls have one version less
 *   policy   a Xen whose security policy refuses vm_event, and has no label
 *   label    the same, and it has labels
 *   pending  a vCPU that an event is on its way into
 *   paused   an end, by SIGKILL, once a domain has been paused
 *   enabled  the same, once its ring has been enabled
 *   arming   an end by SIGILL, which no sandbox forbids, once a domain whose
 *            ring has been enabled is paused again
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <xencall.h>
#include <xenctrl.h>

#include <xen/hvm/save.h>

static int is_enabled;

static int is_asked(const char *what)
{
    const char *asked = getenv("VMRING_LAB_BELOW");

    return asked && !strcmp(asked, what);
}

static int call_real(xencall_handle *handle, unsigned int op, uint64_t arg)
{
    int (*real)(xencall_handle *, unsigned int, uint64_t);

    *(void **)&real = dlsym(RTLD_NEXT, "xencall1");
    return real(handle, op, arg);
}

static int is_enabling(const struct xen_domctl *domctl)
{
    return domctl->cmd == XEN_DOMCTL_vm_event_op &&
           domctl->u.vm_event_op.op == XEN_VM_EVENT_ENABLE;
}

int xencall1(xencall_handle *handle, unsigned int op, uint64_t arg)
{
    struct xen_domctl *domctl = (void *)(uintptr_t)arg;
    int rc, error;

    if (op != __HYPERVISOR_domctl)
        return call_real(handle, op, arg);
    if ((is_asked("policy") || is_asked("label")) && is_enabling(domctl)) {
        errno = EACCES;
        return -1;
    }
    if (is_asked("paused") && domctl->cmd == XEN_DOMCTL_pausedomain) {
        call_real(handle, op, arg);
        raise(SIGKILL);
    }
    if (is_enabled && is_asked("arming") &&
        domctl->cmd == XEN_DOMCTL_pausedomain) {
        call_real(handle, op, arg);
        __builtin_trap();
    }
    if (is_enabling(domctl)) {
        rc = call_real(handle, op, arg);
        is_enabled = rc == 0;
        if (is_enabled && is_asked("enabled"))
            raise(SIGKILL);
        return rc;
    }
    if (!is_asked("version"))
        return call_real(handle, op, arg);
    domctl->interface_version++;
    rc = call_real(handle, op, arg);
    error = errno;
    domctl->interface_version--;
    errno = error;
    return rc;
}

int xc_flask_sid_to_context(xc_interface *xch, int sid, char *buf,
                            uint32_t size)
{
    (void)xch;
    (void)sid;
    if (!is_asked("label")) {
        errno = ENOSYS;
        return -1;
    }
    strncpy(buf, "system_u:system_r:domU_t", size);
    return 0;
}

int xc_domain_hvm_getcontext_partial(xc_interface *xch, uint32_t domid,
                                     uint16_t typecode, uint16_t instance,
                                     void *ctxt_buf, uint32_t size)
{
    int (*real)(xc_interface *, uint32_t, uint16_t, uint16_t, void *, uint32_t);
    int rc;

    *(void **)&real = dlsym(RTLD_NEXT, "xc_domain_hvm_getcontext_partial");
    rc = real(xch, domid, typecode, instance, ctxt_buf, size);
    if (rc == 0 && is_asked("pending") && typecode == HVM_SAVE_CODE(CPU))
        ((struct hvm_hw_cpu *)ctxt_buf)->pending_event = 1u << 31;
    return rc;
}
