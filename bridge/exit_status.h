/* SPDX-License-Identifier: MIT */
/*
 * exit_status.h: the exit statuses of vmring-bridge and vmring-agent, as
 * their manual pages give them.
 */
#ifndef VMRING_EXIT_STATUS_H
#define VMRING_EXIT_STATUS_H

enum exit_status {
    EXIT_AS_ASKED = 0,     /* -n, -t or a signal ended it; all adds up */
    EXIT_FAULT = 1,        /* an error that has no status of its own */
    EXIT_USAGE = 2,        /* option, URI, event or verdict malformed */
    EXIT_TARGET_ENDED = 3, /* the target shut down or was destroyed */
    EXIT_NO_TARGET = 4,    /* no such domain */
    EXIT_PERMISSION = 5,   /* not root, or not in the allow-list */
    EXIT_NO_XEN = 6,       /* not running under Xen */
    EXIT_UNSUPPORTED = 7,  /* the domain or CPU cannot do it (PV...) */
    EXIT_REFUSED = 8,      /* parameters beyond the producer's limits */
    EXIT_BUSY = 9,         /* another agent, or a legacy one, is there */
    EXIT_NO_ENDPOINT = 10, /* socket absent or not ours, or nobody there */
    EXIT_PEER_LOST = 11,   /* the producer went away or broke the protocol */
    EXIT_OUTPUT = 12,      /* disk full, standard output closed */
    EXIT_LEDGER = 13,      /* the ledger does not add up */
    EXIT_LEFT_BEHIND = 14, /* the domain could not be left as found */
    EXIT_RECOVERED = 15,   /* after a killed bridge; what waited is lost */
    EXIT_PEER_ENDED = 16,  /* the producer has ended in order */
};

#endif /* VMRING_EXIT_STATUS_H */
