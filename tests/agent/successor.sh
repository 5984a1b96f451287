#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: agents killed in a row: each successor's ledger adds up.
. "$(dirname "$0")/setup.sh"

bridge=$1/bridge/vmring-bridge
[ -x "$bridge" ] || exit 77
"$bridge" --quiet --listen "local:$dir/socket" \
    "sim:vcpus=8,count=50000,rate=4000,truth=$dir/truth" 2>"$dir/bridge" &
bridge_pid=$!
await "$dir/socket"

events='cpuid cr3:async breakpoint guest_request:async'
for round in 1 2 3 4 5; do
    "$agent" -q -e "$events" --slow 100 "local:$dir/socket" >"$dir/out" \
        2>"$dir/err" &
    pid=$!
    sleep 0.3
    if [ $round -eq 1 ]; then
        run 9 "local:$dir/socket"; says 'another agent is attached'
    fi
    kill -KILL $pid
    wait $pid 2>/dev/null
done
run 0 -q -e "$events" -n 3000 --ledger-json "$dir/ledger" "local:$dir/socket"
grep -q 'The ledger adds up' "$dir/out" || fail 'after five were killed'
grep -Eq '^(1 record|[2-9] records|[1-9][0-9]+ records) left by an earlier' \
    "$dir/out" || fail 'what was left'
grep -Eq '^1 [a-z]+s ' "$dir/out" && fail 'one of many'
grep -q '"epoch":6' "$dir/ledger" || fail 'not the sixth epoch'

# A bridge that is killed: what it had published is delivered, and told.
"$agent" -q -e "$events" "local:$dir/socket" >"$dir/out" 2>"$dir/err" &
pid=$!
sleep 0.3
kill -KILL $bridge_pid
wait $pid
got=$?
[ $got -eq 11 ] || fail "a lost bridge: status $got, $(cat "$dir/err")"
says 'went away'
grep -q 'not checked' "$dir/out" || fail 'checked without the producer'
exit $failed
