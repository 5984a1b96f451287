/* SPDX-License-Identifier: MIT */
/* place.h: a folder of a test's own, for a socket and what lies beside it. */
#ifndef TESTS_PROCESS_PLACE_H
#define TESTS_PROCESS_PLACE_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The lock beside a socket stays when who served it was killed. */
static inline void place_drop(const char *path)
{
    char beside[128];

    unlink(path);
    snprintf(beside, sizeof(beside), "%s.lock", path);
    unlink(beside);
    *strrchr(beside, '/') = '\0';
    rmdir(beside);
}

#endif
