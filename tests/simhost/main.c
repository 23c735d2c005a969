// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * simhost: a TDX host below a directory, for programs that take --root. The files come
 * from a FUSE mount at ROOT/.simhost, to which ROOT/sys and ROOT/proc are links.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "control.h"
#include "serve.h"
#include "server.h"
#include "testimage.h"
#include "util.h"

#define LPS_DEFAULT 4

struct options {
	const char *root;
	unsigned lps;
	int notify_fd;
	size_t command_count;
	const char *commands[64];
};

static const char usage[] =
	"usage: simhost [OPTION...] ROOT\n"
	"\n"
	"Shows a TDX host below the directory ROOT until it gets SIGTERM. `simctl ROOT`\n"
	"changes the host; control.c and kernel/tdx-model-command.c document how.\n"
	"\n"
	"  --lps N          logical processors that firmware enabled (4)\n"
	"  --command LINE   a command before the files appear; may be repeated\n"
	"  --notify-fd N    write a line to that descriptor when ready, not to stdout\n"
	"  --die-with-parent\n";

/* For the signal thread, which ends the process: the mount and the socket are all that
 * outlives it. */
struct ending {
	char *mountpoint;
	char *socket;
	sigset_t signals;
};

static void *end_on_signal(void *userdata)
{
	struct ending *ending = userdata;
	int signal;

	sigwait(&ending->signals, &signal);
	/* Last, and nothing of ending after it: serve() returns once this is gone. */
	unlink(ending->socket);
	umount2(ending->mountpoint, MNT_DETACH);
	_exit(0);
}

static int fail(const char *what, int error)
{
	fprintf(stderr, "simhost: %s: %s\n", what, strerror(-error));
	return error;
}

static bool make_dirs(int root)
{
	static const char *const names[] = { ".simhost", "etc", "run", "usr", "var" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mkdirat(root, names[i], 0755) && errno != EEXIST)
			return false;

	return true;
}

static bool make_link(int root, const char *name, const char *target)
{
	char found[64];
	ssize_t length;

	if (!symlinkat(target, root, name))
		return true;

	length = readlinkat(root, name, found, sizeof(found));
	return length == (ssize_t)strlen(target) &&
	       !memcmp(found, target, (size_t)length);
}

static int prepare_root(const char *path, const char *mountpoint)
{
	_cleanup_(cleanup_close)
	int root = open(path, O_DIRECTORY | O_CLOEXEC);
	struct stat above, status;

	if (root < 0)
		return fail(path, -errno);
	/* A simhost that was killed leaves its mount behind; nobody serves it. */
	if (fstatat(root, ".simhost", &status, 0) && errno == ENOTCONN)
		umount2(mountpoint, MNT_DETACH);
	if (!make_dirs(root))
		return fail(path, -errno);
	if (!make_link(root, "sys", ".simhost/sys") ||
	    !make_link(root, "proc", ".simhost/proc"))
		return fail("ROOT/sys or ROOT/proc is in the way", -EEXIST);
	if (fstat(root, &above) || fstatat(root, ".simhost", &status, 0))
		return fail(path, -errno);
	if (above.st_dev != status.st_dev)
		return fail("another simhost serves this directory", -EBUSY);

	return 0;
}

/* Beside Intel's, the machine knows the key of tests/lib/testimage. */
static int trust_test_key(struct host *host)
{
	struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	char line[128] = "trust ", answer[256];

	tdxupd_digest_format(&signer, line + strlen(line));
	control_run(host, line, answer, sizeof(answer));

	return strcmp(answer, "ok\n") == 0 ? 0 : fail("test key", -EINVAL);
}

static int run_commands(struct host *host, const struct options *options)
{
	_cleanup_(cleanup_free)
	char *answer = malloc(CONTROL_ANSWER_BYTES);

	if (!answer)
		return fail("commands", -ENOMEM);
	for (size_t i = 0; i < options->command_count; i++) {
		control_run(host, options->commands[i], answer, CONTROL_ANSWER_BYTES);
		if (!strstr(answer, "ok\n")) {
			fprintf(stderr, "simhost: %s: %s", options->commands[i], answer);
			return -EINVAL;
		}
	}

	return 0;
}

static void say_ready(void *userdata)
{
	const struct options *options = userdata;

	if (options->notify_fd >= 0) {
		dprintf(options->notify_fd, "ready\n");
		close(options->notify_fd);
	} else {
		printf("simhost: ready at %s\n", options->root);
		fflush(stdout);
	}
}

static int start_ending(struct ending *ending)
{
	pthread_t thread;

	sigemptyset(&ending->signals);
	sigaddset(&ending->signals, SIGTERM);
	sigaddset(&ending->signals, SIGINT);
	sigaddset(&ending->signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ending->signals, NULL);

	return -pthread_create(&thread, NULL, end_on_signal, ending);
}

static int serve(struct host *host, struct options *options)
{
	_cleanup_(cleanup_free)
	char *mountpoint = NULL;
	_cleanup_(cleanup_free)
	char *socket = NULL;
	_cleanup_(cleanup_free)
	char *root = realpath(options->root, NULL);
	struct ending ending;
	int fd, error;

	if (!root)
		return fail(options->root, -errno);
	options->root = root;
	if (asprintf(&mountpoint, "%s/.simhost", root) < 0 ||
	    asprintf(&socket, "%s/run/simhost.sock", root) < 0)
		return fail("memory", -ENOMEM);
	error = prepare_root(root, mountpoint);
	if (error)
		return error;

	fd = server_listen(socket);
	if (fd < 0)
		return fail(socket, fd);
	ending.mountpoint = mountpoint;
	ending.socket = socket;
	error = start_ending(&ending);
	if (!error)
		error = server_start(host, fd);
	if (!error)
		error = fuse_serve(host, mountpoint, say_ready, options);
	unlink(socket);

	return error ? fail(mountpoint, error) : 0;
}

static bool parse_unsigned(const char *text, unsigned max, unsigned *ret)
{
	u64 number;

	if (tdx_model_parse_number(text, max, &number))
		return false;
	*ret = (unsigned)number;
	return true;
}

static bool parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option known[] = {
		{ "command", required_argument, NULL, 'c' },
		{ "die-with-parent", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "lps", required_argument, NULL, 'l' },
		{ "notify-fd", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned fd;
	int option;

	*ret = (struct options){ .lps = LPS_DEFAULT, .notify_fd = -1 };
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			if (ret->command_count == ARRAY_SIZE(ret->commands))
				return false;
			ret->commands[ret->command_count++] = optarg;
			break;
		case 'd':
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			break;
		case 'l':
			if (!parse_unsigned(optarg, TDX_MODEL_LPS_MAX, &ret->lps))
				return false;
			break;
		case 'n':
			if (!parse_unsigned(optarg, 1 << 20, &fd))
				return false;
			ret->notify_fd = (int)fd;
			break;
		default:
			return false;
		}
	}
	if (optind != argc - 1)
		return false;

	ret->root = argv[optind];
	return true;
}

int main(int argc, char **argv)
{
	struct options options;
	struct host *host;
	int error;

	if (!parse_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	error = host_new(options.lps, &host);
	if (error) {
		fail("host", error);
		return 1;
	}
	error = trust_test_key(host) || run_commands(host, &options) ||
		serve(host, &options);
	/* Not exit(): it would take OpenSSL away from threads that are still at work. */
	fflush(NULL);
	_exit(error ? 1 : 0);
}
