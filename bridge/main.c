/* SPDX-License-Identifier: MIT */
/* main.c: the command line of vmring-bridge. */
#include <argp.h>
#include <bsd/inttypes.h>
#include <bsd/unistd.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libvmring/sim/params.h"
#include "../sandbox/sandbox.h"
#include "../terminal/number.h"
#include "../terminal/option.h"
#include "../terminal/screen.h"
#include "domain.h"
#include "exit_status.h"
#include "help.h"
#include "log.h"
#include "loop/bridge.h"
#include "loop/reader.h"
#include "signals.h"

/* The C library looks for it, so it must be visible. */
__attribute__((__visibility__("default"))) const char *argp_program_version =
    "vmring-bridge " VMRING_VERSION_STRING;

#define DEFAULT_MAX_ASYNC (UINT64_C(64) << 20)

/* Pages are granted in one turn: some 0.3 s where all is emulated. */
#define MAX_GRANTED (UINT64_C(64) << 20)

struct arguments {
    struct bridge_options options;
    int verbose;
    enum { SERVE, RECOVER, RECOVER_FORCED } recover;
};

/* One line, and out: argp_error() would add a second. */
__attribute__((format(printf, 1, 2), noreturn)) static void
refuse(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bridge_log(LOG_ERR, "%s", text);
    exit(EXIT_USAGE);
}

/* A plain number, without a unit. */
static uint64_t plain(const char *name, const char *text, uint64_t max)
{
    uint64_t value;

    if (!number_read(text, 0, max, &value))
        refuse("--%s takes a number from 0 to %" PRIu64 ", not '%s'", name, max,
               text);
    return value;
}

static unsigned int mode_of(const char *text)
{
    int wrong = 0;
    uint64_t mode = strtou(text, NULL, 8, 0, 0777, &wrong);

    if (wrong || !isdigit((unsigned char)text[0]))
        refuse("--mode takes an octal number from 0 to 777, not '%s'", text);
    return (unsigned int)mode;
}

static int descriptor(const char *name, const char *text)
{
    int fd = (int)plain(name, text, 1 << 20);

    if (fcntl(fd, F_GETFD) < 0)
        refuse("--%s %d: it is not open; give the number of one that this is "
               "started with",
               name, fd);
    return fd;
}

static int writable(const char *name, const char *text)
{
    int fd = descriptor(name, text);

    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
        refuse("--%s %d: it cannot be written to; give the number of one that "
               "can",
               name, fd);
    return fd;
}

#define WAIT                                                                   \
    {                                                                          \
        NUMBER_TIME, NUMBER_S, 0, 24 * NUMBER_H, "a time", "10s or 2m", NULL   \
    }

static const struct {
    int key;
    const char *name;
    struct number takes;
} numbers[] = {
    {OPT_DEADLINE,
     "deadline",
     {NUMBER_TIME, NUMBER_MS, NUMBER_MS, 24 * NUMBER_H, "a time", "500ms or 2s",
      "none"}},
    {OPT_LINGER, "linger", WAIT},
    {OPT_FAREWELL, "farewell", WAIT},
    {OPT_WAIT, "wait", WAIT},
    {OPT_MAX_ASYNC_BYTES,
     "max-async-bytes",
     {NUMBER_SIZE, 0, 1, XEN_VM_RING_MAX_ASYNC, "bytes", "64k or 1m", NULL}},
};

/* The number of the option with this key, which is in the table. */
static uint64_t number(int key, const char *text)
{
    char remedy[128];
    uint64_t value;
    unsigned int i = 0;

    while (numbers[i].key != key)
        i++;
    if (!number_parse(&numbers[i].takes, text, &value))
        refuse("--%s %s: %s", numbers[i].name, *text ? text : "''",
               number_remedy(&numbers[i].takes, remedy, sizeof(remedy)));
    return value;
}

/* Whole seconds, and no less than asked for. */
static unsigned int seconds(int key, const char *text)
{
    return (unsigned int)((number(key, text) + NUMBER_S - 1) / NUMBER_S);
}

static uint64_t deadline(const char *text)
{
    uint64_t ns = number(OPT_DEADLINE, text);

    return ns ? ns : UINT64_MAX; /* none */
}

static uint32_t on_deadline(const char *text)
{
    static const char *const words[] = {"neutral", "pause", NULL};
    static const uint32_t values[] = {VMRING_DEADLINE_NEUTRAL,
                                      VMRING_DEADLINE_PAUSE};
    char remedy[128];
    int i = option_choice(text, words, remedy, sizeof(remedy));

    if (i < 0)
        refuse("--on-deadline %s: %s", *text ? text : "''", remedy);
    return values[i];
}

static void allow_verdicts(const char *text, uint32_t *mask)
{
    char error[200] = "";

    if (vmring_verdicts_parse(text, mask, error, sizeof(error)) < 0)
        refuse("--allow-verdicts: %s", error);
}

static void allow_events(const char *text, struct allow *allow)
{
    char error[200] = "";

    if (allow_parse(text, allow, error, sizeof(error)) < 0)
        refuse("--allow-events: %s", error);
    if (allow->kinds == 0)
        refuse("--allow-events allows no event");
}

/* The status of --help and the like: their reader may have no room. */
static int have_shown(void)
{
    if ((!fflush(stdout) && !ferror(stdout)) || errno == EPIPE)
        return EXIT_AS_ASKED; /* or has read enough */
    bridge_log(LOG_ERR, "standard output: %s", strerror(errno));
    return EXIT_OUTPUT;
}

__attribute__((noreturn)) static void list_keys(void)
{
    char line[VMRING_LINE];

    errno = 0;
    for (unsigned int i = 0; sim_params_help(false, i, line) >= 0; i++)
        puts(line);
    exit(have_shown());
}

static void target(struct bridge_options *options, const char *text)
{
    if (options->target)
        refuse("one TARGET only: '%s' is too much", text);
    if (!*domain_text(text))
        refuse("TARGET is empty");
    if (strncmp(text, "sim:", 4) == 0) {
        options->source = &sim_source;
        text += 4;
        if (strcmp(text, "help") == 0)
            list_keys();
    }
    options->target = text;
}

/* The parser itself could make nothing of it. */
__attribute__((noreturn)) static void
refuse_option(const struct argp_state *state)
{
    char text[256];

    option_refused(state, help_options, text, sizeof(text));
    refuse("%s", text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    struct bridge_options *options = &arguments->options;

    switch (key) {
    case OPT_LISTEN:
        options->listen = arg;
        break;
    case OPT_MODE:
        options->mode = mode_of(arg);
        break;
    case OPT_TO:
        if (!*domain_text(arg))
            refuse("--to takes a domain's id or name");
        options->to = arg;
        break;
    case OPT_FD:
        options->fd = descriptor("fd", arg);
        break;
    case OPT_READY_FD:
        options->ready_fd = writable("ready-fd", arg);
        break;
    case OPT_DEADLINE:
        options->deadline_ns = deadline(arg);
        break;
    case OPT_ON_DEADLINE:
        options->on_deadline = on_deadline(arg);
        break;
    case OPT_ALLOW_EVENTS:
        allow_events(arg, &options->allow);
        break;
    case OPT_ALLOW_VERDICTS:
        allow_verdicts(arg, &options->allow_verdicts);
        break;
    case OPT_MAX_ASYNC_BYTES:
        options->max_async_len = number(key, arg);
        break;
    case OPT_LINGER:
        options->linger_s = seconds(key, arg);
        break;
    case OPT_FAREWELL:
        options->farewell_s = seconds(key, arg);
        break;
    case OPT_SHARE:
        options->shares = true;
        break;
    case OPT_WAIT:
        options->wait_s = seconds(key, arg);
        break;
    case OPT_ONCE:
        options->once = true;
        break;
    case OPT_RECOVER:
        if (arg && strcmp(arg, "force") != 0)
            refuse("--recover takes 'force' or nothing, not '%s'", arg);
        arguments->recover = arg ? RECOVER_FORCED : RECOVER;
        break;
    case OPT_STATS:
        if (!*arg)
            refuse("--stats: no file is named; give one, or - for standard "
                   "output");
        options->stats = arg;
        break;
    case OPT_NO_SANDBOX:
        options->no_sandbox = true;
        break;
    case 'q':
        options->quiet = true;
        break;
    case 'v':
        arguments->verbose++;
        break;
    case 'h':
    case OPT_USAGE:
        screen_widen_help();
        errno = 0;
        argp_help(state->root_argp, stdout,
                  key == 'h'
                      ? ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC
                      : ARGP_HELP_USAGE,
                  state->name);
        exit(have_shown());
    case 'V':
        puts(argp_program_version);
        exit(have_shown());
    case ARGP_KEY_ARG:
        target(options, arg);
        break;
    case ARGP_KEY_END:
        if (!options->target)
            refuse("no TARGET; a domain's id or name, or sim:...");
        if (arguments->recover && !options->source->recover)
            refuse("--recover is for a domain of Xen");
        if (options->to && (options->listen || options->fd >= 0))
            refuse("--to serves one domain and no socket: leave out --listen "
                   "and --fd");
        if (options->to && options->max_async_len > MAX_GRANTED)
            refuse("--to grants a ring's pages in one go, of 64m at most: "
                   "give --max-async-bytes 64m or less");
        break;
    case ARGP_KEY_ERROR:
        refuse_option(state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int run(const struct arguments *arguments)
{
    const struct bridge_options *options = &arguments->options;

    if (!arguments->recover)
        return bridge_run(options);
    return options->source->recover(options->target,
                                    arguments->recover == RECOVER_FORCED);
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        help_options, parse, "TARGET", help_doc, NULL, NULL, NULL,
    };
    struct arguments arguments = {
        .options =
            {
                .source = &monitor_source,
                .fd = -1,
                .ready_fd = -1,
                .reader = -1,
                .deadline_ns = UINT64_C(1000000000),
                .max_async_len = DEFAULT_MAX_ASYNC,
                .allow = {UINT64_MAX},
                .allow_verdicts = XEN_VM_RING_VERDICTS,
                .linger_s = 10,
                .farewell_s = 15,
                .wait_s = 60,
                .no_sandbox = !SANDBOX_BY_DEFAULT,
            },
    };

    /* Static: the process may end before they are closed. */
    static struct sandbox_inherited inherited;
    int status;

    /* Takes the place of the arguments, and of what they stand in. */
    setproctitle_init(argc, argv, environ);
    sandbox_open_standard();
    if (sandbox_note_inherited(&inherited) < 0)
        refuse("out of memory");
    bridge_signals_begin();
    argp_err_exit_status = EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL,
                   &arguments))
        return EXIT_USAGE; /* refused already */
    sandbox_close_inherited(
        &inherited,
        (const int[]){arguments.options.fd, arguments.options.ready_fd}, 2);
    if (arguments.verbose)
        bridge_log_threshold(arguments.verbose > 1 ? LOG_DEBUG : LOG_INFO);
    else if (arguments.options.quiet)
        bridge_log_threshold(LOG_WARNING);
    /* A consumer that takes away pages that it shares is no reason to die. */
    (void)vmring_catch_sigbus();
    if (!arguments.recover && !arguments.options.to &&
        !arguments.options.no_sandbox)
        arguments.options.reader = bridge_reader_start();
    if (bridge_log_begin() < 0) {
        bridge_log(LOG_ERR,
                   "no thread to write lines with: %s; raise ulimit -u",
                   strerror(errno));
        return EXIT_FAULT;
    }
    status = run(&arguments);
    bridge_log_end();
    bridge_reader_end(arguments.options.reader);
    return status;
}
