#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: -n, -t, --help and the target's end have their statuses.
. "$(dirname "$0")/setup.sh"

run 0 --help
grep -q 'sim:vcpus=4' "$dir/out" || fail 'no example in --help'
run 0 --version
grep -q '^vmring-agent [0-9]' "$dir/out" || fail 'no version'
run 0 --usage
run 0 -e help
grep -q 'msr:NUMBER' "$dir/out" || fail 'no msr in -e help'
run 0 -e help sim:
grep -q '^  no  *vmexit' "$dir/out" || fail 'the simulated guest has vmexit?'
grep -q '^  yes  *cpuid' "$dir/out" || fail 'the simulated guest has no cpuid?'

# -n limits what is shown; the ledger has all that were taken.
run 0 -n 5 sim:vcpus=4,count=100000
[ "$(grep -c '  cpuid .*leaf' "$dir/out")" -eq 5 ] || fail '-n 5 shows not 5'
grep -q 'The ledger adds up' "$dir/out" || fail 'no ledger'
run 0 -q -t 0.3 sim:vcpus=2,count=1000000000,rate=1000
grep -q 'The ledger adds up' "$dir/out" || fail 'no ledger after -t'
run 3 -q sim:vcpus=2,count=10
says 'has shut down (poweroff)'

# A verdict: the simulated guest counts the writes that were denied.
run 3 -q -e cr4 --deny cr4 "sim:vcpus=2,cr4=50,truth=$dir/truth"
python3 - "$dir/truth" <<'END' || fail 'denied writes are not what they should be'
import json, sys
guest = json.load(open(sys.argv[1]))["guest"]
sys.exit(not all(vcpu["denied"] == 50 for vcpu in guest))
END
exit $failed
