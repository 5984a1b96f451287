# SPDX-License-Identifier: MIT
# hypervisor/common/vm_ring/ as it is, on the Xen that fake_xen.h makes up.

set(FAKE_XEN ${CMAKE_CURRENT_BINARY_DIR}/fake_xen)
foreach(header xen/domain_page xen/errno xen/event xen/guest_access
        xen/hypercall xen/list xen/mem_access xen/mm xen/monitor xen/pfn xen/random
        xen/rcupdate
        xen/sched xen/spinlock xen/string xen/timer xen/types xen/vm_event
        xen/vmap asm/altp2m asm/monitor asm/p2m asm/vm_event public/domctl
        public/vm_event)
    file(CONFIGURE OUTPUT ${FAKE_XEN}/${header}.h
        CONTENT "#include \"fake_xen.h\"\n")
endforeach()
find_path(VMRING_XEN_PUBLIC xen/vm_event.h REQUIRED)

set(RING ${PROJECT_SOURCE_DIR}/hypervisor/common/vm_ring)

# NAME FILE...: FILES of RING.
function(vmring_hypervisor_test name)
    set(test test_hypervisor_${name})
    list(TRANSFORM ARGN PREPEND ${RING}/)
    add_executable(${test} unit/hypervisor/${name}.c ${ARGN})
    target_compile_definitions(${test} PRIVATE __XEN__ CONFIG_VM_RING
        SYSTEM_VM_EVENT_H="${VMRING_XEN_PUBLIC}/xen/vm_event.h")
    # As Xen is written.
    set_target_properties(${test} PROPERTIES C_EXTENSIONS ON)
    target_compile_options(${test} PRIVATE
        -Wno-pedantic -Wno-sign-compare -Wno-unused-parameter -Wno-conversion)
    target_include_directories(${test} PRIVATE ${FAKE_XEN} unit/hypervisor unit
        ${RING} ${PROJECT_SOURCE_DIR}/hypervisor/include
        ${PROJECT_SOURCE_DIR}/libvmring ${PROJECT_SOURCE_DIR}/include/xen)
    vmring_test(hypervisor_${name} COMMAND ${test} LABELS unit)
endfunction()

vmring_hypervisor_test(endings attach.c control.c epoch.c event.c frames.c
    negotiate.c pages.c wake.c)
file(GLOB CORE ${PROJECT_SOURCE_DIR}/libvmring/core/*.c)
target_sources(test_hypervisor_endings PRIVATE ${CORE}
    ${PROJECT_SOURCE_DIR}/libvmring/vm_event/convert.c)
vmring_hypervisor_test(frames frames.c)
