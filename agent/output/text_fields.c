/* SPDX-License-Identifier: MIT */
/* text_fields.c: what -F help shows. */
#include <stdbool.h>
#include <string.h>

#include "../event/fields.h"
#include "text.h"

#define COLUMNS 79

/* One more word, in as many lines as they take. */
static void add_word(struct output *out, size_t *column, const char *word)
{
    *column += 1 + strlen(word);
    if (*column >= COLUMNS) {
        output_text(out, "\n   ");
        *column = 4 + strlen(word);
    }
    output_printf(out, " %s", word);
}

/* Those that need no words. */
static void list_registers(struct output *out)
{
    const struct field *field;
    size_t column = COLUMNS;

    output_text(out, "  And of events that have registers, these:");
    for (unsigned int i = 0; (field = field_at(i)) != NULL; i++) {
        if (!field->name || *field->meaning)
            continue;
        add_word(out, &column, field->name);
    }
    output_text(out, "\n");
}

/* Has the field this name for a value before its n-th? */
static bool is_repeated(const struct field *field, unsigned int n,
                        const char *name)
{
    uint64_t value;

    for (unsigned int i = 0; i < n; i++)
        if (!strcmp(field->names(i, &value), name))
            return true;
    return false;
}

static void list_names(struct output *out, const struct field *field)
{
    size_t column = 3 + strlen(field->name);
    const char *name;
    uint64_t value;

    output_printf(out, "  %s:", field->name);
    for (unsigned int n = 0; (name = field->names(n, &value)) != NULL; n++)
        if (*name && !is_repeated(field, n, name))
            add_word(out, &column, name);
    output_text(out, "\n");
}

/* Of values; what is true or false says so. */
static void list_values(struct output *out)
{
    const struct field *field;
    uint64_t value;

    output_text(out, "Names of values, for ==, != and in:\n");
    for (unsigned int i = 0; (field = field_at(i)) != NULL; i++)
        if (field->name && field->names &&
            strcmp(field->names(0, &value), "false"))
            list_names(out, field);
}

void text_fields(struct output *out)
{
    const struct field *field;

    output_text(out, "Fields for -F, by their names in JSON, as in\n"
                     "  -F 'event == cpuid and leaf in 0x40000000-0x400000ff'\n"
                     "  -F 'changed & 0x100000 or not vcpu in 0-3'\n"
                     "An event without a field passes no comparison of it.\n");
    for (unsigned int i = 0; (field = field_at(i)) != NULL; i++) {
        if (field->name && *field->meaning)
            output_printf(out, "  %-18s  %s\n", field->name, field->meaning);
    }
    list_registers(out);
    list_values(out);
}
