/* SPDX-License-Identifier: MIT */
/* number.c: see number.h.  What reads and writes them is libbsd. */
#include "number.h"

#include <bsd/inttypes.h>
#include <bsd/stdlib.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* Room for a number without its unit. */
#define DIGITS 40

static const struct unit {
    const char *name;
    uint64_t ns;
} units[] = {
    {"h", NUMBER_H},   {"m", 60 * NUMBER_S}, {"s", NUMBER_S},
    {"ms", NUMBER_MS}, {"us", NUMBER_US},
};

bool number_read(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    bool is_hex = text[0] == '0' && text[1] == 'x';
    int wrong;

    /* It would take a sign, spaces, and an empty number. */
    if (!isdigit((unsigned char)text[0]) ||
        (text[0] == '0' && isdigit((unsigned char)text[1])))
        return false;
    *value = strtou(text, NULL, is_hex ? 16 : 10, min, max, &wrong);
    return !wrong;
}

/* Cuts off the letters behind decimal digits: what is before them, or NULL. */
static const char *split(const char *text, char digits[DIGITS],
                         const char *allowed)
{
    size_t len = strspn(text, allowed);

    if (!len || len >= DIGITS || (text[0] == '0' && text[1] == 'x'))
        return NULL;
    memcpy(digits, text, len);
    digits[len] = '\0';
    return text + len;
}

static bool read_size(const char *text, uint64_t *value)
{
    char digits[DIGITS];
    const char *suffix = split(text, digits, "0123456789");

    if (!suffix || !*suffix)
        return number_read(text, 0, UINT64_MAX, value);
    /* It would take octal, and anything behind the letter. */
    return number_read(digits, 0, UINT64_MAX, value) && !suffix[1] &&
           strchr("kKmMgG", *suffix) && expand_number(text, value) == 0;
}

static bool read_count(const char *text, uint64_t *value)
{
    static const char letters[] = "kmg";
    char digits[DIGITS];
    const char *suffix = split(text, digits, "0123456789"), *letter;
    uint64_t times = 1000;

    if (!suffix || !*suffix)
        return number_read(text, 0, UINT64_MAX, value);
    letter = strchr(letters, tolower((unsigned char)*suffix));
    if (!letter || suffix[1])
        return false;
    for (; letter > letters; letter--)
        times *= 1000;
    if (!number_read(digits, 0, UINT64_MAX / times, value))
        return false;
    *value *= times;
    return true;
}

static bool read_time(const char *text, uint64_t unit, uint64_t *ns)
{
    char digits[DIGITS], *fraction;
    const char *suffix = split(text, digits, "0123456789.");
    uint64_t whole;
    double more = 0;

    if (!suffix) { /* hexadecimal */
        suffix = "";
        snprintf(digits, sizeof(digits), "%s", text);
    }
    for (size_t i = 0; *suffix; i++) {
        if (i == NR(units))
            return false;
        if (strcmp(units[i].name, suffix) == 0) {
            unit = units[i].ns;
            break;
        }
    }
    fraction = strchr(digits, '.');
    if (fraction) {
        /* Digits on either side, and one point. */
        if (!isdigit((unsigned char)fraction[1]) || strchr(fraction + 1, '.'))
            return false;
        more = strtod(fraction, NULL) * (double)unit;
        *fraction = '\0';
    }
    if (!number_read(digits, 0, UINT64_MAX / unit - 1, &whole))
        return false;
    *ns = whole * unit + (uint64_t)(more + 0.5);
    /* Less than the finest unit would be nothing at all. */
    return *ns >= NUMBER_US || (!whole && more == 0);
}

bool number_parse(const struct number *number, const char *text,
                  uint64_t *value)
{
    bool good = false;

    if (number->word && strcmp(text, number->word) == 0) {
        *value = 0;
        return true;
    }
    switch (number->kind) {
    case NUMBER_PLAIN:
        return number_read(text, number->min, number->max, value);
    case NUMBER_COUNT:
        good = read_count(text, value);
        break;
    case NUMBER_SIZE:
        good = read_size(text, value);
        break;
    case NUMBER_TIME:
        good = read_time(text, number->unit, value);
        break;
    }
    return good && *value >= number->min && *value <= number->max;
}

static void write_limit(const struct number *number, uint64_t value, char *text,
                        size_t len)
{
    char human[5];
    uint64_t back;

    if (number->kind == NUMBER_TIME && value) {
        size_t i = 0;

        while (i + 1 < NR(units) && value % units[i].ns)
            i++;
        snprintf(text, len, "%" PRIu64 "%s", value / units[i].ns,
                 units[i].name);
        return;
    }
    snprintf(text, len, "%" PRIu64, value);
    /* Rounded would not be true. */
    if (number->kind == NUMBER_SIZE && value <= INT64_MAX &&
        humanize_number(human, sizeof(human), (int64_t)value, "", HN_AUTOSCALE,
                        HN_NOSPACE) > 0 &&
        expand_number(human, &back) == 0 && back == value)
        snprintf(text, len, "%s", human);
}

const char *number_remedy(const struct number *number, char *text, size_t len)
{
    char min[32], max[32];

    write_limit(number, number->min, min, sizeof(min));
    write_limit(number, number->max, max, sizeof(max));
    snprintf(text, len, "give %s, from %s to %s, as in %s%s%s", number->what,
             min, max, number->as, number->word ? "; or " : "",
             number->word ? number->word : "");
    return text;
}
