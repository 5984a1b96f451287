/* SPDX-License-Identifier: MIT */
/* run_directory.h: where sockets are by default, and locks. */
#ifndef BRIDGE_RUN_DIRECTORY_H
#define BRIDGE_RUN_DIRECTORY_H

#ifndef RUN_DIRECTORY /* a test has its own */
#define RUN_DIRECTORY "/run/vmring"
#endif

/*
 * Makes it, if it is not there, for all to search whatever the umask.  Returns
 * 0 or -errno.
 */
int run_directory_make(void);

#endif /* BRIDGE_RUN_DIRECTORY_H */
