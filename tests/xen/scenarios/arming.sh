# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Thousands of MSRs armed and disarmed for a guest of 64 vCPUs: it goes on
# meanwhile, its verdicts too, and the bridge hears a signal amid of it. By the
# guest's own clock: armed at a stretch, its longest gap is as long as the arming.
# lab: limit 300
# shellcheck source=lib.sh
. /lab/lib.sh
# shellcheck source=lib-vmring.sh
. /lab/lib-vmring.sh

# gap_since FROM: the longest that it took a vCPU from one event to the next, in
# ms, what it slept not counted, since beat FROM.
gap_since() {
    guest_report many | sed -n 's/^vmring-guest: beat.* gap_us=//p' |
        awk -v from="$1" 'NR > from && $1 > most { most = $1 }
            END { print int(most / 1000) }'
}

# Each phase ends with two beats, so that it is in what they say.
phase_ends() {
    beats=$(($(guest_beats many) + 2))
    wait_for 60 "two beats" guest_alive many "$beats"
}

step "a guest of 64 vCPUs"
domid=$(guest_create many \
    "vcpus=64 cpuid=1 loop=1 told=1 pace=200000 timed=1" 64 32) || fail "$domid"
bridge_start bridge "$domid"
agent_start one "$domid" -q -e cpuid
guest_unpause many
wait_for 60 "the guest to run" guest_alive many 3
process_signal one TERM
process_wait one 20 0

step "8187 MSRs are armed"
from=$(guest_beats many)
began=$(now_ms)
process_start all vmring-agent -f json -o "$run/all.json" -q \
    -e "cpuid msr:0-0x1fff" "$domid"
wait_for 120 "the MSRs to be armed" is_attached all
grep -q '[{,] *"attached":' "$run/all.json" || {
    cat "$run/all.err"
    fail "they are not armed"
}
armed=$(($(now_ms) - began))
phase_ends
arming=$(gap_since "$from")
echo "armed in $armed ms; longest gap $arming ms"

step "and disarmed"
from=$(guest_beats many)
began=$(now_ms)
process_signal all TERM
process_wait all 120 0
disarmed=$(($(now_ms) - began))
phase_ends
disarming=$(gap_since "$from")
echo "disarmed in $disarmed ms; longest gap $disarming ms"

step "and the bridge ends amid of it"
process_start again vmring-agent -f json -o "$run/again.json" -q \
    -e "msr:0-0x1fff" "$domid"
sleep 0.5
began=$(now_ms)
process_signal bridge TERM
process_wait bridge 120 0
echo "ended in $(($(now_ms) - began)) ms"
wait_for 20 "the end of its agent" process_ended again
xl mem-max many 40
wait_for 60 "the guest to end" guest_gone many
assert_guest_right many

# At a stretch it is half of it, or more.
for gap in "$arming $armed" "$disarming $disarmed"; do
    [ "${gap% *}" -lt 200 ] || [ $((${gap% *} * 5)) -lt "${gap#* }" ] ||
        fail "the guest stood still for ${gap% *} ms of ${gap#* }"
done
pass "the guest went on"
