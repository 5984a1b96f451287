#!/bin/sh
# SPDX-License-Identifier: MIT
# The proof that crash_* and attack_* can fail: bugs are planted one by one in
# a copy of the library; prints which of the programs is the first to notice.
#
# usage: planted.sh [--check] SOURCE-TREE [PATTERN]
#
# --check: only see that each bug still fits the source it is planted in.
set -eu
check=
if [ "$1" = --check ]; then
    check=yes
    shift
fi
tree=$(cd "$1" && pwd)
only=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missed=0 planted=0

programs="crash_consumers crash_producers crash_stepped
test_attack_consumer_ring test_attack_consumer_channel
test_attack_producer_ring test_attack_producer_channel test_attack_stopped"
if [ "$check" ]; then
    cp -r "$tree/libvmring" "$work"
else
    # Builds them once: what is planted rebuilds a file and links.
    git -C "$tree" ls-files -z |
        (cd "$tree" && xargs -0 cp --parents -t "$work")
    cmake -G Ninja -S "$work" -B "$work/build" -DBUILD_TESTING=ON \
        >"$work/log" 2>&1
    # shellcheck disable=SC2086
    ninja -C "$work/build" $programs >>"$work/log" 2>&1
fi

# run PROGRAM ARGUMENT...: prints its name and fails, if it fails.
run() {
    program=$1
    shift
    if ! (cd "$work/build/tests" && timeout -s KILL 100 "./$program" "$@") \
        >"$work/output" 2>&1; then
        echo "$program"
        return 1
    fi
}

# plant NAME FILE OLD NEW: OLD, which is there once, becomes NEW.
plant() {
    case $1 in *"$only"*) ;; *) return 0 ;; esac
    cp "$work/libvmring/$2" "$work/kept"
    python3 -I -S - "$work/libvmring/$2" "$3" "$4" <<'END'
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
if text.count(old) != 1:
    sys.exit("%s has %d times: %s" % (path, text.count(old), old))
open(path, "w").write(text.replace(old, new))
END
    planted=$((planted + 1))
    if [ "$check" ]; then
        cp "$work/kept" "$work/libvmring/$2"
        return 0
    fi
    # shellcheck disable=SC2086
    if ! ninja -C "$work/build" $programs >"$work/log" 2>&1; then
        printf '%-44s does not build\n' "$1"
        tail -5 "$work/log"
        exit 1
    fi
    found=$(run crash_consumers 150 1 && run crash_producers 100 1 &&
        run crash_stepped && run test_attack_consumer_ring &&
        run test_attack_consumer_channel && run test_attack_producer_ring &&
        run test_attack_producer_channel && run test_attack_stopped) || :
    printf '%-46s%s\n' "$1" "${found:-NOT NOTICED}"
    [ -n "$found" ] || missed=$((missed + 1))
    cp "$work/kept" "$work/libvmring/$2"
}

plant "a loss is not counted" core/lane_push.c \
    "vmr_store_relaxed(&tx->line->lost, ++tx->lost);" \
    "vmr_store_relaxed(&tx->line->lost, tx->lost);"
plant "a request posted anew is not marked" core/slot.c \
    "tx->fifo[tx->first]->event.flags |= XEN_VM_RING_FLAG_REPOSTED;" ";"
plant "a drained record is not marked" consumer/drain.c \
    "event->rec.flags |= XEN_VM_RING_FLAG_REPOSTED;" ";"
plant "no sweep when a consumer has gone" core/producer.c \
    "        if (producer->slots[v].nr)
            vmr_bits_set(&vmr_bell_of(producer, v)->fetched," \
    "        if (0)
            vmr_bits_set(&vmr_bell_of(producer, v)->fetched,"
plant "the doorbell is not rung" core/doorbell.c \
    "return armed ? VMR_FLUSH_RING : VMR_FLUSH_QUIET;" \
    "return VMR_FLUSH_QUIET;"
plant "the doorbell is rung at every flush" core/doorbell.c \
    "switch (exchange(tx->ours, &tx->line->armed, &armed)) {" \
    "switch ((armed = vmr_load_relaxed(&tx->line->armed), VMR_RMW_DONE)) {"
plant "no look again before sleeping" core/consumer.c \
    "    for (int i = 0; i < 2; i++)
        if (!is_drained(consumer, group))
            return false;
    return vmr_bell_arm(&consumer->groups[group].bell);" \
    "    vmr_store_relaxed(&consumer->groups[group].bell.line->armed, 1);
    vmr_fence_full();
    return !group || is_drained(consumer, group);"
plant "no deadline" core/deadline.c \
    "if (request->deadline > now) {" "if (request->deadline > now || 1) {"
plant "a deadline too early" core/deadline.c \
    "if (request->deadline > now) {" "if (request->deadline > now + 50000) {"
plant "a verdict is given and stays posted" core/answer.c \
    "    vmr_slot_retire(slot);
    if (slot->nr) {" "    if (verdict->request.cookie % 64)
        vmr_slot_retire(slot);
    if (slot->nr) {"
plant "the cursor is published too early" core/consumer.c \
    "            return go_on(consumer, group);" \
    "            vmr_lane_publish_cursor(group->at);
            return go_on(consumer, group);"
plant "the head before the record" core/lane_push.h \
    "    vmr_lane_put_head(tx, record, event);
    vmr_lane_close_slot(tx, record);" \
    "    vmr_lane_close_slot(tx, record);
    vmr_lane_put_head(tx, record, event);"
plant "an answer's seq before its body" core/slot.c \
    "    vmr_copy_to_shared(&rx->response->flags, &response->flags," \
    "    vmr_store_release(&rx->response->seq, seq);
    vmr_copy_to_shared(&rx->response->flags, &response->flags,"
plant "an overwritten record is not said to be busy" core/lane_push.h \
    "vmr_store_relaxed(&record->state, BUSY(tx->head));" ";"
plant "any cursor is believed" core/lane_push.c \
    "if (cons - tx->cons > tx->head - tx->cons)" "if (0)"
plant "any seq is an answer" core/slot.c \
    "if (vmr_load_acquire(&tx->response->seq) != tx->seq)" "if (0)"
plant "the mask is not looked at" core/answer.c \
    "           vmr_response_check(response->reason, response->flags,
                              producer->geo.verdicts) == VMR_FLAGS_ALLOWED;" \
    "           1;"
plant "a doorbell that waits for room" transport/local/socket.c \
    "    (void)!send(fd, \"\", 1, MSG_DONTWAIT | MSG_NOSIGNAL);" \
    "    struct pollfd pfd = {fd, POLLOUT, 0};

    (void)poll(&pfd, 1, -1);
    (void)!send(fd, \"\", 1, MSG_DONTWAIT | MSG_NOSIGNAL);"
plant "a descriptor leaks with each epoch" producer/epoch.c \
    "    begin_epoch(producer, making->peer, epoch);" \
    "    extern int dup(int);

    begin_epoch(producer, making->peer, epoch);
    if (dup(epoch->c.fd) < 0)
        return;"
plant "a broken lane is forgotten" core/lane_pull.c \
    "    rx->broken = true;
    return VMR_PULL_BROKEN;" "    rx->broken = false;
    return VMR_PULL_NONE;"

if [ "$check" ]; then
    echo "$planted bugs, each fits once"
else
    echo "$planted planted, $missed not noticed"
fi
exit "$((missed != 0))"
