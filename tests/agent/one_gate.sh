#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: agent and bridge write to standard error by one function each,
# which makes visible what comes from others.
#
# Usage: one_gate.sh SOURCE_FOLDER
cd "$1" || exit 1
found=$(grep -nE '\b(v?warnx?|v?errx?|perror|psignal|error)\(|\bstderr\b|STDERR_FILENO' \
    agent/*.c agent/*/*.c bridge/*.c bridge/*/*.c 2>/dev/null |
    grep -vE '^(agent/output/say|bridge/log)\.c:' |
    # What says them are these, and this is none.
    grep -vE 'fprintf\(stderr, "vmring-bridge: %s\\n",|fd = STDERR_FILENO, .name = "memory"' |
    grep -vE '^[^:]*:[0-9]*: *(\*|/\*)')
[ -z "$found" ] && exit 0
printf '%s\n' "$found" 'use say() or bridge_log() instead'
exit 1
