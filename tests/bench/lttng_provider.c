/* SPDX-License-Identifier: MIT */
/* lttng_provider.c: the code that LTTng makes of the tracepoints. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "lttng_provider.h"
