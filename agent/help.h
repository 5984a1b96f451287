/* SPDX-License-Identifier: MIT */
/* help.h: the options of vmring-agent, and what --help says of them. */
#ifndef AGENT_HELP_H
#define AGENT_HELP_H

#include <argp.h>

#define HELP_DEFAULT_EVENTS "cpuid"

enum {
    OPTION_ASYNC_BYTES = 256,
    OPTION_RECORD_SIZE,
    OPTION_POLICY,
    OPTION_GROUPS,
    OPTION_DEADLINE,
    OPTION_DENY,
    OPTION_SLOW,
    OPTION_TIME,
    OPTION_SORT,
    OPTION_WORKERS,
    OPTION_LEDGER_JSON,
    OPTION_END_WITHIN,
    OPTION_USER,
    OPTION_NO_SANDBOX,
    OPTION_USAGE,
};

extern const struct argp_option help_options[];
extern const char help_doc[];

#endif /* AGENT_HELP_H */
