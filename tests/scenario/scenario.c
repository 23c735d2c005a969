// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * scenario ROOT CONTROL IMAGES < FILE: plays a file of steps on a host and prints what
 *the host says. CONTROL is simhost's socket or the debugfs file of tdx-host-sim.ko, ROOT
 *the directory that has its `sys`; that the same file prints the same on both shows that
 *both are the same machine. Steps, one a line:
 *
 *	do COMMAND...           a command of the machine, with its answer
 *	read FILE               what the file reads
 *	write FILE TEXT         one write of TEXT and a newline
 *	put FILE IMAGE          all bytes of an image, in as many writes as it takes
 *	await FILE TEXT         until the file reads TEXT, 10 s at most
 *
 * Empty lines and those with a # are printed as they are. FILE is below
 * sys/devices/faux/tdx_host. A call that fails prints its errno's name.
 *Exit status 1 only where the player itself could not go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "simhost-client.h"
#include "util.h"

#define DEVICE_DIR   "sys/devices/faux/tdx_host"
#define ANSWER_BYTES 65536
#define AWAIT_TRIES  1000
#define AWAIT_NSEC   10000000

/* @control: a socket where is_socket, else a file to write to and read from */
struct player {
	int device;
	int images;
	int control;
	bool is_socket;
};

static const char *error_text(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{ EACCES, "EACCES" },     { EAGAIN, "EAGAIN" },
		{ EALREADY, "EALREADY" }, { EBUSY, "EBUSY" },
		{ EEXIST, "EEXIST" },     { EFBIG, "EFBIG" },
		{ EINVAL, "EINVAL" },     { EIO, "EIO" },
		{ ENODATA, "ENODATA" },   { ENODEV, "ENODEV" },
		{ ENOENT, "ENOENT" },     { ENOSPC, "ENOSPC" },
		{ ENXIO, "ENXIO" },       { EOPNOTSUPP, "EOPNOTSUPP" },
		{ EPERM, "EPERM" },       { ESRCH, "ESRCH" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].error == error)
			return names[i].name;

	return strerror(error);
}

static void print_errno(void)
{
	printf("%s\n", error_text(errno));
}

/* debugfs: a refused command fails the write, and its answer is there all the same. */
static void command_by_file(int fd, const char *line)
{
	_cleanup_(cleanup_free)
	char *answer = malloc(ANSWER_BYTES);
	ssize_t length;

	if (!answer)
		return;
	if (write(fd, line, strlen(line)) < 0 && errno == EBADF)
		print_errno();
	lseek(fd, 0, SEEK_SET);
	while ((length = read(fd, answer, ANSWER_BYTES)) > 0)
		fwrite(answer, 1, (size_t)length, stdout);
}

static void step_do(const struct player *player, const char *line)
{
	_cleanup_(cleanup_free)
	char *answer = NULL;
	int error;

	if (!player->is_socket) {
		command_by_file(player->control, line);
		return;
	}
	error = simhost_client_ask(player->control, line, &answer);
	if (!error)
		printf("%sok\n", answer);
	else if (answer)
		printf("error %s\n", answer);
	else
		printf("%s\n", error_text(-error));
}

static ssize_t read_file(const struct player *player, const char *name, char *ret,
			 size_t size)
{
	_cleanup_(cleanup_close)
	int fd = openat(player->device, name, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (length >= 0)
		ret[length] = '\0';

	return length;
}

static void step_read(const struct player *player, const char *name)
{
	char text[4096];
	ssize_t length = read_file(player, name, text, sizeof(text));

	if (length < 0)
		print_errno();
	else
		printf("%s%s", text, length ? "" : "(nothing)\n");
}

static void step_write(const struct player *player, const char *name, const char *text)
{
	_cleanup_(cleanup_close)
	int fd = openat(player->device, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dprintf(fd, "%s\n", text) < 0)
		print_errno();
}

static void step_put(const struct player *player, const char *name, const char *image)
{
	_cleanup_(cleanup_close)
	int in = openat(player->images, image, O_RDONLY | O_CLOEXEC);
	_cleanup_(cleanup_close)
	int out = openat(player->device, name, O_WRONLY | O_CLOEXEC);
	char page[4096];
	ssize_t length;

	if (in < 0 || out < 0) {
		print_errno();
		return;
	}
	while ((length = read(in, page, sizeof(page))) > 0)
		if (write(out, page, (size_t)length) != length) {
			print_errno();
			return;
		}
}

static void step_await(const struct player *player, const char *name, const char *text)
{
	const struct timespec pause = { .tv_nsec = AWAIT_NSEC };
	char found[4096] = "";

	for (unsigned i = 0; i < AWAIT_TRIES; i++) {
		if (read_file(player, name, found, sizeof(found)) >= 0) {
			found[strcspn(found, "\n")] = '\0';
			if (strcmp(found, text) == 0)
				return;
		}
		nanosleep(&pause, NULL);
	}
	printf("%s reads \"%s\" after all\n", name, found);
}

static char *next_word(char **cursor)
{
	char *word = *cursor;
	size_t length = strcspn(word, " ");

	*cursor = word + length;
	if (**cursor)
		*(*cursor)++ = '\0';

	return word;
}

static bool play(const struct player *player, char *line)
{
	char *verb = next_word(&line), *name;

	if (strcmp(verb, "do") == 0) {
		step_do(player, line);
		return true;
	}
	name = next_word(&line);
	if (strcmp(verb, "read") == 0)
		step_read(player, name);
	else if (strcmp(verb, "write") == 0)
		step_write(player, name, line);
	else if (strcmp(verb, "put") == 0)
		step_put(player, name, line);
	else if (strcmp(verb, "await") == 0)
		step_await(player, name, line);
	else
		return false;

	return true;
}

static int open_control(struct player *player, const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return -errno;
	player->is_socket = S_ISSOCK(status.st_mode);
	player->control = player->is_socket ? simhost_client_connect_to(path)
					    : open(path, O_RDWR | O_CLOEXEC);

	return player->control < 0 ? -errno : 0;
}

static bool play_all(const struct player *player)
{
	_cleanup_(cleanup_free)
	char *line = NULL;
	size_t size = 0, number = 0;

	while (getline(&line, &size, stdin) > 0) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (!*line || *line == '#') {
			puts(line);
			continue;
		}
		printf("> %s\n", line);
		if (!play(player, line)) {
			fprintf(stderr, "scenario: line %zu: no such step\n", number);
			return false;
		}
		fflush(stdout);
	}

	return true;
}

int main(int argc, char **argv)
{
	_cleanup_(cleanup_close)
	int root = -1;
	struct player player;

	if (argc != 4) {
		fputs("usage: scenario ROOT CONTROL IMAGES < FILE\n", stderr);
		return 2;
	}
	root = open(argv[1], O_DIRECTORY | O_CLOEXEC);
	player.device = openat(root, DEVICE_DIR, O_DIRECTORY | O_CLOEXEC);
	player.images = open(argv[3], O_DIRECTORY | O_CLOEXEC);
	if (player.device < 0 || player.images < 0 || open_control(&player, argv[2])) {
		fprintf(stderr, "scenario: no host at %s with %s and %s: %s\n", argv[1],
			argv[2], argv[3], strerror(errno));
		return 1;
	}

	return play_all(&player) ? 0 : 1;
}
