/* SPDX-License-Identifier: MIT */
/* message_words.h: the words of messages, for writer and reader. */
#ifndef VMRING_TRANSPORT_GRANT_MESSAGE_WORDS_H
#define VMRING_TRANSPORT_GRANT_MESSAGE_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_KINDS    13
#define MESSAGE_POLICIES 2
#define MESSAGE_ARCHS    3

/* What each begins with, and how long its body is: 0: any length. */
extern const struct message_kind {
    const char *word;
    uint32_t type;
    size_t len;
} message_kinds[MESSAGE_KINDS];

/* By XEN_VM_RING_POLICY_*, and by XEN_VM_RING_ARCH_*. */
extern const char *const message_policies[MESSAGE_POLICIES];
extern const char *const message_archs[MESSAGE_ARCHS];

#endif /* VMRING_TRANSPORT_GRANT_MESSAGE_WORDS_H */
