# SPDX-License-Identifier: MIT
# The textual form of subscriptions and verdicts.
vmring_unit_test(specs_forms specs_forms.c)
vmring_unit_test(specs_refused specs_refused.c)
vmring_unit_test(specs_lists specs_lists.c)
vmring_unit_test(specs_bytes specs_bytes.c)
vmring_unit_test(specs_kinds specs_kinds.c)
vmring_unit_test(specs_verdicts specs_verdicts.c)
