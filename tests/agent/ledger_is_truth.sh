#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: the ledger is what the simulated guest itself has counted.
. "$(dirname "$0")/setup.sh"

# compare EVENTS VCPUS COUNT OPTION...
compare()
{
    events=$1 vcpus=$2 count=$3
    shift 3
    rm -f "$dir/truth"
    run 3 -q -e "$events" --ledger-json "$dir/ledger" "$@" \
        "sim:vcpus=$vcpus,count=$count,seed=7,truth=$dir/truth"
    python3 - "$dir/truth" "$dir/ledger" <<'END' || fail "$events $vcpus $*"
import json, sys

truth = json.load(open(sys.argv[1]))
ledger = json.load(open(sys.argv[2]))["ledger"]
assert truth["ended"] and ledger["adds_up"] is True
names = ("requests", "answered", "defaulted", "records")
want = {(row["vcpu"], row["reason"]): [row[name] for name in names]
        for row in truth["counts"]}
have = {(row["vcpu"], row["event"]): [row[name] for name in names]
        for row in ledger["rows"]}
assert want == have, [(cell, want.get(cell), have.get(cell))
                      for cell in set(want) | set(have)
                      if want.get(cell) != have.get(cell)][:5]
# The guest's count of a vCPU, against what was handed over and lost.
for lane in ledger["lanes"]:
    raised = sum(row[3] for (vcpu, _), row in want.items()
                 if vcpu == lane["lane"])
    assert raised == lane["delivered"] + lane["lost"], lane
assert sum(row[3] for row in want.values()) == sum(
    lane["delivered"] + lane["lost"] for lane in ledger["lanes"])
END
}

async='cr3:async cr4:async guest_request:async'
mixed="$async cpuid breakpoint msr:0xc0000082"
for policy in discard overwrite; do
    for vcpus in 1 64 1024; do
        compare "$mixed" $vcpus $((20000 / vcpus + 20)) \
            --policy $policy --record-size 64 --async-bytes 1m
        # Two slots a vCPU, and a slow agent: most is lost.
        compare "$async" $vcpus $((40000 / vcpus + 20)) --slow 5 \
            --policy $policy --record-size 64 --async-bytes $((vcpus * 128))
        [ "$(sed 's/.*"totals":{[^}]*"lost":\([0-9]*\).*/\1/' \
            "$dir/ledger")" -gt 0 ] || fail "nothing lost: $policy $vcpus"
    done
done
exit $failed
