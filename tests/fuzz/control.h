/* SPDX-License-Identifier: MIT */
/*
 * control.h: the control channel in one process: messages and descriptors on
 * one end of a socket pair, the library on the other.
 */
#ifndef VMRING_TESTS_CONTROL_H
#define VMRING_TESTS_CONTROL_H

#include "fuzz.h"

/* The producer's end against any consumer, and the reverse. */
void control_server(struct input *in);
void control_client(struct input *in);

/* Nanoseconds that the library takes for the time. */
extern uint64_t control_now;

/* A connected pair of SOCK_SEQPACKET sockets. */
void control_pair(int ends[2]);

/*
 * Sends a message whose header may lie about its length, with descriptors
 * that stay the caller's.  false: no room.
 */
bool control_send(int fd, uint32_t type, const void *body, size_t len,
                  int32_t lie, const int *fds, unsigned int nr_fds);

/* Changes some words of a message as the input says. */
void control_damage(struct input *in, void *body, size_t len);

#endif /* VMRING_TESTS_CONTROL_H */
