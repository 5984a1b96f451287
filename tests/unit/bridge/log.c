/* SPDX-License-Identifier: MIT */
/*
 * Description: lines of a kind are said a few times, and how many were not is
 * told; other kinds are not held up; no peer writes to a terminal, and lines
 * are broken where it ends.
 */
#include "bridge/log.h"
#include "bridge/log_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "terminal/wrap.h"

static unsigned long told(struct log_limit *limit, int64_t now, bool all)
{
    const char *like = NULL;
    unsigned long nr = log_limit_unsaid(limit, now, all, &like);

    if (nr)
        CHECK(like != NULL && *like);
    return nr;
}

static void limited(void)
{
    static struct log_limit limit;
    uint64_t junk = log_kind_of("peer 7 sent junk"), other;

    CHECK_EQ(junk, log_kind_of("peer 12345 sent junk"));
    CHECK(junk != log_kind_of("peer 7 sent nothing"));
    CHECK(log_kind_of("") != 0);
    for (int i = 0; i < 100; i++)
        CHECK_EQ(log_limit_allows(&limit, junk, "junk", 50),
                 i < LOG_LIMIT_LINES);
    CHECK(log_limit_allows(&limit, junk + 1, "other", 50));
    CHECK_EQ(told(&limit, 50 + LOG_LIMIT_SECONDS - 1, false), 0);
    CHECK_EQ(told(&limit, 50 + LOG_LIMIT_SECONDS, false), 90);
    CHECK_EQ(told(&limit, 50 + LOG_LIMIT_SECONDS, false), 0);
    CHECK(log_limit_allows(&limit, junk, "junk", 50 + LOG_LIMIT_SECONDS));

    /* More kinds than are told apart are limited together. */
    memset(&limit, 0, sizeof(limit));
    other = 0;
    for (uint64_t id = 1; id <= 1000; id++)
        other += log_limit_allows(&limit, id, "new", 50);
    CHECK(other <= LOG_LIMIT_KINDS + LOG_LIMIT_LINES);
    CHECK_EQ(told(&limit, 50, true), 1000 - other);
}

static void visible(void)
{
    char said[2048] = "";
    int ends[2], err = dup(STDERR_FILENO);
    ssize_t len;

    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    CHECK_EQ(bridge_log_begin(), 0);
    errno = EBUSY;
    bridge_log(LOG_ERR, "a name: %s",
               "x\x1b[31m\a\r\nvmring-bridge: forged\x7f");
    for (int i = 0; i < 20; i++)
        bridge_log_text(NULL, LOG_WARNING, "again");
    bridge_log(LOG_DEBUG, "not shown");
    bridge_log_plain("a row\n");
    CHECK_EQ(errno, EBUSY);
    bridge_log_end();
    bridge_log_end(); /* once is enough */
    CHECK_EQ(dup2(err, STDERR_FILENO), STDERR_FILENO);
    len = read(ends[0], said, sizeof(said) - 1);
    CHECK(len > 0);
    CHECK_HAS(said,
              "a name: x\\033[31m\\007\\015\\012vmring-bridge: forged\\177"
              "\n");
    CHECK_HAS(said, "\na row\n");
    CHECK_HAS(said, "\nvmring-bridge: 10 more lines like 'again...' were not "
                    "said\n");
    CHECK(strstr(said, "not shown") == NULL);
}

/* Between words, where a terminal ends; a word that is longer stays whole. */
static void wrapped(void)
{
    static const char text[] = "a word, another one; and blanks,  two of them";
    char line[WRAP_ROOM(sizeof(text))];

    CHECK_EQ(wrap(line, sizeof(line), text, 0), strlen(text));
    CHECK_STR(line, text);
    (void)wrap(line, sizeof(line), text, 20);
    CHECK_STR(line, "a word, another one;\n    and blanks,  two\n    of them");
    (void)wrap(line, sizeof(line), "a word, another", 7);
    CHECK_STR(line, "a word,\n    another");
    (void)wrap(line, sizeof(line), "a word-without-end", 7);
    CHECK_STR(line, "a word-without-end");
    CHECK_EQ(wrap(line, 10, text, 8), 9);
    CHECK_STR(line, "a word,\n ");
    CHECK_EQ(wrap(line, sizeof(line), "", 8), 0);
}

int main(void)
{
    limited();
    visible();
    wrapped();
    return 0;
}
