# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: consumers that have gone before they were
# attached leave no ring that keeps the legacy one out; where there was a former
# consumer's, it stays, and its successor is given the records and the requests
# of it.
# lab: xen vmring
# lab: limit 240
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

no_keeper() {
    ! cat /proc/[0-9]*/comm 2>/dev/null | grep -q '^vmring-keeper$'
}

# gone HOW STATUS
gone() {
    status=0
    vmring-lab-native-gone "$domid" "$1" || status=$?
    assert_eq "the exit status" "$2" "$status"
    wait_for 20 "its keeper to go" no_keeper
}

step "nothing is left of one that was never there"
domid=$(guest_create micro "vcpus=4 cpuid=100000" 4) || fail "$domid"
for how in asked:137 answered:137 closed:0 unmapped:0; do
    echo "$how"
    gone "${how%:*}" "${how#*:}"
    process_start access xen-access "$domid" cpuid
    wait_for 20 "xen-access" legacy_settled "$domid" access
    legacy_absent access && continue
    process_signal access INT
    wait_for 20 "xen-access's end" process_ended access
done
guest_destroy micro

# Two frozen Ps are kept: with a third one that has gone the oldest would go.
for how in asked:137 answered:137 closed:0 unmapped:0; do
    step "a former consumer's, and one that has gone: $how"
    domid=$(guest_create micro "vcpus=4 cr3=20 cr4=5" 4) || fail "$domid"
    native_start agent0 "$domid" -q --deadline 60000 -e "cr3:async cr4"
    process_signal agent0 STOP
    guest_unpause micro
    sleep 1
    process_signal agent0 9
    process_wait agent0 5 137
    wait_for 20 "its keeper to go" no_keeper
    gone "${how%:*}" "${how#*:}"
    # It may yet be about to bind, for all that Xen knows.
    sleep 1
    native_start agent1 "$domid" --deadline 60000 -e "cr3:async cr4"
    native_end agent1 60
    assert_eq "records it was given" 80 \
        "$(grep -c '"sync": *false.*"register": *"cr3"' "$run/agent1.json")"
    assert_value agent1 .ledger.totals.answered 20
    assert_value agent1 .ledger.totals.defaulted 0
    assert_eq "the guest's CR4 writes" 20 "$(guest_total micro cr4)"
    assert_guest_right micro
    wait_for 20 "the guest to go" guest_gone micro
done
pass "what was there before is there"
