/* SPDX-License-Identifier: MIT */
/*
 * A user of the installed library, in C and in C++: attaches to a simulated
 * guest and takes its events to the last.
 *
 * It has functions with names that the library uses for its own, which it must
 * keep to itself.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <vmring.h>

#ifdef __cplusplus
extern "C" {
#endif
int explain(void);
int log_line(void);
int message_read(void);

int explain(void)
{
    return 1;
}

int log_line(void)
{
    return 2;
}

int message_read(void)
{
    return 3;
}
#ifdef __cplusplus
}
#endif

static int take(struct vmring *ring)
{
    struct vmring_event event;
    unsigned int taken = 0;
    int ret;

    while ((ret = vmring_next(ring, &event)) >= 0) {
        struct xen_vm_ring_response response;
        struct pollfd pfd;

        if (ret != VMRING_NEXT_EVENT) {
            pfd.fd = vmring_fd(ring);
            pfd.events = POLLIN;
            (void)poll(&pfd, 1, 5000);
            continue;
        }
        taken++;
        vmring_neutral(&event, &response);
        if (event.seq && vmring_respond(ring, &event, &response))
            return 1;
    }
    printf("%u events, then %s\n", taken, strerror(-ret));
    return ret != -ESRCH || taken != 20;
}

int main(void)
{
    struct vmring_opts opts;
    struct vmring *ring;
    char error[256] = "";
    int ret;

    memset(&opts, 0, sizeof(opts));
    opts.size = sizeof(opts);
    opts.error = error;
    opts.error_len = sizeof(error);
    ret = vmring_open("sim:vcpus=2,count=10", &opts, &ring);
    if (ret ||
        vmring_subscribe(ring, "cpuid", NULL, error, sizeof(error)) < 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    ret = take(ring);
    vmring_close(ring);
    return ret || explain() + log_line() + message_read() != 6;
}
