# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: a guest that has taken all event channels
# and has all the memory that it may have keeps nobody from attaching, nor from
# attaching again, also after a kill. The legacy ring it does keep out.
# lab: xen vmring
# lab: limit 240
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

guest_pages() {
    xen_keys q | sed -n "/General information for domain $domid:/,/^(XEN) G/{
        s/.*nr_pages=\([0-9]*\).*max_pages=\([0-9]*\).*/\1 \2/p;}"
}

# shellcheck disable=SC2317 # wait_for calls it
has_taken() {
    guest_report "$1" | grep -q '^vmring-guest: taken'
}

# assert_full: Xen gives it neither an event channel nor a page.
assert_full() {
    process_start port vmring-lab-domain port "$domid"
    process_wait port 20 1 "port: No space left on device"
    process_start page vmring-lab-domain page "$domid"
    process_wait page 20 1 "page: "
    pages=$(guest_pages)
    echo "pages and their maximum: $pages"
    [ "${pages% *}" -ge "${pages#* }" ] || fail "it is not full"
}

# full_guest MORE_CONFIG
full_guest() {
    guest_options=$1
    domid=$(guest_create micro "vcpus=2 cpuid=1 cr4=1 loop=1 told=1 ports=1 \
pace=5000 beat=1" 2) || fail "$domid"
    # xl does not lower the maximum below the target.
    xenstore-write "/local/domain/$domid/memory/target" 4096
    xl mem-max micro 8 || fail "xl mem-max"
    guest_unpause micro
    wait_for 20 "the guest to take its ports" has_taken micro
    guest_report micro | grep taken
    guest_report micro | grep -q " error=28" || fail "that was not all"
}

step "before that"
domid=$(guest_create micro "vcpus=1 cpuid=1 loop=1" 1) || fail "$domid"
vmring-lab-domain port "$domid" || fail "no port can be taken"
vmring-lab-domain page "$domid" || fail "no page can be added"
guest_destroy micro

for table in "" "max_event_channels = 15"; do
    step "a full guest: ${table:-the usual table}"
    full_guest "$table"
    assert_full
    memory=$(guest_pages)

    step "the legacy ring"
    process_start access xen-access "$domid" cpuid
    wait_for 30 "xen-access's end" process_ended access
    cat "$run/access.out" "$run/access.err"
    grep -q '(28 = No space left on device)' "$run/access.out" \
        "$run/access.err" || fail "it was not refused with ENOSPC"

    step "agents, one after the other"
    for round in 1 2 3 4 5; do
        native_start "agent$round" "$domid" -q -n 20 --deadline 60000 \
            -e "cpuid cr4:async"
        process_wait "agent$round" 30 0
        assert_value "agent$round" .ledger.adds_up true
    done

    step "and after a kill"
    native_start killed "$domid" -q --deadline 60000 -e "cpuid cr4:async"
    sleep 0.5
    process_signal killed 9
    process_wait killed 5 137
    native_start after "$domid" -q --deadline 60000 -e "cpuid cr4:async"
    sleep 0.5
    assert_full
    assert_eq "its pages" "$memory" "$(guest_pages)"

    step "the guest ends"
    xl mem-max micro 10 || fail "xl mem-max"
    native_end after 60
    assert_value after .ledger.totals.defaulted 0
    [ "$(value after .ledger.totals.answered)" -gt 0 ] ||
        fail "there was nothing to answer"
    assert_guest_right micro
    wait_for 20 "the guest to go" guest_gone micro
done
pass "a full guest keeps nobody out"
