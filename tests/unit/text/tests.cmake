# SPDX-License-Identifier: MIT
# Events, subscriptions and verdicts as text.
foreach(name specs_forms specs_refused specs_lists specs_bytes specs_kinds
        specs_verdicts spec_format_refused suggestions)
    vmring_unit_test(${name} text/${name}.c)
endforeach()
