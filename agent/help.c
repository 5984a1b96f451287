/* SPDX-License-Identifier: MIT */
/* help.c: see help.h. */
#include "help.h"

#include <stddef.h>

const char help_doc[] =
    "Watches what the vCPUs of a guest do, and answers for those that wait.\n"
    "\n"
    "ENDPOINT is a domain id or name (a bridge is started for it unless one "
    "is running), domain:NAME (one whose name looks like something else), "
    "local:PATH (the socket of a bridge), grant:BACKEND/TARGET "
    "(a bridge in another domain), xen:DOMID (Xen itself, where it produces "
    "the ring), fd:NUMBER (a connected socket), or "
    "sim:KEY=VALUE,... (a simulated guest in this process; sim:help lists the "
    "keys).\v"
    "Examples:\n"
    "  vmring-agent -e help\n"
    "      lists the events; with an ENDPOINT, which of them it can report\n"
    "  vmring-agent -n 100 sim:vcpus=4\n"
    "      the first 100 CPUIDs of a simulated guest; needs no Xen\n"
    "  vmring-agent -e 'cr3:async msr:0xc0000082' -t 10 debian12\n"
    "      address space switches, and who changes the system call entry\n"
    "  vmring-agent -f json -o events.json 3\n"
    "      one JSON object a line, until Ctrl-C\n"
    "  vmring-agent -e cr4 --deny cr4:0x100000 3\n"
    "      the guest cannot turn SMEP off\n"
    "  vmring-agent -q -e cr4:async --async-bytes 4k --record-size 64 3\n"
    "      counts only; what does not fit is lost, and counted too\n"
    "\n"
    "It ends with a ledger: every event was delivered or counted lost. "
    "Ctrl-C detaches in order, a second one at once. Exit statuses are "
    "in vmring-agent(8).";

const struct argp_option help_options[] = {
    {NULL, 0, NULL, 0, "What to watch:", 1},
    {"events", 'e', "EVENTS", 0,
     "Events, as in 'cpuid cr3:async msr:0xc0000082' "
     "(default: " HELP_DEFAULT_EVENTS "); each alone waits for a verdict "
     "(:sync), with :async not; 'help' lists them",
     1},
    {"deny", OPTION_DENY, "RULE", 0,
     "Deny writes: cr4:BITS (those that change one of them) or "
     "msr:NUMBER[-NUMBER]; may be repeated",
     1},
    {"filter", 'F', "EXPR", 0,
     "Show only events for which this holds, as in 'leaf == 1 and vcpu in "
     "0-3'; 'help' lists the fields; all are answered and counted",
     1},
    {NULL, 0, NULL, 0, "When to end:", 2},
    {"count", 'n', "COUNT", 0, "After COUNT events, as in 100, 10k or 1m", 2},
    {"duration", 't', "TIME", 0,
     "After TIME: seconds, or with a unit, as in 500ms, 10s, 5m or 1h", 2},
    {"end-within", OPTION_END_WITHIN, "TIME|none", 0,
     "How long its end may wait until the producer is quiet and has told its "
     "counts, and for the reader of its output: seconds, or with a unit (60s)",
     2},
    {NULL, 0, NULL, 0, "Output:", 3},
    {"format", 'f', "text|json", 0, "Lines to read, or JSON objects", 3},
    {"time", OPTION_TIME, "relative|absolute|delta", 0,
     "Times since it attached, of the wall clock (UTC), or since the event "
     "before of the same vCPU",
     3},
    {"output", 'o', "FILE", 0, "Write the events, and the ledger too, to FILE",
     3},
    {"sort", OPTION_SORT, "TIME", OPTION_ARG_OPTIONAL,
     "Lines of all vCPUs in order of time: each is held back for TIME: ms, or "
     "with a unit, as in 2s (100ms)",
     3},
    {"summary", 'c', NULL, 0,
     "At the end, how many events of each reason, leaf, MSR, register and rip",
     3},
    {"quiet", 'q', NULL, 0, "No events, only the ledger", 3},
    {"verbose", 'v', NULL, 0, "All registers, and all rows of the ledger", 3},
    {"ledger-json", OPTION_LEDGER_JSON, "FILE", 0,
     "Write the ledger to FILE as JSON, too", 3},
    {NULL, 0, NULL, 0, "The ring (default: what the producer gives):", 4},
    {"async-bytes", OPTION_ASYNC_BYTES, "N[k|m|g]", 0,
     "Room for asynchronous events of all vCPUs (64k)", 4},
    {"record-size", OPTION_RECORD_SIZE, "N[k]", 0,
     "Room for each asynchronous event: 64 is without registers, 448 (the "
     "default) and 512 with",
     4},
    {"policy", OPTION_POLICY, "discard|overwrite", 0,
     "What a full lane loses: its newest or its oldest event", 4},
    {"groups", OPTION_GROUPS, "N", 0,
     "Doorbell groups: what vCPUs are dealt to, each with a wake-up of its "
     "own (default: one, or one for each of --workers)",
     4},
    {"workers", OPTION_WORKERS, "N", 0,
     "Take events in N threads, each of doorbell groups of its own", 4},
    {"deadline", OPTION_DEADLINE, "TIME", 0,
     "How long a vCPU waits for a verdict: ms, or with a unit, as in 2s", 4},
    {"slow", OPTION_SLOW, "TIME", 0,
     "Pause after each event, to see what a slow agent does: us, or with a "
     "unit, as in 5ms",
     4},
    {NULL, 0, NULL, 0, "What it gives up once attached:", 5},
    {"user", OPTION_USER, "NAME", 0,
     "Become this user, if started by root (_vmring if there is one, else "
     "nobody)",
     5},
    {"no-sandbox", OPTION_NO_SANDBOX, NULL, 0,
     "Nothing: for debugging, or where the kernel has no seccomp", 5},
    {NULL, 0, NULL, 0, "Help:", -1},
    {"help", 'h', NULL, 0, "Print this", -1},
    {"usage", OPTION_USAGE, NULL, 0, "Print a short usage message", -1},
    {"version", 'V', NULL, 0, "Print the version", -1},
    {0},
};
