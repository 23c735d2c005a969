/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KEPT_H
#define KEPT_H

#include <json-c/json.h>

#include "fdstore.h"

/* "inhibitor-123456" */
#define KEPT_NAME_BYTES 64

/*
 * A pipe whose other end somebody holds, and what it means, with systemd: so it outlives
 * the daemon for as long as it is held. Where nobody keeps it, the holder hears the pipe
 * end with the daemon.
 */

/* @kind: the beginning of its name. Return: 0, with its name; an errno: it is not kept.
 */
int kept_put(const char *kind, int pipe_fd, struct json_object *meaning,
	     char ret_name[KEPT_NAME_BYTES]);
/* Take the next of that kind out of @store. Return: 1; 0 there is none any more. What is
 * incomplete is dropped on the way. @ret_pipe_fd and @ret_meaning are the caller's. */
int kept_take(struct fdstore *store, const char *kind, char ret_name[KEPT_NAME_BYTES],
	      int *ret_pipe_fd, struct json_object **ret_meaning);

#endif
