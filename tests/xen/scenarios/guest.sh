# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# The micro-guest, unobserved: it raises what it was asked for, on as many as
# 128 vCPUs, and finds nothing wrong.
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh

# The value of KEY in the guest's totals.
total() {
    guest_report micro | sed -n "s/^vmring-guest: total.* $1=\([0-9]*\).*/\1/p"
}

for vcpus in 1 16 128; do
    step "$vcpus vCPUs"
    guest_create micro "vcpus=$vcpus cpuid=100 cr4=20" $vcpus >/dev/null
    guest_unpause micro
    guest_wait micro 60
    assert_eq "CPUIDs" $((vcpus * 100)) "$(total cpuid)"
    assert_eq "wrong ones" 0 "$(total cpuid_wrong)"
    assert_eq "CR4 writes" $((vcpus * 20)) "$(total cr4)"
    wait_for 20 "the guest to power off" guest_gone micro
done
pass "the micro-guest reports what it was asked for"
