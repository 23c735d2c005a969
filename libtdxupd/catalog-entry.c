// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One file of the images directory: is it an image, may it be trusted, and which version
 * is it? The bytes tell what they are; the name only helps where nothing else tells the
 * version, since nobody signs a name.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "catalog-cache.h"
#include "catalog-entry.h"
#include "catalog-files.h"
#include "form.h"
#include "image-format.h"
#include "io.h"
#include "known.h"
#include "policy.h"
#include "util.h"

#define NAME_PREFIX      "tdx_module_"
#define CONTAINER_SUFFIX ".blob"
#define MODULE_SUFFIX    ".bin"

/* ".blob" is a container, ".bin" a module beside its SIGSTRUCT; both may be packed. */
static bool parse_name(const char *name, const char *suffix, struct tdxupd_version *ret)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];
	size_t length = strlen(name), fixed = strlen(NAME_PREFIX) + strlen(suffix);

	(void)pack_is_compressed(name, &length);
	if (length <= fixed || length - fixed >= sizeof(text) ||
	    strncmp(name, NAME_PREFIX, strlen(NAME_PREFIX)) != 0 ||
	    strncmp(name + length - strlen(suffix), suffix, strlen(suffix)) != 0)
		return false;
	memcpy(text, name + strlen(NAME_PREFIX), length - fixed);
	text[length - fixed] = '\0';
	return !strchr(text, '\n') && tdxupd_version_parse(text, ret) == 0;
}

bool entry_parse_name(const char *name, struct tdxupd_version *ret)
{
	const char *slash = strrchr(name, '/');

	if (slash)
		name = slash + 1;
	return parse_name(name, CONTAINER_SUFFIX, ret) ||
	       parse_name(name, MODULE_SUFFIX, ret);
}

void entry_done(struct tdxupd_entry *entry)
{
	free(entry->name);
	tdxupd_image_free(entry->image);
	tdxupd_report_free(entry->report);
	*entry = (struct tdxupd_entry){};
}

static bool has_magic(const uint8_t *bytes, size_t count)
{
	return count >= TDXUPD_PAGE_BYTES &&
	       (memcmp(bytes + IMAGE_V1_MAGIC, IMAGE_MAGIC, IMAGE_MAGIC_BYTES) == 0 ||
		memcmp(bytes + IMAGE_V2_MAGIC, IMAGE_MAGIC, IMAGE_MAGIC_BYTES) == 0);
}

/* ---- version ---- */

static int add_mismatch(struct tdxupd_entry *entry, const char *found, const char *wanted)
{
	return tdxupd_report_add(entry->report, TDXUPD_CHECK_VERSION_MISMATCH,
				 TDXUPD_SEVERITY_REFUSE, found, wanted);
}

static int check_svn(struct tdxupd_entry *entry, const struct tdxupd_known_module *known)
{
	char found[16], wanted[16];

	if (!known->has_svn || entry->image->svn == known->svn)
		return 0;
	snprintf(found, sizeof(found), "SVN 0x%04x", entry->image->svn);
	snprintf(wanted, sizeof(wanted), "SVN 0x%04x", known->svn);
	return add_mismatch(entry, found, wanted);
}

/*
 * The MRSEAM is on record: everything that claims something else is wrong. But for dates:
 * the one of a release page can differ by days from the one in SIGSTRUCT.
 */
static int check_known(struct tdxupd_entry *entry,
		       const struct tdxupd_known_module *known,
		       const struct tdxupd_version *named)
{
	char found[TDXUPD_VERSION_TEXT_BYTES], wanted[TDXUPD_VERSION_TEXT_BYTES + 32];
	char text[TDXUPD_VERSION_TEXT_BYTES];
	int r = 0;

	if (named && tdxupd_version_compare(named, &known->version) != 0) {
		snprintf(wanted, sizeof(wanted), "%s, as it is named",
			 tdxupd_version_format(named, text));
		r = add_mismatch(entry, tdxupd_version_format(&known->version, found),
				 wanted);
	}
	return r < 0 ? r : check_svn(entry, known);
}

/* Only the name tells. What is on record of that version must hold for this image. */
static int check_claim(struct tdxupd_entry *entry, const struct entry_rules *rules)
{
	const struct tdxupd_known_module *known =
		known_find(rules->known, rules->known_count, &entry->version);
	int r;

	if (known && known->has_mrseam)
		return add_mismatch(entry, "another MRSEAM",
				    "the published one of this version");
	r = known ? check_svn(entry, known) : 0;
	entry->known = known;
	if (r < 0)
		return r;
	return tdxupd_report_add(entry->report, TDXUPD_CHECK_VERSION_UNKNOWN,
				 TDXUPD_SEVERITY_WARN, "by its name only",
				 "a known MRSEAM");
}

int entry_find_version(struct tdxupd_entry *entry, const struct entry_rules *rules)
{
	struct tdxupd_version named;
	bool is_named = entry_parse_name(entry->name, &named);
	const struct tdxupd_known_module *known =
		entry->image ? known_find_mrseam(rules->known, rules->known_count,
						 &entry->image->mrseam)
			     : NULL;

	entry->has_version = known || is_named;
	entry->is_known = known;
	entry->known = known;
	if (known) {
		entry->version = known->version;
		return check_known(entry, known, is_named ? &named : NULL);
	}
	if (is_named) {
		entry->version = named;
		return entry->image ? check_claim(entry, rules) : 0;
	}
	return tdxupd_report_add(entry->report, TDXUPD_CHECK_VERSION_UNKNOWN,
				 TDXUPD_SEVERITY_UNKNOWN, "neither MRSEAM nor name tell",
				 NULL);
}

int entry_check_blocked(const struct tdxupd_entry *entry,
			const struct tdxupd_policy *policy, struct tdxupd_report *report)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	if (!entry->has_version || !policy_is_version_blocked(policy, &entry->version))
		return 0;
	return tdxupd_report_add(report, TDXUPD_CHECK_BLOCKED, TDXUPD_SEVERITY_REFUSE,
				 tdxupd_version_format(&entry->version, text), NULL);
}

/* ---- file ---- */

static int judge(struct tdxupd_entry *entry, const uint8_t *bytes, size_t count,
		 const struct entry_rules *rules)
{
	int r = tdxupd_image_parse(bytes, count, entry->report, &entry->image);

	if (r == 0 && entry->image)
		r = tdxupd_image_verify(entry->image, rules->policy, entry->report);
	return r;
}

static int judge_unread(struct tdxupd_entry *entry, int error)
{
	enum tdxupd_check check = error == -EPERM || error == -EXDEV || error == -EBADFD
					  ? TDXUPD_CHECK_FILE_UNSAFE
					  : TDXUPD_CHECK_FILE_UNREADABLE;

	return tdxupd_report_add(entry->report, check, TDXUPD_SEVERITY_REFUSE,
				 io_strerror(error), NULL);
}

static unsigned io_flags(const struct entry_rules *rules)
{
	return rules->flags & TDXUPD_CATALOG_REQUIRE_SAFE ? IO_REQUIRE_SAFE : 0;
}

static bool is_unchanged(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) == 0 && now.st_size == before->st_size &&
	       memcmp(&now.st_mtim, &before->st_mtim, sizeof(now.st_mtim)) == 0 &&
	       memcmp(&now.st_ctim, &before->st_ctim, sizeof(now.st_ctim)) == 0;
}

static bool is_form_unchanged(const struct form *form)
{
	return is_unchanged(form->fd, &form->st) &&
	       (form->partner_fd < 0 ||
		is_unchanged(form->partner_fd, &form->partner_st));
}

/* Return: 1 it is an image, 0 it is none, or an errno. */
static int read_form(const struct form *form, bool is_named,
		     const struct entry_rules *rules, struct tdxupd_entry *entry,
		     char **ret_why)
{
	const struct stat *partner = form->partner_fd >= 0 ? &form->partner_st : NULL;
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t count = 0;
	int r = rules->cache ? cache_find(rules->cache, &form->st, partner, entry) : 0;

	if (r != 0)
		return r;
	r = form_read(form, &bytes, &count, ret_why);
	if (r < 0)
		return r;
	if (!has_magic(bytes, count) && form_is_bare(form))
		return why_set(ret_why, 0, "a module without its SIGSTRUCT");
	if (!is_named && !has_magic(bytes, count))
		return 0;
	r = tdxupd_report_new(&entry->report);
	if (r == 0)
		r = judge(entry, bytes, count, rules);
	if (r < 0)
		return r;
	/* Under any name, what has the magic is an image. */
	if (rules->cache && has_magic(bytes, count) && is_form_unchanged(form))
		r = cache_add(rules->cache, &form->st, partner, entry);
	return r < 0 ? r : 1;
}

/* A SIGSTRUCT is read with its module, and alone is worth a word. */
static bool has_module(int dir_fd, const char *sigstruct)
{
	static const char *const suffixes[] = {
		"", ".zst", ".xz", ".gz", ".bin", ".bin.zst", ".bin.xz", ".bin.gz"
	};
	size_t length = strlen(sigstruct);

	(void)pack_is_compressed(sigstruct, &length);
	length -= strlen(".sigstruct");
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char name[NAME_MAX + 16];

		snprintf(name, sizeof(name), "%.*s%s", (int)length, sigstruct,
			 suffixes[i]);
		if (faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

static int read_name(int dir_fd, const char *name, bool is_named,
		     const struct entry_rules *rules, struct tdxupd_entry *entry,
		     char **ret_why)
{
	_cleanup_(form_done)
	struct form form = { .fd = -1, .partner_fd = -1 };
	int r;

	if (form_is_sigstruct(name)) {
		if (!has_module(dir_fd, name))
			return why_set(ret_why, 0, "a SIGSTRUCT without its module");
		return -ECHILD;
	}
	r = form_open(dir_fd, name, io_flags(rules), &form);
	if (r == 0)
		r = read_form(&form, is_named, rules, entry, ret_why);
	if (r < 0 && r != -ENOMEM && ret_why && !*ret_why)
		return why_set(ret_why, r, "%s", io_strerror(r));
	return r;
}

static int judge_unread_as(struct tdxupd_entry *entry, int error, const char *why)
{
	if (!why || error == -EPERM || error == -EXDEV || error == -EBADFD)
		return judge_unread(entry, error);
	return tdxupd_report_add(entry->report, TDXUPD_CHECK_FILE_UNREADABLE,
				 TDXUPD_SEVERITY_REFUSE, why, NULL);
}

int entry_read(int images_fd, const char *path, const struct entry_rules *rules,
	       struct tdxupd_entry *ret, bool *ret_is_image, char **ret_why)
{
	_cleanup_(entry_done)
	struct tdxupd_entry entry = {};
	_cleanup_(cleanup_free)
	char *why = NULL;
	const char *name = path;
	_cleanup_(cleanup_close)
	int dir_fd = files_open_parent(images_fd, path, io_flags(rules), &name);
	struct tdxupd_version version;
	bool is_named = entry_parse_name(path, &version) && !form_is_sigstruct(path);
	int r = dir_fd < 0 ? dir_fd
			   : read_name(dir_fd, name, is_named, rules, &entry, &why);

	*ret_is_image = false;
	if (r == -ENOMEM)
		return r;
	/* Part of another entry: there is nothing to say of it. */
	if (r == -ECHILD)
		return 0;
	if (r == 0 || (r < 0 && !is_named)) {
		why_set(ret_why, 0, "%s",
			why     ? why
			: r < 0 ? io_strerror(r)
				: "no TDX module image");
		return 0;
	}
	entry.name = strdup(path);
	if (!entry.name)
		return -ENOMEM;
	if (r < 0 && !entry.report)
		r = tdxupd_report_new(&entry.report) ?: judge_unread_as(&entry, r, why);
	if (r < 0)
		return r;
	*ret = entry;
	entry = (struct tdxupd_entry){};
	*ret_is_image = true;
	return 0;
}
