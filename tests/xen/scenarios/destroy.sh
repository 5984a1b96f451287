# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# The target's end ends agent and bridge within 2 s, with status 3 and a line
# that says so: destroyed in mid-run, powered off, crashed. And a target that
# is paused for an overdue verdict goes on when the verdict comes.
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# Both have ended with status 3 at most 2 s after the moment SINCE.
assert_both_end() { # SINCE AGENT_PATTERN BRIDGE_PATTERN
    process_wait agent 10 3 "$2"
    echo "the agent ended after $((ended_at - $1)) ms"
    [ $((ended_at - $1)) -le 2000 ] || fail "that is too long"
    process_wait bridge 10 3 "$3"
    echo "the bridge ended after $((ended_at - $1)) ms"
    [ $((ended_at - $1)) -le 2000 ] || fail "that is too long"
}

step "destroyed in mid-run"
domid=$(guest_create micro "vcpus=16 cpuid=10 cr4=10 loop=1 beat=0" 16) ||
    fail "$domid"
bridge_start bridge "$domid"
agent_start agent "$domid" -q -e "cpuid cr4:async"
guest_unpause micro
sleep 2
xl destroy micro
assert_both_end "$(now_ms)" "was destroyed" "was destroyed"
assert_verdicts bridge
wait_for 20 "the end of micro" guest_gone micro

step "destroyed while 8187 MSRs are armed"
domid=$(guest_create micro "vcpus=16 cpuid=1 loop=1 beat=0 pace=100000" 16) ||
    fail "$domid"
bridge_start bridge "$domid"
guest_unpause micro
process_start agent vmring-agent -q -e "cpuid msr:0-0x1fff" "$domid"
sleep 1
xl destroy micro
process_wait agent 20 3
process_wait bridge 20 3 "was destroyed"
wait_for 20 "the end of micro" guest_gone micro

# Kept, so that nobody destroys it before the end is told.
guest_options='on_poweroff = "preserve"'
step "powered off by itself"
domid=$(guest_create micro "vcpus=16 cpuid=20" 16) || fail "$domid"
bridge_start bridge "$domid"
agent_start agent "$domid" -q -e "cpuid"
guest_unpause micro
guest_wait micro 60
assert_both_end "$(now_ms)" "has shut down \(poweroff\)" "has powered off"
assert_value agent .ledger.shutdown poweroff
assert_value agent .ledger.totals.answered 320
assert_value agent .ledger.adds_up true
process_line late 3 "has powered off; nothing is left to watch" \
    vmring-agent -e cpuid "$domid"
process_line late 3 "has powered off; nothing is left to watch" \
    vmring-bridge micro
guest_destroy micro

guest_options='on_crash = "preserve"'
step "crashed"
domid=$(guest_create micro "vcpus=2 cpuid=20 nonsense=1" 2) || fail "$domid"
bridge_start bridge "$domid"
agent_start agent "$domid" -q -e "cpuid"
guest_unpause micro
process_wait agent 20 3 "has shut down \(crash\)"
process_wait bridge 10 3 "has crashed"
process_line late 3 "has crashed; nothing is left to watch" \
    vmring-agent -e cpuid "$domid"
guest_destroy micro
guest_options=

step "paused for an overdue verdict"
domid=$(guest_create micro "vcpus=16 cpuid=100 pace=10000" 16) ||
    fail "$domid"
bridge_start bridge "$domid" --deadline 300 --on-deadline pause
agent_start agent "$domid" -q -e cpuid
guest_unpause micro
sleep 0.5
process_signal agent STOP
wait_for 20 "the domain to be paused" guest_paused micro
time_before=$(guest_cpu_time micro)
sleep 2
assert_eq "its CPU time 2 s later" "$time_before" "$(guest_cpu_time micro)"
guest_paused micro || fail "it is not paused any more"
! guest_done micro || fail "the guest has finished, so nothing was shown"
process_signal agent CONT
process_wait agent 60 3 "has shut down|was destroyed"
process_wait bridge 10 3 "is overdue"
assert_value agent .ledger.totals.answered 1600
assert_value agent .ledger.adds_up true
assert_verdicts bridge
assert_eq "verdicts by the deadline" 0 "$by_deadline"
assert_eq "the guest's CPUIDs" 1600 "$(guest_total micro cpuid)"
assert_guest_right micro

step "ended while the target is paused for an overdue verdict"
wait_for 20 "the guest to go" guest_gone micro
domid=$(guest_create micro "vcpus=16 cpuid=100 pace=10000" 16) ||
    fail "$domid"
bridge_start bridge "$domid" --deadline 300 --on-deadline pause --farewell 2
agent_start agent "$domid" -q -e cpuid
guest_unpause micro
sleep 0.5
process_signal agent STOP
wait_for 20 "the domain to be paused" guest_paused micro
process_signal bridge TERM
process_wait bridge 10 0
assert_verdicts bridge
guest_wait micro 60
assert_eq "the guest's CPUIDs" 1600 "$(guest_total micro cpuid)"
assert_guest_right micro
process_signal agent CONT
process_wait agent 10 11
pass "every end of the target was noticed and told"
