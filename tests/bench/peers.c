/* SPDX-License-Identifier: MIT */
/* peers.c: which contestants this program was built with. */
#include "bench.h"

#ifdef HAVE_QB
#define QB true
#else
#define QB false
#endif
#ifdef HAVE_CK
#define CK true
#else
#define CK false
#endif
#ifdef HAVE_DPDK
#define DPDK true
#else
#define DPDK false
#endif
#ifdef HAVE_CXX_PEERS
#define CXX true
#else
#define CXX false
#endif
#ifdef HAVE_BPF
#define BPF true
#else
#define BPF false
#endif
#ifdef HAVE_LTTNG
#define LTTNG true
#else
#define LTTNG false
#endif

const struct bench_peer bench_peers[] = {
    {"libqb", "libqb-dev", QB},
    {"ck", "libck-dev", CK},
    {"rte_ring", "libdpdk-dev", DPDK},
    {"boost, readerwriterqueue, concurrentqueue",
     "g++ libboost-dev libreaderwriterqueue-dev libconcurrentqueue-dev", CXX},
    {"BPF ring buffers", "libbpf-dev clang", BPF},
    {"LTTng-UST",
     "liblttng-ust-dev liblttng-ctl-dev libbabeltrace2-dev lttng-tools", LTTNG},
};
const size_t bench_nr_peers = sizeof(bench_peers) / sizeof(bench_peers[0]);
