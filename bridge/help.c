/* SPDX-License-Identifier: MIT */
/* help.c: see help.h. */
#include "help.h"

#include <stddef.h>

const char help_doc[] =
    "Serves the vCPU events of a Xen guest on a vm_ring."
    "\vTARGET is a domain's id or name, domain:NAME if that looks like "
    "something else, or sim:KEY=VALUE,... for a simulated guest "
    "(sim:help lists the keys).\n\n"
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

const struct argp_option help_options[] = {
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
    {"wait", OPT_WAIT, "TIME", 0,
     "Wait this long for a TARGET that is being built (60s)", 0},
    {"once", OPT_ONCE, NULL, 0,
     "End when the consumer has detached, or crashed and found no successor",
     0},
    {"recover", OPT_RECOVER, "force", OPTION_ARG_OPTIONAL,
     "Serve nobody: free TARGET from a bridge that was killed, as far as that "
     "can be done, and end; force: though a program here listens to Xen "
     "about it",
     0},
    {"linger", OPT_LINGER, "TIME", 0,
     "Wait this long for a crashed consumer's successor (10s)", 0},
    {"farewell", OPT_FAREWELL, "TIME", 0,
     "At the end wait this long for the consumer to take what is left, and its "
     "counts (15s)",
     0},
    {NULL, 0, NULL, 0, "What consumers may do:", 2},
    {"allow-events", OPT_ALLOW_EVENTS, "LIST", 0,
     "Events that may be armed, as in 'vmring-agent -e help' (all)", 0},
    {"allow-verdicts", OPT_ALLOW_VERDICTS, "LIST", 0,
     "Verdicts that agents may have: deny, set_registers, emulate, step, "
     "altp2m, inject, next_interrupt, reset, continue; none; all that the "
     "source can do (all)",
     0},
    {"max-async-bytes", OPT_MAX_ASYNC_BYTES, "N[k|m|g]", 0,
     "Bytes of asynchronous ring that a consumer may ask for, if there is "
     "memory (64m)",
     0},
    {"deadline", OPT_DEADLINE, "TIME", 0,
     "A request waits at most this long for its verdict; none: for ever (1s)",
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
