# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A stopped agent holds nobody beyond the deadline, and the bridge can be
# ended in that very state: the guest finishes without it.
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# The events that the guest's last sign of life told.
events_so_far() {
    guest_report micro | sed -n 's/.*beat .*events=\([0-9]*\).*/\1/p' |
        tail -n 1
}

# shellcheck disable=SC2317 # wait_for calls it
goes_on() { # BEATS
    [ "$(guest_beats micro)" -ge "$1" ]
}

# Far more than the deadline lets pass while the agent is stopped.
turns=2000
step "16 vCPUs with synchronous and asynchronous events"
domid=$(guest_create micro "vcpus=16 cpuid=$turns cr4=$turns order=mixed \
beat=1" 16) || fail "$domid"
bridge_start bridge "$domid" --deadline 100 --farewell 2
agent_start agent "$domid" -q -e "cpuid cr4:async"
guest_unpause micro
wait_for 20 "a sign of life" goes_on 2

step "the agent is stopped"
process_signal agent STOP
beats=$(guest_beats micro)
wait_for 20 "another one" goes_on $((beats + 1))
events=$(events_so_far)
wait_for 30 "three more" goes_on $((beats + 4))
more=$(($(events_so_far) - events))
echo "events in three beats with the agent stopped: $more"
[ "$more" -gt 16 ] || fail "the guest does not go on"
! guest_done micro || fail "the guest has finished, so nothing was shown"

step "the bridge is ended in that state"
start=$(now_ms)
process_signal bridge TERM
process_wait bridge 10 0
echo "it took $((ended_at - start)) ms"
[ $((ended_at - start)) -lt 5000 ] || fail "that is too long"
assert_verdicts bridge
[ "$by_deadline" -gt 0 ] || fail "no deadline has passed"

step "the guest goes on without"
case $(guest_state micro) in
*p*) fail "it is paused" ;;
esac
guest_wait micro 60
assert_eq "the guest's CPUIDs" $((16 * turns)) "$(guest_total micro cpuid)"
assert_eq "the guest's CR4 writes" $((16 * turns)) "$(guest_total micro cr4)"
assert_eq "refused ones" 0 "$(guest_total micro cr4_refused)"
assert_guest_right micro

step "the agent wakes up"
process_signal agent CONT
# It was told before the bridge hung up.
process_wait agent 10 16 "has ended in order"
pass "nobody was held by a stopped agent"
