/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SERVER_H
#define SERVER_H

#include "host.h"

/*
 * The threads of a host beside those of FUSE: the clock, the worker of fw_upload, and the
 * control socket with one thread a connection. They end with the process.
 */
int server_listen(const char *path);
int server_start(struct host *host, int listen_fd);

#endif
