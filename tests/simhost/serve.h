/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SERVE_H
#define SERVE_H

#include "host.h"

/* Serve the files of @host at @mountpoint until it is unmounted. @ready is called when
 * the mount is there. 0 or -errno. */
int fuse_serve(struct host *host, const char *mountpoint, void (*ready)(void *userdata),
	       void *userdata);

#endif
