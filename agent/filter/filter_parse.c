/* SPDX-License-Identifier: MIT */
/*
 * filter_parse.c: reads a filter, by recursive descent; filter.h has the
 * grammar.  What is wrong is told with its place and, of a name, what was
 * meant perhaps.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../../libvmring/text/suggest.h"
#include "../../terminal/number.h"
#include "../event/fields.h"
#include "filter.h"

/*
 * What waits while a filter is evaluated: left of an or and of an and at each
 * depth, and two ranges.  filter_passes() has 64 bits for it.
 */
_Static_assert(2 * (FILTER_MAX_DEPTH + 1) + 2 < 64,
               "the stack must hold what nests deepest");

#define MAX_WORD 64

enum token {
    END,
    WORD,
    AND,
    OR,
    NOT,
    OPEN,
    CLOSE,
    MASK,
    COMMA,
    DASH,
    EQUAL,
    DIFFERS,
    LESS,
    MOST,
    MORE,
    LEAST,
    STRANGE, /* nothing of a filter */
};

static const struct {
    const char *text;
    enum token token;
} marks[] = {
    /* Before those that they begin with. */
    {"&&", AND},   {"||", OR},   {"==", EQUAL}, {"!=", DIFFERS}, {"<=", MOST},
    {">=", LEAST}, {"<", LESS},  {">", MORE},   {"&", MASK},     {"!", NOT},
    {"(", OPEN},   {")", CLOSE}, {",", COMMA},  {"-", DASH},
};

struct parser {
    const char *text; /* all of it */
    const char *next; /* behind the token */
    const char *at;   /* the token */
    size_t len;
    enum token token;
    unsigned int depth; /* of parentheses */
    struct filter *filter;
    struct filter_error *error;
    bool failed;
    /* Of the test before, if it was a comparison; and its last value. */
    const struct field *compared;
    const char *value;
    size_t value_len;
};

/* Only the first is told: what follows stems from it. */
__attribute__((format(printf, 2, 3))) static void
refuse(struct parser *p, const char *format, ...)
{
    char text[sizeof(p->error->text)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (p->failed)
        return;
    p->failed = true;
    p->error->at = (size_t)(p->at - p->text);
    memcpy(p->error->text, text, sizeof(text));
    /* Nothing more is looked at. */
    p->token = END;
    p->next = p->at + strlen(p->at);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static bool is_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '#';
}

static bool is(const struct parser *p, const char *word)
{
    return strlen(word) == p->len && !memcmp(word, p->at, p->len);
}

static void advance(struct parser *p)
{
    static const size_t nr = sizeof(marks) / sizeof(marks[0]);

    while (is_space(*p->next))
        p->next++;
    p->at = p->next;
    p->token = *p->at ? STRANGE : END;
    while (is_of_word(*p->next))
        p->next++;
    p->len = (size_t)(p->next - p->at);
    if (p->len) {
        p->token = is(p, "and")   ? AND
                   : is(p, "or")  ? OR
                   : is(p, "not") ? NOT
                                  : WORD;
        return;
    }
    for (size_t i = 0; i < nr && p->token == STRANGE; i++) {
        if (strncmp(p->at, marks[i].text, strlen(marks[i].text)))
            continue;
        p->token = marks[i].token;
        p->len = strlen(marks[i].text);
    }
    p->next += p->len;
}

/* The token, for a message. */
static const char *quoted(const struct parser *p, char text[MAX_WORD + 3])
{
    if (p->token == END)
        return "the end";
    snprintf(text, MAX_WORD + 3, "'%.*s'",
             p->token == STRANGE ? 1 : (int)(p->len < 40 ? p->len : 40),
             *p->at >= ' ' && *p->at <= '~' ? p->at : "?");
    return text;
}

static void emit(struct parser *p, const struct filter_step *step)
{
    if (p->failed)
        return;
    if (p->filter->nr == FILTER_MAX_STEPS) {
        refuse(p, "too long: more than %d tests, and, or and not",
               FILTER_MAX_STEPS);
        return;
    }
    p->filter->steps[p->filter->nr++] = *step;
}

static void emit_op(struct parser *p, int op)
{
    struct filter_step step = {.op = op};

    emit(p, &step);
}

/* As msr_efer does with efer. */
static bool is_end_of(const struct parser *p, const char *name)
{
    size_t len = strlen(name);

    return len > p->len + 1 && name[len - p->len - 1] == '_' &&
           !memcmp(name + len - p->len, p->at, p->len);
}

static void refuse_field(struct parser *p)
{
    struct suggest near = suggest_for(p->at, p->len);
    char text[MAX_WORD + 3], meant[SUGGEST_TEXT];
    const struct field *field;

    if (p->token != WORD) {
        refuse(p,
               "a field is wanted, as in leaf == 1, not %s; -F help lists them",
               quoted(p, text));
        return;
    }
    for (unsigned int i = 0; (field = field_at(i)) != NULL; i++)
        if (field->name)
            suggest_try(&near, field->name);
    for (unsigned int i = 0; (field = field_at(i)) != NULL; i++)
        if (field->name && is_end_of(p, field->name))
            near.name = field->name;
    refuse(p, "no field %s; %s-F help lists them", quoted(p, text),
           suggest_text(&near, meant));
}

static void refuse_name(struct parser *p, const struct field *field)
{
    struct suggest near = suggest_for(p->at, p->len);
    char text[MAX_WORD + 3], meant[SUGGEST_TEXT];
    const char *name;
    uint64_t value;

    for (unsigned int i = 0; (name = field->names(i, &value)) != NULL; i++)
        if (*name)
            suggest_try(&near, name);
    /* An event of -e may be a register here. */
    if (!strcmp(field->name, "event") && p->len == 3 && !memcmp(p->at, "cr", 2))
        refuse(p, "%s is no name of %s; write register == %.3s",
               quoted(p, text), field->name, p->at);
    else
        refuse(p, "%s is no %s of %s; %s-F help lists them", quoted(p, text),
               field->only_names ? "name" : "number or name", field->name,
               suggest_text(&near, meant));
}

static bool find_name(struct parser *p, const struct field *field,
                      uint64_t *value)
{
    const char *name;

    for (unsigned int i = 0; (name = field->names(i, value)) != NULL; i++)
        if (is(p, name))
            return true;
    return false;
}

/* A number, or a name that the field has for one. */
static bool is_value(struct parser *p, const struct field *field,
                     uint64_t *value)
{
    char word[MAX_WORD];

    if (field->names && find_name(p, field, value))
        return true;
    if (field->only_names || p->len >= sizeof(word))
        return false;
    snprintf(word, sizeof(word), "%.*s", (int)p->len, p->at);
    return number_read(word, 0, UINT64_MAX, value);
}

static uint64_t parse_value(struct parser *p, const struct field *field)
{
    char text[MAX_WORD + 3];
    uint64_t value = 0;
    bool good;

    if (p->token != WORD) {
        refuse(p, "a value of %s is wanted, not %s", field->name,
               quoted(p, text));
        return 0;
    }
    p->value = p->at;
    p->value_len = p->len;
    good = is_value(p, field, &value);
    if (good)
        advance(p);
    else if (field->names)
        refuse_name(p, field);
    else
        refuse(p,
               "%s is no number; write decimal, or hexadecimal after 0x, of "
               "64 bits at most",
               quoted(p, text));
    return good ? value : 0;
}

/* "in 1-3, 7": one test a range, with an "or" behind the second and so on. */
static void parse_ranges(struct parser *p, struct filter_step step,
                         const struct field *field)
{
    bool first = true;

    do {
        const char *at;

        advance(p);
        at = p->at;
        step.low = step.high = parse_value(p, field);
        /* Their order has no meaning. */
        if (p->token == DASH && field->only_names)
            refuse(p, "%s has no ranges; name each, as in %s in %.*s, ...",
                   field->name, field->name, (int)p->value_len, p->value);
        if (p->token == DASH) {
            advance(p);
            step.high = parse_value(p, field);
        }
        if (step.low > step.high && !p->failed) {
            p->at = at;
            refuse(p, "a range upside down: the lower end comes first");
        }
        emit(p, &step);
        if (!first)
            emit_op(p, FILTER_OR);
        first = false;
    } while (p->token == COMMA && !p->failed);
}

/* The relation, as what is from `low` to `high`, or outside. */
static void relate(struct filter_step *step, enum token relation,
                   uint64_t value)
{
    step->outside = relation == DIFFERS || relation == MORE;
    step->low =
        relation == LESS || relation == MOST || relation == MORE ? 0 : value;
    step->high = value;
    switch (relation) {
    case LEAST:
        step->high = UINT64_MAX;
        break;
    case LESS:
        /* Nothing is below 0. */
        step->low = !value;
        step->high = value ? value - 1 : 0;
        break;
    default:
        break;
    }
}

static bool is_relation(enum token token)
{
    return token >= EQUAL && token <= LEAST;
}

/*
 * "register == cr3 or cr4": the second is no test of the register.  It may be
 * that of a field with this name, which nearly each event passes.
 */
static bool is_value_alone(const struct parser *p)
{
    struct parser ahead = *p;
    uint64_t value;

    if (p->token != WORD || !p->compared ||
        !is_value(&ahead, p->compared, &value))
        return false;
    if (field_named(p->at, p->len) < 0)
        return true;
    advance(&ahead);
    return ahead.token != MASK && !is_relation(ahead.token) &&
           !(ahead.token == WORD && is(&ahead, "in"));
}

static void refuse_value_alone(struct parser *p)
{
    char also[MAX_WORD + 16] = "";

    if (field_named(p->at, p->len) >= 0)
        snprintf(also, sizeof(also), ", or %.*s != 0", (int)p->len, p->at);
    refuse(p, "%.*s is compared with nothing; write %s in %.*s, %.*s%s",
           (int)p->len, p->at, p->compared->name, (int)p->value_len, p->value,
           (int)p->len, p->at, also);
}

static void parse_test(struct parser *p)
{
    struct filter_step step = {
        .op = FILTER_TEST, .outside = true, .mask = UINT64_MAX};
    const struct field *field;
    char text[MAX_WORD + 3];
    enum token relation;
    int i = p->token == WORD ? field_named(p->at, p->len) : -EINVAL;

    if (is_value_alone(p)) {
        refuse_value_alone(p);
        return;
    }
    if (i < 0) {
        refuse_field(p);
        return;
    }
    step.field = (unsigned int)i;
    field = field_at(step.field);
    p->compared = NULL;
    advance(p);
    if (field->only_names && p->token != EQUAL && p->token != DIFFERS &&
        !(p->token == WORD && is(p, "in"))) {
        refuse(p, "%s is compared by ==, != or in", field->name);
        return;
    }
    if (p->token == MASK) {
        advance(p);
        step.mask = parse_value(p, field);
    }
    if (p->token == WORD && is(p, "in")) {
        step.outside = false;
        parse_ranges(p, step, field);
        p->compared = field;
        return;
    }
    if (p->token == WORD) {
        refuse(p, "a relation is wanted, ==, !=, <, <=, >, >=, & or in, not %s",
               quoted(p, text));
        return;
    }
    if (is_relation(p->token)) {
        relation = p->token;
        advance(p);
        relate(&step, relation, parse_value(p, field));
        p->compared = field;
    }
    emit(p, &step);
}

/* Something stands where the filter should end, or go on. */
static void refuse_trailing(struct parser *p)
{
    char text[MAX_WORD + 3];

    if (*p->at == '=')
        refuse(p, "write == to compare");
    else if (*p->at == '|')
        refuse(p, "write || or or");
    else if (p->depth && p->token == END)
        refuse(p, "a ) is missing");
    else if (p->token == CLOSE)
        refuse(p, "a ( is missing before it");
    else
        refuse(p, "and, or or %s is wanted, not %s",
               p->depth ? "a )" : "the end", quoted(p, text));
}

static void parse_filter(struct parser *p);

static void parse_factor(struct parser *p)
{
    bool negated = false;

    for (; p->token == NOT; advance(p))
        negated = !negated;
    if (p->token != OPEN) {
        parse_test(p);
    } else if (p->depth == FILTER_MAX_DEPTH) {
        refuse(p, "more than %d parentheses in one another", FILTER_MAX_DEPTH);
    } else {
        p->depth++;
        advance(p);
        parse_filter(p);
        if (p->token != CLOSE)
            refuse_trailing(p);
        p->depth--;
        advance(p);
    }
    if (negated)
        emit_op(p, FILTER_NOT);
}

static void parse_term(struct parser *p)
{
    parse_factor(p);
    while (p->token == AND) {
        advance(p);
        parse_factor(p);
        emit_op(p, FILTER_AND);
    }
}

/* It calls itself by way of parse_factor(): FILTER_MAX_DEPTH times at most. */
static void parse_filter(struct parser *p)
{
    parse_term(p);
    while (p->token == OR) {
        advance(p);
        parse_term(p);
        emit_op(p, FILTER_OR);
    }
}

int filter_add(struct filter *filter, const char *text,
               struct filter_error *error)
{
    struct parser p = {
        .text = text, .next = text, .filter = filter, .error = error};
    unsigned int before = filter->nr;

    advance(&p);
    parse_filter(&p);
    if (p.token != END)
        refuse_trailing(&p);
    if (before)
        emit_op(&p, FILTER_AND);
    if (!p.failed)
        return 0;
    filter->nr = before;
    return -EINVAL;
}
