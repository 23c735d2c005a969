// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a scene's daemon says to the journal, with its fields. libsystemd knows one place
 * where the journal listens, so the daemon gets the scene's run as its /run; and stderr
 * has to be the journal's by the rule of systemd.exec(5), or it is preferred.
 */
#include "scene.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define SOCKET "run/systemd/journal/socket"

/* Far more than a milestone's fields. */
#define ENTRY_BYTES 4096

static int listen_for_journal(const struct scene *scene)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	tree_put(&scene->world.tree, "run/systemd/journal/README", "a test's\n");
	tree_drop(&scene->world.tree, SOCKET);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SOCKET,
		 scene->world.tree.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* In the child: for itself and what it becomes. */
static int take_place(const struct scene *scene)
{
	char run[128], stream[64];
	struct stat st;

	snprintf(run, sizeof(run), "%s/run", scene->world.tree.path);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount(run, "/run", NULL, MS_BIND, NULL) < 0 || fstat(STDERR_FILENO, &st) < 0)
		return -errno;
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino);
	return setenv("JOURNAL_STREAM", stream, 1) < 0 ? -errno : 0;
}

int scene_run_with_journal(struct scene *scene)
{
	int fd = listen_for_journal(scene);

	scene->daemon = scene_fork();
	if (scene->daemon == 0) {
		int r = take_place(scene);

		if (r == 0)
			scene_become_daemon(scene);
		fprintf(stderr, "no /run of its own: %s\n", strerror(-r));
		_exit(EXIT_FAILURE);
	}
	scene_await_name(scene);
	return fd;
}

/* The next entry: a field a line, as systemd's native protocol has it for text. */
static bool take_entry(int fd, int timeout_ms, char *ret, size_t size)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&poller, 1, timeout_ms) <= 0)
		return false;
	n = recv(fd, ret, size - 1, 0);
	assert_true(n >= 0);
	ret[n] = '\0';
	return true;
}

static bool is_of(const char *entry, const char *message_id)
{
	char field[64];

	snprintf(field, sizeof(field), "MESSAGE_ID=%s\n", message_id);
	return strstr(entry, field);
}

char *scene_await_entry(int journal, const char *message_id)
{
	char entry[ENTRY_BYTES];

	while (take_entry(journal, 10000, entry, sizeof(entry)))
		if (is_of(entry, message_id))
			return strdup(entry);
	fail_msg("the journal never heard %s", message_id);
	return NULL;
}

bool scene_has_entry(int journal, const char *message_id)
{
	char entry[ENTRY_BYTES];
	bool has_it = false;

	while (take_entry(journal, 0, entry, sizeof(entry)))
		has_it |= is_of(entry, message_id);
	return has_it;
}

bool scene_has_text(int journal, const char *text)
{
	char entry[ENTRY_BYTES];
	bool has_it = false;

	while (take_entry(journal, 0, entry, sizeof(entry)))
		has_it |= !!strstr(entry, text);
	return has_it;
}
