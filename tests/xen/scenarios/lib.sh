# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What a scenario uses; `. /lab/lib.sh` is its first line. A scenario runs in
# dom0 under busybox sh, in the folder /lab; its exit status is the lab's. It
# may declare, in comments of its own:
#   # lab: needs linux-guest    to use guest_linux
#   # lab: needs agent-domain   to use lib-domains.sh
#   # lab: allow REGEX          lines that Xen's log may have here
#   # lab: limit SECONDS        when 120 are not enough
#   # lab: thread multi         a thread per CPU; see start_qemu in lab.d/run.sh
#   # lab: machine intel        an Intel machine; see lab.d/intel.sh

# For what a scenario and the functions below keep in files.
run=/run/lab
mkdir -p "$run"

# --- telling what happens -------------------------------------------------

# step TEXT...: what is being done; the host names it when time runs out.
step() {
    echo "== $*"
    echo "step $*" >/dev/ttyS2
}

fail() {
    echo "FAIL: $*"
    # xl would wait for a xenstored that is stopped, or gone.
    ! kill -CONT "$(cat /run/xenstored.pid)" || xl list
    for fail_log in /var/log/xen/console/guest-*.log; do
        [ -s "$fail_log" ] || continue
        echo "the last lines of $fail_log:"
        tail -n 12 "$fail_log"
    done
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
# It looks four times a second: processes are dear under emulation.
wait_for() {
    wait_limit=$(($(now_ms) + $1 * 1000))
    wait_what=$2
    shift 2
    echo "step waiting for $wait_what" >/dev/ttyS2
    until "$@"; do
        [ "$(now_ms)" -lt $wait_limit ] ||
            fail "waited in vain for $wait_what"
        sleep 0.25
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
# some visible work in a loop (work=N on the command line: N turns). Each
# further vCPU makes it boot slower by far. What it says on its way down is in
# Xen's log, "(dN) ...", also when its console has gone with it.
guest_linux() {
    create_paused "$1" /lab/vmlinux "console=hvc0 quiet panic=1 audit=0 \
earlyprintk=xen,keep mitigations=off rodata=off ${4:-}" "${2:-1}" \
        "${3:-128}" /lab/guest.cpio
}

create_paused() { # NAME KERNEL CMDLINE VCPUS MEMORY [RAMDISK]
    [ -f "$2" ] || fail "there is no guest $2 here"
    ramdisk=
    [ -z "${6:-}" ] || ramdisk="ramdisk = \"$6\""
    cat >"$run/$1.cfg" <<CONFIG
name = "$1"
type = "pvh"
kernel = "$2"
$ramdisk
cmdline = "$3"
vcpus = $4
memory = $5
on_crash = "destroy"
${guest_options:-}
CONFIG
    xl create -p "$run/$1.cfg" >"$run/$1.create" 2>&1 || {
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
    wait_for 20 "the end of $1" guest_gone "$1"
}

guest_gone() {
    ! guest_exists "$1"
}

# guest_report NAME: what the micro-guest said so far, also after its end.
guest_report() {
    xl dmesg | tr -d '\r' |
        sed -n "s/^(d$(cat "$run/$1.domid")) \(vmring-guest: .*\)/\1/p"
}

# guest_cpu_time NAME: the seconds its vCPUs have run; a guest whose vCPUs all
# wait for a verdict gets no further.
guest_cpu_time() {
    xl list "$1" | awk 'NR == 2 { print $NF }'
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

# guest_says NAME TEXT: whether it did (for wait_for); fails when the guest has
# ended and never did.
guest_says() {
    guest_has_ended=
    ! grep -qs 'has shut down' "/var/log/xen/xl-$1.log" || guest_has_ended=yes
    guest_console "$1" 2>/dev/null | grep -qF "$2" && return
    [ -z "$guest_has_ended" ] || fail "the guest $1 has ended: no '$2'"
    return 1
}

# --- Xen's books ----------------------------------------------------------

# xen_keys KEYS: what Xen's debug keys print. They print later than `xl
# debug-keys` returns, hence the wait until nothing more comes.
xen_keys() {
    xl dmesg >"$run/console" || return 1
    keys_before=$(wc -l <"$run/console")
    keys_lines=$keys_before
    xl debug-keys "$1" || return 1
    while
        sleep 0.2
        xl dmesg >"$run/console"
        keys_now=$(wc -l <"$run/console")
        [ "$keys_now" != "$keys_lines" ] || [ "$keys_now" = "$keys_before" ]
    do
        keys_lines=$keys_now
    done
    tail -n "+$((keys_before + 1))" "$run/console" | tr -d '\r'
}

# xen_resources: what is in use, in lines that can be compared: domains (the
# dead ones that somebody still maps are shown as (null)), free memory, event
# channels and grants of each domain. Of event channels those that two domains
# have, or offer: one of a physical interrupt is there while somebody in domain 0
# has a serial port open, as step does. A guest that comes and goes leaves a few
# pages in Xen's own pools (40 to 60 KiB with 16 vCPUs); allow for that in
# assert_resources where a guest was made in between.
xen_resources() {
    xl list | awk 'NR > 1 { print "domain: " $1 }'
    xen_keys meg | sed -n \
        -e 's/^(XEN) *Dom heap: \(.*\) free$/free memory: \1/p' \
        -e 's/^(XEN) Event channel information for \(.*\):$/of \1/p' \
        -e 's/^(XEN) *[0-9]* \[.*\]: s=[23].*/port/p' \
        -e 's/^(XEN) grant-table for remote \(d[0-9]*\).*/of grants \1/p' \
        -e 's/^(XEN) .* frames (.*), \([0-9]*\) maptrack.*/maptrack \1/p' \
        -e 's/^(XEN) \[0x[0-9a-f]*\] .*/grant/p' | awk '
            function flush() {
                if (what == "domain") print "event channels of domain " who \
                    ": " count
                if (what == "grants") print "grants of " who ": " count
                what = ""
            }
            $1 == "of" { flush(); what = $2; who = $3; count = 0; next }
            $1 == "port" || $1 == "grant" { count++; next }
            $1 == "maptrack" { next }
            { print }
            END { flush() }'
}

# assert_resources BEFORE [KIB]: fails unless xen_resources comes to be what
# the file BEFORE holds, less at most KIB of free memory (0). What Xen frees
# later than it says has a few seconds for it.
assert_resources() {
    resources_limit=$(($(now_ms) + 20000))
    echo "step waiting for Xen's resources to be as before" >/dev/ttyS2
    while
        xen_resources >"$run/resources"
        ! same_resources "$1" "$run/resources" "${2:-0}"
    do
        [ "$(now_ms)" -lt $resources_limit ] || {
            diff "$1" "$run/resources"
            xen_keys e | sed -n '/information for domain 0:/,/domain [1-9]/p'
            cat /proc/interrupts
            ps -o pid,ppid,stat,args
            fail "Xen's resources are not as before"
        }
        sleep 0.5
    done
    echo "ok: Xen's resources are as before"
}

same_resources() { # BEFORE AFTER KIB
    [ "$(grep -v '^free memory' "$1")" = "$(grep -v '^free memory' "$2")" ] ||
        return 1
    [ $(($(free_memory "$1") - $(free_memory "$2"))) -le "$3" ]
}

free_memory() { # FILE: KiB
    sed -n 's/^free memory: \(.*\)kB/\1/p' "$1"
}
