# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself: a register write that the agent denies does
# not happen, each time, though the answer may come while the vCPU still runs.
# lab: xen vmring
# lab: thread multi
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

# watched VCPUS WORK AGENT_OPTION...
watched() {
    vcpus=$1
    work=$2
    shift 2
    domid=$(guest_create micro "vcpus=$vcpus order=mixed $work cpuid=5" \
        "$vcpus") || fail "$domid"
    native_start agent "$domid" -q --deadline 60000 "$@"
    guest_unpause micro
    native_end agent 60
    assert_value agent .ledger.totals.defaulted 0
    assert_guest_right micro
}

# refused REGISTER WRITES REFUSED
refused() {
    assert_eq "the guest's writes of $1" "$2" "$(guest_total micro "$1")"
    assert_eq "writes of $1 that did not happen" "$3" \
        "$(guest_total micro "${1}_refused")"
}

step "CR4.TSD and the MSR LSTAR are denied"
watched 16 "cr4=25 msr=15" -e "cr4 msr:0xc0000082 cpuid" \
    --deny cr4:0x4 --deny msr:0xc0000082
refused cr4 400 400
refused msr 240 240
wait_for 20 "the guest to go" guest_gone micro

step "CR0.TS and CR3 are denied; another bit of CR4 is, and no MSR"
watched 4 "cr0=25 cr3=25 cr4=25 msr=15" \
    -e "cr0 cr3 cr4 msr:0xc0000082 cpuid" \
    --deny cr0:0x8 --deny cr3 --deny cr4:0x100000
refused cr0 100 100
refused cr3 100 100
refused cr4 100 0
refused msr 60 0
pass "what was denied did not happen"
