/* SPDX-License-Identifier: MIT */
/*
 * json_members.c: members with constant keys.
 */
#include "json_members.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../terminal/visible.h"

void add_object(struct json_object *o, const char *key,
                struct json_object *value)
{
    json_object_object_add_ex(o, key, value,
                              JSON_C_OBJECT_ADD_KEY_IS_NEW |
                                  JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

void add_number(struct json_object *o, const char *key, int64_t value)
{
    add_object(o, key, json_object_new_int64(value));
}

void add_known(struct json_object *o, const char *key, bool known,
               uint64_t value)
{
    if (known)
        add_number(o, key, (int64_t)value);
    else
        add_object(o, key, NULL);
}

/* No more digits than it is known by. */
void add_fraction(struct json_object *o, const char *key, double value)
{
    char text[64];

    snprintf(text, sizeof(text), "%.6f", value);
    add_object(o, key, json_object_new_double_s(value, text));
}

void add_boolean(struct json_object *o, const char *key, bool value)
{
    add_object(o, key, json_object_new_boolean(value));
}

struct json_object *new_hex(uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 + 16], *at = text + sizeof(text);

    /* Several times in each event: faster than snprintf() by far. */
    do
        *--at = digits[value & 15];
    while (value >>= 4);
    *--at = 'x';
    *--at = '0';
    return json_object_new_string_len(at, (int)(text + sizeof(text) - at));
}

void add_hex(struct json_object *o, const char *key, uint64_t value)
{
    add_object(o, key, new_hex(value));
}

void add_string(struct json_object *o, const char *key, const char *value)
{
    add_object(o, key, value ? json_object_new_string(value) : NULL);
}

void add_visible(struct json_object *o, const char *key, const char *value)
{
    size_t len = VISIBLE_ROOM(strlen(value));
    char *text = malloc(len);

    add_string(o, key, text ? visible(text, len, value) : NULL);
    free(text);
}

void write_object(struct output *out, struct json_object *o)
{
    size_t len;
    const char *text = json_object_to_json_string_length(
        o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

    if (text) {
        output_bytes(out, text, len);
        output_bytes(out, "\n", 1);
    } else if (!out->error) {
        out->error = ENOMEM;
    }
    json_object_put(o);
}
