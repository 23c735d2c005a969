// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdx-host-load: what tdx-host-load.service runs. A program of its own so that tdxupdd,
 * which listens to the bus for as long as the host is up, cannot load kernel modules.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "driver.h"
#include "journal.h"
#include "kmod-load.h"

static int fail(const char *message_id, const char *what, const char *why)
{
	journal_say(LOG_ERR, message_id, "%s: %s", what, why);
	return EXIT_FAILURE;
}

static int load(const char *module)
{
	int r = kmod_load(NULL, NULL, module);
	const char *why = kmod_load_explain(r);

	/* What somebody has forbidden is not missing. */
	if (r == -ECANCELED) {
		journal_say(LOG_NOTICE, NULL, "%s is not loaded: %s", module, why);
		return EXIT_SUCCESS;
	}
	if (r < 0)
		return fail(MESSAGE_NO_DRIVER, module, why ? why : strerror(-r));
	if (r == 0)
		return fail(MESSAGE_NO_DRIVER, module,
			    "it is loaded, and found no TDX to drive");
	journal_say(LOG_INFO, NULL, "%s was loaded", module);
	return EXIT_SUCCESS;
}

static int choose(int root_fd, const struct config *config)
{
	const char *module, *why;
	int r = driver_choose(root_fd, config->load_driver, &module, &why);

	if (r == -EPERM)
		return fail(MESSAGE_NO_DRIVER, "LoadDriver=tdx-host-sim",
			    "no simulation on a machine that has TDX");
	if (r < 0)
		return fail(MESSAGE_NO_DRIVER, "/proc/cpuinfo", strerror(-r));
	if (module)
		return load(module);
	journal_say(LOG_INFO, NULL, "no driver is loaded: %s", why);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	_cleanup_(cleanup_config)
	struct config *config = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	_cleanup_(cleanup_close)
	int root_fd = -1;
	int r;

	(void)argv;
	if (argc > 1) {
		fputs("tdx-host-load takes no arguments; tdxupd.conf(5) says what it "
		      "does\n",
		      stderr);
		return 2;
	}
	r = config_load("/", &config, &why);
	if (r < 0)
		return fail(r == -EBADMSG ? MESSAGE_CONFIG_REJECTED : MESSAGE_NO_DRIVER,
			    "no driver is loaded", why ? why : strerror(-r));
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return fail(MESSAGE_NO_DRIVER, "/", strerror(errno));
	return choose(root_fd, config);
}
