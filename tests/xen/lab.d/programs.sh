# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The programs under test, for the release that the lab boots. On this machine's
# own release that is a plain build. For another one, CMake and the compiler are
# this machine's; headers and libraries, the C library too, are those that the
# base keeps of that release.

# FOLDER [CMAKE OPTION...]
build_programs() {
    local folder=$1 log=$1/lab-programs.log tool options=()
    shift
    mkdir -p "$folder" || usage_error "cannot make $folder"
    for tool in cmake ninja pkg-config; do
        command -v "$tool" >/dev/null || unavailable "programs for Debian" \
            "$release cannot be built here: no $tool"
    done
    if [ -n "$foreign" ]; then
        write_toolchain "$base/sysroot" "$folder/release.cmake"
        options+=(-DCMAKE_TOOLCHAIN_FILE="$folder/release.cmake")
    fi
    if ! long_step "building the programs for Debian $release" \
        compile_programs "$folder" "$log" "${options[@]}" "$@"; then
        tail -n 30 "$log" >&2
        note "the programs for Debian $release could not be built; see $log"
        exit 1
    fi
    note "ready: $folder"
}

compile_programs() { # FOLDER LOG OPTION...
    local folder=$1 log=$2 fresh=
    shift 2
    # Whatever it found, it found in another base.
    [ -z "$foreign" ] ||
        grep -qsF "$base/" "$folder/CMakeCache.txt" || fresh=--fresh
    # shellcheck disable=SC2086 # an option or none
    cmake -G Ninja -S "$lab_dir/../.." -B "$folder" $fresh -DBUILD_TESTING=ON \
        "$@" >"$log" 2>&1 &&
        cmake --build "$folder" --target lab_programs >>"$log" 2>&1
}

write_toolchain() { # SYSROOT FILE
    local libraries=$1/usr/lib/x86_64-linux-gnu
    cat >"$2" <<END
# Made by tests/xen/lab: headers and libraries of Debian $release.
set(CMAKE_SYSROOT "$1")
set(CMAKE_FIND_ROOT_PATH "$1")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_LIBRARY_ARCHITECTURE x86_64-linux-gnu)
# The compiler looks beside itself first, where this machine's are.
foreach(kind EXE SHARED MODULE)
    set(CMAKE_\${kind}_LINKER_FLAGS_INIT "-B$libraries -L$libraries")
endforeach()
set(ENV{PKG_CONFIG_SYSROOT_DIR} "$1")
set(ENV{PKG_CONFIG_LIBDIR} "$libraries/pkgconfig:$1/usr/share/pkgconfig")
END
}
