/* SPDX-License-Identifier: MIT */
/* endpoint.h: "sim:...", a simulated guest and its producer in a thread. */
#ifndef VMRING_SIM_ENDPOINT_H
#define VMRING_SIM_ENDPOINT_H

#include <stddef.h>

struct sim_endpoint;

/*
 * Starts a thread that runs the guest of `params` (the keys of
 * sim/params.h, those of the endpoint too) and serves one consumer.  *fd is
 * the consumer's end of a unix socket, the caller's to close.  The thread
 * ends when that end is closed.
 *
 * 0; -EINVAL and one line in error; -ENOMEM, -EMFILE, -EAGAIN: no thread;
 * an errno of opening truth=FILE.  The text says what failed then, too.
 */
int sim_endpoint_start(const char *params, struct sim_endpoint **ep, int *fd,
                       char *error, size_t error_len);

/*
 * Waits for the thread, which must have lost its consumer, and writes the
 * truth.  0, or -errno of writing it.  NULL is fine.
 */
int sim_endpoint_stop(struct sim_endpoint *ep);

#endif /* VMRING_SIM_ENDPOINT_H */
