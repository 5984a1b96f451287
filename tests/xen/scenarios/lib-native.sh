# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# For scenarios of a Xen that is the producer itself (lab run --xen vmring).
# lib-vmring.sh comes first.

# native_start NAME DOMID OPTION...: an agent whose producer is Xen.
native_start() {
    native_name=$1
    native_domid=$2
    shift 2
    agent_start "$native_name" "xen:$native_domid" "$@"
}
