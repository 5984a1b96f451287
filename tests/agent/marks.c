/* SPDX-License-Identifier: MIT */
/*
 * Description: with -n, where each event's line ends is noted; when there is no
 * memory for that, it is an error of the output, and nothing is written past
 * the notes that there are.
 */
#include <stdlib.h>

static int fails;
#define realloc(old, len) (fails ? NULL : realloc(old, len))

#include "../../agent/workers.c"

#include "../unit/check.h"

#define UNTOUCHED 77

static struct lines lines;

static void add(void)
{
    lines.out.used += 10;
    mark(&lines);
    lines.shown++;
}

static void no_memory(void)
{
    size_t room = lines.room;

    /* Behind them there is something else. */
    lines.ends = realloc(lines.ends, 2 * room * sizeof(*lines.ends));
    CHECK(lines.ends);
    for (size_t i = room; i < 2 * room; i++)
        lines.ends[i] = UNTOUCHED;
    fails = 1;
    while (lines.shown < 2 * room)
        add();
    CHECK_EQ(lines.out.error, ENOMEM);
    for (size_t i = room; i < 2 * room; i++)
        CHECK_EQ(lines.ends[i], UNTOUCHED);
    CHECK_EQ(lines_len(&lines, room), room * 10);
    CHECK_EQ(lines_len(&lines, room + 1), 0);
}

int main(void)
{
    CHECK_EQ(lines_len(&lines, 1), 0);
    for (int i = 0; i < BATCH; i++)
        add();
    CHECK_EQ(lines.room, BATCH);
    CHECK_EQ(lines_len(&lines, 0), 0);
    CHECK_EQ(lines_len(&lines, 3), 30);
    CHECK_EQ(lines_len(&lines, BATCH), BATCH * 10);
    no_memory();
    free(lines.ends);
    return 0;
}
