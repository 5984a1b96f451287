/* SPDX-License-Identifier: MIT */
/*
 * privilege.c: what an agent in dom0 can do to its target besides answering,
 * before it enters its sandbox and in it.
 *
 * usage: vmring-lab-privilege ENDPOINT DOMID
 *
 * Each attempt is a process of its own that attaches with no verdicts granted.
 * Handles of Xen are opened before it enters the sandbox, as if the agent had
 * them by mistake: they must be of no use.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>

#include "agent/sandbox.h"

#define KILLED (-1) /* by SIGSYS */

static const char *uri;
static uint32_t domid;
static struct vmring *ring;
static xc_interface *xch;
static xenforeignmemory_handle *foreign;
static xenevtchn_handle *evtchn;

static int result(long ret)
{
    return ret < 0 ? errno ? errno : EIO : 0;
}

static int open_privcmd(void)
{
    return result(open("/dev/xen/privcmd", O_RDWR));
}

static int domctl(void)
{
    int err = result(xc_domain_pause(xch, domid));

    if (!err)
        (void)xc_domain_unpause(xch, domid);
    return err;
}

static int map_page(void)
{
    xen_pfn_t gfn = 0x100;
    int error = 0;
    void *at = xenforeignmemory_map(foreign, domid, PROT_READ, 1, &gfn, &error);

    return at ? error : errno;
}

static int bind_port(void)
{
    return result(xenevtchn_bind_unbound_port(evtchn, domid));
}

static int execute(void)
{
    char *argv[] = {(char[]){"true"}, NULL};

    execv("/bin/true", argv);
    return errno;
}

/* Nothing but the mask is in its way: in the sandbox and out of it. */
static int deny(void)
{
    struct pollfd pfd = {.events = POLLIN};
    struct xen_vm_ring_response response;
    struct vmring_event event;
    int r = vmring_subscribe(ring, "cr4", NULL, NULL, 0);

    if (r < 0)
        return -r;
    while ((r = vmring_next(ring, &event)) == 0 || r == VMRING_NEXT_TARGET) {
        pfd.fd = vmring_fd(ring);
        (void)poll(&pfd, 1, -1);
    }
    if (r < 0)
        return -r;
    vmring_neutral(&event, &response);
    response.flags |= XEN_VM_RING_FLAG_DENY;
    r = vmring_respond(ring, &event, &response);
    vmring_neutral(&event, &response);
    (void)vmring_respond(ring, &event, &response);
    vmring_flush(ring);
    return r < 0 ? -r : 0;
}

static const struct attempt {
    const char *name;
    int (*run)(void);
    int before, boxed;
} attempts[] = {
    {"open privcmd", open_privcmd, 0, EPERM},
    {"a domctl: pause the target", domctl, 0, EPERM},
    {"map a page of the target", map_page, 0, EPERM},
    {"bind an event channel", bind_port, 0, EPERM},
    {"execute a program", execute, 0, KILLED},
    {"a verdict that was not granted", deny, EPERM, EPERM},
};

static void attach(void)
{
    char error[256] = "";
    struct vmring_opts opts = {
        .size = sizeof(opts), .error = error, .error_len = sizeof(error)};

    xch = xc_interface_open(NULL, NULL, 0);
    foreign = xenforeignmemory_open(NULL, 0);
    evtchn = xenevtchn_open(NULL, 0);
    if (!xch || !foreign || !evtchn) {
        fprintf(stderr, "no Xen here: %s\n", strerror(errno));
        _exit(99);
    }
    if (vmring_open(uri, &opts, &ring)) {
        fprintf(stderr, "%s\n", error);
        _exit(99);
    }
}

static void enter(void)
{
    struct agent_sandbox sandbox;
    char error[256] = "";

    if (agent_sandbox_prepare(&sandbox, NULL, error, sizeof(error)) ||
        agent_sandbox_enter(&sandbox, ring, error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        _exit(99);
    }
}

static int outcome(const struct attempt *attempt, bool boxed)
{
    int status, err;
    pid_t pid = fork();

    if (pid == 0) {
        attach();
        if (boxed)
            enter();
        err = attempt->run();
        vmring_close(ring);
        _exit(err);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 99;
    return WIFSIGNALED(status) ? KILLED : WEXITSTATUS(status);
}

static const char *words(int of)
{
    return of == KILLED ? "it is killed" : of ? strerror(of) : "it can";
}

int main(int argc, char **argv)
{
    int failed = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: %s ENDPOINT DOMID\n", argv[0]);
        return 2;
    }
    uri = argv[1];
    domid = (uint32_t)atoi(argv[2]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned int i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        int before = outcome(&attempts[i], false);
        int boxed = outcome(&attempts[i], true);
        bool right = before == attempts[i].before && boxed == attempts[i].boxed;

        printf("%s%s: before: %s; in the sandbox: %s\n",
               right ? "" : "FAILED: ", attempts[i].name, words(before),
               words(boxed));
        failed |= !right;
    }
    return failed;
}
