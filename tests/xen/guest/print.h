/* SPDX-License-Identifier: MIT */
/*
 * Lines on Xen's debug port, which shows them in its own log as "(dN) ...".
 * A line is built whole and then written under a lock, since Xen joins what
 * all vCPUs of a domain write into one buffer.
 */
#ifndef GUEST_PRINT_H
#define GUEST_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_LEN 79

struct line {
    unsigned int len;
    unsigned int prefix_len; /* what line_pair() repeats on the next line */
    char text[LINE_LEN];
};

/* Every line begins with "vmring-guest: " and, behind it, this text. */
void line_begin(struct line *l, const char *text);
void line_text(struct line *l, const char *text);
void line_number(struct line *l, uint64_t value);
void line_hex(struct line *l, uint32_t value);
void line_end(struct line *l);

/* Freezes what is there as the prefix of every line line_pair() begins. */
void line_prefix(struct line *l);
/* Adds " key=value", or " key_suffix=value", on a new line if it is full. */
void line_pair(struct line *l, const char *key, const char *suffix,
               uint64_t value);

void print(const char *text);

#endif
