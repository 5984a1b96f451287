#!/bin/bash
# SPDX-License-Identifier: MIT
#
# planted.sh [-c | -s SECONDS] [NAME...]: can the harnesses fail?  Plants one bug
# at a time in a copy of the sources, runs the harness that should notice
# over the committed corpus, and if that passes fuzzes for at most SECONDS
# (60).  Says which check noticed.  1: a bug was not found.  -c: only sees
# that each still fits its source.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=60 check=
if [ "${1-}" = -c ]; then
    check=yes
    shift
fi
if [ "${1-}" = -s ]; then
    seconds=$2
    shift 2
fi

# NAME TARGET FILE, then what sed does to it.
bugs='
torn-request consumer core/slot.c
s/if (vmr_load_relaxed(&rx->request->state) != seq)/if (0)/
taken-twice consumer core/slot.c
s/ || seq == rx->taken/ || (seq == rx->taken \&\& seq > 99)/
any-length consumer core/slot.c
s/else if (event->length != HEAD_LEN)/else if (0)/
torn-record consumer core/lane_pull.h
s/return \*state == done;/return true;/
record-length consumer core/lane_pull.c
s/bool whole = event->length == XEN_VM_RING_EVENT_FULL &&/bool whole =/
forgiven consumer core/consumer.c
s/^    group->broken = true;/    group->broken = false;/
endless-looks consumer core/consumer.c
s/^#define MAX_LOOKS 128/#define MAX_LOOKS 12800/
cursor-area consumer core/geometry.c
s/lies_within(geo->cursor_off,/lies_within(0 * geo->cursor_off,/
group-area consumer core/geometry.c
s/lies_within(geo->attn_lane_off,/lies_within(0 * geo->attn_lane_off,/
sleeps-on consumer core/doorbell.c
s/^        !any_set(rx->attn_lane, rx->nr_lanes))/        1)/
sleeps-on-requests consumer core/doorbell.c
s/^    if (!any_set(rx->attn_request, rx->nr_vcpus) &&$/    if (/
any-cursor producer core/lane_push.c
s/if (cons - tx->cons > tx->head - tx->cons)/if (0)/
believes-again producer core/lane_push.c
s/if (tx->faulted || !tx->cursor)/if (!tx->cursor)/
uncounted producer core/lane_push.c
s/&tx->line->lost, ++tx->lost/\&tx->line->lost, tx->lost/
reads-cursor producer core/lane_push.c
s/: UINT64_MAX,/: geo->nr_records,/;s/^    if (tx->loss_policy == XEN_VM_RING_POLICY_OVERWRITE)$/    if (0)/
any-seq producer core/slot.c
s/if (vmr_load_acquire(&tx->response->seq) != tx->seq)/if (0)/
reads-on producer core/lane_push.c
s/^    tx->cursor = NULL;/    ;/
beyond-mask producer core/response_check.c
s/return VMR_FLAGS_DENIED;/return VMR_FLAGS_ALLOWED;/
other-reason producer core/answer.c
s/return response->reason == slot->fifo\[slot->first\]->event.reason &&/return /
checked-in-place producer core/answer.c
s/vmr_response_check(response->reason, response->flags,/vmr_response_check(response->reason, slot->response->flags,/
two-verdicts producer core/slot.c
s/if (--tx->nr == 0)/if ((tx->nr -= tx->nr > 1) == 0)/
bits-of-nobody producer core/doorbell.c
s/bits &= (1ULL << nr % 64) - 1;/;/
sleeps-on-answer producer core/vcpu.c
s/if (!slot->response || slot->seen == slot->seq ||/if (1 ||/
kept-busy producer core/vcpu.c
s/^    slot->seen = slot->seq;/    ;/
sleeps-on-hints producer core/vcpu.c
s/if (rmw != VMR_RMW_OURS && bell->fetched.low == bell->fetched.high)/if (rmw != VMR_RMW_OURS)/
hint-for-ever producer core/vcpu.c
s/^    vmr_bits_clear(&bell->fetched, bit);/    ;/
wakes-another producer core/vcpu.c
s/\*vcpu = bit \* producer->geo.nr_groups + group;/*vcpu = bit;/
wrong-is-right producer core/vcpu.c
s/if (vmr_find_answer(producer, slot, response, &wrong))/if (vmr_find_answer(producer, slot, response, \&wrong) || wrong)/
kept-from-gone producer core/vcpu.c
s/^        \*response = \*slot->kept;/        ;/
settled-anew producer core/slot.c
s/ || (tx->seq & 1) || tx->settled)/ || (tx->seq \& 1))/
left-behind producer core/slot.c
s/^    leave_old(tx);$/    ;/
unlisted-event control producer/control.c
s/^    return denied;/    return 0;/
any-verdict control producer/negotiate.c
s/if (propose->verdicts & ~accept->allowed_verdicts)/if (0)/
two-consumers control producer/negotiate.c
s/if (is_busy(producer))/if (0)/
open-descriptors control transport/local/link.c
s/^        if (fds\[i\] >= 0)/        if (0)/
row-of-nobody control consumer/control.c
s/if (from->vcpu >= ring->core.geo.nr_lanes ||/if (/
twice-in-list specs text/specs.c
s/a->first > b->last || b->first > a->last/a->first >= b->last || b->first > a->last/
raw-quote specs text/word.c
s/>= . . && word.at\[i\] <= .~./>= 1/
too-many specs text/specs.c
s/if (nr == max)/if (nr > max)/
and-is-or filter ../agent/filter/filter.c
s/stack &= ~UINT64_C(1) | top;/stack |= top;/
no-depth filter ../agent/filter/filter_parse.c
s/p->depth == FILTER_MAX_DEPTH/0/
endless filter ../agent/filter/filter_parse.c
s/if (p->filter->nr == FILTER_MAX_STEPS)/if (0)/
'
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
missed=0 nr=0

# try NAME TARGET FILE EDIT
try() {
    local how="over the corpus" log=$work/log

    if [ ! -f "$root/libvmring/$3" ] ||
        sed "$4" "$root/libvmring/$3" | cmp -s - "$root/libvmring/$3"; then
        echo "$1: no longer fits $3"
        return 1
    fi
    [ -z "$check" ] || return 0
    rm -rf "$work/copy"
    mkdir "$work/copy"
    cp -r "$root/libvmring" "$root/include" "$root/agent" "$root/terminal" \
        "$work/copy"
    sed -i "$4" "$work/copy/libvmring/$3"
    VMRING_ROOT=$work/copy "$here/build.sh" libfuzzer "$2" "$work/program" ||
        return 1
    if "$work/program" -runs=0 -timeout=20 -artifact_prefix="$work/" \
        "$here/corpus/$2" >"$log" 2>&1; then
        rm -rf "$work/new"
        mkdir "$work/new"
        SECONDS=0
        if "$work/program" -max_total_time="$seconds" -max_len=192 \
            -timeout=20 -artifact_prefix="$work/" "$work/new" \
            "$here/corpus/$2" >"$log" 2>&1; then
            echo "$1: not found by $2"
            return 1
        fi
        how="after $SECONDS s of fuzzing"
    fi
    printf '%s: found by %s %s: %s\n' "$1" "$2" "$how" "$(
        grep -m 1 -o -e 'not so: .*' -e 'ERROR: AddressSanitizer: [a-zA-Z-]*' \
            -e 'runtime error: .*' -e 'LeakSanitizer: .*' -e 'ERROR: .*' "$log"
    )"
}

while read -r name target file && read -r edit; do
    [ -n "$name" ] || continue
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then
        continue
    fi
    nr=$((nr + 1))
    try "$name" "$target" "$file" "$edit" || missed=$((missed + 1))
done < <(printf '%s\n' "$bugs" | sed '/^$/d')
if [ "$check" ]; then
    echo "$missed of $nr no longer fit"
else
    echo "$missed of $nr not found"
fi
[ "$missed" = 0 ]
