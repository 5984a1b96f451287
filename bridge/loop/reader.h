/* SPDX-License-Identifier: MIT */
/*
 * reader.h: a second opening of a file, for reading alone.
 *
 * A bridge hands P over so that no peer can write it, and can still take its
 * pages back at the end of a session: which the seal for that forbids to
 * itself, too.  So it hands out another open file, read-only, of the same
 * memory; that is to be had by /proc alone, which a bridge in its sandbox does
 * not see.  A process of its own opens it, and does nothing else: it sees its
 * own descriptors and no file besides, and ends with the bridge.
 */
#ifndef BRIDGE_LOOP_READER_H
#define BRIDGE_LOOP_READER_H

/* -1: none.  Before the sandbox, and before there are threads. */
int bridge_reader_start(void);
void bridge_reader_end(int reader);

/* As vmring_producer_ops.open_reading; reader may be -1. */
int bridge_reader_open(int reader, int fd);

#endif /* BRIDGE_LOOP_READER_H */
