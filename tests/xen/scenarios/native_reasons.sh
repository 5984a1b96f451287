# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: every reason that fires here, at 1 to 128
# vCPUs, synchronously and asynchronously; agent, Xen and guest count the same
# of each, no vCPU has waited for room, and the guest has not noticed.
# lab: xen vmring
# lab: limit 420
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# watched VCPUS EACH KINDS EVENTS ASYNC: a guest that raises each of these.
watched() {
    nr=$1 each=$2 kinds=$3
    counts=
    for kind in $kinds; do
        counts="$counts $kind=$each"
    done
    guest_options='on_poweroff = "preserve"'
    domid=$(guest_create micro "vcpus=$nr order=mixed$counts" "$nr") ||
        fail "$domid"
    guest_options=
    native_start agent "$domid" -q --deadline 120000 --async-bytes 2097152 \
        -e "$4"
    keeper_stop
    guest_unpause micro
    wait_for 200 "the guest to finish" guest_done micro
    native_query "$domid"
    keeper_continue
    native_end agent 30
    all=$((nr * each * $(echo "$kinds" | wc -w)))
    assert_exact $((all - all * $5)) $((all * $5))
    assert_value agent .ledger.totals.attempted $all
    assert_value agent .ledger.totals.defaulted 0
    assert_value agent .ledger.totals.lost 0
    for kind in $kinds; do
        assert_eq "the guest's $kind" $((nr * each)) "$(guest_total micro "$kind")"
    done
    for kind in cr0 cr3 cr4 msr; do
        assert_eq "$kind that did not hold" 0 \
            "$(guest_total micro ${kind}_refused)"
    done
    assert_guest_right micro
}

# reasons NAME:TIMES...: of each that many on each vCPU for each of its events.
reasons() {
    for reason in "$@"; do
        assert_eq "vCPUs with all of their ${reason%:*}" "$nr" \
            "$(awk -F= -v event="${reason%:*}" \
                -v all=$((each * ${reason#*:})) '
                /^.ledger.rows.*\.event=/ { row = $2 }
                /^.ledger.rows.*\.attempted=/ && row == event && $2 == all {
                    vcpus++
                }
                END { print vcpus + 0 }' "$run/agent.flat")"
    done
}

# synchronous VCPUS EACH
synchronous() {
    step "$1 vCPUs, synchronous"
    watched "$1" "$2" "cpuid cr0 cr3 cr4 msr greq step desc" \
        "cpuid cr0 cr3 cr4 msr:0xc0000082 guest_request debug descriptor" 0
    reasons cpuid:1 write_ctrlreg:3 mov_to_msr:1 guest_request:1 \
        debug_exception:1 descriptor_access:1
    assert_eq "its #DB that arrived" $(($1 * $2)) \
        "$(guest_total micro step_trapped)"
    assert_eq "its wrong descriptors" 0 "$(guest_total micro desc_wrong)"
    guest_destroy micro
}

# asynchronous VCPUS EACH
asynchronous() {
    step "$1 vCPUs, asynchronous"
    watched "$1" "$2" "cr0 cr3 cr4 greq" \
        "cr0:async cr3:async cr4:async guest_request:async" 1
    reasons write_ctrlreg:3 guest_request:1
    guest_destroy micro
}

for vcpus in ${1:-1 8 16 64 128}; do
    synchronous "$vcpus" $((vcpus < 16 ? 40 : 4))
    # As many as a lane has slots for: none may be lost.
    asynchronous "$vcpus" $((vcpus < 16 ? 100 : 5))
done
pass "each exactly"
