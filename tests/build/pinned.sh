# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Tools whose findings differ by version. Sourced.

# pinned TOOL VERSION...: $tool is TOOL of one of these versions ("14" is any
# of 14), by whatever name it is installed; without one the test is skipped,
# and says what is there instead.
pinned() {
    name=$1
    shift
    found=
    wanted=$*
    for version; do
        for tool in "$name-$version" "$name"; do
            command -v "$tool" >/dev/null || continue
            has=$("$tool" --version | grep -Eo '[0-9]+(\.[0-9]+)+' | head -n 1)
            case $has. in
            "$version".*) return 0 ;;
            esac
            found="$tool of version $has"
        done
    done
    echo "found ${found:-no $name}, wants version $(echo "$wanted" |
        sed 's/ / or /g'): its findings differ by version"
    exit 77
}
