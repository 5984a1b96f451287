# SPDX-License-Identifier: MIT
# vmring.pc: below its prefix wherever the places are relative, so that
# `cmake --install --prefix` and pkg-config --define-prefix have it right, too.
foreach(dir LIBDIR INCLUDEDIR)
    if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
        set(PC_${dir} "${CMAKE_INSTALL_${dir}}")
    else()
        set(PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
    endif()
endforeach()

# Who links statically needs more; with the static library alone everybody.
set(PC_REQUIRES "")
if(VMRING_GRANT)
    set(PC_REQUIRES "xengnttab xenevtchn xenstore xencall xenforeignmemory")
endif()
set(PC_MORE "Libs.private: -pthread\nRequires.private: ${PC_REQUIRES}")
set(PC_LIBS "-lvmring")
if(NOT vmring IN_LIST VMRING_LIBRARIES)
    set(PC_MORE "Requires: ${PC_REQUIRES}")
    set(PC_LIBS "-lvmring -pthread")
endif()

# In quotes: a folder's name may have a blank.
set(PC_CFLAGS "-I\"\${includedir}\"")
vmring_install_filled(vmring.pc ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# pkg-config prefers this one, where it is told to look in the build tree.
set(PC_LIBDIR ${CMAKE_CURRENT_BINARY_DIR})
set(PC_INCLUDEDIR ${PROJECT_SOURCE_DIR}/include)
set(PC_CFLAGS "-I\"\${includedir}\" -I\"${CMAKE_CURRENT_SOURCE_DIR}\"")
configure_file(vmring.pc.in vmring-uninstalled.pc @ONLY)
