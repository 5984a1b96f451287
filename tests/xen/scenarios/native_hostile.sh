# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself bears an agent that writes all over C:
# without a right its guest goes on by the deadline and is right, with every
# verdict it may not be, and Xen and another domain go on.
# lab: xen vmring
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# hostile SECONDS VERDICTS: attaches and begins.
hostile() {
    process_start hostile vmring-lab-native-hostile "$domid" "$1" "$2" \
        "cpuid cr4:async"
    wait_for 20 "the hostile agent" grep -q attached "$run/hostile.out"
    cat "$run/hostile.out"
}

step "without any right"
domid=$(guest_create micro "vcpus=4 cpuid=200 cr4=200 order=mixed \
pace=50000" 4) || fail "$domid"
hostile 12 0
guest_unpause micro
process_wait hostile 60 0
tail -n 1 "$run/hostile.out"
step "a good one after it"
native_start agent "$domid" -q -e "cpuid cr4:async"
native_end agent 100
assert_eq "the guest's CPUIDs" 800 "$(guest_total micro cpuid)"
assert_eq "the guest's CR4 writes" 800 "$(guest_total micro cr4)"
assert_guest_right micro
wait_for 20 "the guest to go" guest_gone micro

step "with every verdict"
domid=$(guest_create micro "vcpus=4 cpuid=100000 cr4=100000 order=mixed" 4) ||
    fail "$domid"
hostile 20 0x1ff
guest_unpause micro
process_wait hostile 60 0
tail -n 1 "$run/hostile.out"
guest_destroy micro

step "Xen and other domains go on"
domid=$(guest_create micro "vcpus=4 cpuid=100" 4) || fail "$domid"
native_start agent "$domid" -q --deadline 60000 -e cpuid
guest_unpause micro
native_end agent 100
assert_value agent .ledger.totals.answered 400
assert_guest_right micro
pass "Xen lives"
