# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself bears an agent that writes all over C:
# without a right its guest goes on by the deadline and is right, with every
# verdict it may not be, and Xen and another domain go on. The arguments: for how
# many seconds without a right, and with every verdict.
# lab: xen vmring
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

bare=${1:-12}
full=${2:-20}

# goes_on SECONDS: the other domain has given a sign of life in two thirds of so
# many seconds since the last time, and is right.
goes_on() {
    now=$(guest_beats other)
    echo "the other domain: $beats beats before, $now now"
    [ $((now - beats)) -ge $(($1 * 2 / 3)) ] || fail "it was held up"
    beats=$now
}

# hostile SECONDS VERDICTS: attaches and begins.
hostile() {
    process_start hostile vmring-lab-native-hostile "$domid" "$1" "$2" \
        "cpuid cr4:async"
    wait_for 20 "the hostile agent" grep -q attached "$run/hostile.out"
    cat "$run/hostile.out"
}

step "a domain beside it"
domid=$(guest_create other "vcpus=1 cpuid=10 cr4=10 loop=1 told=1 pace=10000 \
beat=1" 1) || fail "$domid"
guest_unpause other
wait_for 20 "a sign of life" guest_alive other 1

step "without any right"
beats=$(guest_beats other)
domid=$(guest_create micro "vcpus=4 cpuid=200 cr4=200 order=mixed \
pace=50000" 4) || fail "$domid"
hostile "$bare" 0
guest_unpause micro
process_wait hostile $((bare + 60)) 0
tail -n 1 "$run/hostile.out"
goes_on "$bare"
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
beats=$(guest_beats other)
hostile "$full" 0x1ff
guest_unpause micro
process_wait hostile $((full + 60)) 0
tail -n 1 "$run/hostile.out"
goes_on "$full"
guest_destroy micro

step "Xen and other domains go on"
domid=$(guest_create micro "vcpus=4 cpuid=100" 4) || fail "$domid"
native_start agent "$domid" -q --deadline 60000 -e cpuid
guest_unpause micro
native_end agent 100
assert_value agent .ledger.totals.answered 400
assert_guest_right micro
xl mem-max other 18 || fail "xl mem-max"
guest_wait other 20
assert_guest_right other
echo "the other domain: $(guest_total other cpuid) CPUIDs"
pass "Xen lives"
