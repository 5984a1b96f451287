#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: SIGINT and SIGTERM end it in order, a second SIGINT at once.
. "$(dirname "$0")/setup.sh"

endless=sim:vcpus=4,count=1000000000,rate=20000
for signal in INT TERM; do
    watch "$agent" -e 'cpuid cr3:async' $endless
    end 0 $signal
done
# While each event takes a second, draining what is there takes long.
watch "$agent" -e cr3:async --slow 1000000 $endless
end 13 INT INT
grep -q 'interrupted while it ended' "$dir/err" || fail 'it does not say so'
grep -q 'not checked: it was not drained' "$dir/out" ||
    fail 'it checks a ledger that moves'
exit $failed
