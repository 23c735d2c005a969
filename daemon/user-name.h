/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef USER_NAME_H
#define USER_NAME_H

#include <sys/types.h>

/*
 * "alice (uid 1000)", or "uid 4711" where etc/passwd below @root_fd does not know it: no
 * name service is asked, since one may hang and the event loop with it. Printable. NULL:
 * out of memory, or the user is not known at all; free() it.
 */
char *user_name_describe(int root_fd, uid_t uid);

#endif
