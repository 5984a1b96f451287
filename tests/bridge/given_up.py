#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: what is given up of consumers that drain nothing has a row of
its own in the ledger."""
import array
import os
import socket
import struct

from setup import PATIENCE, Bridge, check, finish

PROPOSE, SUBSCRIBE, SUBSCRIBED = 1, 2, 9
MAGIC, VERSION, BUSY = 0x676e5256, 0x10000, 10


def message(kind, body=b""):
    return struct.pack("<II", kind, 8 + len(body)) + body


def attach(bridge):
    """Has proposed, and has not read the answer."""
    consumer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    consumer.settimeout(PATIENCE)
    consumer.connect(bridge.path)
    consumer.send(message(PROPOSE, struct.pack(
        "<IIII4Q4I64x", MAGIC, 128, VERSION, VERSION, 0, 0, 0, 0, 0, 0, 1, 0)))
    return consumer


def read(consumer):
    data, rights, _, _ = consumer.recvmsg(40000, socket.CMSG_LEN(100 * 4))
    for _, _, fds in rights:
        for fd in array.array("i", fds):
            os.close(fd)
    return data


def drain_nothing(bridge):
    """More than the eight frozen Ps that are kept."""
    for _ in range(11):
        while True:
            consumer = attach(bridge)
            if struct.unpack_from("<I", read(consumer), 16)[0] != BUSY:
                break
            consumer.close()
        consumer.send(message(SUBSCRIBE, b"cr3:async"))
        check(struct.unpack_from("<I", read(consumer))[0] == SUBSCRIBED,
              "subscribed")
        # Until there is a record.
        consumer.settimeout(0.2)
        try:
            read(consumer)
        except socket.timeout:
            pass
        consumer.close()


bridge = Bridge("--linger", "60", guest="vcpus=2,count=0,rate=5000",
                name="given_up")
drain_nothing(bridge)
check(bridge.end() == 0, "ending")
told = bridge.numbers()
rows = told["reasons"]
check(rows.get("unknown", {}).get("lost", 0) > 0, "no row: %s" % told)
check(sum(row["lost"] for row in rows.values()) == told["lost"],
      "the rows do not add up: %s" % told)
finish()
