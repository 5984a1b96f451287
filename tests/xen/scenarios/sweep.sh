# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Each event of `-e help`, with the arguments at its edges, is armed and
# disarmed against a running guest, and everything that may be injected is:
# Xen's log stays clean, and the guest is exact. Xen asserts where it is asked
# for what it does not bear.
# lab: limit 240
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# is_debug: whether this Xen says so of itself; it would then have a line in its
# log for each MSR that it does not know.
is_debug() {
    xl dmesg | grep -q 'debug=y'
}

# arguments_of NAME: EXPECTED SPEC, a line each; EXPECTED is the agent's exit
# status where the event fires here.
arguments_of() {
    case $1 in
    cr0 | cr3 | cr4 | xcr0)
        for modifiers in '' :sync :async :onchange :async:onchange; do
            echo "0 $1$modifiers"
        done
        ;;
    msr)
        for msrs in 0 0x1fff 0x1ffe-0x1fff 0-0x1fff 0x48-0x4a 0xc0000000 \
            0xc0000080 0xc0000080:onchange 0xc0001fff 0xc0000000-0xc0000103; do
            echo "0 msr:$msrs"
        done
        echo "2 msr:0-0xc0001fff"
        for msrs in 0x2000 0x1fff-0x2000 0x3fffffff 0x40000000 \
            0x40000000-0x40001fff 0x40001fff 0xbfffffff 0xbfffffff-0xc0000000 \
            0xc0002000 0xc0001fff-0xc0002000 0xc0010000 0xc0011fff 0xffffffff \
            0x49 0x79 0x10b 0x80b 0x83f; do
            echo "7 msr:$msrs"
        done
        ;;
    guest_request)
        for modifiers in '' :sync :async :user :async:user; do
            echo "0 $1$modifiers"
        done
        ;;
    debug)
        for modifiers in '' :sync :async; do
            echo "0 $1$modifiers"
        done
        ;;
    vmexit)
        printf '%s\n' "7 vmexit" "7 vmexit:sync" "0 vmexit:async"
        ;;
    mem)
        # 16 MiB of memory from 0 on, and the toolstack's frames up to 0xfefff.
        for frames in 0 0xfff 0x1000 0-0xfff 0xfefff; do
            for access in w x rwx w:faults; do
                echo "0 mem:${access%%:*}@$frames$(
                    expr "$access" : '[a-z]*\(:.*\)')"
            done
        done
        echo "7 mem:w@0xff000"
        echo "7 mem:w@0-0xff000"
        echo "7 mem:w@0xffffffffff"
        ;;
    cpuid | breakpoint | singlestep | descriptor | privileged_call | \
        interrupt | emul_unimplemented | io)
        echo "0 $1"
        ;;
    *) fail "the scenario does not know the event $1 of -e help" ;;
    esac
}

step "a running guest"
domid=$(guest_create micro "vcpus=2 order=mixed cpuid=1 cr0=1 cr3=1 cr4=1 \
msr=1 greq=1 int3=1 step=1 desc=1 probe=1 pace=2000 loop=1 told=1" 2) ||
    fail "$domid"
bridge_start bridge "$domid"
guest_unpause micro
wait_for 20 "the guest to work" guest_alive micro 1
vmring-agent -e help "$domid" >"$run/help" || fail "-e help"

step "each event, armed and disarmed"
nr_armed=0
nr_refused=0
while read -r fires event _; do
    case $fires in
    yes | no) ;;
    *) continue ;;
    esac
    arguments_of "${event%%[:\[]*}" >"$run/specs"
    while read -r expected spec; do
        [ "$fires" = yes ] || expected=7
        echo "step $spec" >/dev/ttyS2
        vmring-agent -q -n 4 -t 0.1 -e "$spec" "$(socket_of "$domid")" \
            >"$run/out" 2>&1 </dev/null
        status=$?
        [ $status = "$expected" ] || {
            cat "$run/out"
            fail "-e $spec ended with $status, not $expected"
        }
        case $expected in
        0) nr_armed=$((nr_armed + 1)) ;;
        *) nr_refused=$((nr_refused + 1)) ;;
        esac
    done <"$run/specs"
done <"$run/help"
echo "armed: $nr_armed, refused: $nr_refused"
[ $nr_armed -gt 25 ] && [ $nr_refused -gt 25 ] || fail "that is not all"

step "what the guest saw"
xl mem-max micro 24 || fail "xl mem-max"
guest_wait micro 30
process_wait bridge 20 3
for kind in cr0_refused cr3_refused cr4_refused msr_refused desc_wrong \
    probe_changed; do
    assert_eq "the guest's $kind" 0 "$(guest_total micro $kind)"
done
assert_eq "its #BP that arrived" "$(guest_total micro int3)" \
    "$(guest_total micro int3_trapped)"
assert_eq "its #DB that arrived" "$(guest_total micro step)" \
    "$(guest_total micro step_trapped)"
assert_guest_right micro
assert_value bridge .legacy_ring.bad_verdicts 0
assert_value bridge .legacy_ring.failed_injections 0
assert_verdicts bridge
wait_for 20 "the guest to go" guest_gone micro

step "everything that may be injected, and much that may not"
domid=$(guest_create micro "inject=6200" 1) || fail "$domid"
bridge_start bridge "$domid"
process_start inject vmring-lab-inject "$(socket_of "$domid")"
guest_unpause micro
process_wait inject 100 0
process_wait bridge 10 3
cat "$run/inject.out"
right=$(sed -n 's/.*right=\([0-9]*\).*/\1/p' "$run/inject.out")
assert_eq "what arrived" "$right" "$(guest_total micro inject_trapped)"
assert_value bridge .legacy_ring.bad_verdicts \
    "$(sed -n 's/.*wrong=\([0-9]*\).*/\1/p' "$run/inject.out")"
assert_value bridge .legacy_ring.failed_injections 0
assert_value bridge .legacy_ring.dropped_injections 0
assert_guest_right micro
wait_for 20 "the guest to go" guest_gone micro

step "what Xen would drop is counted"
domid=$(guest_create micro "inject=100" 1) || fail "$domid"
LD_PRELOAD=/usr/bin/vmring-lab-below
VMRING_LAB_BELOW=pending
export LD_PRELOAD VMRING_LAB_BELOW
bridge_start bridge "$domid"
unset LD_PRELOAD VMRING_LAB_BELOW
process_start inject vmring-lab-inject "$(socket_of "$domid")" right
guest_unpause micro
process_wait inject 60 0
process_wait bridge 10 3 "another event is on its way"
assert_value bridge .legacy_ring.dropped_injections "$right"
assert_eq "what arrived" 0 "$(guest_total micro inject_trapped)"
wait_for 20 "the guest to go" guest_gone micro

step "what can be written and not read is known"
all=1
! is_debug || all=0
domid=$(guest_create micro "vcpus=1 probe=1 probeall=$all" 1) || fail "$domid"
guest_unpause micro
guest_wait micro 100
guest_report micro | sed -n 's/^vmring-guest: write-only //p' >"$run/only"
wait_for 20 "the guest to go" guest_gone micro
cat "$run/only"
for msr in 0x0000080b 0x0000083f; do
    grep -qx $msr "$run/only" || fail "$msr is not there"
done
domid=$(guest_create micro "cpuid=1" 1) || fail "$domid"
bridge_start bridge "$domid"
while read -r msr; do
    vmring-agent -q -e "msr:$msr" "$(socket_of "$domid")" >"$run/out" 2>&1 \
        </dev/null
    assert_eq "the status of -e msr:$msr" 7 $?
done <"$run/only"
guest_unpause micro
process_wait bridge 20 3
pass "armed $nr_armed, refused $nr_refused, injected $right"
