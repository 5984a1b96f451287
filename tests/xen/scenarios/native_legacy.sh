# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself and the legacy ring, one after the other: who
# was refused keeps nobody out, and a verdict that a paused vCPU has yet to apply
# is not lost by the legacy ring, which would take with it what it changes.
# lab: xen vmring
# lab: limit 240
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# legacy NAME: xen-access comes, and goes.
legacy() {
    process_start "$1" xen-access "$domid" cpuid
    wait_for 20 "xen-access" legacy_port_of "$domid"
    process_signal "$1" INT
    wait_for 20 "xen-access's end" process_ended "$1"
}

step "a proposal that is refused"
domid=$(guest_create micro "vcpus=4 cpuid=500" 4) || fail "$domid"
! vmring-agent -q --async-bytes 65m -e cpuid "xen:$domid" ||
    fail "65 MiB were not refused"
legacy access0

step "verdicts for a paused domain"
native_start agent "$domid" -q --deadline 60000 -e cpuid
process_signal agent STOP
guest_unpause micro
sleep 1
xl pause micro
process_signal agent CONT
process_signal agent INT
process_wait agent 20 0
assert_value agent .ledger.adds_up true
process_start access1 xen-access "$domid" cpuid
wait_for 20 "xen-access's end" process_ended access1
grep -q '(16 = Device or resource busy)' "$run/access1.out" \
    "$run/access1.err" || fail "it was not refused with EBUSY"
process_line kept 9 "yet to apply a verdict" vmring-bridge "$domid"

step "the guest goes on"
xl unpause micro
wait_for 60 "the guest to finish" guest_done micro
assert_eq "the guest's CPUIDs" 2000 "$(guest_total micro cpuid)"
assert_guest_right micro
pass "each in its turn"
