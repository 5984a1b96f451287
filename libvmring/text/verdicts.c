/* SPDX-License-Identifier: MIT */
/* verdicts.c: the rights over a guest, by name. */
#include "verdicts.h"

#include <errno.h>
#include <string.h>

#include "../vmring.h"
#include "suggest.h"
#include "word.h"

#define NR(array) (sizeof(array) / sizeof(*(array)))

static const struct {
    const char *name;
    uint32_t mask;
} verdicts[] = {
    {"deny", XEN_VM_RING_VERDICT_DENY},
    {"set_registers", XEN_VM_RING_VERDICT_SET_REGISTERS},
    {"emulate", XEN_VM_RING_VERDICT_EMULATE},
    {"step", XEN_VM_RING_VERDICT_STEP},
    {"altp2m", XEN_VM_RING_VERDICT_ALTP2M},
    {"inject", XEN_VM_RING_VERDICT_INJECT},
    {"next_interrupt", XEN_VM_RING_VERDICT_NEXT_INTERRUPT},
    {"reset", XEN_VM_RING_VERDICT_RESET},
    {"continue", XEN_VM_RING_VERDICT_CONTINUE},
    {"none", 0},
    {"all", XEN_VM_RING_VERDICTS},
};

static int unknown(struct word name, char *error, size_t error_len)
{
    struct suggest near = suggest_for(name.at, name.len);
    char text[SUGGEST_TEXT];

    for (unsigned int i = 0; i < NR(verdicts); i++)
        suggest_try(&near, verdicts[i].name);
    return word_refuse(
        error, error_len, "unknown verdict", name,
        "%sthey are deny, set_registers, emulate, step, altp2m, inject, "
        "next_interrupt, reset, continue; or none, or all",
        suggest_text(&near, text));
}

int vmring_verdicts_parse(const char *text, uint32_t *mask, char *error,
                          size_t error_len)
{
    uint32_t sum = 0;
    struct word rest = {text, 0}, word;
    bool more;

    while (text[rest.len])
        rest.len++;
    do {
        unsigned int i = 0;

        more = word_cut(&rest, ',', &word);
        while (i < NR(verdicts) && !word_is(word, verdicts[i].name))
            i++;
        if (i == NR(verdicts))
            return unknown(word, error, error_len);
        sum |= verdicts[i].mask;
    } while (more);
    *mask = sum;
    return 0;
}

void verdicts_format(uint32_t mask, char text[VERDICTS_TEXT])
{
    size_t len = 0;

    memcpy(text, "none", sizeof("none"));
    for (unsigned int i = 0; verdicts[i].mask; i++) {
        size_t more = strlen(verdicts[i].name);

        if (!(mask & verdicts[i].mask))
            continue;
        if (len)
            text[len++] = ',';
        memcpy(text + len, verdicts[i].name, more + 1);
        len += more;
    }
}
