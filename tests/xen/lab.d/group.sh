# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Several scenarios in one boot, one after the other. Each is judged by its own
# part of the logs, and what came of it waits in a folder for whoever asks for it
# (`lab run --from`). Where dom0 is not as it was before a scenario, or one
# fails, the machine goes down, and those that are left get another one.

# dom0's /init writes it to each of the three logs before a scenario of several.
has_begun() { # LOG_DIR SCENARIO
    grep -qx "lab: begins $(name_of "$2")" "$1/control.log"
}

# FOLDER/NAME of each scenario gets its part of the logs in LOG_DIR. What is
# before the first one begins is that one's, too.
cut_logs() { # LOG_DIR FOLDER FIRST
    local log
    for log in xen scenario control; do
        [ -e "$1/$log.log" ] || continue
        awk -v folder="$2" -v name="$3" -v log_name="$log.log" '
            match($0, /lab: begins [A-Za-z0-9_.-]+/) {
                close(folder "/" name "/" log_name)
                name = substr($0, RSTART + 12, RLENGTH - 12)
            }
            { print >>(folder "/" name "/" log_name) }' "$1/$log.log"
    done
}

# The paths of the scenarios NAME..., as $group. One machine has one kind of
# emulation.
find_group() { # NAME...
    local name scenario option
    group=()
    for name; do
        scenario=$(scenario_path "$name") ||
            usage_error "no scenario $name; try: lab list"
        group+=("$scenario")
        for option in thread machine; do
            [ "$(scenario_option "$scenario" $option)" = \
                "$(scenario_option "${group[0]}" $option)" ] ||
                usage_error "$name and $1 are emulated in different ways:" \
                    "they cannot be in one boot"
        done
    done
}

# FOLDER/NAME/status appears last: a result that is there is whole.
run_group() { # FOLDER SCENARIO...
    local folder=$1 queue scenario
    declare -A tries=()
    shift
    make_work
    rm -rf "$folder"
    queue=()
    for scenario; do
        mkdir -p "$folder/$(name_of "$scenario")"
        tries[$scenario]=0
        if (check_emulator "$scenario") 2>"$folder/$(name_of "$scenario")/said"
        then
            queue+=("$scenario")
        else
            echo 77 >"$folder/$(name_of "$scenario")/status"
        fi
    done
    while [ ${#queue[@]} -gt 0 ]; do
        boot_queue "$folder"
    done
}

# Boots once, and takes out of $queue whatever came to an end.
boot_queue() { # FOLDER
    local log=$work/log expired='' scenario start=$SECONDS left=()
    mkdir -p "$log"
    boot "$log" "${queue[@]}" || expired=yes
    for scenario in "${queue[@]}"; do
        rm -f "$1/$(name_of "$scenario")"/*.log
    done
    cut_logs "$log" "$1" "$(name_of "${queue[0]}")"
    for scenario in "${queue[@]}"; do
        # The boot itself is the first one's.
        if [ "$scenario" = "${queue[0]}" ] || has_begun "$log" "$scenario"; then
            cp "$log/emulator.log" "$1/$(name_of "$scenario")/"
            settle "$1/$(name_of "$scenario")" "$scenario" "$expired" ||
                left+=("$scenario")
        else
            left+=("$scenario")
        fi
    done
    queue=("${left[@]}")
    note "that boot took $((SECONDS - start)) s; ${#queue[@]} left" \
        "$(told "$log" left)"
}

# Writes down what came of one. 1: it is to be run again.
settle() { # FOLDER SCENARIO EXPIRED|''
    local status=0
    judge_run "$1" "$2" "$3" "$(limit_of "$2")" 2>"$1/said" || status=$?
    tries[$2]=$((tries[$2] + 1))
    if [ "$status" != 0 ] && is_emulators_fault "$1" "$2"; then
        note "$(name_of "$2"): QEMU left a guest in a state that no processor can"
        [ "${tries[$2]}" = 3 ] || return 1
        echo "lab: three times: this QEMU cannot run it" >>"$1/said"
        status=77
    fi
    [ "$status" = 0 ] || echo "lab: ${2##*/}: status $status," \
        "at step: $(told "$1" step); logs in $1" >>"$1/said"
    note "$(name_of "$2"): status $status after $(seconds_of "$1") s"
    echo "$status" >"$1/status"
}

# How long it took, by dom0's clock.
seconds_of() { # FOLDER
    awk -v from="$(told "$1" start)" -v to="$(told "$1" end)" \
        'BEGIN { printf "%.0f", to ? to - from : 0 }'
}

# take_result FOLDER SCENARIO: says what came of it, as `lab run` would have, and
# is its status, as $taken; 1: there is none, or the programs are newer. It is
# taken once: who asks again wants another run.
take_result() {
    local result
    result=$1/$(name_of "$2")
    [ -e "$result/status" ] || return 1
    if is_newer "$result/status" "$2"; then
        rm "$result/status"
        return 1
    fi
    taken=$(cat "$result/status")
    rm "$result/status"
    [ ! -e "$result/scenario.log" ] || cat "$result/scenario.log"
    cat "$result/said" >&2
}

# Whether SCENARIO or a program is newer than FILE.
is_newer() { # FILE SCENARIO
    local dir file
    for file in "$2" "$lab_dir"/scenarios/lib*.sh; do
        [ ! "$file" -nt "$1" ] || return 0
    done
    for dir in "${bin_dirs[@]}"; do
        while read -r file; do
            [ ! "$file" -nt "$1" ] || return 0
        done < <(programs_in "$dir")
    done
    return 1
}
