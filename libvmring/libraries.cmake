# SPDX-License-Identifier: MIT
# What is installed. BUILD_SHARED_LIBS: ON the shared library only, OFF the
# static one only; not given, both, and the programs take the shared one.
set(VMRING_LIBRARIES)
if(NOT DEFINED BUILD_SHARED_LIBS OR NOT BUILD_SHARED_LIBS)
    list(APPEND VMRING_LIBRARIES vmring_archive)
endif()
if(NOT DEFINED BUILD_SHARED_LIBS OR BUILD_SHARED_LIBS)
    list(APPEND VMRING_LIBRARIES vmring)
endif()

if(vmring IN_LIST VMRING_LIBRARIES)
    set(MAP ${CMAKE_CURRENT_SOURCE_DIR}/vmring.map)
    add_library(vmring SHARED)
    target_link_libraries(vmring PRIVATE vmring_objects vmring_sim
        vmring_errand PUBLIC vm_ring_abi)
    target_include_directories(vmring INTERFACE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_options(vmring PRIVATE -Wl,--version-script=${MAP})
    set_target_properties(vmring PROPERTIES
        VERSION ${PROJECT_VERSION} SOVERSION 0 LINK_DEPENDS ${MAP})
    if(NOT VMRING_SANITIZE)
        target_link_options(vmring PRIVATE -Wl,--no-undefined)
    endif()
endif()

# An archive has no list of what it exports: its files would share the names of
# all their functions with whoever links it. So they are one file, in which
# these are local; of machine code only, whoever optimises at link time.
if(vmring_archive IN_LIST VMRING_LIBRARIES)
    separate_arguments(FLAGS UNIX_COMMAND "${CMAKE_C_FLAGS}")
    string(REGEX MATCHALL "-fuse-ld=[^ ]+" LINKER
        "${CMAKE_C_FLAGS} ${CMAKE_EXE_LINKER_FLAGS}")
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        # Beside what there is for the link it has machine code, too.
        set(LINKER ${LINKER} -fno-lto)
    elseif(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
        set(LINKER ${LINKER} -flto)
    endif()
    # As CMake itself says to each link which machine it is for.
    foreach(OPTION TARGET SYSROOT EXTERNAL_TOOLCHAIN)
        set(VALUE "${CMAKE_C_COMPILER_${OPTION}}")
        if(OPTION STREQUAL "SYSROOT")
            set(VALUE "${CMAKE_SYSROOT}")
        endif()
        if(VALUE AND CMAKE_C_COMPILE_OPTIONS_${OPTION})
            list(PREPEND FLAGS "${CMAKE_C_COMPILE_OPTIONS_${OPTION}}${VALUE}")
        endif()
    endforeach()
    separate_arguments(FIRST UNIX_COMMAND "${CMAKE_C_COMPILER_ARG1}")
    list(PREPEND FLAGS ${FIRST})
    # CMake looks for one that knows the target only beside a compiler whose
    # name says it, which clang's does not.
    set(OBJCOPY ${CMAKE_OBJCOPY})
    if(CMAKE_CROSSCOMPILING AND CMAKE_C_COMPILER_TARGET)
        find_program(VMRING_OBJCOPY NAMES ${CMAKE_C_COMPILER_TARGET}-objcopy
            llvm-objcopy)
        mark_as_advanced(VMRING_OBJCOPY)
        if(VMRING_OBJCOPY)
            set(OBJCOPY ${VMRING_OBJCOPY})
        endif()
    endif()
    set(WHOLE ${CMAKE_CURRENT_BINARY_DIR}/vmring.o)
    set(PARTS $<TARGET_OBJECTS:vmring_objects> $<TARGET_OBJECTS:vmring_sim>
        $<TARGET_OBJECTS:vmring_errand>)
    add_custom_command(OUTPUT ${WHOLE}
        COMMAND ${CMAKE_C_COMPILER} ${FLAGS} ${LINKER} -r -nostdlib
            -o ${WHOLE} ${PARTS}
        COMMAND ${OBJCOPY} --localize-hidden -w
            -R .gnu.lto_* -R .gnu.debuglto_* -N __gnu_lto_* ${WHOLE}
        DEPENDS ${PARTS} COMMAND_EXPAND_LISTS VERBATIM
        COMMENT "Linking libvmring.a's own names")
    add_library(vmring_archive STATIC ${WHOLE})
    # By its files alone make(1) does not know who builds them.
    add_dependencies(vmring_archive vmring_objects vmring_sim vmring_errand)
    set_target_properties(vmring_archive PROPERTIES OUTPUT_NAME vmring
        LINKER_LANGUAGE C INTERPROCEDURAL_OPTIMIZATION OFF)
    target_include_directories(vmring_archive INTERFACE
        ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(vmring_archive INTERFACE vm_ring_abi
        Threads::Threads $<$<BOOL:${VMRING_GRANT}>:PkgConfig::XENGRANT>)
    if(NOT vmring IN_LIST VMRING_LIBRARIES)
        add_library(vmring ALIAS vmring_archive)
    endif()
endif()

# For the project's own tests, which look inside.
if(BUILD_TESTING)
    add_library(vmring_static STATIC)
    target_link_libraries(vmring_static PUBLIC vmring_objects vmring_sim
        vmring_errand)
    target_include_directories(vmring_static INTERFACE
        ${CMAKE_CURRENT_SOURCE_DIR})
    set_target_properties(vmring_static PROPERTIES OUTPUT_NAME vmring_inside)
    # Its files are taken as they are asked for, and nobody asks for a transport
    # by name (transport/scheme.h).  Not where a test has its own producer in
    # place of the library's, which a transport would bring.
    set(ALONE $<BOOL:$<TARGET_PROPERTY:VMRING_WITHOUT_TRANSPORTS>>)
    set(SCHEMES local fd grant sim)
    if(VMRING_GRANT)
        list(APPEND SCHEMES xen)
    endif()
    foreach(SCHEME ${SCHEMES})
        target_link_options(vmring_static INTERFACE
            $<$<NOT:${ALONE}>:-Wl,-u,scheme_${SCHEME}>)
    endforeach()
endif()

install(TARGETS ${VMRING_LIBRARIES}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES vmring.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
include(pkgconfig.cmake)
set(VMRING_LIBRARIES ${VMRING_LIBRARIES} PARENT_SCOPE)
