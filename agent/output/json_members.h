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

struct json_object *new_hex(uint64_t value); /* a string, "0x..." */

/* Each key is a literal that the object has not got yet. */
void add_object(struct json_object *o, const char *key,
                struct json_object *value);
void add_number(struct json_object *o, const char *key, int64_t value);
void add_known(struct json_object *o, const char *key, bool known,
               uint64_t value); /* null if it is not */
void add_fraction(struct json_object *o, const char *key, double value);
void add_boolean(struct json_object *o, const char *key, bool value);
void add_hex(struct json_object *o, const char *key, uint64_t value);
void add_string(struct json_object *o, const char *key,
                const char *value); /* of ours; NULL: JSON's null */

/* Whosever text: as visible.h has it, so that it is UTF-8 in any case. */
void add_visible(struct json_object *o, const char *key, const char *value);

/* Writes it as a line, and frees it. */
void write_object(struct output *out, struct json_object *o);

#endif /* AGENT_JSON_MEMBERS_H */
