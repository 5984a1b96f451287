/* SPDX-License-Identifier: MIT */
/*
 * json_members.h: members with constant keys, for json.c and json_ledger.c.
 */
#ifndef AGENT_JSON_MEMBERS_H
#define AGENT_JSON_MEMBERS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "output.h"

/* Each key is a literal that the object has not got yet. */
void add_object(struct json_object *o, const char *key,
                struct json_object *value);
void add_number(struct json_object *o, const char *key, int64_t value);
void add_boolean(struct json_object *o, const char *key, bool value);
void add_hex(struct json_object *o, const char *key, uint64_t value);
void add_string(struct json_object *o, const char *key,
                const char *value); /* NULL: JSON's null */

/* Writes it as a line, and frees it. */
void write_object(struct output *out, struct json_object *o);

#endif /* AGENT_JSON_MEMBERS_H */
