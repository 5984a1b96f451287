#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: SIGINT and SIGTERM end it in order, a second SIGINT at once.
. "$(dirname "$0")/setup.sh"

# signalled STATUS SIGNALS OPTION...: sends them once events are shown.
signalled()
{
    wanted=$1 signals=$2
    shift 2
    rm -f "$dir/out"
    "$agent" "$@" >"$dir/out" 2>"$dir/err" &
    pid=$!
    tries=0
    while [ ! -s "$dir/out" ] && [ $tries -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    for signal in $signals; do
        kill -$signal $pid
        sleep 0.2
    done
    # A limit of its own: a test that hangs shows nothing.
    (sleep 30; kill -KILL $pid) >/dev/null 2>&1 &
    limit=$!
    wait $pid
    got=$?
    kill $limit 2>/dev/null
    [ $got -eq "$wanted" ] || fail "status $got, not $wanted: $signals $*"
}

endless=sim:vcpus=4,count=1000000000,rate=20000
for signal in INT TERM; do
    signalled 0 $signal -e 'cpuid cr3:async' $endless
    grep -q 'The ledger adds up' "$dir/out" || fail "no ledger after $signal"
done
# While each event takes a second, draining what is there takes long.
signalled 13 'INT INT' -e cr3:async --slow 1000000 $endless
grep -q 'interrupted while it ended' "$dir/err" || fail 'it does not say so'
grep -q 'not checked: it was not drained' "$dir/out" ||
    fail 'it checks a ledger that moves'
exit $failed
