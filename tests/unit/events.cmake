# SPDX-License-Identifier: MIT
# The textual form of subscriptions and verdicts.
vmring_unit_test(specs_forms specs_forms.c)
vmring_unit_test(specs_refused specs_refused.c)
vmring_unit_test(suggestions suggestions.c)
vmring_unit_test(specs_lists specs_lists.c)
vmring_unit_test(specs_bytes specs_bytes.c)
vmring_unit_test(specs_kinds specs_kinds.c)
vmring_unit_test(specs_verdicts specs_verdicts.c)

# The simulated guest; the stub takes the producer's place.
vmring_unit_test(sim_params sim_params.c)
vmring_unit_test(sim_counts sim_counts.c stub_producer.c)
vmring_unit_test(sim_mix sim_mix.c stub_producer.c)
vmring_unit_test(sim_deterministic sim_deterministic.c stub_producer.c)
vmring_unit_test(sim_waits sim_waits.c stub_producer.c)
vmring_unit_test(sim_verdicts sim_verdicts.c stub_producer.c)
vmring_unit_test(sim_subscribe sim_subscribe.c stub_producer.c)
vmring_unit_test(sim_rate sim_rate.c stub_producer.c)
vmring_unit_test(sim_truth sim_truth.c stub_producer.c)

# The same through the ring, in a thread.
vmring_unit_test(sim_endpoint sim_endpoint.c)
vmring_unit_test(sim_endpoint_leave sim_endpoint_leave.c)
vmring_unit_test(sim_endpoint_last sim_endpoint_last.c)
vmring_unit_test(sim_endpoint_verdicts sim_endpoint_verdicts.c)
