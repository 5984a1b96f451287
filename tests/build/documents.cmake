# SPDX-License-Identifier: MIT
# The documents name what there is. Takes every package of the proofs, because
# it looks for their tests.
if(VMRING_PROOF_TESTS AND NOT VMRING_SANITIZE AND NOT VMRING_COVERAGE)
    vmring_test(documents LABELS docs
        COMMAND sh ${PROJECT_SOURCE_DIR}/tests/build/documents.sh
            ${PROJECT_SOURCE_DIR} -G ${CMAKE_GENERATOR}
            -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER})
endif()
