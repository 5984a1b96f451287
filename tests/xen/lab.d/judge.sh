# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What came of a boot, by what it left in its logs.

# What must not be in the log of the hypervisor and of dom0's kernel, whatever
# the scenario's own verdict. A scenario that provokes one of these on purpose
# says so in a line "# lab: allow EXTENDED-REGEX".
readonly bad_log='Xen WARN|UBSAN: |Xen BUG|Assertion .* failed|Panic on CPU'\
'|Xen call trace|FATAL (TRAP|PAGE FAULT)|domain_crash|crashed on cpu'\
'|\(XEN\).*vm_event|Kernel panic|kernel BUG at|BUG:|Oops|WARNING: CPU'\
'|general protection fault|Call Trace:'

# The last thing that dom0 told about KEY.
told() { # LOG_DIR KEY
    { sed -n "s/^$2 //p" "$1/control.log" 2>/dev/null || true; } | tail -n 1
}

# A shift that Xen 4.17 does by itself for each guest with more than 64 vCPUs,
# whose APIC ids reach into the sign of an int: the sanitizer's report of it is
# blanked. Each report is between two lines of "=".
without_known_reports() { # FILE
    awk '
        function tell() { for (i = 0; i < held; i++) print known ? "" : line[i] }
        /^\(XEN\) =====/ && !inside {
            inside = 1; held = 0; known = 0
            line[held++] = $0
            next
        }
        inside {
            line[held++] = $0
            if (/UBSAN: .* in arch\/x86\/(hvm\/vlapic|cpuid)\.c:/) site = held
            if (/left shift of [0-9]+ by 24 places/ && site == held - 1)
                known = 1
            if (/^\(XEN\) =====/) { tell(); inside = 0; site = 0 }
            next
        }
        { print }
        END { if (inside) tell() }' "$1"
}

# Fails when the log of Xen and of dom0's kernel has what it must not have.
# Lines of guests, "(dN) ...", are theirs to fill.
judge_log() { # LOG_DIR SCENARIO
    local allowed
    # Xen with assertions tells of who lets go of a domain amid its destruction,
    # which is right to do: it may have begun since anybody looked.
    allowed=$(
        {
            echo 'Ignoring memory event op on dying domain'
            scenario_option "$2" allow
        } | paste -sd '|' -
    )
    grep -E '^\((XEN|d[0-9]+)\)' "$1/xen.log" >"$1/xl-dmesg.log" || true
    without_known_reports "$1/xen.log" | grep -nE "$bad_log" | grep -vE '^[0-9]+:\(d[0-9]+' |
        grep -vE "${allowed:-^$}" | tr -d '\r' >"$1/bad.log" || true
    [ -s "$1/bad.log" ] || return 0
    note "the log of Xen or of dom0's kernel shows what must not be there:"
    head -n 5 "$1/bad.log" | sed "s|^|  $1/xen.log:|" >&2
    return 1
}

judge_run() { # LOG_DIR SCENARIO EXPIRED|'' SECONDS
    local result status
    result=$(told "$1" exit)
    if [ -n "$result" ]; then
        status=$result
    elif [ -n "$3" ]; then
        note "time is up after $4 s"
        status=124
    else
        note "the machine went down before the scenario ended"
        tail -n 3 "$1/emulator.log" >&2
        status=71
    fi
    judge_log "$1" "$2" || [ "$status" != 0 ] || status=72
    return "$status"
}
