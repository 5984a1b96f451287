#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Loosens each ordering of libvmring/core in turn and says which model
notices.

usage: loosen.py MODEL_PROGRAM CORE_DIRECTORY

Every call in core/ that orders something is found in the sources, so that a
new one cannot be left out: acquire loads and release stores become relaxed,
acquire and release fences are left out, a full fence is left out and, apart
from that, made one that acquires and releases; the lock's two halves become
relaxed; a read-modify-write becomes a load and a store; and two stores that
the rules need are not done at all.  Nothing is compiled: the program does it
in a run, to the one call it is told.  Exit status 1: some loosening was
noticed by no model.
"""

import re
import subprocess
import sys
from pathlib import Path

LOOSENINGS = {
    'vmr_load_acquire': ['weaker'],
    'vmr_store_release': ['weaker'],
    'vmr_fence_acquire': ['weaker'],
    'vmr_fence_release': ['weaker'],
    'vmr_fence_full': ['weaker', 'acq_rel'],
    'vmr_trylock': ['weaker', 'split'],
    'vmr_unlock': ['weaker'],
    'vmr_or': ['split', 'drop'],
    'vmr_exchange': ['split', 'drop'],
    'vmr_add_relaxed': ['split'],
}
# The models' read-modify-writes are single instructions, which cannot fail.
LEFT_OUT = ['rmw_begin', 'rmw_end']
# Stores whose order is another one's affair, but which must be there.
DROPPED = ['BUSY(', 'request->state']

SAID = {
    'vmr_load_acquire': ('acquire load', {'weaker': 'relaxed'}),
    'vmr_store_release': ('release store', {'weaker': 'relaxed'}),
    'vmr_store_relaxed': ('store', {'drop': 'not done'}),
    'vmr_fence_acquire': ('acquire fence', {'weaker': 'none'}),
    'vmr_fence_release': ('release fence', {'weaker': 'none'}),
    'vmr_fence_full': ('full barrier', {'weaker': 'none',
                                        'acq_rel': 'acquire, release'}),
    'vmr_trylock': ('lock', {'weaker': 'relaxed', 'split': 'load, store'}),
    'vmr_unlock': ('unlock', {'weaker': 'relaxed'}),
    'vmr_or': ('OR', {'split': 'load, store', 'drop': 'not done'}),
    'vmr_exchange': ('exchange', {'split': 'load, store',
                                  'drop': 'load alone'}),
    'vmr_add_relaxed': ('add', {'split': 'load, store'}),
}

# Where to look first; the others follow, so that nothing depends on it.
FIRST = {
    'slot.c': ['slot', 'slot_registers'],
    'lane_pull.c': ['lane_discard', 'lane_overwrite', 'lane_frozen'],
    'lane_pull.h': ['lane_discard', 'lane_overwrite', 'lane_frozen'],
    'lane_push.c': ['lane_discard', 'lane_overwrite', 'lane_frozen'],
    'lane_push.h': ['lane_discard', 'lane_overwrite', 'lane_frozen'],
    'doorbell.c': ['bell_publishes', 'bell_producers', 'bell_answers',
                   'bell_state'],
    'producer.c': ['bell_state', 'lane_frozen'],
    'collect.c': ['whole'],
    'lane_foreign.c': ['lane_foreign', 'foreign'],
    'consumer.c': ['bell_state', 'lane_frozen'],
    'vcpu.c': ['vcpu', 'vcpu_apart', 'vcpu_attach'],
}
MODELS = ['slot', 'slot_registers', 'lane_discard', 'lane_overwrite',
          'lane_foreign', 'lane_frozen', 'foreign', 'bell_publishes', 'bell_producers',
          'bell_answers', 'bell_state', 'own', 'vcpu', 'vcpu_apart',
          'vcpu_attach', 'whole']

# What these functions of atomic.h must be, for the models' to stand for them.
# The others are relaxed in the models, and cannot be less.
ORDERS = {
    'vmr_load_acquire': {'ACQUIRE'}, 'vmr_store_release': {'RELEASE'},
    'vmr_fence_acquire': {'ACQUIRE'}, 'vmr_fence_release': {'RELEASE'},
    'vmr_fence_full': {'SEQ_CST'},
    'vmr_trylock': {'ACQUIRE'}, 'vmr_unlock': {'RELEASE'},
}


def check_atomic_h(core):
    """Exits if atomic.h has other orders than shim.h stands for."""
    text = (core / 'atomic.h').read_text()
    for name, wanted in ORDERS.items():
        found = set()
        for body in re.findall(rf'\b{name}\([^;]*?\)\n{{(.*?)^}}', text,
                               re.M | re.S):
            found |= set(re.findall(r'__ATOMIC_(\w+)', body))
        if found != wanted:
            sys.exit(f'atomic.h: {name} is {found or "not found"}, '
                     f'the models have {wanted}')


def sites(core):
    """(file, line, function, call, how) of all that can be loosened."""
    call = re.compile(r'\b(vmr_(?:load|store|fence|or|exchange|add|trylock|'
                      r'unlock)\w*)\(')
    function = re.compile(r'^(?:[a-z][\w *]*[ *])?(\w+)\(')
    files = [*core.glob('*.c'), *core.glob('*.h')]
    for path in sorted(set(files) - {core / 'atomic.h'}):
        within = '?'
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if function.match(line):
                within = function.match(line)[1]
            if line.lstrip().startswith(('*', '/*')) or within in LEFT_OUT:
                continue
            for name in call.findall(line):
                for how in LOOSENINGS.get(name, []):
                    yield path.name, number, within, name, how
                if name.startswith('vmr_store') and \
                        any(what in line for what in DROPPED) and \
                        within != 'vmr_slot_post':
                    yield path.name, number, within, name, 'drop'


def order_of(file, function):
    """The models, those first that are about the function."""
    first = FIRST[file]
    if 'answers' in function:
        first = ['bell_answers']
    elif function == 'flush_bit':
        first = ['own', 'vcpu']
    elif function == 'take_bits':
        first = ['bell_producers']
    return first + [model for model in MODELS if model not in first]


def noticed_by(program, site, how):
    """(model, iterations, why) of the first that fails, or None."""
    reached = False
    for model in order_of(site[0], site[2]):
        run = subprocess.run(
            [program, model, '-l', f'{how}:{site[0]}:{site[1]}'],
            capture_output=True, text=True, check=False)
        found = re.search(r', (\d+) iterations, .*?: (.*)\n.* reached (\d+)',
                          run.stdout)
        if run.returncode not in (0, 1) or not found:
            sys.exit(f'{model}: {run.stdout}{run.stderr}')
        reached = reached or found[3] != '0'
        if run.returncode == 1:
            return model, int(found[1]), found[2]
    return None if reached else ('never reached', 0, '')


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, core = sys.argv[1], Path(sys.argv[2])
    check_atomic_h(core)
    total = unnoticed = dropped = 0
    print('| call | loosened to | noticed by | in iteration |')
    print('|---|---|---|---|')
    for file, line, function, name, how in sites(core):
        what, becomes = SAID[name]
        result = noticed_by(program, (file, line, function), how)
        total += 1
        dropped += name.startswith('vmr_store') and how == 'drop'
        if not result or result[0] == 'never reached':
            unnoticed += 1
        model, iterations, why = result or ('NO MODEL', '', '')
        why = {'DATA RACE (data race detected)': ', data race'}.get(why, '')
        print(f'| `{function}`, {file}:{line}: {what} | '
              f'{becomes.get(how, "not done")} | {model}{why} | {iterations} |',
              flush=True)
    print(f'\n{total} loosenings, {unnoticed} of them noticed by no model')
    if dropped != len(DROPPED):
        sys.exit(f'of the stores {DROPPED}, {dropped} were found')
    sys.exit(1 if unnoticed or total < 30 else 0)


main()
