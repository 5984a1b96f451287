# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# The lab itself: a Xen with everything vmring stands on, and a guest that
# comes, works and goes.
# lab: needs linux-guest
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh

step "looking for Xen's devices"
for device in evtchn gntdev gntalloc privcmd hypercall xenbus; do
    [ -c /dev/xen/$device ] || fail "no /dev/xen/$device"
done

step "asking Xen what it can do"
xl info >"$run/info" || fail "xl info"
grep -E '^(xen_version|virt_caps|nr_cpus|free_memory)' "$run/info"
grep -q '^virt_caps.*hvm hap' "$run/info" || fail "no HVM with nested paging"

step "a Linux guest"
xen_resources >"$run/before"
cat "$run/before"
domid=$(guest_linux linux) || fail "$domid"
guest_unpause linux
wait_for 120 "the guest's first turn of work" guest_says linux "turn 1,"
guest_console linux | grep '^guest:'

step "its end"
guest_destroy linux
assert_resources "$run/before" 256
pass "Xen works, guest $domid came and went"
