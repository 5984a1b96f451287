/* SPDX-License-Identifier: MIT */
/*
 * fields.h: what of an event can be compared, under the names that it has in
 * JSON.
 */
#ifndef AGENT_FIELDS_H
#define AGENT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../libvmring/vmring.h"

/*
 * The i-th name of a value of some field, and the value; NULL behind the last.
 */
typedef const char *field_names(unsigned int i, uint64_t *value);

struct field {
    const char *name, *meaning;
    field_names *names; /* of its values; NULL: it has none */
    bool only_names;    /* its numbers mean nothing to anybody */
};

/* The index of the field with this name; -ENOENT. */
int field_named(const char *word, size_t len);

/* The one of an index, from 0 on; NULL behind the last. */
const struct field *field_at(unsigned int i);

/* Its value in this event.  false: this event has none. */
bool field_value(unsigned int i, const struct vmring_event *event,
                 uint32_t arch, uint64_t *value);

#endif /* AGENT_FIELDS_H */
