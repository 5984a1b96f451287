/* SPDX-License-Identifier: MIT */
/* Description: lists of verdicts by name. */
#include "check.h"
#include "vmring.h"

#include <errno.h>

static const struct {
    const char *text;
    uint32_t mask;
} good[] = {
    {"none", 0},
    {"all", XEN_VM_RING_VERDICTS},
    {"deny", XEN_VM_RING_VERDICT_DENY},
    {"inject,set_registers",
     XEN_VM_RING_VERDICT_INJECT | XEN_VM_RING_VERDICT_SET_REGISTERS},
    {"deny,set_registers,emulate,step,altp2m,inject,next_interrupt,reset",
     XEN_VM_RING_VERDICTS_1_0},
    {"continue", XEN_VM_RING_VERDICT_CONTINUE},
    {"deny,set_registers,emulate,step,altp2m,inject,next_interrupt,reset,"
     "continue",
     XEN_VM_RING_VERDICTS},
};

static const char *const bad[] = {"",      "Deny",        "deny,",   ",deny",
                                  "denyx", "deny inject", "\x01\xff"};

int main(void)
{
    char error[256];
    uint32_t mask;

    for (unsigned int i = 0; i < sizeof(good) / sizeof(*good); i++) {
        CHECK_EQ(vmring_verdicts_parse(good[i].text, &mask, error, 256), 0);
        CHECK_EQ(mask, good[i].mask);
    }
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        mask = 99;
        CHECK_EQ(vmring_verdicts_parse(bad[i], &mask, error, 256), -EINVAL);
        CHECK_EQ(mask, 99);
        CHECK_HAS(error, "unknown verdict '");
        CHECK_HAS(error, "next_interrupt");
        CHECK_EQ(vmring_verdicts_parse(bad[i], &mask, NULL, 0), -EINVAL);
    }
    CHECK_EQ(vmring_verdicts_parse("deny,emualte", &mask, error, 256), -EINVAL);
    CHECK_HAS(error, "'emualte'; did you mean emulate? they are deny");
    return 0;
}
