/* SPDX-License-Identifier: MIT */
/* option.h: what is wrong with an option, and what was meant perhaps. */
#ifndef TERMINAL_OPTION_H
#define TERMINAL_OPTION_H

#include <argp.h>

/*
 * At ARGP_KEY_ERROR: which word the parser has refused, and why, as in
 * "--quite: no such option; did you mean --quiet? See --help".
 */
void option_refused(const struct argp_state *state,
                    const struct argp_option *options, char *text, size_t len);

/*
 * An argument that is one of some words, of which NULL ends the list: its
 * index.  -EINVAL, and a remedy: "did you mean json? Say text or json".
 */
int option_choice(const char *arg, const char *const *words, char *text,
                  size_t len);

#endif /* TERMINAL_OPTION_H */
