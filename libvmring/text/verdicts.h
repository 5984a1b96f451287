/* SPDX-License-Identifier: MIT */
/* verdicts.h: the rights over a guest, by name. */
#ifndef VMRING_TEXT_VERDICTS_H
#define VMRING_TEXT_VERDICTS_H

#include <stddef.h>
#include <stdint.h>

#define VERDICTS_TEXT 80 /* room for all of them */

/* What vmring_verdicts_parse() takes: their names, or "none". */
void verdicts_format(uint32_t mask, char text[VERDICTS_TEXT]);

#endif /* VMRING_TEXT_VERDICTS_H */
