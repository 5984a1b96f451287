/* SPDX-License-Identifier: MIT */
#include "domain.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Greater ids are Xen's own: DOMID_FIRST_RESERVED. */
#define MAX_DOMID 0x7fef

#define PREFIX "domain:"

const char *domain_text(const char *text)
{
    size_t len = strlen(PREFIX);

    return strncmp(text, PREFIX, len) ? text : text + len;
}

bool domain_is_id(const char *text, uint32_t *domid)
{
    unsigned long value;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || *end || value > MAX_DOMID)
        return false;
    *domid = (uint32_t)value;
    return true;
}

const char *domain_shutdown_name(unsigned int reason)
{
    static const char *const names[] = {"powered off",        "rebooted",
                                        "suspended",          "crashed",
                                        "fired its watchdog", "soft-reset"};

    return reason < sizeof(names) / sizeof(names[0]) ? names[reason]
                                                     : "shut down";
}
