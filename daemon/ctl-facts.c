// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reads what the verbs that need no daemon rest on: configuration, host, images, plan.
 * What to make of it is theirs.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl-catalog-read.h"
#include "ctl-facts.h"
#include "io.h"
#include "state-dir.h"

#define HOST_FILE_BYTES_MAX (1u << 20)

void ctl_facts_done(struct ctl_facts *facts)
{
	tdxupd_plan_free(facts->plan);
	tdxupd_catalog_free(facts->catalog);
	tdxupd_host_free(facts->host);
	holds_done(&facts->holds);
	free(facts->holds_note);
	if (facts->config)
		config_unref(facts->config);
}

static int read_all(int fd, size_t max_bytes, uint8_t **ret, size_t *ret_bytes)
{
	/* One more than allowed, so that a file that grew shows. */
	_cleanup_(cleanup_free)
	uint8_t *bytes = malloc(max_bytes + 1);
	size_t used = 0;

	if (!bytes)
		return -ENOMEM;
	while (used <= max_bytes) {
		ssize_t n = read(fd, bytes + used, max_bytes + 1 - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	if (used > max_bytes)
		return -EFBIG;
	*ret = TAKE_PTR(bytes);
	*ret_bytes = used;
	return 0;
}

int ctl_read_input(size_t max_bytes, uint8_t **ret, size_t *ret_bytes)
{
	return read_all(STDIN_FILENO, max_bytes, ret, ret_bytes);
}

int ctl_read_file(const char *path, size_t max_bytes, uint8_t **ret, size_t *ret_bytes)
{
	/* A FIFO must not hold us up. */
	_cleanup_(cleanup_close)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADFD;
	return read_all(fd, max_bytes, ret, ret_bytes);
}

/* What the daemon goes by on this host. It is root's; others ask the daemon. */
int ctl_facts_read_holds(struct ctl *ctl, struct ctl_facts *facts)
{
	int r;

	if (facts->has_holds || ctl->host_file)
		return CTL_EXIT_OK;
	/* What others than root can read is not what the daemon goes by. */
	if (geteuid() != 0) {
		facts->are_holds_hidden =
			faccessat(ctl->root_fd, STATE_DIR "/" HOLDS_FILE, F_OK,
				  AT_EACCESS) == 0 ||
			errno != ENOENT;
		return CTL_EXIT_OK;
	}
	r = holds_load(ctl->root_fd, &facts->holds, &facts->holds_note);
	if (r < 0)
		return ctl_fail_memory(ctl);
	facts->has_holds = true;
	return CTL_EXIT_OK;
}

int ctl_facts_read_config(struct ctl *ctl, struct ctl_facts *facts)
{
	_cleanup_(cleanup_free)
	char *why = NULL;
	enum tdxupd_strategy strategy = _TDXUPD_STRATEGY_INVALID;
	int r;

	if (facts->config)
		return CTL_EXIT_OK;
	if (ctl->strategy) {
		strategy = tdxupd_strategy_from_string(ctl->strategy);
		if (strategy < 0)
			return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
					"--strategy is fewest or smallest, not \"%s\"",
					ctl->strategy);
	}
	r = config_load(ctl->root, &facts->config, &why);
	if (r == -ENOMEM)
		return ctl_fail_memory(ctl);
	if (r < 0)
		return ctl_fail_text(ctl, CTL_EXIT_CONFIG, "config-invalid",
				     why ? why : strerror(-r));
	if (strategy >= 0)
		facts->config->policy->strategy = strategy;
	r = ctl_facts_read_holds(ctl, facts);
	if (r == CTL_EXIT_OK && facts->has_holds &&
	    holds_apply(&facts->holds, facts->config->policy) < 0)
		r = ctl_fail_memory(ctl);
	return r;
}

static int read_host_file(struct ctl *ctl, struct ctl_facts *facts)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	size_t count;
	int r = ctl_read_file(ctl->host_file, HOST_FILE_BYTES_MAX, &bytes, &count);

	if (r < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "host-file-unreadable",
				"can't read the host file %s: %s", ctl->host_file,
				io_strerror(r));
	r = tdxupd_host_from_json((const char *)bytes, count, &facts->host, &why);
	if (r == -ENOMEM)
		return ctl_fail_memory(ctl);
	if (r < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "host-file-malformed",
				"%s describes no host: %s; write one with `tdxupdctl "
				"status --export-host`",
				ctl->host_file, why ? why : io_strerror(r));
	return CTL_EXIT_OK;
}

int ctl_facts_read_host(struct ctl *ctl, struct ctl_facts *facts)
{
	int r;

	if (facts->host)
		return CTL_EXIT_OK;
	if (ctl->host_file)
		return read_host_file(ctl, facts);
	r = tdxupd_host_read(ctl->root_fd, &facts->host);
	if (r == -ENOMEM)
		return ctl_fail_memory(ctl);
	if (r < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "host-unreadable",
				"can't read the host below %s: %s", ctl->root,
				io_strerror(r));
	return CTL_EXIT_OK;
}

int ctl_facts_fail_state(const struct ctl *ctl, enum tdxupd_tdx_state state)
{
	if (state == TDXUPD_TDX_ABSENT)
		return ctl_fail(ctl, CTL_EXIT_UNSUPPORTED, "tdx-absent",
				"this host has no TDX: there is no "
				"/sys/devices/faux/tdx_host; `tdxupdctl doctor` says "
				"what is missing");
	if (state == TDXUPD_TDX_LOST)
		return ctl_fail(ctl, CTL_EXIT_LOST, "tdx-lost",
				"TDX is lost until the next reboot: an update failed "
				"after the old module was shut down, and every TD of "
				"this host died with it; reboot");
	return CTL_EXIT_OK;
}

int ctl_facts_check_host(struct ctl *ctl, const struct ctl_facts *facts)
{
	return ctl_facts_fail_state(ctl, facts->host->state);
}

/* The directory and the mapping have one errno; which of them is it? */
static int fail_catalog(struct ctl *ctl, int rc, const char *images, const char *mapping,
			const char *why)
{
	_cleanup_(cleanup_close)
	int dir_fd = -1;

	if (rc == -ENOMEM)
		return ctl_fail_memory(ctl);
	if (rc == -EBADMSG || rc == -EFBIG)
		return ctl_fail(
			ctl, CTL_EXIT_CONFIG, "mapping-malformed",
			"%s; get it again, or remove it: the records of published "
			"modules suffice",
			why);
	if (rc != -ENOENT && rc != -ENODATA)
		return ctl_fail(ctl, CTL_EXIT_CONFIG, "images-unreadable", "%s", why);
	dir_fd = io_open_dir(ctl->root_fd, images, 0);
	if (dir_fd < 0)
		return ctl_fail(ctl, CTL_EXIT_NO_IMAGE, "images-missing",
				"no directory %s: `tdxupdctl image import FILE` takes "
				"what Intel publishes, or set ImagesDirectory= in "
				"tdxupd.conf",
				images);
	return ctl_fail(ctl, CTL_EXIT_NO_IMAGE, "mapping-missing",
			"no mapping file %s, and Mapping= or --mapping asks for it; "
			"without either, the records of published modules suffice",
			mapping ? mapping : images);
}

int ctl_facts_read_catalog(struct ctl *ctl, struct ctl_facts *facts)
{
	_cleanup_(cleanup_free)
	char *why = NULL;
	const char *images, *mapping;
	unsigned flags;
	int r = ctl_facts_read_config(ctl, facts);

	if (r || facts->catalog)
		return r;
	images = ctl->images ? ctl->images : facts->config->images;
	mapping = ctl->mapping  ? ctl->mapping
		  : ctl->images ? NULL
				: facts->config->mapping;
	/* Say what the daemon would say of its own images; judge others by their content.
	 */
	flags = ctl->images || ctl->mapping || ctl->host_file
			? 0
			: TDXUPD_CATALOG_REQUIRE_SAFE;
	/* What was imported lies beside the host's own images, not beside others. */
	if (!ctl->images)
		flags |= TDXUPD_CATALOG_WITH_STORE;
	if (facts->may_use_cache)
		flags |= TDXUPD_CATALOG_USE_CACHE;
	if (!image_place_is_remote(ctl->root, images, facts->remote))
		facts->remote[0] = '\0';
	r = ctl_catalog_read(
		&(struct ctl_catalog_place){
			.root = ctl->root,
			.root_fd = ctl->root_fd,
			.images = images,
			.mapping = mapping,
			.policy = facts->config->policy,
			.flags = flags,
		},
		&facts->catalog, &why);
	if (r < 0)
		return fail_catalog(ctl, r, images, mapping, why ? why : io_strerror(r));
	return CTL_EXIT_OK;
}

int ctl_facts_make_plan(struct ctl *ctl, const char *target, struct ctl_facts *facts)
{
	struct tdxupd_version version;
	bool has_version = target;
	int r;

	if (target && tdxupd_version_parse(target, &version) < 0)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"\"%s\" is no version such as 1.5.16", target);
	facts->may_use_cache = true;
	r = ctl_facts_read_config(ctl, facts);
	if (r == CTL_EXIT_OK)
		r = ctl_facts_read_host(ctl, facts);
	if (r == CTL_EXIT_OK)
		r = ctl_facts_check_host(ctl, facts);
	if (r == CTL_EXIT_OK)
		r = ctl_facts_read_catalog(ctl, facts);
	if (r)
		return r;
	if (!target && facts->config->has_target && !facts->config->policy->has_pin) {
		version = facts->config->target;
		has_version = true;
	}
	r = tdxupd_plan_new(facts->host, facts->catalog, facts->config->policy,
			    has_version ? &version : NULL, &facts->plan);
	return r < 0 ? ctl_fail_memory(ctl) : CTL_EXIT_OK;
}
