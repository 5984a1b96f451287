#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Description: a consumer that the bridge hangs up on sees that, though it has
not read what it was handed, and the bridge is in its sandbox."""
import select
import struct

from setup import PATIENCE, Bridge, check, connect, finish

MAGIC = 0x676e5256
VERSION = 1 << 16
PROPOSE = 1


def message(kind, body=b""):
    return struct.pack("=II", kind, 8 + len(body)) + body


def proposal():
    return struct.pack("=IIIIQQQQIIII64x", MAGIC, 128, VERSION, VERSION, 0, 0,
                       65536, 0, 0, 0, 1, 0)


def readable(peer, what):
    poller = select.poll()
    poller.register(peer, what)
    events = poller.poll(PATIENCE * 1000)
    return events[0][1] if events else 0


bridge = Bridge()
consumer = connect(bridge)
consumer.send(message(PROPOSE, proposal()))
check(readable(consumer, select.POLLIN) == select.POLLIN, "it is granted")
# What no attached consumer may say: the bridge hangs up.
consumer.send(message(PROPOSE, proposal()))
check(readable(consumer, 0) & select.POLLHUP, "it is not hung up on")
check(bridge.end() == 0, "the end")
finish()
