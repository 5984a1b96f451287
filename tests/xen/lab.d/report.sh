# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# How the lab talks to whoever started it: on standard error only, because
# standard output is the scenario's.

note() {
    echo "lab: $*" >&2
}

usage_error() {
    note "$*"
    exit 64
}

unavailable() {
    note "not available: $*"
    exit 77
}

# long_step WHAT COMMAND...: says that it goes on, and for how long.
long_step() {
    local what=$1 start=$SECONDS ticker status=0
    shift
    note "$what ..."
    tick "$what" &
    ticker=$!
    "$@" || status=$?
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    [ "$status" = 0 ] && note "$what: done, $((SECONDS - start)) s"
    return "$status"
}

# Ends by itself when the lab is gone: it must not keep the lock.
tick() {
    local start=$SECONDS next=5
    while sleep 0.5 && kill -0 $$ 2>/dev/null; do
        [ $((SECONDS - start)) -ge "$next" ] || continue
        note "$1 ... $((SECONDS - start)) s"
        next=$((next + 5))
    done
}
