/* SPDX-License-Identifier: MIT */
/*
 * endpoint.c: from what the command line names to an attached ring.
 */
#include "endpoint.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../bridge/exit_status.h"
#include "../libvmring/text/suggest.h"
#include "base/clock.h"
#include "base/early.h"
#include "output/say.h"

/* Where a bridge that serves a domain by default listens. */
#define SOCKET_FORMAT "local:/run/vmring/dom%u.sock"
/* Before a name, or an id: it is taken for nothing else then. */
#define DOMAIN "domain:"
/* Before a domid: Xen itself is the producer. */
#define XEN "xen:"
/* DOMID_FIRST_RESERVED of Xen's public headers. */
#define MAX_DOMID 0x7fef

int endpoint_status(int error)
{
    switch (error) {
    case -EINVAL:
        return EXIT_USAGE;
    case -ENOENT:
    case -ECONNREFUSED:
    case -EACCES:
        return EXIT_NO_ENDPOINT;
    case -EBUSY:
    case -EADDRINUSE:
        return EXIT_BUSY;
    case -ENOSYS:
    case -ENODEV:
        return EXIT_UNSUPPORTED;
    case -EPERM:
        return EXIT_PERMISSION;
    case -EMSGSIZE:
    case -EOPNOTSUPP:
    case -ERANGE:
        return EXIT_REFUSED;
    case -ENXIO:
        return EXIT_NO_TARGET;
    case -ESRCH:
        return EXIT_TARGET_ENDED;
    case -ECONNRESET:
    case -ETIMEDOUT:
    case -EPROTO:
        return EXIT_PEER_LOST;
    }
    return EXIT_FAULT;
}

static void log_line(void *ctx, int level, const char *text)
{
    struct endpoint *endpoint = ctx;

    /* Warnings are of what the agent's own last line says, too. */
    if (level <= LOG_ERR || endpoint->options->verbose)
        say("%s", text);
    if (level <= LOG_ERR && endpoint->is_closing)
        endpoint->unwritten = true;
}

static bool is_over(void *ctx)
{
    const struct endpoint *endpoint = ctx;

    return early_has_come(NULL) ||
           (endpoint->limit && clock_ns() >= endpoint->limit);
}

static int attach(struct endpoint *endpoint, const struct options *options,
                  const char *uri, char *error, size_t error_len)
{
    struct vmring_opts opts = {
        .size = sizeof(opts),
        .log = log_line,
        .log_ctx = endpoint,
        .async_len = options->async_len,
        .record_len = options->record_len,
        .loss_policy = options->loss_policy,
        .nr_groups = options->nr_groups,
        .verdicts = policy_verdicts(&options->policy),
        .deadline_ns = options->deadline_ns,
        .error = error,
        .error_len = error_len,
        .interrupted = is_over,
        .interrupted_ctx = endpoint,
    };
    int r;

    error[0] = '\0';
    r = vmring_open(uri, &opts, &endpoint->ring);
    if (r < 0 && !error[0])
        snprintf(error, error_len, "%s: %s", uri, strerror(-r));
    endpoint->is_from_xen = !strncmp(uri, XEN, strlen(XEN));
    return r;
}

static int complain(int error, const char *text)
{
    if (error == -EINTR) {
        say("ended by a signal before it was attached");
        return EXIT_AS_ASKED;
    }
    say("%s", text);
    return endpoint_status(error);
}

/* "local:..." and the like; what they can be is the library's to say. */
static bool is_uri(const char *text)
{
    size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz");

    return scheme && text[scheme] == ':';
}

/*
 * For what is none of these the library has no better line; what was meant,
 * perhaps, goes into text.
 */
static bool is_known(const char *uri, char text[SUGGEST_TEXT])
{
    static const char *const schemes[] = {
        "local:", "fd:", "grant:", XEN, "sim:", DOMAIN};
    struct suggest near = suggest_for(uri, strcspn(uri, ":") + 1);

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (!strncmp(uri, schemes[i], strlen(schemes[i])))
            return true;
        suggest_try(&near, schemes[i]);
    }
    suggest_text(&near, text);
    return false;
}

static bool is_domid(const char *text, unsigned int *domid)
{
    unsigned long value;
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || *end || value > MAX_DOMID)
        return false;
    *domid = (unsigned int)value;
    return true;
}

static int attach_by_bridge(struct endpoint *endpoint,
                            const struct options *options)
{
    char uri[sizeof("local:") + sizeof(endpoint->bridge.socket)];
    char error[256];
    int status, r;

    status = bridge_start(&endpoint->bridge, options);
    if (!endpoint->bridge.pid)
        return status;
    snprintf(uri, sizeof(uri), "local:%s", endpoint->bridge.socket);
    r = attach(endpoint, options, uri, error, sizeof(error));
    if (!r)
        return EXIT_AS_ASKED;
    /* It has hung up because the target has ended meanwhile. */
    status = bridge_stop(&endpoint->bridge);
    if (status == EXIT_TARGET_ENDED) {
        say("%s has shut down or was destroyed; nothing is left to watch",
            options->endpoint);
        return status;
    }
    r = complain(r, error);
    return status == EXIT_LEFT_BEHIND ? status : r;
}

/*
 * Where Xen is no producer, or nobody may ask it, there is the bridge; and it
 * says what there is to be said of a domain that does not exist.
 */
static bool is_no_producer(int error)
{
    return error == -ENOSYS || error == -EOPNOTSUPP || error == -ENOENT ||
           error == -EACCES || error == -EPERM || error == -EINVAL ||
           error == -ENXIO;
}

static int attach_by_domid(struct endpoint *endpoint,
                           const struct options *options, unsigned int domid)
{
    char error[256], uri[64];
    int r;

    snprintf(uri, sizeof(uri), SOCKET_FORMAT, domid);
    r = attach(endpoint, options, uri, error, sizeof(error));
    if (!r)
        return EXIT_AS_ASKED;
    if (r != -ENOENT && r != -ECONNREFUSED)
        return complain(r, error);
    snprintf(uri, sizeof(uri), XEN "%u", domid);
    r = attach(endpoint, options, uri, error, sizeof(error));
    if (r)
        return is_no_producer(r) ? attach_by_bridge(endpoint, options)
                                 : complain(r, error);
    say("Xen itself is the producer");
    return EXIT_AS_ASKED;
}

static int attach_to(struct endpoint *endpoint, const struct options *options)
{
    const char *name = options->endpoint;
    bool is_named = !strncmp(name, DOMAIN, strlen(DOMAIN));
    int fd = endpoint_fd(options);
    unsigned int domid;
    char error[256], meant[SUGGEST_TEXT];
    int r;

    if (fd == 1 || fd == 2) {
        say("%s is a standard output of this program; give the number of "
            "another descriptor",
            name);
        return EXIT_USAGE;
    }
    if (is_uri(name) && !is_named) {
        r = attach(endpoint, options, name, error, sizeof(error));
        if (r == -EINVAL && !is_known(name, meant))
            snprintf(error, sizeof(error),
                     "'%s' is no endpoint; %ssay local:PATH, "
                     "grant:DOMID/TARGET, xen:DOMID or sim:vcpus=4, or for a "
                     "domain of that name domain:%s",
                     name, meant, name);
        /* Of these only a simulated guest's truth= is an output. */
        if (r == -EIO && !strncmp(name, "sim:", strlen("sim:"))) {
            say("%s", error);
            return EXIT_OUTPUT;
        }
        if (r == -ENOENT && endpoint->is_from_xen) {
            say("%s", error);
            return EXIT_NO_XEN;
        }
        return r ? complain(r, error) : EXIT_AS_ASKED;
    }
    if (!is_named && (!*name || *name == '-' || strchr(name, '/'))) {
        say("%s: neither a domain nor a URI; for a socket write "
            "local:PATH, for a domain of that name domain:NAME",
            *name ? name : "''");
        return EXIT_USAGE;
    }
    if (is_named && !name[strlen(DOMAIN)]) {
        say(DOMAIN " is without a name behind it");
        return EXIT_USAGE;
    }
    if (is_domid(is_named ? name + strlen(DOMAIN) : name, &domid))
        return attach_by_domid(endpoint, options, domid);
    return attach_by_bridge(endpoint, options);
}

/* To run without it has to be asked for: a failure ends the agent. */
static int enter_sandbox(struct endpoint *endpoint)
{
    char error[256];

    if (!agent_sandbox_enter(&endpoint->sandbox, endpoint->ring, error,
                             sizeof(error)))
        return EXIT_AS_ASKED;
    say("%s; --no-sandbox runs with all rights instead", error);
    endpoint_close(endpoint);
    return EXIT_FAULT;
}

int endpoint_fd(const struct options *options)
{
    const char *name = options->endpoint;
    long fd = -1;

    /* The library refuses all but numbers. */
    if (name && !strncmp(name, "fd:", 3))
        fd = strtol(name + 3, NULL, 10);
    return fd >= 0 && fd <= INT_MAX ? (int)fd : -1;
}

int endpoint_open(struct endpoint *endpoint, const struct options *options)
{
    bool wanted = SANDBOX_BY_DEFAULT && !options->no_sandbox;
    char error[256];
    int status;

    memset(endpoint, 0, sizeof(*endpoint));
    endpoint->options = options;
    if (wanted && agent_sandbox_prepare(&endpoint->sandbox, options->user,
                                        error, sizeof(error))) {
        say("%s", error);
        return EXIT_USAGE;
    }
    status = attach_to(endpoint, options);
    return status || !wanted || !endpoint->ring ? status
                                                : enter_sandbox(endpoint);
}

void endpoint_detach(struct endpoint *endpoint)
{
    endpoint->is_closing = true;
    vmring_close(endpoint->ring);
    endpoint->ring = NULL;
}

int endpoint_close(struct endpoint *endpoint)
{
    endpoint_detach(endpoint);
    return bridge_wait(&endpoint->bridge);
}
