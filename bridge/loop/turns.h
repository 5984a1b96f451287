/* SPDX-License-Identifier: MIT */
/*
 * turns.h: how long the loop's turns take.
 *
 * A turn is all that is done between two waits, and every vCPU of the guest
 * waits for its end: a verdict or a deadline that comes meanwhile is seen
 * afterwards.
 */
#ifndef BRIDGE_LOOP_TURNS_H
#define BRIDGE_LOOP_TURNS_H

#include <json-c/json.h>
#include <stdint.h>

/* No turn is to take longer; those that do are counted: vmring-bridge(8). */
#define TURN_MAX_MS 500

/* Parts of a turn. */
enum turn_part {
    TURN_PEERS,    /* consumers: attaching, messages, arming */
    TURN_SOURCE,   /* the guest's events are taken and posted or pushed */
    TURN_VERDICTS, /* verdicts are collected and carried out */
    TURN_TARGET,   /* are the target and the consumer still there? */
    TURN_ENDING,
    NR_TURN_PARTS
};

#define NR_TURN_CLASSES 6

struct turns {
    uint64_t nr, longest_ns;
    uint64_t of_class[NR_TURN_CLASSES]; /* turns_json() names them */
    uint64_t longest_part_ns[NR_TURN_PARTS];
    uint64_t began, part_began;
};

void turns_begin(struct turns *turns);
/* The time since the last call, or the beginning, went into this part. */
void turns_did(struct turns *turns, enum turn_part part);
void turns_end(struct turns *turns);

void turns_json(const struct turns *turns, struct json_object *object);
/* In the ledger. */
void turns_print(const struct turns *turns);

#endif /* BRIDGE_LOOP_TURNS_H */
