/* SPDX-License-Identifier: MIT */
/*
 * Description: each format of -f has a name of its own, every operation that
 * the agent calls without a look, and is found by its name.
 */
#include "../../agent/output/format.h"

#include "../unit/check.h"

static void check_format(unsigned int i)
{
    const struct format *format = format_at(i);

    CHECK(format->name);
    CHECK(format->event);
    CHECK(format->target);
    CHECK(format->ledger);
    CHECK(format->kinds);
    CHECK(format->unordered);
    CHECK(format_named(format->name) == format);
}

int main(void)
{
    unsigned int nr = 0;

    for (; format_at(nr); nr++)
        check_format(nr);
    CHECK(nr >= 2 && nr <= FORMAT_MOST);
    CHECK_STR(format_at(0)->name, "text");
    /* --ledger-json */
    CHECK(format_named("json"));
    CHECK(!format_named(""));
    CHECK(!format_at(nr + 1));
    return 0;
}
