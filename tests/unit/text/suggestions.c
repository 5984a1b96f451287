/* SPDX-License-Identifier: MIT */
/* Description: a misspelt word is told the nearest name, and no far one. */
#include "text/suggest.h"

#include "check.h"

static const char *const names[] = {"cpuid", "cr0",        "cr3", "msr",
                                    "mem",   "breakpoint", "io",  "interrupt"};

static const struct {
    const char *word, *name; /* NULL: none of them */
} words[] = {
    {"cpuid", "cpuid"},           /* as it is */
    {"CPUID", "cpuid"},           /* in capitals */
    {"cpu", "cpuid"},             /* begun */
    {"int", "interrupt"},         /* begun, and far from all others */
    {"cpud", "cpuid"},            /* one left out */
    {"ccpuid", "cpuid"},          /* one too many */
    {"cpuit", "cpuid"},           /* another */
    {"cupid", "cpuid"},           /* two swapped */
    {"breakpiont", "breakpoint"}, /* two swapped, in a longer one */
    {"braekpiont", "breakpoint"}, /* twice */
    {"rc3", "cr3"},               /* at the beginning */
    {"msrs", "msr"},              /* behind it */
    {"cr9", "cr0"},               /* of two as near the first */
    {"xyz", NULL},
    {"c", NULL}, /* too short to say */
    {"", NULL},
    {"foo", NULL}, /* two of three letters differ from io */
    {"xmsrx", "msr"},
    {"xxmsrxx", NULL},
    {"a-word-that-is-longer-than-any-name-is", NULL},
};

int main(void)
{
    char text[SUGGEST_TEXT];

    for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct suggest near = suggest_for(words[i].word, strlen(words[i].word));

        for (unsigned int n = 0; n < sizeof(names) / sizeof(names[0]); n++)
            suggest_try(&near, names[n]);
        /* One that it has no room for is none. */
        suggest_try(&near, "a-name-that-is-longer-than-32-letters-is");
        CHECK_STR(near.name ? near.name : "-",
                  words[i].name ? words[i].name : "-");
        suggest_text(&near, text);
        CHECK(!text[0] == !words[i].name);
        if (words[i].name)
            CHECK_HAS(text, words[i].name);
    }
    return 0;
}
