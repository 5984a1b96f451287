#!/bin/sh
# SPDX-License-Identifier: MIT
#
# pair.sh FOLDER: the producer of FOLDER serves a socket, and its watch is to
# print each of the events that it raises.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1/producer" "local:$folder/s" 100 &
producer=$!

tries=0
until [ -S "$folder/s" ]; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then
        kill $producer
        echo "the producer does not serve" >&2
        exit 1
    fi
    sleep 0.1
done
"$1/watch" "local:$folder/s" cpuid >"$folder/events"
wait $producer
lines=$(grep -c '^vCPU 0: cpuid, waits$' "$folder/events")
echo "$lines of 100 events"
[ "$lines" = 100 ]
