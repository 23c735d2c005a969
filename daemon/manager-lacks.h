/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_LACKS_H
#define MANAGER_LACKS_H

#include <stddef.h>

struct manager;

/*
 * What the daemon has not got and works less well without: what is lost by that, in
 * words, with what helps. As it sees it itself: another process, root's too, has other
 * namespaces and limits. What the sources of the gate lack is in their words.
 */
enum lack {
	LACK_INTERFACE, /* the kernel's files can't be written */
	LACK_WRITES,    /* others that write to them are not seen */
	LACK_IMAGES,    /* nor images that come */
	LACK_MOUNTS,    /* nor mounts over them */
	LACK_DEVICE,    /* nor the device */
	LACK_FENCE,     /* the limit of a slice can't be set */
	_LACK_MAX,
};

/* @text: what it is, taken over; NULL: nothing any more. Says in the journal what is new.
 */
void manager_set_lack(struct manager *manager, enum lack lack, char *text);
/* Look at what only a look tells. */
void manager_look_for_lacks(struct manager *manager);
void manager_lacks_done(struct manager *manager);

#endif
