# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Faults of the emulator, told from those of what is under test: what it cannot
# run is not tried, and a run that shows a fault is repeated.

# COUNT bytes of what an ELF has at ADDRESS, as hexadecimal digits; nothing
# where it has none. (elf(5): e_phoff at 32, e_phnum at 56; a program header
# has 56 bytes, and from its byte 8 on p_offset, p_vaddr, p_paddr, p_filesz.)
code_at() { # FILE ADDRESS COUNT
    local headers count i offset start size address=$((16#$2))
    is_elf "$1" || return 0
    headers=$(od -An -td8 -j 32 -N 8 "$1")
    count=$(od -An -tu2 -j 56 -N 2 "$1")
    for ((i = 0; i < count; i++)); do
        read -r offset start _ size < <(od -An -td8 -w32 -N 32 \
            -j $((headers + 56 * i + 8)) "$1")
        if ((address >= start && address < start + size)); then
            od -An -tx1 -j $((offset + address - start)) -N "$3" "$1" |
                tr -d ' \n'
            return 0
        fi
    done
}

# QEMU 10 does not run Linux 6.1 as a PVH guest, whatever Xen it is on: the
# first page fault, of early boot, is the last thing that it does, and nothing is
# said. Linux 6.12 runs there, and on QEMU 7.2 both do.
check_emulator() { # SCENARIO
    local linux qemu
    [ "$machine" = amd ] || return 0
    case $(scenario_option "$1" needs) in
    *linux-guest* | *agent-domain*) ;;
    *) return 0 ;;
    esac
    linux=$(linux_version)
    qemu=$(qemu_version)
    case $linux/$qemu in
    6.1.*/[1-7].*) ;;
    6.1.*) unavailable "QEMU $qemu does not run the Linux $linux of Debian" \
        "$release as a guest, which ${1##*/} needs" ;;
    esac
}

# Three states that QEMU 7.2 now and then leaves a guest in and that no Xen can;
# each is told by what the log shows of it, and by nothing less.
#
# With two threads it runs a guest with the code segment, instruction and stack
# pointers of Xen, and with rax the address that VMRUN was given: Xen's dump of
# the guest's state shows them, the same in each case seen, and the guest
# triple-faults. No interface of Xen can give a guest a code segment. Seen where
# domains are paused often, never with one thread.
#
# Or the guest triple-faults with a state of its own, at an IN from port 0x42,
# as quick_pit_calibrate() of Linux has them; the first case was seen there, too:
# a loop of exits while booting. At privilege level 0 with interrupts off, IN
# raises nothing, Xen injects nothing for it, and no page fault came before: CR2
# is 0. An agent's domain was seen to do the same at another address, with
# interrupts off and CR2 0 although its programs had run for long. Nobody
# watches that domain, and what the scenario runs in it is a program: whatever
# its kernel does there is not of our making.
#
# With one thread, about once in twenty boots of a Linux guest, it delivers an
# interrupt twice: the second one interrupts the first instruction of the
# handler, or of what that calls first, where the guest's flags, as its oops
# prints them below the interrupt's frame, have interrupts off. The guest's
# kernel panics.
#
# No other -cpu is known to help. 300 boots of that guest, which nobody watched,
# one after the other, lost none: 120 with the CPU that start_qemu() has, 120 with
# vgif besides, 60 without x2apic. With EPYC or max Xen's dom0 does not come up.
is_emulators_fault() { # LOG_DIR SCENARIO
    local address
    [ "$machine" = amd ] || return 1
    for address in $(lost_addresses "$1/xen.log"); do
        if [ "$address" = xen ] ||
            [[ $(scenario_option "$2" needs) == *agent-domain* ]] ||
            [ "$(code_at "$base/vmlinux" "$address" 2)" = e442 ]; then
            return 0
        fi
    done
    has_double_interrupt "$1/xen.log"
}

# Where a kernel's code triple-faulted with CR2 0; "xen" where it was Xen's.
lost_addresses() { # FILE
    awk '
        /Triple fault/ { dump = 1; address = "" }
        dump && /RIP: +e008:/ { print "xen" }
        dump && match($0, /RIP: +0010:\[<ffffffff8[0-9a-f]+>\]/) {
            address = substr($0, RSTART, RLENGTH)
            gsub(/.*<|>.*/, "", address)
        }
        address != "" && /cr2: 0+\r?$/ { print address; address = "" }' "$1"
}

has_double_interrupt() { # FILE
    awk '
        /^\(d[0-9]+\).* RIP: 0010:asm_sysvec_[a-z_]+\+0x0\// { entry = 1 }
        /^\(d[0-9]+\).*\]  asm_sysvec_[a-z_]+\+0x/ { frame = NR }
        /^\(d[0-9]+\).* RIP: 0010:/ && frame == NR - 1 { entry = 1 }
        entry && /EFLAGS: [0-9a-f]/ {
            sub(/.*EFLAGS: /, "")
            sub(/[^0-9a-f].*/, "")
            # Bit 9, in the third digit from the right, is the interrupt flag.
            if (substr($0, length($0) - 2, 1) ~ /[014589cd]/)
                found = 1
            entry = 0
        }
        END { exit !found }' "$1"
}
