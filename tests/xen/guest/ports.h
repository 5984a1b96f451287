/* SPDX-License-Identifier: MIT */
#ifndef GUEST_PORTS_H
#define GUEST_PORTS_H

/* Takes event channels until Xen gives no more; says how many. */
void take_ports(void);

#endif
