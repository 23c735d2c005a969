// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "control.h"
#include "util.h"

#define NSEC_PER_SECOND UINT64_C(1000000000)
#define NSEC_PER_DAY    (86400 * NSEC_PER_SECOND)

/* Lets the TD builds make their calls when they are due. */
static void *run_clock(void *userdata)
{
	struct host *host = userdata;
	struct timespec until;
	uint64_t next, limit;

	pthread_mutex_lock(&host->lock);
	for (;;) {
		limit = host_now_nsec() + NSEC_PER_DAY;
		next = tdx_model_next_nsec(host->model);
		next = next < limit ? next : limit;
		until.tv_sec = (time_t)(next / NSEC_PER_SECOND);
		until.tv_nsec = (long)(next % NSEC_PER_SECOND);
		if (next > host_now_nsec())
			pthread_cond_timedwait(&host->changed, &host->lock, &until);
		if (tdx_model_next_nsec(host->model) <= host_now_nsec())
			host_advance(host);
	}

	return NULL;
}

/* fw_upload_main() */
static void *run_worker(void *userdata)
{
	static const enum upload_progress phases[] = {
		UPLOAD_RECEIVING,
		UPLOAD_PREPARING,
		UPLOAD_TRANSFERRING,
		UPLOAD_PROGRAMMING,
	};
	struct host *host = userdata;

	pthread_mutex_lock(&host->lock);
	for (;;) {
		while (!host->upload.is_committed)
			pthread_cond_wait(&host->changed, &host->lock);
		for (size_t i = 0; i < ARRAY_SIZE(phases) && !host->upload.error; i++) {
			upload_set_progress(&host->upload, phases[i]);
			host_changed(host);
			if (phases[i] == UPLOAD_TRANSFERRING)
				host_upload_write(host);
			else
				host_pause(host, phases[i]);
		}
		upload_finish(&host->upload);
		host_changed(host);
	}

	return NULL;
}

struct connection {
	struct host *host;
	int fd;
};

static void *run_connection(void *userdata)
{
	struct connection *connection = userdata;
	_cleanup_(cleanup_fclose)
	FILE *in = fdopen(connection->fd, "r");
	_cleanup_(cleanup_free)
	char *answer = malloc(CONTROL_ANSWER_BYTES);
	_cleanup_(cleanup_free)
	char *line = NULL;
	size_t size = 0;

	while (in && answer && getline(&line, &size, in) > 0) {
		control_run(connection->host, line, answer, CONTROL_ANSWER_BYTES);
		if (send(connection->fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
			break;
	}
	free(connection);

	return NULL;
}

static int start_thread(void *(*run)(void *userdata), void *userdata)
{
	pthread_attr_t detached;
	pthread_t thread;
	int error;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &detached, run, userdata);
	pthread_attr_destroy(&detached);

	return -error;
}

struct listener {
	struct host *host;
	int fd;
};

static void *run_listener(void *userdata)
{
	struct listener *listener = userdata;

	for (;;) {
		struct connection *connection = calloc(1, sizeof(*connection));

		if (!connection)
			break;
		connection->host = listener->host;
		connection->fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
		if (connection->fd < 0 || start_thread(run_connection, connection)) {
			if (connection->fd >= 0)
				close(connection->fd);
			free(connection);
		}
	}

	return NULL;
}

int server_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64)) {
		error = -errno;
		close(fd);
		return error;
	}

	return fd;
}

int server_start(struct host *host, int listen_fd)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int error;

	if (!listener)
		return -ENOMEM;
	listener->host = host;
	listener->fd = listen_fd;
	error = start_thread(run_clock, host);
	if (!error)
		error = start_thread(run_worker, host);
	if (!error)
		error = start_thread(run_listener, listener);

	return error;
}
