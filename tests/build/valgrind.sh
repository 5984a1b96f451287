#!/bin/sh
# SPDX-License-Identifier: MIT
# Description: memcheck finds no error and no leak in the tests that are quick
# enough for it.
#
# usage: valgrind.sh SOURCE_DIR BUILD_DIR some|all
#
# some: those in which messages are made for a peer, or read from one. The others
# AddressSanitizer runs as well.
#
# Memcheck also sees what AddressSanitizer does not: decisions that are made
# with memory that nobody has written.  Left out are tests that are many
# rounds of the same (they take minutes), that run out of descriptors (of
# which valgrind keeps some for itself), whose processes end each other, or
# themselves, in the middle of something or with what is their parent's, one that
# leaves threads behind that
# nobody can end, and one that only reads what compilers make.
set -eu
build=$2 only=.
[ "$3" = all ] ||
    only='^(process|grant|message|rendezvous|subscribe|serve|faults)_'
command -v valgrind >/dev/null || {
    echo 'no valgrind'
    exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ctest --test-dir "$build" --show-only=json-v1 -L 'unit|process' \
    -LE 'proof|xen|agent' \
    -E 'stress|races|hostile|random|retire_while|lane_epochs|unread_answers|bridge_outlet|specs_bytes|out_of_desc|interrupted|forked|kill|crash|attack|fuzz|stopped|overwrite_gaps|sim_endpoint|sim_mix|atomic_code' |
    python3 -c '
import json, shlex, sys
for test in json.load(sys.stdin)["tests"]:
    print(test["name"], shlex.join(test.get("command", ["false"])))' |
    grep -E "$only" >"$dir/tests"
nr=$(wc -l <"$dir/tests")
[ "$nr" -gt 30 ]
# A thread that nobody joins may be at its very end when the process is.
cat >"$dir/known" <<'KNOWN'
{
   what glibc has for a thread
   Memcheck:Leak
   match-leak-kinds: possible
   ...
   fun:_dl_allocate_tls
   ...
   fun:pthread_create*
}
KNOWN
cat >"$dir/one" <<'ONE'
dir=$1 name=$2
shift 2
timeout -s KILL 120 valgrind --quiet --error-exitcode=99 --leak-check=full \
    "--suppressions=$dir/known" \
    --errors-for-leak-kinds=definite,indirect,possible \
    --show-leak-kinds=definite,indirect,possible "$@" >"$dir/$name.out" 2>&1 &&
    exit 0
case $? in
77) exit 0 ;;
esac
echo "failed: $name"
cat "$dir/$name.out"
exit 1
ONE
xargs -P 2 -L 1 sh "$dir/one" "$dir" <"$dir/tests"
echo "valgrind: $nr tests, nothing found"
