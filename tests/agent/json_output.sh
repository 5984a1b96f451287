#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: -f json gives valid objects with the documented keys.
. "$(dirname "$0")/setup.sh"

all='cpuid cr0 cr3:async cr4 msr:0-0x1fff msr:0xc0000000-0xc0001fff
    guest_request:async breakpoint debug'
run 3 -v -f json -e "$all" --ledger-json "$dir/ledger" sim:vcpus=3,count=2000
python3 - "$dir/out" "$dir/ledger" <<'END' || failed=1
import json, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
assert set(lines[0]) == {"version", "attached"}, lines[0]
assert lines[0]["attached"]["vcpus"] == 3
assert set(lines[-1]) == {"version", "ledger"}, lines[-1]
assert lines[0]["version"] == lines[-1]["version"] == 1, lines[-1]
ledger = lines[-1]["ledger"]
assert ledger == json.load(open(sys.argv[2]))["ledger"]
assert ledger["adds_up"] is True and ledger["why"] is None
assert lines[-2] == {"target": "shutdown", "reason": "poweroff"}, lines[-2]
assert ledger["ending"] == "target" and ledger["shutdown"] == "poweroff"

keys = {
    "cpuid": {"leaf", "subleaf", "insn_len"},
    "write_ctrlreg": {"register", "index", "old", "new", "changed"},
    "mov_to_msr": {"msr", "register", "old", "new", "changed"},
    "software_breakpoint": {"gfn", "insn_len", "type", "pending_dbg"},
    "debug_exception": {"gfn", "insn_len", "type", "pending_dbg"},
    "guest_request": set(),
}
always = {"event", "time_ns", "vcpu", "sync"}
sometimes = {"rip", "registers", "altp2m", "foreign", "reposted", "drained",
             "lost_before"}
seen = {}
for event in lines[1:-2]:
    kind = event["event"]
    must = always | keys[kind] | {"verdict" if event["sync"] else "position"}
    assert must <= set(event), (must - set(event), event)
    assert set(event) <= must | sometimes, event
    for name in ("old", "new", "changed", "gfn", "msr", "rip"):
        assert name not in event or int(event[name], 16) >= 0
    cell = (event["vcpu"], kind)
    seen[cell] = seen.get(cell, 0) + 1
assert {kind for _, kind in seen} == set(keys), seen

# The ledger is of what was shown.
rows = {(row["vcpu"], row["event"]): row for row in ledger["rows"]}
assert set(rows) >= set(seen)
for cell, row in rows.items():
    assert row["delivered"] == seen.get(cell, 0), (cell, row)
totals = ledger["totals"]
for name in ("attempted", "delivered", "lost", "answered", "defaulted"):
    assert totals[name] == sum(row[name] for row in rows.values()), name
END

run 0 -f json -e help sim:
python3 - "$dir/out" <<'END' || failed=1
import json, sys
kinds = [json.loads(line)["kind"] for line in open(sys.argv[1])]
assert {"cpuid": True, "vmexit": False}.items() <= {
    kind["name"]: kind["supported"] for kind in kinds}.items()
END
exit $failed
