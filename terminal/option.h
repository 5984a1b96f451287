/* SPDX-License-Identifier: MIT */
/* option.h: what is wrong with an option that the parser refuses. */
#ifndef TERMINAL_OPTION_H
#define TERMINAL_OPTION_H

#include <argp.h>

/* At ARGP_KEY_ERROR: which word it is, and why, as in "no such option". */
const char *option_refused(const struct argp_state *state,
                           const struct argp_option *options,
                           const char **word);

#endif /* TERMINAL_OPTION_H */
