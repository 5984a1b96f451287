# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What there is to be looked at, so that nothing new is forgotten. Sourced, in
# the tree's top.

# folders: each of the top's, but for builds, as .gitignore has them.
folders() {
    find . -mindepth 1 -maxdepth 1 -type d ! -name '.*' ! -name 'build*' \
        -printf '%f\n' | sort
}

# product: those in which there is C, but for the tests, and for hypervisor/, whose
# files are of Xen's tree: only with its headers and flags can they be read.
product() {
    for folder in $(folders); do
        [ "$folder" != tests ] && [ "$folder" != hypervisor ] &&
            [ "$(find "$folder" -name '*.c' -print -quit)" ] && echo "$folder"
    done
    :
}

# scripts: every file for a shell that shellcheck knows, by its name or its
# first line.
scripts() {
    # shellcheck disable=SC2046  # they have no spaces
    find $(find . -maxdepth 1 -type f -printf '%f\n') .ci $(folders) -type f \
        -exec env LC_ALL=C awk '
            FNR > 1 { nextfile }
            FILENAME ~ /\.(ba)?sh$/ || /^# shellcheck shell=/ ||
                /^#!.*[\/ ](ba|da|k)?sh( |$)/ { print FILENAME }
        ' {} + | sort -u
}
