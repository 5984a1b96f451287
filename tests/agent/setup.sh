# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# What the tests of the agent have in common; $1 is the build's folder.
agent=$1/agent/vmring-agent
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail()
{
    echo "FAILED: $*" >&2
    failed=1
}

# run STATUS ARGUMENT...: the agent ends with that status within a minute.
run()
{
    wanted=$1
    shift
    timeout -k 5 60 "$agent" "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ $got -eq "$wanted" ] && return
    fail "status $got, not $wanted: vmring-agent $*"
    cat "$dir/err" >&2
}

# says TEXT: its one line on standard error has it, after its name.
says()
{
    [ "$(wc -l <"$dir/err")" -eq 1 ] ||
        fail "not one line: $(cat "$dir/err")"
    grep -q '^vmring-agent: ' "$dir/err" || fail "no name: $(cat "$dir/err")"
    grep -qF -- "$1" "$dir/err" || fail "no '$1' in: $(cat "$dir/err")"
}

# await PATH: until there is something in it, or it is a socket.
await()
{
    tries=0
    while [ ! -s "$1" ] && [ ! -S "$1" ] && [ $tries -lt 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}

# watch COMMAND...: starts it, and waits until it shows events.
watch()
{
    rm -f "$dir/out"
    "$@" >"$dir/out" 2>"$dir/err" &
    pid=$!
    await "$dir/out"
    [ -s "$dir/out" ] || fail "no events: $*: $(cat "$dir/err")"
}

# end STATUS SIGNAL...: what was started gets these, and ends so.
end()
{
    wanted=$1
    shift
    for signal; do
        kill -"$signal" $pid
        sleep 0.2
    done
    # A limit of its own: a test that hangs shows nothing.
    (sleep 30; kill -KILL $pid) >/dev/null 2>&1 &
    limit=$!
    wait $pid
    got=$?
    kill $limit 2>/dev/null
    [ $got -eq "$wanted" ] ||
        fail "status $got, not $wanted, by $*: $(cat "$dir/err")"
    [ $got -ne 0 ] || grep -q 'The ledger adds up' "$dir/out" ||
        fail "no ledger, by $*"
}
