/* SPDX-License-Identifier: MIT */
/* ringbuf.h: what peer_bpf.c and its programs in the kernel agree on. */
#ifndef VMRING_BENCH_RINGBUF_H
#define VMRING_BENCH_RINGBUF_H

#include <linux/types.h>

/* As in queue.h, which a program in the kernel cannot include. */
#define RINGBUF_BYTES     (128 * 1024)
#define RINGBUF_SMALL     64
#define RINGBUF_WHOLE     408
#define RINGBUF_NUMBER_AT 32
#define RINGBUF_BATCH     32
#define RINGBUF_PRODUCERS 16

/* Records between two looks at the clock, as everybody's. */
#define RINGBUF_BURST 128

/* What a program is called with. */
struct ringbuf_call {
    __u32 nr, len;
    __u32 who, unused;
    __u64 number;
};

#endif /* VMRING_BENCH_RINGBUF_H */
