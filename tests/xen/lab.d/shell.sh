# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# What `lab shell` runs in dom0.
# lab: needs linux-guest
stty -F /dev/ttyS1 sane
echo "A shell in dom0; its end powers the machine off. Try: xl info"
export ENV=/lab/lib.sh
setsid -c sh -i </dev/ttyS1 >/dev/ttyS1 2>&1
