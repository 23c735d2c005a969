// SPDX-License-Identifier: LGPL-2.1-or-later
#include "simhost-client.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "util.h"

#define ANSWER_BYTES_MAX ((size_t)128 * 1024)

int simhost_client_connect(const char *root)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_(cleanup_close)
	int fd = -1;

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/simhost.sock",
		     root) >= (int)sizeof(address.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;

	return TAKE_FD(fd);
}

static int send_line(int fd, const char *line)
{
	struct iovec parts[] = {
		{ .iov_base = (char *)(uintptr_t)line, .iov_len = strlen(line) },
		{ .iov_base = (char[]){ "\n" }, .iov_len = 1 },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The last line of @answer once it is whole, which decides; NULL before. */
static char *find_verdict(char *answer, size_t bytes)
{
	char *line;

	if (!bytes || answer[bytes - 1] != '\n')
		return NULL;

	answer[bytes - 1] = '\0';
	line = strrchr(answer, '\n');
	line = line ? line + 1 : answer;
	if (strcmp(line, "ok") == 0 || strncmp(line, "error ", 6) == 0)
		return line;
	answer[bytes - 1] = '\n';

	return NULL;
}

int simhost_client_ask(int fd, const char *line, char **ret_answer)
{
	_cleanup_(cleanup_free)
	char *answer = malloc(ANSWER_BYTES_MAX + 1);
	char *verdict = NULL;
	size_t bytes = 0;
	ssize_t length;

	if (!answer)
		return -ENOMEM;
	if (send_line(fd, line))
		return -EPIPE;

	while (!verdict && bytes < ANSWER_BYTES_MAX) {
		length = recv(fd, answer + bytes, ANSWER_BYTES_MAX - bytes, 0);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return -EPIPE;
		bytes += (size_t)length;
		answer[bytes] = '\0';
		verdict = find_verdict(answer, bytes);
	}
	if (!verdict)
		return -EPIPE;

	if (*verdict == 'e') {
		memmove(answer, verdict + 6, strlen(verdict + 6) + 1);
		*ret_answer = TAKE_PTR(answer);
		return -EBADE;
	}
	*verdict = '\0';
	*ret_answer = TAKE_PTR(answer);

	return 0;
}
