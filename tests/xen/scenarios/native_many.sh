# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: up to 128 vCPUs with synchronous and
# asynchronous events, each exactly.
# lab: xen vmring
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# exact VCPUS EACH
exact() {
    step "$1 vCPUs"
    domid=$(guest_create micro "vcpus=$1 cpuid=$2 cr4=$2 order=mixed" "$1") ||
        fail "$domid"
    native_start agent "$domid" -q --deadline 60000 --async-bytes 2097152 \
        -e "cpuid cr4:async"
    guest_unpause micro
    native_end agent 200
    assert_value agent .ledger.totals.answered $(($1 * $2))
    assert_value agent .ledger.totals.defaulted 0
    assert_value agent .ledger.totals.attempted $((2 * $1 * $2))
    assert_value agent .ledger.totals.lost 0
    assert_eq "the guest's CPUIDs" $(($1 * $2)) "$(guest_total micro cpuid)"
    assert_eq "the guest's CR4 writes" $(($1 * $2)) "$(guest_total micro cr4)"
    assert_guest_right micro
    wait_for 20 "the guest to go" guest_gone micro
}

exact 1 200
exact 16 100
exact 128 20
pass "each exactly"
