/* SPDX-License-Identifier: MIT */
/* lttng_provider.h: the two tracepoints, a record of each length. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER vmring_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./lttng_provider.h"

#if !defined(VMRING_BENCH_LTTNG_PROVIDER_H) ||                                 \
    defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define VMRING_BENCH_LTTNG_PROVIDER_H

#include <lttng/tracepoint.h>
#include <stdint.h>

/*
 * 64 and 408 bytes, as words: read back in an eighth of the time that single
 * bytes take, copied alike.
 */
LTTNG_UST_TRACEPOINT_EVENT(
    vmring_bench, small, LTTNG_UST_TP_ARGS(const uint64_t *, words),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_array(uint64_t, words, words, 8)))

LTTNG_UST_TRACEPOINT_EVENT(
    vmring_bench, whole, LTTNG_UST_TP_ARGS(const uint64_t *, words),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_array(uint64_t, words, words, 51)))

#endif

#include <lttng/tracepoint-event.h>
