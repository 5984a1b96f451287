# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What a scenario uses; `. /lab/lib.sh` is its first line. A scenario runs in
# dom0 under busybox sh, in the folder /lab, and its exit status is the
# scenario's. It may declare, in comments of its own:
#   # lab: needs linux-guest    to use guest_linux (65 MB more to boot)
#   # lab: allow REGEX          lines that Xen's log may have here
#   # lab: limit SECONDS        when 120 are not enough

run=/run/lab # a folder for what the functions below remember
mkdir -p $run

# --- telling what happens -------------------------------------------------

# step TEXT...: what is being done; the host names it when time runs out.
step() {
    echo "== $*"
    echo "step $*" >/dev/ttyS2
}

fail() {
    echo "FAIL: $*"
    exit 1
}

# pass TEXT...: ends the scenario well.
pass() {
    echo "PASS: $*"
    exit 0
}

# assert_eq WHAT EXPECTED ACTUAL
assert_eq() {
    [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
    echo "ok: $1 = $3"
}

# wait_for SECONDS WHAT COMMAND...: until COMMAND succeeds; fails otherwise.
wait_for() {
    wait_limit=$(($(now_ms) + $1 * 1000)) wait_what=$2
    shift 2
    echo "step waiting for $wait_what" >/dev/ttyS2
    until "$@"; do
        [ "$(now_ms)" -lt $wait_limit ] ||
            fail "waited in vain for $wait_what"
        sleep 0.1
    done
}

# Milliseconds since boot.
now_ms() {
    read -r uptime _ </proc/uptime
    uptime=${uptime%.*}${uptime#*.}0
    echo "${uptime#"${uptime%%[!0]*}"}"
}

# --- guests ---------------------------------------------------------------

# guest_create NAME CMDLINE [VCPUS] [MEMORY_MIB]: the micro-guest, paused;
# prints its domid. $guest_options may hold more lines of xl.cfg(5).
guest_create() {
    create_paused "$1" /usr/bin/vmring-guest "$2" "${3:-1}" "${4:-16}"
}

# guest_linux NAME [VCPUS] [MEMORY_MIB] [CMDLINE]: the same with Linux and
# some visible work in a loop (work=N on the command line: N turns).
guest_linux() {
    guest_options="ramdisk = \"/lab/guest.cpio\"
${guest_options:-}" create_paused "$1" /lab/vmlinux \
        "console=hvc0 quiet panic=1 ${4:-}" "${2:-1}" "${3:-256}"
}

create_paused() {
    [ -f "$2" ] || fail "there is no guest $2 here"
    cat >"$run/$1.cfg" <<CONFIG
name = "$1"
type = "pvh"
kernel = "$2"
cmdline = "$3"
vcpus = $4
memory = $5
on_crash = "destroy"
${guest_options:-}
CONFIG
    xl -f create -p "$run/$1.cfg" >"$run/$1.create" 2>&1 || {
        cat "$run/$1.create"
        fail "xl cannot create the guest $1"
    }
    xl domid "$1" | tee "$run/$1.domid"
}

guest_unpause() {
    xl unpause "$1"
}

# Whether the domain NAME (or a domid) exists.
guest_exists() {
    xl list "$1" >/dev/null 2>&1
}

# guest_destroy NAME: at once, and waits until it is gone.
guest_destroy() {
    xl destroy "$1" || fail "xl cannot destroy $1"
    wait_for 10 "the end of $1" guest_gone "$1"
}

guest_gone() {
    ! guest_exists "$1"
}

# guest_report NAME: what the micro-guest said so far, also after its end.
guest_report() {
    xl dmesg | tr -d '\r' |
        sed -n "s/^(d$(cat "$run/$1.domid")) \(vmring-guest: .*\)/\1/p"
}

# guest_wait NAME SECONDS: until the micro-guest says that it is done.
guest_wait() {
    wait_for "$2" "the guest $1 to finish" guest_done "$1"
}

guest_done() {
    guest_report "$1" | grep -q '^vmring-guest: done'
}

# guest_console NAME: what a Linux guest wrote to its console.
guest_console() {
    cat "/var/log/xen/console/guest-$1.log"
}

# guest_says NAME TEXT: whether it did (for wait_for).
guest_says() {
    guest_console "$1" 2>/dev/null | grep -qF "$2"
}

# --- Xen's books ----------------------------------------------------------

# xen_resources: what is in use, as lines that can be compared.
xen_resources() {
    xl info | sed -n 's/^free_memory *: */free MiB: /p'
    echo "event channels of dom0: $(lsevtchn 0 | wc -l)"
}
