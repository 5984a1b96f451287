# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What the legacy ring does when its agent is killed: nobody can attach again,
# and the guest waits for ever. Shown with Xen's own xen-access.
# lab: needs linux-guest
# lab: limit 180
# shellcheck source=lib.sh
. /lab/lib.sh

# The event channels that dom0 shares with the guest.
ports() {
    lsevtchn 0 | grep -c "Remote Domain $domid,"
}

# shellcheck disable=SC2317 # wait_for calls it
attached() {
    [ "$(ports)" -gt "$ports_before" ]
}

# It attaches before the guest runs and sees the CPUIDs that booting executes.
step "xen-access attaches to a guest"
domid=$(guest_linux legacy) || fail "$domid"
ports_before=$(ports)
xen-access "$domid" cpuid >"$run/first" 2>&1 &
agent=$!
wait_for 20 "its event channel" attached
guest_unpause legacy
wait_for 90 "events" grep -q "^CPUID executed" "$run/first"
grep -m 3 "^CPUID executed" "$run/first"

step "it is killed"
kill -9 $agent
wait $agent
assert_eq "its exit status" 137 $?

step "it is started again"
if xen-access "$domid" cpuid >"$run/second" 2>&1; then
    fail "it was not refused"
fi
cat "$run/second"
grep -q '(16 = Device or resource busy)' "$run/second" ||
    fail "refused, but not with EBUSY"

# It runs on until its next CPUID, and no further.
# shellcheck disable=SC2317 # wait_for calls it
stands_still() {
    still_before=$(guest_cpu_time legacy)
    sleep 3
    [ "$(guest_cpu_time legacy)" = "$still_before" ]
}

step "the guest"
wait_for 60 "the guest to get no further" stands_still
echo "ok: its CPU time stands still at $(guest_cpu_time legacy) s"
guest_destroy legacy
pass "the legacy ring refuses a second agent after the first was killed"
