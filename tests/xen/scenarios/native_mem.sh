# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# A Xen that is the producer itself, on an Intel machine: accesses to memory are
# answered exactly, and who comes after an agent that watched some is told of
# none that it did not ask for.
# lab: xen vmring
# lab: machine intel
# lab: limit 900
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh
# shellcheck source=lib-native.sh
. /lab/lib-native.sh

if ! xl info | grep -q '^virt_caps.*hap'; then
    echo "SKIP: this machine has no EPT"
    exit 77
fi

# 100 reads, 200 writes and 50 executions of memory in frame 0x100.
accesses="memr=100 memw=200 memx=50"

# assert_accesses: the guest made them all, and each did what it should.
assert_accesses() {
    assert_eq "the guest's reads" 100 "$(guest_total micro memr)"
    assert_eq "the guest's writes" 200 "$(guest_total micro memw)"
    assert_eq "the guest's executions" 50 "$(guest_total micro memx)"
    for wrong in memr_wrong memw_wrong memx_wrong; do
        assert_eq "the guest's $wrong" 0 "$(guest_total micro $wrong)"
    done
    assert_guest_right micro
}

# told_of NAME: how many accesses agent NAME was told of.
told_of() {
    value "$1" .ledger.adds_up >/dev/null # makes its .flat
    awk -F = '/^\.ledger\.rows.*\.event=/ { counts = $2 == "mem_access" }
        counts && /^\.ledger\.rows.*\.attempted=/ { sum += $2 }
        END { print sum + 0 }' "$run/$1.flat"
}

# watch EVENT COUNT: an agent of EVENT answers COUNT accesses, and loses none.
watch() {
    step "$1"
    domid=$(guest_create micro "$accesses") || fail "$domid"
    native_start agent "$domid" -q --deadline 60000 -e "$1"
    guest_unpause micro
    native_end agent 100
    for key in delivered answered; do
        assert_value agent .ledger.totals.$key "$2"
    done
    for key in lost defaulted; do
        assert_value agent .ledger.totals.$key 0
    done
    assert_eq "accesses it was told of" "$2" "$(told_of agent)"
    assert_accesses
    wait_for 20 "the guest to go" guest_gone micro
}

watch mem:w@0x100 200
watch mem:x@0x100 50
# A page that can be written can be read: who watches reads is told of writes.
watch mem:r@0x100 300
watch mem:rwx@0xf0-0x100 350

# The one whose vCPU waits when an agent is killed its successor gets.
for end in KILL:1 TERM:0; do
    signal=${end%:*}
    step "an agent that watches memory gets SIG$signal amid it"
    domid=$(guest_create micro "$accesses greq=200 order=mixed pace=10000") ||
        fail "$domid"
    native_start first "$domid" -q --deadline 60000 -e mem:rwx@0xf0-0x100
    guest_unpause micro
    sleep 1
    process_signal first "$signal"
    wait_for 20 "its end" process_ended first
    native_start second "$domid" -q --deadline 60000 -e guest_request
    native_end second 100
    [ "$(told_of second)" -le "${end#*:}" ] ||
        fail "it was told of $(told_of second) accesses that it did not ask for"
    echo "the second agent: $(value second .ledger.totals.answered)," \
        "of these accesses: $(told_of second)"
    [ "$(value second .ledger.totals.answered)" -gt 1 ] ||
        fail "there was nothing left for it"
    assert_value second .ledger.totals.defaulted 0
    assert_accesses
    assert_eq "the guest's requests" 200 "$(guest_total micro greq)"
    wait_for 20 "the guest to go" guest_gone micro
done

step "a frame that the guest has not"
domid=$(guest_create micro "$accesses") || fail "$domid"
process_line beyond 7 "'mem:w@0xff000' goes beyond the guest's last frame" \
    vmring-agent -q -e mem:w@0xff000 "xen:$domid"
guest_destroy micro
pass "each access was answered, and none was left"
