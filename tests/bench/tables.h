/* SPDX-License-Identifier: MIT */
/* tables.h: every file with cases; a new one is added here and in main.c. */
#ifndef VMRING_BENCH_TABLES_H
#define VMRING_BENCH_TABLES_H

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct bench_table async_limits_cases;
extern const struct bench_table async_vmring_cases;
extern const struct bench_table async_costs_cases;
extern const struct bench_table memory_cases;
extern const struct bench_table peer_legacy_cases;
extern const struct bench_table peer_socket_cases;
extern const struct bench_table peer_qb_cases;
extern const struct bench_table peer_ck_cases;
extern const struct bench_table peer_dpdk_cases;
extern const struct bench_table peer_cxx_cases;
extern const struct bench_table peer_lttng_cases;
extern const struct bench_table peer_bpf_cases;
extern const struct bench_table sync_cases;
extern const struct bench_table hostile_cases;
extern const struct bench_table endtoend_cases;

#ifdef __cplusplus
}
#endif

#endif /* VMRING_BENCH_TABLES_H */
