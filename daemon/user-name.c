// SPDX-License-Identifier: LGPL-2.1-or-later
/* Who a user is, in words that stay true: names are given away again, so the id is said
 * too. */
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"
#include "user-name.h"
#include "util.h"

#define NAME_BYTES  64
#define ENTRY_BYTES 4096

static FILE *open_passwd(int root_fd)
{
	int fd = openat(root_fd, "etc/passwd",
			O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	FILE *file = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		file = fdopen(fd, "re");
	if (!file && fd >= 0)
		close(fd);
	return file;
}

/* Return: whether it has one. */
static bool find_name(int root_fd, uid_t uid, char *ret, size_t size)
{
	char buffer[ENTRY_BYTES];
	struct passwd entry, *found = NULL;
	bool has_name = false;
	FILE *file = open_passwd(root_fd);

	while (file && !has_name &&
	       fgetpwent_r(file, &entry, buffer, sizeof(buffer), &found) == 0)
		has_name = entry.pw_uid == uid;
	if (has_name)
		text_make_printable(ret, size, entry.pw_name);
	if (file)
		fclose(file);
	return has_name;
}

char *user_name_describe(int root_fd, uid_t uid)
{
	char name[NAME_BYTES] = "root";

	if (uid == (uid_t)-1)
		return NULL;
	if (find_name(root_fd, uid, name, sizeof(name)) || uid == 0)
		return text_new("%s (uid %u)", name, (unsigned)uid);
	return text_new("uid %u", (unsigned)uid);
}
