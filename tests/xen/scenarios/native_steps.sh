# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# An event of Xen's ring, and of the legacy ring, while tests/xen/steps.py counts
# from the host the instructions of monitor_traps(), which raises either. The
# machine stands still while that counts. By itself it only sees to it that there
# are such events.
# lab: xen vmring
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

events=1000000
guest_options='on_poweroff = "preserve"'

# address SYMBOL: of Xen's.
address() {
    awk -v name="$1" '$3 == name { print $1 }' /proc/xen/xensyms
}

# guest KIND
guest() {
    domid=$(guest_create micro "vcpus=1 $1=$events" 1) || fail "$domid"
}

# counted LABEL: for these seconds of the machine's time there are events.
counted() {
    guest_unpause micro
    echo "count $1: $(address monitor_traps)"
    sleep 4
    echo "counted"
    guest_destroy micro
}

# xen_ring LABEL KIND EVENTS
xen_ring() {
    step "$1"
    guest "$2"
    native_start agent "$domid" -q --deadline 60000 --async-bytes 4m -e "$3"
    counted "$1"
    process_wait agent 30 3 "has shut down|was destroyed"
    at_least "events of $1" 20 "$(value agent .ledger.totals.delivered)"
}

at_least() {
    [ "$3" -ge "$2" ] || fail "$1: $3"
}

modprobe xenfs 2>/dev/null || insmod /lib/modules/xenfs.ko 2>/dev/null
[ -r /proc/xen/xensyms ] || mount -t xenfs xenfs /proc/xen ||
    fail "Xen's symbols are not to be had"
[ -n "$(address monitor_traps)" ] || fail "no monitor_traps in Xen's symbols"

xen_ring "Xen's ring, synchronous" cpuid cpuid
xen_ring "Xen's ring, asynchronous" cr4 cr4:async

step "the legacy ring, synchronous"
guest cpuid
process_start access xen-access "$domid" cpuid
wait_for 20 "xen-access" legacy_port_of "$domid"
counted "the legacy ring, synchronous"
process_signal access TERM
wait_for 20 "xen-access's end" process_ended access
at_least "events of xen-access" 20 "$(grep -c '^CPUID executed' "$run/access.out")"
pass "there were events of each"
