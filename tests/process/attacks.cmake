# SPDX-License-Identifier: MIT
# Attacks by a real second process: each names what it does and what holds.
include(${PROJECT_SOURCE_DIR}/tests/process/witness.cmake)

function(vmring_attack name)
    vmring_witness_program(test_${name} ${name}.c ${ARGN})
    vmring_test(${name} LABELS process COMMAND test_${name})
endfunction()

vmring_attack(attack_consumer_words attack.c wired.c)
vmring_attack(attack_consumer_ring attack.c wired.c)
vmring_attack(attack_consumer_channel attack.c wired.c)
vmring_attack(attack_producer_words attack_victim.c wired.c)
vmring_attack(attack_producer_ring attack_victim.c wired.c)
vmring_attack(attack_producer_channel attack_victim.c wired.c)
vmring_attack(attack_stopped attack.c wired.c)

# Each bug that planted.sh plants still fits the source.
vmring_test(attack_planted_table LABELS build
    COMMAND sh ${PROJECT_SOURCE_DIR}/tests/process/planted.sh --check
        ${PROJECT_SOURCE_DIR})
