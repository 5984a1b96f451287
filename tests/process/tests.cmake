# SPDX-License-Identifier: MIT
# Real processes, killed and stopped: tests/process.
function(vmring_process_test name)
    vmring_shared_objects(shared ${ARGN})
    add_executable(test_process_${name}
        ${PROJECT_SOURCE_DIR}/tests/process/${name}.c ${shared})
    target_link_libraries(test_process_${name} PRIVATE vmring_static)
    target_include_directories(test_process_${name} PRIVATE
        ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/libvmring
        ${PROJECT_SOURCE_DIR}/tests)
    vmring_test(process_${name} COMMAND test_process_${name} LABELS process)
endfunction()

set(SOURCE_OF_EVENTS ${PROJECT_SOURCE_DIR}/tests/process/source.c)
foreach(name consumer_killed consumer_stopped producer_killed overwrite_gaps)
    vmring_process_test(${name} ${SOURCE_OF_EVENTS})
    set_tests_properties(process_${name} PROPERTIES RUN_SERIAL ON)
endforeach()
foreach(name refusals versions versions_1_0 second_consumer sockets seals hostile_consumer
        kept_open unread_answers at_every_message)
    vmring_process_test(${name}
        ${PROJECT_SOURCE_DIR}/tests/process/wired.c)
endforeach()
# The sanitizers take SIGBUS for themselves.
if(NOT VMRING_SANITIZE)
    vmring_process_test(memory_taken
        ${PROJECT_SOURCE_DIR}/tests/process/wired.c)
endif()
vmring_process_test(hostile_producer)
# With a real bridge, in its sandbox, which there is not with a sanitizer.
if(NOT VMRING_LIBRARY_ONLY AND NOT VMRING_SANITIZE)
    add_executable(test_process_kept_mapped
        ${PROJECT_SOURCE_DIR}/tests/process/kept_mapped.c
        ${PROJECT_SOURCE_DIR}/tests/process/wired.c)
    target_link_libraries(test_process_kept_mapped PRIVATE vmring_static)
    target_include_directories(test_process_kept_mapped PRIVATE
        ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/libvmring
        ${PROJECT_SOURCE_DIR}/tests)
    vmring_test(process_kept_mapped LABELS process
        COMMAND test_process_kept_mapped $<TARGET_FILE:vmring-bridge>)
endif()
vmring_process_test(drain_interrupted)

if(NOT VMRING_LIBRARY_ONLY)
    include(process/attacks.cmake)
    include(process/crashes.cmake)
endif()
