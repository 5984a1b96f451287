# SPDX-License-Identifier: MIT
# Where things are installed, and how the programs find the library there.
include(GNUInstallDirs)
set(VMRING_UNITDIR lib/systemd/system CACHE STRING
    "Where systemd's units are installed")

# Where the system's loader looks anyway, the programs say nothing; elsewhere
# they say where the library is, as seen from themselves, so that the whole may
# be moved.
if(NOT DEFINED CMAKE_INSTALL_RPATH AND NOT
        CMAKE_INSTALL_FULL_LIBDIR IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR
            IS_ABSOLUTE "${CMAKE_INSTALL_SBINDIR}")
        set(VMRING_RPATH ${CMAKE_INSTALL_FULL_LIBDIR})
    else()
        file(RELATIVE_PATH VMRING_RPATH ${CMAKE_INSTALL_FULL_SBINDIR}
            ${CMAKE_INSTALL_FULL_LIBDIR})
        set(VMRING_RPATH "$ORIGIN/${VMRING_RPATH}")
    endif()
endif()

# vmring_install_program(TARGET): with the administrator's.
function(vmring_install_program target)
    if(VMRING_RPATH)
        set_target_properties(${target} PROPERTIES
            INSTALL_RPATH "${VMRING_RPATH}")
    endif()
    install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
endfunction()

# vmring_install_filled(FILE DESTINATION): FILE.in with its @VARIABLES@, but for
# the prefix, which is known when it is installed.
function(vmring_install_filled file destination)
    set(filled ${CMAKE_CURRENT_BINARY_DIR}/${file})
    set(CMAKE_INSTALL_PREFIX "@CMAKE_INSTALL_PREFIX@")
    set(VMRING_SBINDIR ${CMAKE_INSTALL_SBINDIR})
    if(NOT IS_ABSOLUTE "${VMRING_SBINDIR}")
        set(VMRING_SBINDIR ${CMAKE_INSTALL_PREFIX}/${VMRING_SBINDIR})
    endif()
    configure_file(${file}.in ${filled}.in @ONLY)
    install(CODE "configure_file(\"${filled}.in\" \"${filled}\" @ONLY)")
    install(FILES ${filled} DESTINATION ${destination})
endfunction()
