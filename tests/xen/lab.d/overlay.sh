# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What goes into dom0 beside the base: the programs under test, and scenarios.

scenario_path() {
    case $1 in
    */*) [ -f "$1" ] && echo "$1" ;;
    *) [ -f "$lab_dir/scenarios/$1.sh" ] && echo "$lab_dir/scenarios/$1.sh" ;;
    esac
}

name_of() { # SCENARIO
    basename "$1" .sh
}

# The values of the scenario's "# lab: KEY VALUE" lines.
scenario_option() {
    sed -n "s/^# lab: $2 *//p" "$1"
}

# Programs of a build folder: those named vmring-*, wherever they are in it,
# and whatever is executable at its top. Another build folder may be in it.
# Not the benchmark, whose libraries are more than all else: with them an agent
# domain of 128 MiB has not the memory to unpack its files.
programs_in() {
    {
        find "$1" -mindepth 1 -name CMakeFiles -prune -o -type d \
            -exec test -e '{}/CMakeCache.txt' \; -prune -o -type f -name 'vmring-*' \
            ! -name '*.*' ! -name vmring-bench -print
        find "$1" -maxdepth 1 -type f -perm -u+x -print
    } | sort -u | while read -r program; do
        case $program in *.so | *.so.*) continue ;; esac
        is_elf "$program" || continue
        printf '%s\n' "$program"
    done
}

make_overlay() { # TREE SCENARIO...
    local tree=$1 dir file programs scenario
    shift
    mkdir -p "$tree/lab/scenarios" "$tree/usr/bin"
    cp "$lab_dir"/scenarios/*.sh "$tree/lab/"
    for scenario; do
        cp "$scenario" "$tree/lab/scenarios/$(name_of "$scenario")"
        name_of "$scenario" >>"$tree/lab/list"
    done
    {
        printf 'set --'
        # Single quotes hold anything but a single quote.
        [ ${#arguments[@]} = 0 ] ||
            printf " '%s'" "${arguments[@]//\'/\'\\\'\'}"
        echo
    } >"$tree/lab/arguments"
    for dir in "${bin_dirs[@]}"; do
        [ -d "$dir" ] || usage_error "no such folder: $dir"
        mapfile -t programs < <(programs_in "$dir")
        [ ${#programs[@]} -gt 0 ] || continue
        cp -L "${programs[@]}" "$tree/usr/bin/"
        copy_libraries "$tree" "${programs[@]}" || usage_error "$dir holds" \
            "programs of another release than Debian $release, which it boots;" \
            "try: lab programs --release $release FOLDER"
    done
    # Debian's Xen has none.
    [ ! -f "$xen.livepatch" ] || cp "$xen.livepatch" "$tree/lab/livepatch"
    for file in "${extra_files[@]}"; do
        add_file "$tree" "$file"
    done
}

# The agent domain's archive, with the programs and libraries of TREE.
add_agent_domain() { # TREE
    local tree=$1 part
    mkdir -p "$work/agent"
    for part in usr/bin lib lib64; do
        [ ! -d "$tree/$part" ] || (cd "$tree" &&
            find "$part" -type d -exec mkdir -p "$work/agent/{}" \; &&
            find "$part" -type f ! -name vmring-guest \
                -exec ln "{}" "$work/agent/{}" \;)
    done
    archive_tree "$work/agent" | cat "$base/agent.cpio" - \
        >"$tree/lab/agent.cpio"
    rm -r "$work/agent"
}

add_file() { # TREE SRC[:DEST]
    local source=${2%%:*} dest=
    case $2 in
    *:*) dest=${2#*:} ;;
    esac
    [ -f "$source" ] || usage_error "no such file: $source"
    dest=$1/${dest:-/usr/bin/${source##*/}}
    mkdir -p "${dest%/*}"
    cp -L "$source" "$dest"
    [ ! -x "$source" ] || ! is_elf "$source" ||
        copy_libraries "$1" "$source" || usage_error "$source is of another" \
            "release than Debian $release, which the lab boots"
}

# Leaves dom0's archives and the overlay in $work/initrd: the kernel unpacks
# one after the other.
make_initrd() { # SCENARIO...
    local archives=("$base/dom0.cpio") needs='' scenario
    for scenario; do
        needs+=" $(scenario_option "$scenario" needs)"
    done
    case $needs in
    *linux-guest* | *agent-domain*) archives+=("$base/linux-guest.cpio") ;;
    esac
    busybox=$base/busybox
    use_libraries "${foreign:+$base/sysroot}"
    make_overlay "$work/overlay" "$@"
    case $needs in
    *agent-domain*) add_agent_domain "$work/overlay" ;;
    esac
    archive_tree "$work/overlay" >"$work/overlay.cpio"
    cat "${archives[@]}" "$work/overlay.cpio" >"$work/initrd"
    rm -r "$work/overlay" "$work/overlay.cpio"
}
