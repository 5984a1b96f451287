/* SPDX-License-Identifier: MIT */
/*
 * wired.h: a producer in a process of its own, on one end of a socket or at
 * a path, and the control channel's messages by hand.
 */
#ifndef VMRING_TESTS_WIRED_H
#define VMRING_TESTS_WIRED_H

#include <sys/types.h>

#include <vmring_local.h>

#include "core/geometry.h"
#include "process/place.h"
#include "transport/region.h"
#include "unit/check.h"
#include "vmring.h"

/* What a producer is made with when a test does not mind: 4 vCPUs. */
struct vmring_producer_opts wired_opts(void);

/*
 * Serves `path` in a child, with `raise` requests and records for each
 * consumer that attaches.  It is killed with its parent.
 */
pid_t wired_serve(const char *path, const struct vmring_producer_opts *opts,
                  unsigned int raise);
/* The same, and records of a reason that 1.0 has not, of vCPU 3. */
pid_t wired_serve_later(const char *path,
                        const struct vmring_producer_opts *opts,
                        unsigned int raise);
/* Ends it by SIGTERM; check failure unless it exits with 0 then. */
void wired_end(pid_t pid);

/* A path for a socket in a fresh folder; place_drop() takes both away. */
void wired_path(char path[96]);

int wired_connect(const char *path);

/* A producer by hand of one group: the ring, and what its answer says of it. */
struct vmr_geometry wired_geometry(uint32_t nr_vcpus);
struct vmring_local_accept wired_answer(const struct vmr_geometry *geo);
struct xen_vm_ring_propose wired_propose(void);

/* A whole one, at a path, for a consumer that is somebody else. */
struct wired_producer {
    int listener, control;
    int bells[2]; /* ours, and the one that is handed over */
    struct region p, c;
};
void wired_listen(struct wired_producer *producer, const char *path);
/* The next consumer; its proposal is left where it is. */
void wired_accept(struct wired_producer *producer);
/* Makes what an answer hands over, and sends it. */
void wired_hand_over(struct wired_producer *producer, uint32_t nr_vcpus);
/* Lets go of that, and of the consumer; and of the path. */
void wired_hang_up(struct wired_producer *producer);
void wired_unlisten(struct wired_producer *producer, const char *path);

/* Proposes and returns the answer and its descriptors (NULL: closed). */
struct xen_vm_ring_accept wired_ask(int fd,
                                    const struct xen_vm_ring_propose *propose,
                                    int *fds, unsigned int *nr);

/* A consumer that keeps the rules gets `raise` records, and can answer. */
void wired_check_alive(const char *path, unsigned int raise);

#endif /* VMRING_TESTS_WIRED_H */
