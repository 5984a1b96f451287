# SPDX-License-Identifier: MIT
# Compiler options: warnings, and what hardens. What is given from outside
# (CFLAGS, CMAKE_C_FLAGS) wins where both say something.
option(VMRING_WERROR "Warnings are errors" OFF)
option(VMRING_COVERAGE "Count what the tests run, for gcovr" OFF)
set(VMRING_SANITIZE "" CACHE STRING
    "Sanitizers to build with: thread, or address,undefined")
# Among the flags as well, in one of them or in several.
string(REGEX MATCHALL "-fsanitize=[^ ]+" SANITIZERS "${CMAKE_C_FLAGS}")
if(SANITIZERS AND NOT VMRING_SANITIZE)
    string(REGEX REPLACE ";?-fsanitize=" "," SANITIZERS "${SANITIZERS}")
    string(SUBSTRING "${SANITIZERS}" 1 -1 VMRING_SANITIZE)
endif()

# C11 with GNU extensions is what it takes; whoever asks for a later one, by
# -DCMAKE_C_STANDARD=17 or 23, gets that.
if(NOT CMAKE_C_STANDARD)
    set(CMAKE_C_STANDARD 11)
endif()
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
# For clang-tidy.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wpointer-arith -Wvla -Wwrite-strings
    -Wcast-qual -Wformat=2 -Wundef)
if(VMRING_WERROR)
    add_compile_options(-Werror)
endif()
if(VMRING_SANITIZE)
    add_compile_options(-fsanitize=${VMRING_SANITIZE}
        -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${VMRING_SANITIZE})
elseif(VMRING_COVERAGE)
    # Atomic: several threads run the same lines.
    add_compile_options(-O0 --coverage -fprofile-update=atomic)
    add_link_options(--coverage)
else()
    add_compile_options("SHELL:-include '${PROJECT_SOURCE_DIR}/cmake/fortify.h'")
    if(NOT CMAKE_C_FLAGS MATCHES "-stack-protector")
        add_compile_options(-fstack-protector-strong)
    endif()
    # Whoever calls the library may have a small stack (ulimit -s).
    set(VMRING_FRAMES -Wframe-larger-than=16384)
endif()
add_compile_definitions(_GNU_SOURCE)
# For libvmring.a, which is for those, too, who do not optimise at link time.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND
        (CMAKE_INTERPROCEDURAL_OPTIMIZATION OR CMAKE_C_FLAGS MATCHES "-flto"))
    add_compile_options(-ffat-lto-objects)
endif()
