// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A module in any form as the bytes of a container. What those are worth is image's to
 * judge: a pair that does not belong together has a hash that does not fit.
 */
#include <errno.h>
#include <string.h>

#include "form.h"
#include "image-format.h"
#include "io.h"
#include "tdxupd.h"
#include "util.h"

#define SIGSTRUCT_SUFFIX ".sigstruct"
#define MODULE_SUFFIX    ".bin"
#define OBJECT_SUFFIX    ".so"
#define CONTAINER_SUFFIX ".blob"

static bool ends_with(const char *name, size_t length, const char *suffix)
{
	size_t tail = strlen(suffix);

	return length > tail && strncmp(name + length - tail, suffix, tail) == 0;
}

/* Without ".zst" and the like. */
static size_t get_plain_length(const char *name)
{
	size_t length = strlen(name);

	(void)pack_is_compressed(name, &length);
	return length;
}

bool form_is_sigstruct(const char *name)
{
	return ends_with(name, get_plain_length(name), SIGSTRUCT_SUFFIX);
}

/* Plain first, then compressed as modules are. */
char *form_get_partner(const char *name, size_t i)
{
	static const char *const packings[] = { "", ".zst", ".xz", ".gz" };
	size_t length = get_plain_length(name);
	char *partner = NULL;

	if (pack_is_archive(name) || form_is_sigstruct(name) ||
	    i >= 2 * ARRAY_SIZE(packings) || ends_with(name, length, CONTAINER_SUFFIX))
		return NULL;
	if (i >= ARRAY_SIZE(packings)) {
		if (!ends_with(name, length, MODULE_SUFFIX))
			return NULL;
		length -= strlen(MODULE_SUFFIX);
	}
	if (asprintf(&partner, "%.*s" SIGSTRUCT_SUFFIX "%s", (int)length, name,
		     packings[i % ARRAY_SIZE(packings)]) < 0)
		return NULL;
	return partner;
}

int form_join(const uint8_t *module, size_t module_count, const uint8_t *sigstruct,
	      size_t sigstruct_count, uint8_t **ret, size_t *ret_count, char **ret_why)
{
	int r = tdxupd_image_join(module, module_count, sigstruct, sigstruct_count,
				  TDXUPD_CONTAINER_PUBLISHED, ret, ret_count);

	if (r != -EBADMSG)
		return r;
	if (sigstruct_count != TDXUPD_SIGSTRUCT_BYTES)
		return why_set(ret_why, r, "its SIGSTRUCT has %zu bytes, not %u",
			       sigstruct_count, TDXUPD_SIGSTRUCT_BYTES);
	return why_set(ret_why, r, "%zu bytes are no module of 1 to %u whole pages",
		       module_count, TDXUPD_MODULE_PAGES_MAX);
}

/* ---- archives ---- */

static const struct pack_member *find_member(const struct pack *pack, const char *name)
{
	for (size_t i = 0; i < pack->count; i++)
		if (strcmp(pack->members[i].name, name) == 0)
			return &pack->members[i];
	return NULL;
}

/* The SIGSTRUCT beside a member; NULL where it has none. */
static int find_partner(const struct pack *pack, const struct pack_member *member,
			const struct pack_member **ret)
{
	*ret = NULL;
	for (size_t i = 0; !*ret; i++) {
		_cleanup_(cleanup_free)
		char *name = form_get_partner(member->name, i);

		if (!name)
			break;
		*ret = find_member(pack, name);
	}
	return 0;
}

static bool is_container(const struct pack_member *member)
{
	return ends_with(member->name, strlen(member->name), ".blob");
}

int form_from_pack(const struct pack *pack, uint8_t **ret, size_t *ret_count,
		   char **ret_why)
{
	const struct pack_member *module = NULL, *sigstruct = NULL;
	size_t modules = 0;

	for (size_t i = 0; i < pack->count; i++) {
		const struct pack_member *member = &pack->members[i], *partner;

		find_partner(pack, member, &partner);
		if (!partner && !is_container(member))
			continue;
		module = member;
		sigstruct = partner;
		modules++;
	}
	if (modules == 0)
		return why_set(ret_why, -EBADMSG, "holds no module with its SIGSTRUCT");
	if (modules > 1)
		return why_set(ret_why, -EBADMSG, "holds %zu modules; one is expected",
			       modules);
	if (sigstruct)
		return form_join(module->bytes, module->count, sigstruct->bytes,
				 sigstruct->count, ret, ret_count, ret_why);
	*ret = malloc(module->count + 1);
	if (!*ret)
		return -ENOMEM;
	memcpy(*ret, module->bytes, module->count);
	*ret_count = module->count;
	return 0;
}

static bool has_container_magic(const uint8_t *bytes, size_t count)
{
	static const size_t offsets[] = { IMAGE_V1_MAGIC, IMAGE_V2_MAGIC };

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++)
		if (count >= offsets[i] + IMAGE_MAGIC_BYTES &&
		    memcmp(bytes + offsets[i], IMAGE_MAGIC, IMAGE_MAGIC_BYTES) == 0)
			return true;
	return false;
}

int form_from_bytes(const uint8_t *bytes, size_t count, uint8_t **ret, size_t *ret_count,
		    char **ret_why)
{
	_cleanup_(pack_done)
	struct pack pack = {};
	int r;

	if (has_container_magic(bytes, count)) {
		*ret = malloc(count);
		if (!*ret)
			return -ENOMEM;
		memcpy(*ret, bytes, count);
		*ret_count = count;
		return 0;
	}
	r = pack_read_file(bytes, count, TDXUPD_IMAGE_BYTES_MAX, ret, ret_count, NULL);
	if (r == 0 && has_container_magic(*ret, *ret_count))
		return 0;
	if (r == 0)
		free(TAKE_PTR(*ret));
	r = pack_read_archive(bytes, count, &pack, ret_why);
	return r < 0 ? r : form_from_pack(&pack, ret, ret_count, ret_why);
}

/* ---- files ---- */

void form_done(struct form *form)
{
	if (form->fd >= 0)
		close(form->fd);
	if (form->partner_fd >= 0)
		close(form->partner_fd);
	free(form->name);
	free(form->partner_name);
	*form = (struct form){ .fd = -1, .partner_fd = -1 };
}

bool form_is_bare(const struct form *form)
{
	size_t length = get_plain_length(form->name);

	return form->partner_fd < 0 && (ends_with(form->name, length, MODULE_SUFFIX) ||
					ends_with(form->name, length, OBJECT_SUFFIX));
}

static int open_partner(int dir_fd, unsigned io_flags, struct form *form)
{
	for (size_t i = 0;; i++) {
		_cleanup_(cleanup_free)
		char *name = form_get_partner(form->name, i);
		int fd;

		if (!name)
			return 0;
		fd = io_open_file_in(dir_fd, name, io_flags);
		if (fd == -ENODATA)
			continue;
		if (fd < 0)
			return fd;
		form->partner_fd = fd;
		form->partner_name = TAKE_PTR(name);
		return fstat(fd, &form->partner_st) < 0 ? -errno : 0;
	}
}

int form_open(int dir_fd, const char *name, unsigned io_flags, struct form *ret)
{
	_cleanup_(form_done)
	struct form form = { .fd = -1, .partner_fd = -1 };
	int r;

	form.fd = io_open_file_in(dir_fd, name, io_flags);
	if (form.fd < 0)
		return form.fd;
	if (fstat(form.fd, &form.st) < 0)
		return -errno;
	form.name = strdup(name);
	if (!form.name)
		return -ENOMEM;
	r = open_partner(dir_fd, io_flags, &form);
	if (r < 0)
		return r;
	*ret = form;
	form = (struct form){ .fd = -1, .partner_fd = -1 };
	return 0;
}

/* One file, unpacked if it is packed. */
static int read_plain(int fd, const char *name, uint8_t **ret, size_t *ret_count,
		      char **ret_why)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t count = 0, length;
	int r = io_read_file_fd(fd, TDXUPD_IMAGE_BYTES_MAX, &bytes, &count);

	if (r < 0)
		return r;
	if (pack_is_compressed(name, &length))
		return pack_read_file(bytes, count, TDXUPD_IMAGE_BYTES_MAX, ret,
				      ret_count, ret_why);
	*ret = TAKE_PTR(bytes);
	*ret_count = count;
	return 0;
}

static int read_archive(const struct form *form, uint8_t **ret, size_t *ret_count,
			char **ret_why)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	_cleanup_(pack_done)
	struct pack pack = {};
	size_t count = 0;
	int r = io_read_file_fd(form->fd, PACK_BYTES_MAX, &bytes, &count);

	if (r == 0)
		r = pack_read_archive(bytes, count, &pack, ret_why);
	return r < 0 ? r : form_from_pack(&pack, ret, ret_count, ret_why);
}

int form_read(const struct form *form, uint8_t **ret, size_t *ret_count, char **ret_why)
{
	_cleanup_(cleanup_free)
	uint8_t *module = NULL;
	_cleanup_(cleanup_free)
	uint8_t *sigstruct = NULL;
	size_t module_count = 0, sigstruct_count = 0;
	int r;

	if (pack_is_archive(form->name))
		return read_archive(form, ret, ret_count, ret_why);
	r = read_plain(form->fd, form->name, &module, &module_count, ret_why);
	if (r == 0 && form->partner_fd >= 0)
		r = read_plain(form->partner_fd, form->partner_name, &sigstruct,
			       &sigstruct_count, ret_why);
	if (r < 0)
		return r;
	if (form->partner_fd >= 0)
		return form_join(module, module_count, sigstruct, sigstruct_count, ret,
				 ret_count, ret_why);
	*ret = TAKE_PTR(module);
	*ret_count = module_count;
	return 0;
}
