/* SPDX-License-Identifier: MIT */
/*
 * ringbuf.bpf.c: the kernel's side of peer_bpf.c: it consumes from a user ring
 * buffer, or produces into a ring buffer.
 */
/* First, as libbpf's has need of it. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "ringbuf.h"

struct {
    __uint(type, BPF_MAP_TYPE_USER_RINGBUF);
    __uint(max_entries, RINGBUF_BYTES);
} to_kernel SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, RINGBUF_BYTES);
} to_user SEC(".maps");

/* Shared with user space: what is taken, and what each producer gives. */
unsigned char taken[RINGBUF_BATCH * RINGBUF_WHOLE] SEC(".data.taken");
unsigned char given[RINGBUF_PRODUCERS][RINGBUF_WHOLE] SEC(".data.given");

struct draining {
    __u32 nr, most;
};

/* Each record goes to its place in `taken`; 1: no more. */
static long take_small(struct bpf_dynptr *record, struct draining *draining)
{
    __u32 at = draining->nr;

    if (at >= RINGBUF_BATCH || bpf_dynptr_read(&taken[at * RINGBUF_SMALL],
                                               RINGBUF_SMALL, record, 0, 0))
        return 1;
    draining->nr = at + 1;
    return at + 1 >= draining->most;
}

static long take_whole(struct bpf_dynptr *record, struct draining *draining)
{
    __u32 at = draining->nr;

    if (at >= RINGBUF_BATCH || bpf_dynptr_read(&taken[at * RINGBUF_WHOLE],
                                               RINGBUF_WHOLE, record, 0, 0))
        return 1;
    draining->nr = at + 1;
    return at + 1 >= draining->most;
}

/* How many were taken. */
SEC("syscall")
int drain(struct ringbuf_call *call)
{
    struct draining draining = {0, call->nr};

    if (call->len == RINGBUF_SMALL)
        bpf_user_ringbuf_drain(&to_kernel, take_small, &draining,
                               BPF_RB_NO_WAKEUP);
    else
        bpf_user_ringbuf_drain(&to_kernel, take_whole, &draining,
                               BPF_RB_NO_WAKEUP);
    return (int)draining.nr;
}

/* Numbers and offers RINGBUF_BURST records; how many were accepted. */
SEC("syscall")
int produce(struct ringbuf_call *call)
{
    unsigned char *record;
    __u64 number = call->number;
    __u32 who = call->who, len = call->len;
    int accepted = 0;

    if (who >= RINGBUF_PRODUCERS)
        return 0;
    record = given[who];
    for (int i = 0; i < RINGBUF_BURST; i++) {
        number++;
        *(__u64 *)(record + RINGBUF_NUMBER_AT) = number;
        if (len == RINGBUF_SMALL) {
            *(__u64 *)(record + RINGBUF_SMALL - 8) = number;
            accepted += !bpf_ringbuf_output(&to_user, record, RINGBUF_SMALL,
                                            BPF_RB_NO_WAKEUP);
        } else {
            *(__u64 *)(record + RINGBUF_WHOLE - 8) = number;
            accepted += !bpf_ringbuf_output(&to_user, record, RINGBUF_WHOLE,
                                            BPF_RB_NO_WAKEUP);
        }
    }
    return accepted;
}

char terms[] SEC("license") = "MIT";
