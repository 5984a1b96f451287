/* SPDX-License-Identifier: MIT */
/*
 * options.c: the command line.
 */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../bridge/exit_status.h"
#include "../libvmring/vmring.h"
#include "../terminal/number.h"
#include "../terminal/option.h"
#include "../terminal/screen.h"
#include "help.h"
#include "output/say.h"

#define DEFAULT_SORT   "100ms"
#define DEFAULT_END_MS 60000

#define MAX_HOURS UINT64_C(200000) /* 22 years */

/* The parser hands it from call to call. */
struct parse {
    struct options *options;
    bool told; /* an error has had its line */
    bool help; /* nothing is left to do */
};

__attribute__((format(printf, 4, 5))) static error_t
refuse(struct parse *parse, const char *option, const char *arg,
       const char *remedy, ...)
{
    char text[256];
    va_list args;

    va_start(args, remedy);
    vsnprintf(text, sizeof(text), remedy, args);
    va_end(args);
    /* A value that may be left out is written behind a =. */
    say("%s%s%s: %s", option, option[strlen(option) - 1] == '=' ? "" : " ",
        *arg ? arg : "''", text);
    parse->told = true;
    return EINVAL;
}

/* The options that are numbers; all are read by number_parse(). */
static const struct {
    int key;
    const char *name;
    struct number takes;
} numbers[] = {
    {'n',
     "-n",
     {NUMBER_COUNT, 0, 1, UINT64_MAX, "a count of events", "100, 10k or 1m",
      NULL}},
    {'t',
     "-t",
     {NUMBER_TIME, NUMBER_S, NUMBER_US, MAX_HOURS *NUMBER_H, "a time",
      "10s, 500ms, 5m or 1h", NULL}},
    {OPTION_END_WITHIN,
     "--end-within",
     {NUMBER_TIME, NUMBER_S, NUMBER_MS, 24 * NUMBER_H, "a time", "30s or 5m",
      "none"}},
    {OPTION_SORT,
     "--sort=",
     {NUMBER_TIME, NUMBER_MS, NUMBER_MS, 60 * NUMBER_S, "a time", "100ms or 2s",
      NULL}},
    {OPTION_SLOW,
     "--slow",
     {NUMBER_TIME, NUMBER_US, NUMBER_US, 10 * NUMBER_S, "a time",
      "200us or 5ms", NULL}},
    {OPTION_DEADLINE,
     "--deadline",
     {NUMBER_TIME, NUMBER_MS, NUMBER_MS, 24 * NUMBER_H, "a time", "500ms or 2s",
      NULL}},
    {OPTION_ASYNC_BYTES,
     "--async-bytes",
     {NUMBER_SIZE, 0, 1, XEN_VM_RING_MAX_ASYNC, "bytes", "65536, 64k or 1m",
      NULL}},
    {OPTION_RECORD_SIZE,
     "--record-size",
     {NUMBER_SIZE, 0, 1, UINT32_MAX, "bytes", "64 without registers, 448 with",
      NULL}},
    {OPTION_GROUPS,
     "--groups",
     {NUMBER_PLAIN, 0, 1, XEN_VM_RING_MAX_GROUPS, "a number", "4", NULL}},
    {OPTION_WORKERS,
     "--workers",
     {NUMBER_PLAIN, 0, 1, XEN_VM_RING_MAX_GROUPS, "a number of threads", "4",
      NULL}},
};

#define NR_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static void take_number(struct options *options, int key, uint64_t value)
{
    switch (key) {
    case 'n':
        options->count = value;
        break;
    case 't':
        options->seconds = (double)value / (double)NUMBER_S;
        break;
    case OPTION_END_WITHIN:
        options->end_within_ms = (unsigned int)(value / NUMBER_MS);
        break;
    case OPTION_SLOW:
        options->slow_us = (unsigned int)(value / NUMBER_US);
        break;
    case OPTION_SORT:
        options->sort_ns = value;
        break;
    case OPTION_DEADLINE:
        options->deadline_ns = value;
        break;
    case OPTION_ASYNC_BYTES:
        options->async_len = value;
        break;
    case OPTION_RECORD_SIZE:
        options->record_len = (uint32_t)value;
        break;
    case OPTION_GROUPS:
        options->nr_groups = (uint32_t)value;
        break;
    case OPTION_WORKERS:
        options->nr_workers = (unsigned int)value;
        break;
    }
}

static size_t index_of(int key)
{
    size_t i = 0;

    while (i < NR_NUMBERS && numbers[i].key != key)
        i++;
    return i;
}

static error_t refuse_argument(struct parse *parse, const char *arg)
{
    const char *given = parse->options->endpoint;
    size_t at = index_of(OPTION_SORT);
    uint64_t time;

    parse->told = true;
    if (parse->options->sort_ns &&
        number_parse(&numbers[at].takes, given, &time)) {
        say("unexpected argument '%s': if %s is the time of --sort, write "
            "--sort=%s",
            arg, given, given);
        return EINVAL;
    }
    say("unexpected argument '%s': give one ENDPOINT, and quote EVENTS with "
        "spaces",
        arg);
    return EINVAL;
}

static error_t parse_number(struct parse *parse, int key, const char *arg)
{
    char remedy[160];
    uint64_t value;
    size_t i = index_of(key);

    if (i == NR_NUMBERS)
        return ARGP_ERR_UNKNOWN;
    if (!arg)
        arg = DEFAULT_SORT;
    if (!number_parse(&numbers[i].takes, arg, &value))
        return refuse(parse, numbers[i].name, arg, "%s",
                      number_remedy(&numbers[i].takes, remedy, sizeof(remedy)));
    take_number(parse->options, key, value);
    return 0;
}

/* One of some words: its index into *at. */
static error_t parse_choice(struct parse *parse, const char *option,
                            const char *arg, const char *const *words,
                            unsigned int *at)
{
    char remedy[160];
    int i = option_choice(arg, words, remedy, sizeof(remedy));

    if (i < 0)
        return refuse(parse, option, arg, "%s", remedy);
    *at = (unsigned int)i;
    return 0;
}

static error_t parse_loss_policy(struct parse *parse, const char *arg)
{
    static const char *const words[] = {"discard", "overwrite", NULL};
    static const uint32_t policies[] = {XEN_VM_RING_POLICY_DISCARD,
                                        XEN_VM_RING_POLICY_OVERWRITE};
    unsigned int i = 0;
    error_t r = parse_choice(parse, "--policy", arg, words, &i);

    parse->options->loss_policy = policies[i];
    return r;
}

static error_t parse_format(struct parse *parse, const char *arg)
{
    const char *words[FORMAT_MOST + 1] = {NULL};
    unsigned int i = 0;
    error_t r;

    for (unsigned int f = 0; format_at(f); f++)
        words[f] = format_at(f)->name;
    r = parse_choice(parse, "-f", arg, words, &i);
    parse->options->format = format_at(i);
    return r;
}

static error_t parse_times(struct parse *parse, const char *arg)
{
    static const char *const words[] = {"relative", "absolute", "delta", NULL};
    unsigned int i = TIMES_RELATIVE;
    error_t r = parse_choice(parse, "--time", arg, words, &i);

    parse->options->times = (enum times)i;
    return r;
}

static error_t parse_filter(struct parse *parse, const char *arg)
{
    struct filter_error error;
    char mark[FILTER_MARK_LEN];

    if (!strcmp(arg, "help")) {
        parse->options->list_fields = true;
        return 0;
    }
    if (!filter_add(&parse->options->filter, arg, &error))
        return 0;
    say("-F: %s", error.text);
    filter_mark(arg, &error, mark);
    say_raw(mark, strlen(mark));
    say_raw("\n", 1);
    parse->told = true;
    return EINVAL;
}

static error_t parse_watch(struct parse *parse, int key, char *arg)
{
    struct options *options = parse->options;
    char error[256];

    switch (key) {
    case 'e':
        options->events = arg;
        options->list_kinds = !strcmp(arg, "help");
        return 0;
    case 'F':
        return parse_filter(parse, arg);
    case OPTION_DENY:
        if (policy_deny(&options->policy, arg, error, sizeof(error))) {
            say("%s", error);
            parse->told = true;
            return EINVAL;
        }
        return 0;
    case 'f':
        return parse_format(parse, arg);
    case OPTION_POLICY:
        return parse_loss_policy(parse, arg);
    case OPTION_TIME:
        return parse_times(parse, arg);
    case 'o':
        options->output = arg;
        return 0;
    case OPTION_LEDGER_JSON:
        options->ledger_json = arg;
        return 0;
    case 'c':
        options->summary = true;
        return 0;
    case 'q':
        options->quiet = true;
        return 0;
    case 'v':
        options->verbose = true;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static error_t parse_sandbox(struct parse *parse, int key, char *arg)
{
    switch (key) {
    case OPTION_USER:
        parse->options->user = arg;
        return 0;
    case OPTION_NO_SANDBOX:
        parse->options->no_sandbox = true;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

/* The parser itself could make nothing of it. */
static void refuse_option(struct parse *parse, const struct argp_state *state)
{
    char text[256];

    option_refused(state, help_options, text, sizeof(text));
    say("%s", text);
    parse->told = true;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct parse *parse = state->input;
    error_t r;

    switch (key) {
    case ARGP_KEY_ARG:
        if (parse->options->endpoint)
            return refuse_argument(parse, arg);
        parse->options->endpoint = arg;
        parse->options->list_keys = !strcmp(arg, "sim:help");
        return 0;
    case ARGP_KEY_ERROR:
        if (!parse->told)
            refuse_option(parse, state);
        return 0;
    case 'h':
    case OPTION_USAGE:
    case 'V':
        /* Nothing after it matters. */
        parse->help = true;
        state->next = state->argc;
        screen_widen_help();
        if (key == 'V')
            printf("vmring-agent %s\n", VMRING_VERSION_STRING);
        else
            argp_help(state->root_argp, stdout,
                      key == 'h' ? ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG |
                                       ARGP_HELP_DOC
                                 : ARGP_HELP_USAGE,
                      state->name);
        return 0;
    }
    r = parse_watch(parse, key, arg);
    if (r == ARGP_ERR_UNKNOWN)
        r = parse_number(parse, key, arg);
    if (r == ARGP_ERR_UNKNOWN)
        r = parse_sandbox(parse, key, arg);
    return r;
}

/* Checks what only all options together can be wrong about. */
static bool consistent(const struct options *options)
{
    char error[256];

    if (options->list_fields || options->list_keys)
        return true;
    if (!options->endpoint && !options->list_kinds) {
        say("no ENDPOINT given; name a domain, local:PATH or sim:vcpus=4, "
            "or see --help");
        return false;
    }
    if (options->user && options->no_sandbox) {
        say("--user is a part of the sandbox; leave it or --no-sandbox out");
        return false;
    }
    if (options->list_kinds)
        return true;
    if (!options->events[strspn(options->events, " ,\t\n")]) {
        say("-e '%s': no event; name one, as in -e cpuid, or see -e help",
            options->events);
        return false;
    }
    if (options->nr_groups && options->nr_workers > options->nr_groups) {
        say("--workers %u: more than --groups %u, of which each worker needs "
            "one; leave --groups out, or raise it",
            options->nr_workers, options->nr_groups);
        return false;
    }
    if (policy_check_armed(&options->policy, options->events, error,
                           sizeof(error))) {
        say("%s", error);
        return false;
    }
    return true;
}

bool options_parse(struct options *options, int argc, char **argv, int *status)
{
    static const struct argp argp = {
        help_options, parse_option, "ENDPOINT", help_doc, NULL, NULL, NULL};
    struct parse parse = {.options = options};

    memset(options, 0, sizeof(*options));
    options->format = format_at(0);
    options->events = HELP_DEFAULT_EVENTS;
    options->end_within_ms = DEFAULT_END_MS;
    options->loss_policy = XEN_VM_RING_POLICY_DISCARD;

    /* Its own messages take two lines and name no remedy. */
    if (argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL,
                   &parse)) {
        *status = EXIT_USAGE;
        return false;
    }
    if (parse.help) {
        *status = EXIT_AS_ASKED;
        if (fflush(stdout) || ferror(stdout)) {
            say("standard output: %s", strerror(errno));
            *status = EXIT_OUTPUT;
        }
        return false;
    }
    if (!consistent(options)) {
        *status = EXIT_USAGE;
        return false;
    }
    if (!options->nr_groups)
        options->nr_groups = options->nr_workers;
    return true;
}
