# SPDX-License-Identifier: MIT
# The simulated guest; the stub takes the producer's place.
foreach(name counts mix deterministic waits verdicts subscribe rate truth
        pauses)
    vmring_unit_test(sim_${name} sim/${name}.c fixture/stub_producer.c)
endforeach()
foreach(name params values_refused truth_unwritable)
    vmring_unit_test(sim_${name} sim/${name}.c)
endforeach()

# The guest in a thread, through a ring.
foreach(name endpoint endpoint_leave endpoint_last endpoint_verdicts)
    vmring_unit_test(sim_${name} sim/${name}.c)
endforeach()
