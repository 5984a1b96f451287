/* SPDX-License-Identifier: MIT */
/* fields_list.c: what -F help shows. */
#include <string.h>

#include "fields.h"
#include "output.h"

#define COLUMNS 79

/* Those that need no words, in as many lines as they take. */
static void list_registers(struct output *out)
{
    const struct field *field;
    size_t column = COLUMNS;

    output_text(out, "  And of events that have registers, these:");
    for (unsigned int i = 0; (field = field_at(i)) != NULL; i++) {
        if (!field->name || *field->meaning)
            continue;
        column += 1 + strlen(field->name);
        if (column >= COLUMNS) {
            output_text(out, "\n   ");
            column = 4 + strlen(field->name);
        }
        output_printf(out, " %s", field->name);
    }
    output_text(out, "\n");
}

void fields_list(struct output *out)
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
}
