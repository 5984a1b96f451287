/* SPDX-License-Identifier: MIT */
/* agent_domain.c: the domain of --to, before anything is attached. */
#include <errno.h>
#include <string.h>

#include "../domain.h"
#include "../exit_status.h"
#include "../log.h"
#include "../xenstore_names.h"
#include "state.h"

static int no_such_domain(const char *to)
{
    bridge_log(LOG_ERR,
               "there is no domain '%s' for --to; 'xl list' shows them", to);
    return EXIT_NO_TARGET;
}

static int does_not_answer(const char *to, int err)
{
    bridge_log(LOG_ERR,
               "xenstore does not answer (%s), so '%s' of --to is not found; "
               "look whether xenstored runs",
               strerror(-err), to);
    return EXIT_NO_TARGET;
}

/* Finds a domain of that name which xenstore serves. */
static int find_by_name(struct store *store, const char *to, uint32_t *domid)
{
    struct store_namesakes found = {0};
    int err = store_find(store, to, &found);
    unsigned int i = 0;

    while (i < found.nr && !found.of[i].introduced)
        i++;
    if (i < found.nr)
        *domid = found.of[i].domid;
    else
        return err ? does_not_answer(to, err) : no_such_domain(to);
    return 0;
}

/* Refuses a domain in which no agent could be met, and our own. */
static int check(struct store *store, const char *to, uint32_t domid)
{
    bool introduced = false, ours = false;
    int err = store_look_up(store, domid, &introduced, &ours);

    if (err == -ETIMEDOUT)
        return does_not_answer(to, err);
    if (err)
        return 0; /* nor can it be served: that says more */
    if (ours) {
        bridge_log(
            LOG_ERR,
            "--to %s is this bridge's own domain, whose agents come to a "
            "socket: leave out --to",
            to);
        return EXIT_USAGE;
    }
    return introduced ? 0 : no_such_domain(to);
}

int bridge_find_agents(struct bridge *bridge)
{
    const char *to = domain_text(bridge->options->to);
    struct store *store = store_open();
    int status = 0;

    if (!domain_is_id(to, &bridge->agents))
        status = find_by_name(store, to, &bridge->agents);
    if (!status)
        status = check(store, to, bridge->agents);
    store_close(store);
    return status;
}
