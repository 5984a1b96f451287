#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: for a domain a bridge is started, waited for, and obeyed.
#
# The bridge found in PATH stands in for one that serves a domain: it serves a
# simulated guest instead.
. "$(dirname "$0")/setup.sh"

bridge=$1/bridge/vmring-bridge
[ -x "$bridge" ] || exit 77
mkdir "$dir/bin"
cp "$agent" "$dir/vmring-agent" && agent=$dir/vmring-agent # no bridge beside it
PATH=$dir/bin:$PATH

# bridge_is LINE...: what the bridge in PATH does.
bridge_is()
{
    { echo '#!/bin/sh'; printf '%s\n' "$@"; } >"$dir/bin/vmring-bridge"
    chmod +x "$dir/bin/vmring-bridge"
}

bridge_is "echo \"\$@\" >$dir/args" \
    "exec $bridge --once --quiet --ready-fd 3 --listen local:$dir/socket \
    sim:vcpus=2,count=100"
run 3 -q some-guest; says 'has shut down (poweroff)'
grep -q 'The ledger adds up' "$dir/out" || fail 'no ledger'
[ "$(cat "$dir/args")" = \
    "--once --share --wait 20 --ready-fd 3 --quiet --allow-events cpuid --allow-verdicts none \
-- some-guest" ] || fail "the bridge was given: $(cat "$dir/args")"
[ -S "$dir/socket" ] && fail 'the bridge still serves'
run 3 -q -e 'cr4 cr3:async cpuid' --deny cr4:1 --deadline 500 some-guest
[ "$(cat "$dir/args")" = "--once --share --wait 20 --ready-fd 3 --deadline 500 --quiet \
--allow-events write_ctrlreg,cpuid --allow-verdicts deny -- some-guest" ] ||
    fail "the bridge was given: $(cat "$dir/args")"
run 0 -e help some-guest
case $(cat "$dir/args") in
*"--allow-events all "*) ;;
*) fail "to list the events it was given: $(cat "$dir/args")" ;;
esac

# It fails: its line and its status are the agent's.
bridge_is 'echo "vmring-bridge: no such domain" >&2' 'exit 4'
run 4 -q some-guest
[ "$(cat "$dir/err")" = 'vmring-bridge: no such domain' ] ||
    fail "not its line alone: $(cat "$dir/err")"
bridge_is 'exit 0'
run 11 -q some-guest; says 'ended before it served'
# It has served, but the target ends before anybody has attached.
bridge_is "trap '' TERM" "echo $dir/nowhere >&3" 'exit 3'
run 3 -q some-guest; says 'nothing is left to watch'
bridge_is 'kill -KILL $$'
run 11 -q some-guest; says 'killed by signal 9'

# Interrupted while it starts: the bridge is ended, too.
bridge_is "echo \$\$ >$dir/pid" 'exec sleep 60'
for signal in TERM HUP; do
    rm -f "$dir/pid"
    "$agent" -q some-guest 2>"$dir/err" &
    pid=$!
    await "$dir/pid"
    kill -$signal $pid
    wait $pid
    [ $? -eq 0 ] || fail "interrupted by SIG$signal, but another status"
    says 'interrupted'
    kill -0 "$(cat "$dir/pid")" 2>/dev/null &&
        fail "SIG$signal: the bridge is left behind"
done

# Killed while it starts: nobody will come to the bridge, which ends.
bridge_is "echo \$\$ >$dir/pid" "while [ ! -e $dir/go ]; do sleep 0.1; done" \
    "exec $bridge --once --quiet --ready-fd 3 --listen local:$dir/socket \
    sim:vcpus=2,count=100"
rm -f "$dir/pid"
"$agent" -q some-guest 2>"$dir/err" &
pid=$!
await "$dir/pid"
kill -KILL $pid
wait $pid 2>/dev/null
touch "$dir/go"
for _ in $(seq 300); do
    kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
    sleep 0.1
done
if kill -0 "$(cat "$dir/pid")" 2>/dev/null; then
    fail 'a bridge is left to nobody'
    kill "$(cat "$dir/pid")"
fi
exit $failed
