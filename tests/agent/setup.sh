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
