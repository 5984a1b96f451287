# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: whoever lets go of a ring and leaves events
# armed delays nothing that the guest writes, and a domain that somebody has
# attached to, or was refused, costs Xen no page once it is gone.
# lab: xen vmring
# lab: thread multi
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# The guest reads CR4 again after each write.
every_write_is_in_force() {
    wait_for 100 "the guest's end" guest_gone micro
    assert_eq "writes of CR4" "$1" "$(guest_total micro cr4)"
    assert_eq "of them not in force" 0 "$(guest_total micro cr4_refused)"
}

step "detached, with events armed, before the guest runs"
domid=$(guest_create micro "vcpus=1 cr4=200" 1) || fail "$domid"
vmring-lab-native-unarmed "$domid" detach || fail "it cannot detach"
guest_unpause micro
every_write_is_in_force 200

step "destroyed, up to 60 times, while the guest writes"
domid=$(guest_create micro "vcpus=2 cr4=25000" 2) || fail "$domid"
guest_unpause micro
times=$(vmring-lab-native-unarmed "$domid" destroy 60) || fail "it cannot destroy"
echo "$times"
[ "${times% times}" -ge 10 ] || fail "the guest has ended too early"
every_write_is_in_force 50000

# The first guest leaves pages in Xen's pools.
for how in none refused destroy; do
    step "six domains: $how"
    xen_resources >"$run/before"
    for _ in 1 2 3 4 5 6; do
        domid=$(guest_create micro "vcpus=1 cr4=1" 1) || fail "$domid"
        [ $how = none ] || vmring-lab-native-unarmed "$domid" $how ||
            fail "$how"
        guest_destroy micro
    done
    # Each left 8 KiB.
    assert_resources "$run/before" 24
done
pass "nothing is delayed, and no page is lost"
