# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: its target is paused, saved with a
# checkpoint, saved and restored, and rebooted, each time with events pending: the
# agent is told of each, nothing is lost, and the guest is right. A vCPU that waits
# for a verdict is in the middle of an instruction, which no saved image tells of:
# the one that is restored is watched by asynchronous events.
# lab: xen vmring
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

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
    native_query "$domid"
    queried pending >"$run/suspended"
    process_signal agent CONT
}

# The agent goes on once the guest is suspended: a state that comes and goes
# while it is stopped it never sees.
save_with_pending() {
    process_signal agent STOP
    wait_for 20 "each vCPU to wait" all_wait
    suspend_when_asked &
    xl save "$@" >"$run/save" 2>&1 || {
        cat "$run/save"
        fail "xl save"
    }
    assert_eq "requests pending when it was suspended" 4 \
        "$(cat "$run/suspended")"
}

# watch [EVENTS [OPTION...]]
watch() {
    watch_events=${1:-cpuid cr4:async}
    [ $# = 0 ] || shift
    native_start agent "$domid" --deadline 120000 -e "$watch_events" "$@"
}

# shellcheck disable=SC2317 # wait_for calls it
all_wait() {
    native_query "$domid"
    [ "$(queried pending)" = 4 ]
}

# with_pending COMMAND...: while each vCPU waits for a stopped agent.
with_pending() {
    process_signal agent STOP
    wait_for 20 "each vCPU to wait" all_wait
    "$@" || fail "$*"
    native_query "$domid"
    assert_queried pending 4
    process_signal agent CONT
}

# shellcheck disable=SC2317 # wait_for calls it
has_answered_more() {
    native_query "$domid"
    [ "$(queried answered)" -gt "$1" ]
}

# It goes on after that.
assert_watched() {
    ! process_ended agent || fail "the agent has ended"
    native_query "$domid"
    wait_for 20 "answers" has_answered_more "$(queried answered)"
}

guest() {
    domid=$(guest_create micro "vcpus=4 cpuid=5 cr4=5 loop=1 told=1 \
order=mixed pace=10000" 4) || fail "$domid"
}

step "paused and unpaused"
guest
watch
assert_told paused
guest_unpause micro
assert_told paused running
assert_watched
with_pending xl pause micro
so_far="paused running paused"
# shellcheck disable=SC2086 # words
assert_told $so_far
xl unpause micro
so_far="$so_far running"
# shellcheck disable=SC2086 # words
assert_told $so_far
assert_watched

step "paused by two, and for a new agent"
vmring-lab-domain pause "$domid"
vmring-lab-domain pause "$domid"
vmring-lab-domain unpause "$domid"
sleep 0.5
so_far="$so_far paused"
# shellcheck disable=SC2086 # words
assert_told $so_far
process_signal agent 9
process_wait agent 5 137
watch
assert_told paused
vmring-lab-domain unpause "$domid"
assert_told paused running
assert_watched

step "saved with a checkpoint"
save_with_pending -c micro /tmp/checkpoint
assert_told paused running shutdown,suspend running
assert_watched
rm /tmp/checkpoint

step "its counts"
xl mem-max micro 18 || fail "xl mem-max"
native_end agent 60
cpuids=$(guest_total micro cpuid)
writes=$(guest_total micro cr4)
echo "the guest: $cpuids CPUIDs, $writes CR4 writes"
assert_value agent .ledger.totals.defaulted 0
assert_value agent .ledger.totals.lost 0
assert_guest_right micro
# xl waits for no end of a domain that it has seen suspended.
guest_destroy micro

step "rebooted"
guest
watch
guest_unpause micro
assert_watched
process_signal agent STOP
wait_for 20 "each vCPU to wait" all_wait
vmring-lab-domain shutdown "$domid" 1
process_signal agent CONT
process_wait agent 20 3 "has shut down \(reboot\)|was destroyed"
assert_value agent .ledger.adds_up true
case "$(told)" in
"paused running shutdown,reboot " | \
    "paused running shutdown,reboot destroyed,reboot " | \
    "paused running destroyed,reboot ") echo "ok: told of $(told)" ;;
*) fail "told of $(told)" ;;
esac

# shellcheck disable=SC2317 # wait_for calls it
is_new() {
    is_new_domid=$(xl domid micro 2>/dev/null) || return 1
    [ "$is_new_domid" != "$domid" ]
}

# The domain of that name is another one now.
await_new() {
    wait_for 30 "the new domain" is_new
    domid=$is_new_domid
    echo "$domid" >"$run/micro.domid"
}

await_new
watch
assert_watched
xl mem-max micro 18 || fail "xl mem-max"
native_end agent 60
assert_guest_right micro
wait_for 20 "the guest to go" guest_gone micro

# shellcheck disable=SC2317 # wait_for calls it
has_recorded() {
    native_query "$domid"
    [ "$(queried records)" -ge 40 ]
}

step "saved, gone and restored"
guest
# Room for all that comes while the agent is stopped.
watch cr4:async --async-bytes 1m --record-size 64
process_signal agent STOP
guest_unpause micro
wait_for 20 "records" has_recorded
suspend_when_asked &
xl save micro /tmp/saved >"$run/save" 2>&1 || fail "xl save"
process_wait agent 20 3 "destroyed while it was suspended"
assert_value agent .ledger.adds_up true
assert_value agent .ledger.totals.lost 0
saved=$(value agent .ledger.totals.delivered)
[ "$saved" -ge 40 ] || fail "what was pending has not been delivered"
xl restore /tmp/saved || fail "xl restore"
await_new
watch
assert_watched
xl mem-max micro 18 || fail "xl mem-max"
native_end agent 60
assert_value agent .ledger.totals.defaulted 0
assert_guest_right micro
pass "each was told, and nothing was lost"
