# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself shatters no superpage of the guest that it
# watches, and takes no page of its: by the guest's nested page tables, before,
# while and after agents come and go, also to one that has all the memory that
# it may have. Beside it what the legacy ring does to them. Only a debug Xen has
# gdbsx's call, by which vmring-lab-superpages reads the tables.
# lab: xen vmring-debug
# lab: limit 240
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# superpages: of $domid, "1g=N 2m=N 4k=N tables=N". It has one vCPU.
superpages() {
    superpages_root=$(xen_keys v | sed -n "/>>> Domain $domid <<</,/>>> D/{
        s/.*H_CR3 = \(0x[0-9a-f]*\).*/\1/p;}")
    vmring-lab-superpages "$superpages_root"
}

# counted WHEN: says what there is, and sets $count.
counted() {
    count=$(superpages) || fail "the tables cannot be read"
    echo "$1: $count"
}

# assert_whole WHEN: as before.
assert_whole() {
    counted "$1"
    assert_eq "entries" "$before" "$count"
}

of() { # KEY COUNT
    echo "$2" | sed "s/.*\<$1=\([0-9]*\).*/\1/"
}

# guest: running; sets $before.
guest() {
    domid=$(guest_create micro "vcpus=1 cpuid=1 cr4=1 loop=1 pace=2000 \
beat=1" 1 64) || fail "$domid"
    counted "before"
    before=$count
    [ "$(of 2m "$before")" -ge 30 ] ||
        fail "64 MiB without superpages: nothing can be shown"
    guest_unpause micro
    wait_for 20 "a sign of life" guest_alive micro 1
    assert_whole "running, alone"
}

attach() { # NAME
    native_start "$1" "$domid" -q --deadline 60000 --async-bytes 4m \
        -e "cpuid cr4:async"
}

detach() { # NAME
    process_signal "$1" INT
    process_wait "$1" 20 0
    [ "$(value "$1" .ledger.totals.answered)" -gt 0 ] ||
        fail "there was nothing to answer"
    assert_value "$1" .ledger.totals.defaulted 0
    assert_value "$1" .ledger.adds_up true
}

vmring-lab-superpages >"$run/tables" 2>&1 || true
! grep "Function not implemented" "$run/tables" || {
    echo "SKIP: this Xen reads no tables; take --xen vmring-debug"
    exit 77
}

step "agents of Xen's ring come and go"
guest
for round in 1 2 3; do
    attach agent$round
    sleep 0.5
    assert_whole "agent $round, attached"
    detach agent$round
    assert_whole "agent $round, gone"
done
attach killed
process_signal killed 9
process_wait killed 5 137
assert_whole "an agent was killed"

step "it has all the memory that it may have, and more"
# xl does not lower the maximum below the target.
xenstore-write "/local/domain/$domid/memory/target" 4096
xl mem-max micro 32 || fail "xl mem-max"
process_line page 1 "page: " vmring-lab-domain page "$domid"
for round in 4 5; do
    attach agent$round
    sleep 0.5
    assert_whole "agent $round, attached"
    detach agent$round
done
process_line page 1 "page: " vmring-lab-domain page "$domid"
assert_whole "after them"
guest_destroy micro

step "the legacy ring: xen-access"
guest
process_start access xen-access "$domid" cpuid
wait_for 20 "xen-access" legacy_port_of "$domid"
sleep 0.5
counted "xen-access, attached"
legacy=$count
process_signal access INT
wait_for 20 "xen-access's end" process_ended access
counted "xen-access, gone"
guest_destroy micro

step "the legacy ring: vmring-bridge"
guest
bridge_start bridge "$domid"
agent_start agent "$(socket_of "$domid")" -q -e "cpuid cr4:async"
sleep 0.5
counted "bridge and agent, attached"
process_signal agent INT
process_wait agent 20 0
process_signal bridge TERM
process_wait bridge 20 0
counted "both gone"

step "what is to be seen when one is shattered"
vmring-lab-domain hole "$domid" 0x1234 || fail "the page was not given back"
counted "a page in the middle was given back"
assert_eq "superpages of 2 MiB" $(($(of 2m "$before") - 1)) "$(of 2m "$count")"
assert_eq "pages of 4 KiB" $(($(of 4k "$before") + 511)) "$(of 4k "$count")"
guest_destroy micro
echo "shattered: by Xen's ring 0;" \
    "by the legacy ring $(($(of 2m "$before") - $(of 2m "$legacy")))"
pass "no superpage was shattered, and no page taken"
