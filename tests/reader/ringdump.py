#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ringdump.py P [C]: what a dumped ring says, as JSON.

Written from docs/ABI.md alone, to show that the document suffices. P and C are
files with the bytes of the two regions; without C, P is read as a frozen one
is. Exits 0; 1 if the header is refused, with the rule of H1 to H6 that it breaks;
2 if a file cannot be read.
"""
import json
import sys

MAGIC = 0x676E5256
LINE = 128
LANE = 256
HEADER = 384
DISCARD, OVERWRITE = 0, 1
FROZEN = 1
X86, ARM = 1, 2


class Refused(Exception):
    """A header that "The header" does not let pass."""


class Region:
    """Little-endian words of a region; a word outside of it is an error."""

    def __init__(self, data):
        self.data = data

    def word(self, at, size=8):
        if at < 0 or at + size > len(self.data):
            raise IndexError(f"{size} bytes at {at} of {len(self.data)}")
        return int.from_bytes(self.data[at:at + size], "little")

    def fields(self, at, table):
        """{name: value} of rows (offset, size, names), as the document's."""
        found = {}
        for offset, size, names in table:
            for i, name in enumerate(names.split()):
                found[name] = self.word(at + offset + i * size, size)
        return found


HEADER_FIELDS = (
    (0, 4, "magic"), (4, 2, "major minor"), (8, 4, "header_len arch"),
    (16, 8, "features epoch p_len c_len deadline"),
    (56, 4, "nr_vcpus nr_lanes nr_groups policy verdicts clock slot_len"),
    (84, 4, "record_len"), (88, 8, "slots_per_lane"),
    (96, 8, "request_off p_group_off lane_off record_off"),
    (128, 8, "response_off cursor_off c_group_off"),
    (152, 4, "c_group_len attn_request_off attn_lane_off answered_off"),
    (168, 8, "target_id"), (176, 4, "source"),
    (256, 8, "target_state shutdown_reason producer_state"),
)

EVENT_FIELDS = (
    (0, 8, "state time"), (16, 4, "flags lost"),
    (24, 2, "reason vcpu altp2m_idx length"),
)

MEM_ACCESS = ((0, 8, "gfn offset gla"), (24, 4, "flags"))
WRITE_CTRLREG = ((0, 4, "index"), (8, 8, "new_value old_value"))
MOV_TO_MSR = ((0, 8, "msr new_value old_value"),)
DEBUG = ((0, 8, "gfn pending_dbg"), (16, 4, "insn_len type"))
CPUID = ((0, 4, "insn_len leaf subleaf"),)
DESC_ACCESS = ((0, 8, "exit_qualification"),
               (8, 4, "instr_info descriptor is_write"))
INTERRUPT = ((0, 4, "vector type error_code"), (16, 8, "cr2"))
VMEXIT = ((0, 8, "reason qualification"),)
IO = ((0, 4, "bytes port in str"),)

# Of every event, at the end of u.
ORIGIN = ((28, 2, "view_gen"), (30, 1, "plane"))

DATA = {1: MEM_ACCESS, 4: WRITE_CTRLREG, 5: MOV_TO_MSR, 6: DEBUG, 7: DEBUG,
        9: DEBUG, 10: CPUID, 12: INTERRUPT, 13: DESC_ACCESS, 15: VMEXIT,
        16: IO}

REGISTERS = {
    X86: (
        (0, 8, "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15"),
        (128, 8, "rflags dr6 dr7 rip cr0 cr2 cr3 cr4"),
        (192, 8, "sysenter_cs sysenter_esp sysenter_eip msr_efer msr_star"
                 " msr_lstar gdtr_base npt_base vmtrace_pos"),
        (264, 4, "cs_base ss_base ds_base es_base"),
        (280, 8, "fs_base gs_base"), (296, 4, "cs ss ds es fs gs"),
        (320, 8, "shadow_gs"),
        (328, 2, "gdtr_limit cs_sel ss_sel ds_sel es_sel fs_sel gs_sel known"),
    ),
    ARM: ((0, 8, "ttbr0 ttbr1 ttbcr pc cpsr"),),
}

RESPONSE_FIELDS = ((0, 8, "seq"), (8, 4, "flags"), (12, 2, "reason altp2m_idx"))
INJECT = ((0, 4, "vector type error_code insn_len"), (16, 8, "cr2"))

LANE_FIELDS = ((0, 8, "head lost lost_contended resume"), (128, 8, "shown"))


def require(condition, rule):
    if not condition:
        raise Refused(rule)


def lies_within(off, count, stride, length, align):
    return off % align == 0 and off + count * stride <= length


def bitmap_words(header):
    groups = header["nr_groups"]
    per_group = (header["nr_lanes"] + groups - 1) // groups
    return (per_group + 63) // 64


def read_header(data, p_len, c_len):
    """The header in `data`, the first bytes of a P of p_len bytes; c_len is
    None if there is no C. Raises Refused with the number of the rule."""
    require(p_len >= HEADER, 1)
    h = Region(data).fields(0, HEADER_FIELDS)
    require(h["magic"] == MAGIC and h["major"] == 1, 1)
    require(HEADER <= h["header_len"] <= 4096, 1)
    require(h["p_len"] == p_len, 2)
    require(c_len is None or h["c_len"] == c_len, 2)
    require(h["p_len"] % 4096 == 0 and h["c_len"] % 4096 == 0, 2)

    vcpus, lanes, groups = h["nr_vcpus"], h["nr_lanes"], h["nr_groups"]
    require(1 <= vcpus <= 4096 and
            lanes == vcpus + (h["features"] >> 1 & 1), 3)
    require(1 <= groups <= 64 and groups <= vcpus, 3)
    require(h["policy"] in (DISCARD, OVERWRITE), 3)
    require(64 <= h["record_len"] <= 512 and h["record_len"] % 64 == 0, 3)

    slots = h["slots_per_lane"]
    require(2 <= slots <= 1 << 30 and slots & (slots - 1) == 0, 4)
    require(512 <= h["slot_len"] <= 4096 and h["slot_len"] % 128 == 0, 4)

    for off, count, stride, length, align in (
            ("request_off", vcpus, h["slot_len"], "p_len", 128),
            ("p_group_off", groups, LINE, "p_len", 128),
            ("lane_off", lanes, LANE, "p_len", 128),
            ("record_off", lanes * slots, h["record_len"], "p_len", 64),
            ("response_off", vcpus, h["slot_len"], "c_len", 128),
            ("cursor_off", lanes, LINE, "c_len", 128),
            ("c_group_off", groups, h["c_group_len"], "c_len", 128)):
        require(lies_within(h[off], count, stride, h[length], align), 5)

    require(h["c_group_len"] % 128 == 0 and h["c_group_len"] > 0, 6)
    for off in ("attn_request_off", "attn_lane_off", "answered_off"):
        require(h[off] >= LINE and lies_within(
            h[off], bitmap_words(h), 8, h["c_group_len"], 8), 6)
    return h


def read_event(p, at, arch):
    event = p.fields(at, EVENT_FIELDS)
    event["origin"] = p.fields(at + 32, ORIGIN)
    if event["reason"] in DATA:
        event["u"] = p.fields(at + 32, DATA[event["reason"]])
    if event["length"] == 408 and arch in REGISTERS:
        event["regs"] = p.fields(at + 64, REGISTERS[arch])
    return event


def read_requests(header, p):
    """Each vCPU's seq, and the request if one is posted."""
    slots = []
    for vcpu in range(header["nr_vcpus"]):
        at = header["request_off"] + vcpu * header["slot_len"]
        slot = {"vcpu": vcpu, "seq": p.word(at)}
        if slot["seq"] % 2:
            if p.word(at + 30, 2) in (64, 408):
                slot["request"] = read_event(p, at, header["arch"])
            else:
                slot["broken"] = True
        slots.append(slot)
    return slots


def first_position(header, line, cons):
    """Where the unread records of a lane begin."""
    if header["producer_state"] == FROZEN or cons is None:
        return line["resume"]
    return cons


def read_records(header, p, lane, line, tail, live):
    """The records from the tail on; positions that were overwritten; whether
    the lane is broken."""
    slots, discard = header["slots_per_lane"], header["policy"] == DISCARD
    records, overwritten, gap = [], 0, 0
    lost_before = 0 if tail == 0 else None
    mask = (1 << 64) - 1

    while (line["head"] - tail) & mask:
        ahead = (line["head"] - tail) & mask
        if ahead > slots:
            if discard or ahead >= 1 << 63:
                return records, overwritten, True
            gap += ahead - slots
            overwritten += ahead - slots
            tail = (line["head"] - slots) & mask
        index = lane * slots + tail % slots
        at = header["record_off"] + index * header["record_len"]
        if p.word(at) != (2 * tail + 2) & mask:
            # Of which later position is it?  Not both below: a lie.
            later = (((p.word(at) - 1) & mask) // 2 - tail) & (mask >> 1)
            unended = later == slots and \
                (line["head"] - tail) & mask == slots
            if discard or not (later and later < 1 << 62 and
                               later % slots == 0 if live else unended):
                return records, overwritten, True
            gap += 1
            overwritten += 1
            tail = (tail + 1) & mask
            continue
        length = p.word(at + 30, 2)
        if length != 64 and (length != 408 or header["record_len"] < 408):
            return records, overwritten, True
        event = read_event(p, at, header["arch"])
        discarded = None if lost_before is None else \
            (event["lost"] - lost_before) % (1 << 32)
        lost_before = event["lost"]
        records.append({"position": tail, "overwritten": gap,
                        "discarded": discarded, "event": event})
        gap = 0
        tail = (tail + 1) & mask
    return records, overwritten, False


def read_lanes(header, p, c):
    lanes = []
    for number in range(header["nr_lanes"]):
        lane = {"lane": number}
        lane.update(p.fields(header["lane_off"] + number * LANE, LANE_FIELDS))
        cons = None
        if c:
            cons = c.word(header["cursor_off"] + number * LINE)
            lane["cons"] = cons
        tail = first_position(header, lane, cons)
        lane["records"], lane["overwritten"], lane["broken"] = \
            read_records(header, p, number, lane, tail, c is not None)
        lanes.append(lane)
    return lanes


def read_bits(header, c, group, off, count):
    """The vCPUs or lanes of a group whose bits are set."""
    groups = header["nr_groups"]
    block = header["c_group_off"] + group * header["c_group_len"]
    found = []
    for member in range(group, count, groups):
        bit = member // groups
        word = c.word(block + header[off] + bit // 64 * 8)
        if word >> bit % 64 & 1:
            found.append(member)
    return found


def read_groups(header, p, c):
    groups = []
    for number in range(header["nr_groups"]):
        group = {"group": number,
                 "armed_for_answers":
                     p.word(header["p_group_off"] + number * LINE)}
        if c:
            block = header["c_group_off"] + number * header["c_group_len"]
            group["armed"] = c.word(block)
            for name, off, count in (
                    ("attention_requests", "attn_request_off", "nr_vcpus"),
                    ("attention_lanes", "attn_lane_off", "nr_lanes"),
                    ("answered", "answered_off", "nr_vcpus")):
                group[name] = read_bits(header, c, number, off, header[count])
        groups.append(group)
    return groups


def read_responses(header, p, c):
    """Each vCPU's response; whether it answers the request that is posted."""
    responses = []
    for vcpu in range(header["nr_vcpus"]):
        at = header["response_off"] + vcpu * header["slot_len"]
        posted = p.word(header["request_off"] + vcpu * header["slot_len"])
        response = {"vcpu": vcpu}
        response.update(c.fields(at, RESPONSE_FIELDS))
        response["answers"] = posted % 2 == 1 and response["seq"] == posted
        response["inject"] = c.fields(at + 16, INJECT)
        response["reserved_is_zero"] = \
            not any(c.word(at + 40 + 8 * i) for i in range(3))
        if response["flags"] >> 8 & 1 and header["arch"] in REGISTERS:
            response["regs"] = c.fields(at + 64, REGISTERS[header["arch"]])
        responses.append(response)
    return responses


def read_ring(p_data, c_data=None):
    header = read_header(p_data, len(p_data),
                         None if c_data is None else len(c_data))
    p, c = Region(p_data), c_data and Region(c_data)
    ring = {"header": header, "slots": read_requests(header, p),
            "groups": read_groups(header, p, c),
            "lanes": read_lanes(header, p, c)}
    if c:
        ring["responses"] = read_responses(header, p, c)
    return ring


def main():
    if len(sys.argv) not in (2, 3):
        print("usage: ringdump.py P [C]", file=sys.stderr)
        return 2
    try:
        regions = []
        for name in sys.argv[1:]:
            with open(name, "rb") as file:
                regions.append(file.read())
        print(json.dumps(read_ring(*regions), indent=1))
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    except Refused as rule:
        print(f"refused: rule H{rule} of docs/ABI.md", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
