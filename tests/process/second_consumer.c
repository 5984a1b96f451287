/* SPDX-License-Identifier: MIT */
/* Description: a second consumer is told -EBUSY, and the first goes on. */
#include <errno.h>
#include <poll.h>

#include "wired.h"

int main(void)
{
    struct vmring_producer_opts opts = wired_opts();
    struct vmring *first, *second;
    struct vmring_event event;
    char path[96], uri[128], error[256] = "";
    struct vmring_opts with_text = {
        .size = sizeof(with_text), .error = error, .error_len = sizeof(error)};
    struct pollfd pfd;
    pid_t producer;
    uint64_t mask;
    int ret;

    wired_path(path);
    snprintf(uri, sizeof(uri), "local:%s", path);
    producer = wired_serve(path, &opts, 1);
    CHECK_EQ(vmring_open(uri, NULL, &first), 0);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(vmring_open(uri, &with_text, &second), -EBUSY);
        CHECK_HAS(error, "another");
    }
    CHECK_EQ(vmring_supported(first, &mask), 0);
    pfd = (struct pollfd){vmring_fd(first), POLLIN, 0};
    while ((ret = vmring_next(first, &event)) == 0)
        CHECK_EQ(poll(&pfd, 1, 30000), 1);
    CHECK_EQ(ret, 1);
    vmring_close(first);
    wired_check_alive(path, 1);
    wired_end(producer);
    place_drop(path);
    return 0;
}
