# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# For scenarios of a Xen that is the producer itself (lab run --xen vmring).
# lib-vmring.sh comes first.
# shellcheck disable=SC2154 # $run is lib.sh's

# A Xen that is none has no such domctl.
vmring-agent -n 0 "xen:0" >"$run/native" 2>&1 || true
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
