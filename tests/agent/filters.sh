#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: -F hides events, and nothing else: they are answered and counted.
. "$(dirname "$0")/setup.sh"

sum()
{
    awk '$1 == "total" { print $2, $3, $5, $6 }' "$dir/out"
}

# Exactly these lines, the ledger of all, and how many passed.
run 3 -e 'cpuid cr4' -F 'event == cpuid and vcpu == 1' sim:vcpus=2,cpuid=30,cr4=20
[ "$(grep -c ' cpuid .* leaf ' "$dir/out")" -eq 30 ] || fail "not 30 shown"
grep -q ' v0 .*leaf' "$dir/out" && fail "shown of vCPU 0"
grep -q 'changed' "$dir/out" && fail "a register is shown"
[ "$(sum)" = '100 100 100 0' ] || fail "not all in the ledger: $(sum)"
grep -q '^30 of 100 events passed the filter$' "$dir/out" || fail "how many?"
grep -q 'The ledger adds up' "$dir/out" || fail "no ledger"

# The policy judges what is hidden.
run 3 -e cr4 --deny cr4 -F 'vcpu == 9' -f json sim:vcpus=2,cr4=20 --ledger-json \
    "$dir/ledger"
grep -q '"event"' "$dir/out" && grep -q '"verdict"' "$dir/out" &&
    fail "shown: $(head -2 "$dir/out")"
python3 - "$dir/ledger" <<'END' || failed=1
import json, sys
ledger = json.load(open(sys.argv[1]))["ledger"]
assert ledger["passed"] == 0 and ledger["totals"]["answered"] == 40, ledger
END
run 3 -q -f json --ledger-json "$dir/ledger" sim:vcpus=1,cpuid=3
grep -q '"passed":null' "$dir/ledger" || fail "passed, without a filter"

# -n counts what is shown; with workers and JSON too, and twice -F is both.
for more in '' '--workers 2' '-f json' '--workers 3 -f json'; do
    # shellcheck disable=SC2086
    run 0 -n 25 $more -e 'cpuid cr3' -F 'event == cpuid' -F 'vcpu in 1-2' \
        sim:vcpus=4,count=0,rate=50000
    case $more in
    *json*)
        shown=$(grep -c '^{"event":"cpuid"' "$dir/out")
        others=$(grep -cE '^{"event":("write|.*"vcpu":[03],)' "$dir/out")
        ;;
    *)
        shown=$(grep -c ' cpuid .* leaf ' "$dir/out")
        others=$(grep -cE '  v[03] .*(leaf|cr3)|cr3 0x' "$dir/out")
        ;;
    esac
    [ "$shown,$others" = 25,0 ] ||
        fail "-n 25 $more: $shown shown, and $others that should not be"
done
# With -q it counts what would be.
run 0 -q -n 10 -e 'cpuid cr3' -F 'event == cpuid' sim:count=0,rate=50000
grep -qE '^(1[0-9]|[2-9][0-9]+) of [0-9]+ events passed' "$dir/out" ||
    fail "-q: $(cat "$dir/out")"

# The summary is of what passes; lines in order of time are those, too.
run 3 -q -c -e 'cpuid cr4' -F 'event == cpuid' sim:vcpus=2,cpuid=30,cr4=20
grep -q 'write_ctrlreg  *20 ' "$dir/out" || fail "not in the ledger"
sed '/adds up/,$!d' "$dir/out" | grep -qE 'cr4|write_ctrlreg' &&
    fail "the summary has what was hidden: $(cat "$dir/out")"
sed '/adds up/,$!d' "$dir/out" | grep -qE 'cpuid.* 60( |$)|  60 .*cpuid' ||
    fail "the summary has not what passed: $(cat "$dir/out")"
run 3 --sort=10ms -e 'cpuid cr4' -F 'event == cpuid' --workers 2 \
    sim:vcpus=2,cpuid=30,cr4=20
[ "$(grep -c ' leaf ' "$dir/out")" -eq 60 ] || fail "--sort: $(cat "$dir/out")"

# What is wrong with one: a line, the text, and a mark under the place.
marks()
{
    run 2 -F "$1" sim:
    printf 'vmring-agent: -F: %s\n  %s\n%s\n' "$2" "$1" "$3" |
        cmp -s - "$dir/err" || fail "-F '$1': $(cat "$dir/err")"
}
marks 'vcpu == 1 and leef == 1' \
    "no field 'leef'; did you mean leaf? -F help lists them" \
    '                ^'
marks 'leaf = 1' 'write == to compare' '       ^'
run 2 -F '' sim:
run 2 -F "leaf == 1$(printf '%0500d' 0)" sim:
awk 'NR > 1 && length($0) > 79 { exit 1 }' "$dir/err" || fail "a long mark"

# One of them is one event.
run 3 -q sim:vcpus=1,cpuid=1
grep -q ' 1 event in ' "$dir/out" || fail "of one: $(cat "$dir/out")"

# The list of fields fits a screen, and has what JSON has.
run 0 -F help
awk 'length($0) > 79 { exit 1 }' "$dir/out" || fail "-F help is too wide"
sed 's/,/ /g' "$dir/out" | tr -s ' ' '\n' | sort -u >"$dir/fields"
run 3 -v -f json -e 'cpuid cr0 cr3:async cr4 msr:0-0x1fff
    msr:0xc0000000-0xc0001fff breakpoint debug' sim:vcpus=3,count=500
grep -q '^access:$' "$dir/fields" && grep -q '^page_walk$' "$dir/fields" &&
    grep -q '^kernel_gs_base$' "$dir/fields" || fail "no names of values"
python3 - "$dir/out" "$dir/fields" <<'END' || failed=1
import json, sys

fields = set(open(sys.argv[2]).read().split())
# Of the agent's doing, not of the event; and what holds the registers.
others = {"time_ns", "delta_ns", "time", "verdict", "registers"}
keys = set()
for line in open(sys.argv[1]):
    event = json.loads(line)
    if "event" in event:
        keys |= set(event) | set(event.get("registers", {}))
assert {"leaf", "rip", "changed", "r15", "vcpu"} <= keys, keys
assert keys - others <= fields, keys - others - fields
END

exit $failed
