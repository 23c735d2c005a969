// SPDX-License-Identifier: LGPL-2.1-or-later
/* tdxupdd: arguments, and the manager with its bus and what systemd wants. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "build-config.h"
#include "bus.h"
#include "digest.h"
#include "duration.h"
#include "journal.h"
#include "service.h"

/* Long enough for every question that somebody asks by hand. */
#define IDLE_USEC (60 * USEC_PER_SEC)

/* A second in all. */
#define NAME_TRIES      50
#define NAME_PAUSE_NSEC 20000000

/* sysexits.h and tdxupdctl's numbers where they mean the same. */
enum {
	EXIT_USAGE = 2,
	EXIT_NO_BUS = 10,
};

struct options {
	const char *root;
	const char *bus_address;
};

static void print_help(FILE *out)
{
	fputs("tdxupdd [OPTION]...\n\n"
	      "Updates the TDX module of this host when asked over D-Bus "
	      "(org.tdxupd1).\n\n"
	      "  --root DIR           look for sys, proc, etc, run below DIR\n"
	      "  --bus-address ADDR   a bus of one's own instead of the system bus\n"
	      "  --help               this text\n"
	      "  --version            the version\n",
	      out);
}

/* Return: -1 to go on, else the exit status. */
static int parse(int argc, char **argv, struct options *ret)
{
	static const struct option table[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "bus-address", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", table, NULL)) >= 0)
		switch (c) {
		case 'r':
			ret->root = optarg;
			break;
		case 'b':
			ret->bus_address = optarg;
			break;
		case 'h':
			print_help(stdout);
			return EXIT_SUCCESS;
		case 'v':
			puts("tdxupdd " TDXUPD_VERSION);
			return EXIT_SUCCESS;
		default:
			print_help(stderr);
			return EXIT_USAGE;
		}
	if (optind == argc)
		return -1;
	print_help(stderr);
	return EXIT_USAGE;
}

/* ---- running ---- */

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int fail_start(int r, const char *why)
{
	journal_say(LOG_ERR, r == -EBADMSG ? MESSAGE_CONFIG_REJECTED : NULL, "%s",
		    why ? why : strerror(-r));
	return EXIT_FAILURE;
}

static int fail_bus(int r)
{
	if (r == -EEXIST)
		journal_say(LOG_ERR, NULL, "another program has the name " BUS_NAME);
	else
		journal_say(LOG_ERR, NULL, "no bus to be reached: %s", strerror(-r));
	return EXIT_NO_BUS;
}

/* A worker of a daemon that was killed has a copy of its connection until it has noticed,
 * as of its lock. */
static int open_bus(struct manager *manager, const char *address, struct bus **ret)
{
	const struct timespec pause = { .tv_nsec = NAME_PAUSE_NSEC };
	int r = bus_new(manager, address, ret);

	for (unsigned i = 0; r == -EEXIST && i < NAME_TRIES; i++) {
		nanosleep(&pause, NULL);
		r = bus_new(manager, address, ret);
	}
	return r;
}

static int serve(sd_event *event, const struct options *options)
{
	_cleanup_(fdstore_done)
	struct fdstore store = { 0 };
	_cleanup_(cleanup_manager)
	struct manager *manager = NULL;
	_cleanup_(cleanup_service)
	struct service *service = NULL;
	_cleanup_(cleanup_bus)
	struct bus *bus = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	int r;

	r = fdstore_take(&store);
	if (r < 0)
		return fail_start(r, NULL);
	r = manager_new_with(event, options->root, MANAGER_AWAIT_USEC, &store, &manager,
			     &why);
	if (r < 0)
		return fail_start(r, why);
	r = service_new(manager, IDLE_USEC, &service);
	if (r < 0)
		return fail_start(r, NULL);
	r = open_bus(manager, options->bus_address, &bus);
	if (r < 0)
		return fail_bus(r);
	(void)sd_notify(0, "READY=1");
	r = sd_event_loop(event);
	return r < 0 ? fail_start(r, NULL) : r;
}

int main(int argc, char **argv)
{
	struct options options = { .root = "/" };
	sd_event *event = NULL;
	int r;

	r = parse(argc, argv, &options);
	if (r >= 0)
		return r;
	block_signals();
	digest_be_lean();
	r = sd_event_default(&event);
	if (r < 0)
		return fail_start(r, NULL);
	r = serve(event, &options);
	sd_event_unref(event);
	return r;
}
