/* SPDX-License-Identifier: MIT */
/* rate.h: how many a second, for people. */
#ifndef AGENT_RATE_H
#define AGENT_RATE_H

#define RATE_LEN 16

/* "1992/s", "32k/s", "1.2M/s" */
const char *rate_text(char text[RATE_LEN], double rate);

#endif /* AGENT_RATE_H */
