# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# For scenarios of a Xen that is the producer itself (lab run --xen vmring).
# lib-vmring.sh comes first.
# shellcheck disable=SC2154 # $run is lib.sh's

# A Xen that is none has no such domctl.
vmring-agent -n 1 "xen:0" >"$run/native" 2>&1 || true
! grep -q "is no producer" "$run/native" || {
    echo "SKIP: this Xen is no producer; take --xen vmring"
    exit 77
}

# native_start NAME DOMID OPTION...: an agent whose producer is Xen.
native_start() {
    native_name=$1
    native_domid=$2
    shift 2
    agent_start "$native_name" "xen:$native_domid" "$@"
}

# native_end NAME SECONDS: an agent whose target ends, with its ledger whole.
native_end() {
    process_wait "$1" "$2" 3 "has shut down|was destroyed"
    assert_value "$1" .ledger.adds_up true
}

# keepers: the processes that call Xen for an agent each, and end with it.
keepers() {
    grep -lx vmring-keeper /proc/[0-9]*/comm | cut -d / -f 3
}

# shellcheck disable=SC2317 # wait_for calls it
one_keeper() {
    [ "$(keepers | wc -l)" = 1 ]
}

# keeper_stop: of the one agent that there is. It answers as before, and leaves
# Xen's counts when its target ends, until keeper_continue.
keeper_stop() {
    wait_for 20 "the others' keepers to end" one_keeper
    keeper=$(keepers)
    kill -STOP "$keeper" || fail "no keeper"
}

keeper_continue() {
    kill -CONT "$keeper" || fail "no keeper"
}

# native_query DOMID: asks Xen what it has counted, for queried.
native_query() {
    vmring-lab-native-query "$1" >"$run/query" || fail "Xen counts nothing"
}

# queried KEY
queried() {
    sed -n "s/^$1=//p" "$run/query"
}

# assert_queried KEY EXPECTED
assert_queried() {
    assert_eq "Xen's count of $1" "$2" "$(queried "$1")"
}

# assert_exact REQUESTS RECORDS: each was answered by an agent, and none lost.
assert_exact() {
    assert_queried requests "$1"
    assert_queried answered "$1"
    assert_queried records "$2"
    for exact_key in by_deadline by_detach by_overflow discarded abandoned \
        ignored lane_faults pending waited; do
        assert_queried $exact_key 0
    done
}

# legacy_absent PROCESS: xen-access has ended, as this Xen has no legacy ring.
legacy_absent() {
    process_ended "$1" &&
        grep -q '(6 = No such device or address)' "$run/$1.out" "$run/$1.err"
}

# legacy_settled DOMID PROCESS: it has its ring, or has ended.
# shellcheck disable=SC2317 # wait_for calls it
legacy_settled() {
    legacy_port_of "$1" || process_ended "$2"
}

# vcpus_such DOMID PATTERN: how many of its vCPUs have it in a line that Xen tells
# of them.
vcpus_such() {
    xen_keys q | sed -n "/^(XEN) VCPU information .* domain $1:/,/^(XEN) G/p" |
        grep -c "$2"
}

# Of a vCPU that Xen paused for a verdict, or for room in the ring.
# shellcheck disable=SC2034 # for the scenario
vcpu_waits=" pause_count=1 "
# Of one whose stack is put aside: the waitqueue binds a vCPU to the CPU that it
# fell asleep on until it has it back.
# shellcheck disable=SC2034
vcpu_queued="affinities: hard={[0-9]*} "
