// SPDX-License-Identifier: LGPL-2.1-or-later
#include "keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "util.h"

/* What systemd starts passing at. */
#define FIRST_FD 3

/* ---- what is kept ---- */

static void drop_at(struct keeper *keeper, unsigned i)
{
	close(keeper->kept[i].fd);
	keeper->kept[i] = keeper->kept[--keeper->count];
}

static void drop_all(struct keeper *keeper)
{
	while (keeper->count)
		drop_at(keeper, 0);
}

/* As systemd does, which polls what it keeps. */
static void drop_dead(struct keeper *keeper)
{
	for (unsigned i = keeper->count; i-- > 0;) {
		struct pollfd pollfd = { .fd = keeper->kept[i].fd };

		if (poll(&pollfd, 1, 0) > 0 && (pollfd.revents & (POLLHUP | POLLERR)))
			drop_at(keeper, i);
	}
}

static void drop_named(struct keeper *keeper, const char *name)
{
	for (unsigned i = keeper->count; i-- > 0;)
		if (strcmp(keeper->kept[i].name, name) == 0)
			drop_at(keeper, i);
}

static void keep(struct keeper *keeper, const char *name, int fd)
{
	if (keeper->count == KEEPER_FDS_MAX) {
		close(fd);
		return;
	}
	snprintf(keeper->kept[keeper->count].name, sizeof(keeper->kept[0].name), "%s",
		 name);
	keeper->kept[keeper->count++].fd = fd;
}

/* ---- what is heard ---- */

static bool has_line(const char *text, const char *line)
{
	const char *found = strstr(text, line);

	return found && (found == text || found[-1] == '\n');
}

static void take_message(struct keeper *keeper, const char *text, int fd)
{
	const char *found = strstr(text, "FDNAME=");
	char name[64] = "stored";

	if (found)
		sscanf(found, "FDNAME=%63[^\n]", name);
	if (has_line(text, "FDSTORE=1") && fd >= 0)
		keep(keeper, name, fd);
	else if (fd >= 0)
		close(fd);
	if (has_line(text, "FDSTOREREMOVE=1"))
		drop_named(keeper, name);
}

/* Return: whether there was one. */
static bool receive(struct keeper *keeper)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char text[1024];
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr header = { .msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(keeper->socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *part;
	int fd = -1;

	if (n < 0)
		return false;
	text[n] = '\0';
	for (part = CMSG_FIRSTHDR(&header); part; part = CMSG_NXTHDR(&header, part))
		if (part->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(part), sizeof(fd));
	take_message(keeper, text, fd);
	return true;
}

static void *listen_on(void *userdata)
{
	struct keeper *keeper = userdata;
	bool is_ending;

	do {
		struct pollfd pollfd = { .fd = keeper->socket, .events = POLLIN };

		(void)poll(&pollfd, 1, 5);
		pthread_mutex_lock(&keeper->lock);
		while (receive(keeper))
			;
		drop_dead(keeper);
		is_ending = keeper->is_ending;
		pthread_mutex_unlock(&keeper->lock);
	} while (!is_ending);
	return NULL;
}

/* What a daemon that has ended has said. */
static void catch_up(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	while (receive(keeper))
		;
	drop_dead(keeper);
	pthread_mutex_unlock(&keeper->lock);
}

struct keeper *keeper_begin(const struct scene *scene)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	assert_non_null(keeper);
	pthread_mutex_init(&keeper->lock, NULL);
	keeper->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(keeper->socket >= 0);
	snprintf(keeper->path, sizeof(keeper->path), "%s/run/notify",
		 scene->world.tree.path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", keeper->path);
	assert_int_equal(
		bind(keeper->socket, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(pthread_create(&keeper->thread, NULL, listen_on, keeper), 0);
	return keeper;
}

void keeper_end(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	keeper->is_ending = true;
	pthread_mutex_unlock(&keeper->lock);
	pthread_join(keeper->thread, NULL);
	drop_all(keeper);
	close(keeper->socket);
	free(keeper);
}

unsigned keeper_count(struct keeper *keeper, const char *prefix)
{
	unsigned count = 0;

	catch_up(keeper);
	pthread_mutex_lock(&keeper->lock);
	for (unsigned i = 0; i < keeper->count; i++)
		count += strncmp(keeper->kept[i].name, prefix, strlen(prefix)) == 0;
	pthread_mutex_unlock(&keeper->lock);
	return count;
}

/* ---- the service ---- */

/* In the child: what is kept becomes 3, 4, and so on. */
static void pass_on(const struct keeper *keeper)
{
	char names[KEEPER_FDS_MAX * 65] = "", number[16];
	int copies[KEEPER_FDS_MAX];

	for (unsigned i = 0; i < keeper->count; i++) {
		copies[i] = fcntl(keeper->kept[i].fd, F_DUPFD_CLOEXEC, 300);
		strcat(names, i ? ":" : "");
		strcat(names, keeper->kept[i].name);
	}
	for (unsigned i = 0; i < keeper->count; i++)
		dup2(copies[i], FIRST_FD + (int)i);
	setenv("NOTIFY_SOCKET", keeper->path, 1);
	if (!keeper->count)
		return;
	snprintf(number, sizeof(number), "%d", (int)getpid());
	setenv("LISTEN_PID", number, 1);
	snprintf(number, sizeof(number), "%u", keeper->count);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", names, 1);
}

void keeper_run(struct keeper *keeper, struct scene *scene)
{
	/* What the daemon before this one said last counts, however busy the machine. */
	catch_up(keeper);
	pthread_mutex_lock(&keeper->lock);
	scene->daemon = scene_fork();
	if (scene->daemon == 0) {
		pass_on(keeper);
		scene_become_daemon(scene);
	}
	pthread_mutex_unlock(&keeper->lock);
	scene_await_name(scene);
}

void keeper_restart(struct keeper *keeper, struct scene *scene)
{
	assert_int_equal(scene_stop(scene), 0);
	keeper_run(keeper, scene);
}

void keeper_stop(struct keeper *keeper, struct scene *scene)
{
	assert_int_equal(scene_stop(scene), 0);
	catch_up(keeper);
	pthread_mutex_lock(&keeper->lock);
	drop_all(keeper);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_crash(struct keeper *keeper, struct scene *scene)
{
	scene_kill(scene);
	keeper_run(keeper, scene);
}
