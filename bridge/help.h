/* SPDX-License-Identifier: MIT */
/* help.h: the options of vmring-bridge, and what --help says of them. */
#ifndef BRIDGE_HELP_H
#define BRIDGE_HELP_H

#include <argp.h>

enum {
    OPT_LISTEN = 0x100,
    OPT_MODE,
    OPT_TO,
    OPT_FD,
    OPT_READY_FD,
    OPT_DEADLINE,
    OPT_ON_DEADLINE,
    OPT_ALLOW_EVENTS,
    OPT_ALLOW_VERDICTS,
    OPT_MAX_ASYNC_BYTES,
    OPT_LINGER,
    OPT_FAREWELL,
    OPT_ONCE,
    OPT_SHARE,
    OPT_WAIT,
    OPT_RECOVER,
    OPT_STATS,
    OPT_NO_SANDBOX,
    OPT_USAGE,
};

extern const struct argp_option help_options[];
extern const char help_doc[];

#endif /* BRIDGE_HELP_H */
