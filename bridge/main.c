/* SPDX-License-Identifier: MIT */
/* main.c: the command line of vmring-bridge. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sandbox/sandbox.h"
#include "../terminal/option.h"
#include "../terminal/screen.h"
#include "../terminal/visible.h"
#include "bridge.h"
#include "domain.h"
#include "exit_status.h"
#include "log.h"
#include "reader.h"
#include "signals.h"

/* The C library looks for it, so it must be visible. */
__attribute__((__visibility__("default"))) const char *argp_program_version =
    "vmring-bridge " VMRING_VERSION_STRING;

static const char doc[] =
    "Serves the vCPU events of a Xen guest on a vm_ring."
    "\vTARGET is a domain's id or name, domain:NAME if that looks like "
    "something else, or sim:KEY=VALUE,... for a simulated guest "
    "(vmring-bridge(8) lists the keys).\n\n"
    "Examples:\n"
    "  vmring-bridge 5\n"
    "      serve domain 5 on local:/run/vmring/dom5.sock until it ends\n"
    "  vmring-bridge --allow-events cpuid,cr3 --allow-verdicts none web1\n"
    "      let agents observe these two events and no more\n"
    "  vmring-bridge --to agents 5\n"
    "      serve domain 5 to the domain 'agents': vmring-agent grant:0/5 "
    "there\n"
    "  vmring-bridge --listen local:/tmp/s --once sim:vcpus=4,count=1000\n"
    "      a simulated guest for one agent: vmring-agent local:/tmp/s\n\n"
    "A consumer that detaches leaves nothing armed. One that crashed is "
    "waited for: until the linger time is over its events stay armed, and "
    "each is answered neutrally at its deadline.\n\n"
    "Exit status: 0 as asked, 1 fault, 2 usage, 3 the target has ended, 4 no "
    "such domain, 5 no permission, 6 no Xen here, 7 the domain has no monitor "
    "(PV...), 9 another consumer or bridge has the domain, or the socket, "
    "12 statistics not "
    "written, 14 the domain could not be left as found, or not recovered, 15 "
    "recovered: what its vCPUs waited for is lost.";

enum {
    OPT_LISTEN = 0x100,
    OPT_MODE,
    OPT_TO,
    OPT_FD,
    OPT_READY_FD,
    OPT_DEADLINE,
    OPT_ON_DEADLINE,
    OPT_ALLOW_EVENTS,
    OPT_ALLOW_VERDICTS,
    OPT_MAX_ASYNC_BYTES,
    OPT_LINGER,
    OPT_FAREWELL,
    OPT_ONCE,
    OPT_SHARE,
    OPT_WAIT,
    OPT_RECOVER,
    OPT_STATS,
    OPT_NO_SANDBOX,
    OPT_USAGE,
};

static const struct argp_option argp_options[] = {
    {NULL, 0, NULL, 0, "Where to serve:", 1},
    {"listen", OPT_LISTEN, "local:PATH", 0,
     "Unix socket to serve (local:/run/vmring/dom<ID>.sock)", 0},
    {"mode", OPT_MODE, "OCTAL", 0, "Its file mode (0600)", 0},
    {"to", OPT_TO, "DOMAIN", 0,
     "Serve the agents in this domain of Xen, by granted pages, and no socket: "
     "there, vmring-agent grant:BACKEND/TARGET with the ids of this domain "
     "and of the target",
     0},
    {"fd", OPT_FD, "N", 0,
     "Serve the consumer at the other end of this connected unix socket; no "
     "other socket then, unless --listen is given too",
     0},
    {"ready-fd", OPT_READY_FD, "N", 0,
     "Write the socket's path and a newline there once serving; closed "
     "without: failed",
     0},
    {"share", OPT_SHARE, NULL, 0,
     "If another bridge has TARGET already, write its socket's path to "
     "--ready-fd and end",
     0},
    {"wait", OPT_WAIT, "SECONDS", 0,
     "Wait this long for a TARGET that is being built (60)", 0},
    {"once", OPT_ONCE, NULL, 0,
     "End when the consumer has detached, or crashed and found no successor",
     0},
    {"recover", OPT_RECOVER, "force", OPTION_ARG_OPTIONAL,
     "Serve nobody: free TARGET from a bridge that was killed, as far as that "
     "can be done, and end; force: though a program here listens to Xen "
     "about it",
     0},
    {"linger", OPT_LINGER, "SECONDS", 0,
     "Wait this long for a crashed consumer's successor (10)", 0},
    {"farewell", OPT_FAREWELL, "SECONDS", 0,
     "At the end wait this long for the consumer to take what is left, and its "
     "counts (15)",
     0},
    {NULL, 0, NULL, 0, "What consumers may do:", 2},
    {"allow-events", OPT_ALLOW_EVENTS, "LIST", 0,
     "Events that may be armed, as in 'vmring-agent -e help' (all)", 0},
    {"allow-verdicts", OPT_ALLOW_VERDICTS, "LIST", 0,
     "Verdicts that may be granted: deny, set_registers, emulate, step, "
     "altp2m, inject, next_interrupt, reset, continue; none; all that the "
     "source can do (all)",
     0},
    {"max-async-bytes", OPT_MAX_ASYNC_BYTES, "N[k|m|g]", 0,
     "Bytes of asynchronous ring that a consumer may ask for, if there is "
     "memory (64m)",
     0},
    {"deadline", OPT_DEADLINE, "MS", 0,
     "A request waits at most this long for its verdict; none: for ever (1000)",
     0},
    {"on-deadline", OPT_ON_DEADLINE, "neutral|pause", 0,
     "Then answer as if nobody had looked, or pause the domain until the "
     "verdict comes (neutral)",
     0},
    {NULL, 0, NULL, 0, "What is reported:", 3},
    {"stats", OPT_STATS, "FILE", 0,
     "Write statistics there as JSON at the end; -: standard output", 0},
    {"quiet", 'q', NULL, 0, "No ledger on standard error, only warnings", 0},
    {"verbose", 'v', NULL, 0, "Say more; twice: what libxenctrl says too", 0},
    {NULL, 0, NULL, 0, "What it gives up once it serves:", 4},
    {"no-sandbox", OPT_NO_SANDBOX, NULL, 0,
     "Nothing: for debugging, or where the kernel has no seccomp", 0},
    {"help", 'h', NULL, 0, "Print this help", -1},
    {"usage", OPT_USAGE, NULL, 0, "Print a short usage message", -1},
    {"version", 'V', NULL, 0, "Print the version", -1},
    {0},
};

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
    char text[512], shown[VISIBLE_ROOM(512)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "vmring-bridge: %s\n", visible(shown, sizeof(shown), text));
    exit(EXIT_USAGE);
}

static unsigned long number(const char *name, const char *text, int base,
                            unsigned long max)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, base);
    if (errno || end == text || *end || *text == '-' || value > max)
        refuse(base == 8 ? "--%s takes an octal number from 0 to %lo, not '%s'"
                         : "--%s takes a number from 0 to %lu, not '%s'",
               name, max, text);
    return value;
}

static int descriptor(const char *name, const char *text)
{
    int fd = (int)number(name, text, 10, 1 << 20);

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

static uint64_t deadline(const char *text)
{
    unsigned long ms;

    if (strcmp(text, "none") == 0)
        return UINT64_MAX;
    ms = number("deadline", text, 10, 86400000);
    if (ms == 0)
        refuse("--deadline is at least 1 ms; 'none' waits for ever");
    return ms * UINT64_C(1000000);
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

static uint64_t max_async_bytes(const char *text)
{
    static const char suffixes[] = "kmg";
    bool digit = *text >= '0' && *text <= '9';
    unsigned long long value;
    const char *suffix;
    char *end;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (value && *end && (suffix = strchr(suffixes, *end)) != NULL) {
        unsigned int shift = 10 * (unsigned int)(suffix - suffixes + 1);

        value = value > ULLONG_MAX >> shift ? ULLONG_MAX : value << shift;
        end++;
    }
    if (errno || !digit || !value || *end || value > XEN_VM_RING_MAX_ASYNC)
        refuse("--max-async-bytes takes bytes from 1 to %llu, as in 65536, "
               "64k or 1m, not '%s'",
               (unsigned long long)XEN_VM_RING_MAX_ASYNC, text);
    return value;
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

static void target(struct bridge_options *options, const char *text)
{
    if (options->target)
        refuse("one TARGET only: '%s' is too much", text);
    if (!*domain_text(text))
        refuse("TARGET is empty");
    if (strncmp(text, "sim:", 4) == 0) {
        options->source = &sim_source;
        text += 4;
    }
    options->target = text;
}

/* The parser itself could make nothing of it. */
__attribute__((noreturn)) static void
refuse_option(const struct argp_state *state)
{
    char text[256];

    option_refused(state, argp_options, text, sizeof(text));
    refuse("%s", text);
}

/* What --help and the like end with: who reads it may have no room. */
static int have_shown(void)
{
    char text[128];

    if ((!fflush(stdout) && !ferror(stdout)) || errno == EPIPE)
        return EXIT_AS_ASKED; /* or has read enough */
    snprintf(text, sizeof(text), "standard output: %s", strerror(errno));
    fprintf(stderr, "vmring-bridge: %s\n", text);
    return EXIT_OUTPUT;
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
        options->mode = (unsigned int)number("mode", arg, 8, 0777);
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
        options->max_async_len = max_async_bytes(arg);
        break;
    case OPT_LINGER:
        options->linger_s = (unsigned int)number("linger", arg, 10, 86400);
        break;
    case OPT_FAREWELL:
        options->farewell_s = (unsigned int)number("farewell", arg, 10, 86400);
        break;
    case OPT_SHARE:
        options->shares = true;
        break;
    case OPT_WAIT:
        options->wait_s = (unsigned int)number("wait", arg, 10, 86400);
        break;
    case OPT_ONCE:
        options->once = 1;
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
        options->no_sandbox = 1;
        break;
    case 'q':
        options->quiet = 1;
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
        argp_options, parse, "TARGET", doc, NULL, NULL, NULL,
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

    /* Of the whole process: it may end before they are closed. */
    static struct sandbox_inherited inherited;
    int status;

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
        log_threshold(arguments.verbose > 1 ? LOG_DEBUG : LOG_INFO);
    else if (arguments.options.quiet)
        log_threshold(LOG_WARNING);
    /* A consumer that takes away pages that it shares is no reason to die. */
    (void)vmring_catch_sigbus();
    if (!arguments.recover && !arguments.options.to &&
        !arguments.options.no_sandbox)
        arguments.options.reader = bridge_reader_start();
    if (log_begin() < 0) {
        log_line(LOG_ERR, "no thread to write lines with: %s; raise ulimit -u",
                 strerror(errno));
        return EXIT_FAULT;
    }
    status = run(&arguments);
    log_end();
    bridge_reader_end(arguments.options.reader);
    return status;
}
