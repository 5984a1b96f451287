# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# The target's life reaches the agent as events: paused, suspended and resumed,
# a checkpoint, saved and restored, rebooted, crashed. At last xenstore is lost,
# and bridge and agent see the end all the same.
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

told() {
    sed -n 's/^{"target":"\([a-z]*\)","reason":\(.*\)}$/\1,\2/p' \
        "$run/agent.json" | tr -d '"' | sed 's/,null//' | tr '\n' ' '
}

# shellcheck disable=SC2317 # wait_for calls it
was_told() {
    [ "$(told)" = "$* " ]
}

# assert_told STATE...: the agent has been told of these, in this order.
assert_told() {
    wait_for 20 "$* to be told" was_told "$@"
    echo "ok: told of $(told)"
}

nr_events() {
    grep -c '[{,] *"event":' "$run/agent.json"
}

# shellcheck disable=SC2317 # wait_for calls it
has_more_events() {
    [ "$(nr_events)" -gt "$1" ]
}

# Both still watch, and events come.
assert_watched() {
    ! process_ended agent || fail "the agent has ended"
    ! process_ended bridge || fail "the bridge has ended"
    wait_for 20 "events" has_more_events "$(nr_events)"
}

watch_micro() {
    bridge_start bridge micro
    agent_start agent "$(socket_of "$(cat "$run/micro.domid")")" \
        -e "cpuid cr4:async"
}

# The domain of that name is another one now.
# shellcheck disable=SC2317 # wait_for calls it
is_new() {
    is_new_domid=$(xl domid micro 2>/dev/null) || return 1
    [ "$is_new_domid" != "$domid" ]
}

await_new() {
    wait_for 30 "the new domain" is_new
    domid=$is_new_domid
    echo "$domid" >"$run/micro.domid"
}

# What a PVH guest does when it is to be saved; the micro-guest does not know.
is_asked() {
    [ "$(xenstore-read "/local/domain/$domid/control/shutdown")" = suspend ]
}

suspend_when_asked() {
    until is_asked; do
        sleep 0.25
    done
    xenstore-write "/local/domain/$domid/control/shutdown" ""
    vmring-lab-domain shutdown "$domid" 2
}

step "paused, unpaused"
domid=$(guest_create micro "vcpus=2 cpuid=10 cr4=10 loop=1 pace=20000" 2) ||
    fail "$domid"
watch_micro
assert_told paused
guest_unpause micro
assert_told paused running
assert_watched
xl pause micro
assert_told paused running paused
xl unpause micro
assert_told paused running paused running
assert_watched
so_far="paused running paused running"

step "saved with a checkpoint"
suspend_when_asked &
xl save -c micro /tmp/checkpoint || fail "xl save -c"
so_far="$so_far shutdown,suspend running"
# shellcheck disable=SC2086 # words
assert_told $so_far
assert_watched
rm /tmp/checkpoint

step "saved, and gone"
suspend_when_asked &
xl save micro /tmp/saved || fail "xl save"
process_wait agent 20 3 "destroyed while it was suspended"
process_wait bridge 20 3 "was destroyed"
# shellcheck disable=SC2086 # words
assert_told $so_far shutdown,suspend destroyed,suspend
assert_value agent .ledger.adds_up true
assert_value agent .ledger.shutdown destroyed

step "restored"
xl restore /tmp/saved || fail "xl restore"
await_new
watch_micro
assert_watched

step "rebooted"
vmring-lab-domain shutdown "$domid" 1
process_wait agent 20 3 "has shut down \(reboot\)"
process_wait bridge 20 3 "has rebooted"
assert_told shutdown,reboot
await_new
watch_micro
assert_watched

step "crashed, and destroyed by xl"
vmring-lab-domain shutdown "$domid" 3
process_wait agent 20 3 "has shut down \(crash\)"
process_wait bridge 20 3 "has crashed"
wait_for 20 "the end of micro" guest_gone micro

step "xenstore is lost"
domid=$(guest_create micro "vcpus=2 cpuid=10 cr4=10 loop=1 pace=20000" 2) ||
    fail "$domid"
watch_micro
guest_unpause micro
assert_told paused running
kill -9 "$(cat /run/xenstored.pid)"
sleep 1
assert_watched
bridge_ticks() {
    cut -d ' ' -f 14,15 "/proc/$(cat "$run/bridge.pid")/stat" | tr ' ' + |
        { read -r sum && echo $((sum)); }
}
before=$(bridge_ticks)
vmring-lab-domain pause "$domid"
assert_told paused running paused
sleep 2
# Of 200 at least: it does not turn round a dead connection.
echo "the bridge's CPU meanwhile: $(($(bridge_ticks) - before)) ticks"
[ $(($(bridge_ticks) - before)) -lt 100 ] || fail "that is too much"
vmring-lab-domain unpause "$domid"
assert_told paused running paused running
vmring-lab-domain shutdown "$domid" 2
so_far="paused running paused running shutdown,suspend"
# shellcheck disable=SC2086 # words
assert_told $so_far
sleep 1
! process_ended agent || fail "the agent has ended"
vmring-lab-domain resume "$domid"
# shellcheck disable=SC2086 # words
assert_told $so_far running
assert_watched
vmring-lab-domain destroy "$domid"
process_wait agent 20 3 "was destroyed"
process_wait bridge 20 3 "was destroyed"
grep -q "xenstore is lost" "$run/bridge.err" || fail "it does not say so"
pass "every change of the target's life was told"
