// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Intel's mapping_file.json: what each release needs of P-SEAMLDR and of the module
 * before it. One row that can't be understood spoils the whole file: a requirement that
 * was skipped is a requirement that was not checked.
 */
#include <errno.h>
#include <string.h>

#include "catalog-mapping.h"
#include "json-read.h"

struct mapping {
	size_t count;
	struct tdxupd_release *releases;
};

static void mapping_done(struct mapping *mapping)
{
	mapping_free(mapping->releases, mapping->count);
}

void mapping_free(struct tdxupd_release *releases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(releases[i].min_seamldr_versions);
		free(releases[i].strict_compat_versions);
	}
	free(releases);
}

static int missing(char **ret_why, const char *key)
{
	return why_set(ret_why, -EBADMSG, "lacks \"%s\"", key);
}

/* Return: 1 and newly allocated versions, 0 there is no such list. */
static int read_versions(struct json_object *item, const char *key,
			 struct tdxupd_version **ret, size_t *ret_count, char **ret_why)
{
	struct json_object *array = NULL;
	size_t count;
	int r = jread_array(item, key, &array, ret_why);

	if (r <= 0)
		return r;
	count = json_object_array_length(array);
	*ret = calloc(count ? count : 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		r = jread_item_version(array, i, key, &(*ret)[i], ret_why);
		if (r < 0)
			return r;
	}
	*ret_count = count;
	return 1;
}

static int read_lists(struct json_object *item, struct tdxupd_release *release,
		      char **ret_why)
{
	static const char seamldrs[] = "min_seamldr_versions";
	int r = read_versions(item, seamldrs, &release->min_seamldr_versions,
			      &release->min_seamldr_count, ret_why);

	if (r <= 0)
		return r < 0 ? r : missing(ret_why, seamldrs);
	r = read_versions(item, "strict_compat_versions",
			  &release->strict_compat_versions, &release->strict_compat_count,
			  ret_why);
	release->has_strict_compat = r > 0;
	return r < 0 ? r : 0;
}

static int read_release(struct json_object *item, void *out, char **ret_why)
{
	static const char min_module[] = "min_module_version_for_td_preserving";
	struct tdxupd_release *release = out;
	int r = jread_version(item, "version", &release->version, ret_why);

	if (r <= 0)
		return r < 0 ? r : missing(ret_why, "version");
	r = jread_version(item, min_module, &release->min_module_version, ret_why);
	if (r <= 0)
		return r < 0 ? r : missing(ret_why, min_module);
	r = jread_hex(item, "tdx_feature0", UINT64_MAX, &release->features0, ret_why);
	if (r < 0)
		return r;
	release->has_features0 = r > 0;
	release->claimed_features0 = release->features0;
	return read_lists(item, release, ret_why);
}

/* A file of another major form may say other things with the same words. */
static int check_header(struct json_object *object, char **ret_why)
{
	struct json_object *header = NULL;
	const char *version = NULL;
	int r = jread_object(object, "Header", &header, ret_why);

	if (r > 0)
		r = jread_text(header, "Version", &version, ret_why);
	if (r > 0 && strncmp(version, "1.", 2) != 0)
		return why_set(ret_why, -EBADMSG,
			       "\"Version\" of its \"Header\" is not 1.x");
	return r < 0 ? r : 0;
}

static int compare_releases(const void *a, const void *b)
{
	const struct tdxupd_release *one = a, *other = b;

	return tdxupd_version_compare(&one->version, &other->version);
}

static int sort_releases(struct mapping *mapping, char **ret_why)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	qsort(mapping->releases, mapping->count, sizeof(*mapping->releases),
	      compare_releases);
	for (size_t i = 1; i < mapping->count; i++)
		if (compare_releases(&mapping->releases[i - 1], &mapping->releases[i]) ==
		    0)
			return why_set(ret_why, -EBADMSG, "has version %s twice",
				       tdxupd_version_format(
					       &mapping->releases[i].version, text));
	return 0;
}

static int read_releases(struct json_object *array, struct mapping *mapping,
			 char **ret_why)
{
	size_t count = json_object_array_length(array);
	int r;

	mapping->releases = calloc(count ? count : 1, sizeof(*mapping->releases));
	if (!mapping->releases)
		return -ENOMEM;
	mapping->count = count;
	r = jread_each(array, "tdx_module_releases", "release", read_release,
		       mapping->releases, sizeof(*mapping->releases), ret_why);
	return r < 0 ? r : sort_releases(mapping, ret_why);
}

int mapping_parse(const char *text, size_t bytes, struct tdxupd_release **ret,
		  size_t *ret_count, char **ret_why)
{
	_cleanup_(cleanup_jread)
	struct json_object *object = NULL;
	_cleanup_(mapping_done)
	struct mapping mapping = {};
	struct json_object *array = NULL;
	int r = jread_parse(text, bytes, &object, ret_why);

	if (r == 0)
		r = check_header(object, ret_why);
	if (r < 0)
		return r;
	r = jread_array(object, "tdx_module_releases", &array, ret_why);
	if (r <= 0)
		return r < 0 ? r : missing(ret_why, "tdx_module_releases");
	r = read_releases(array, &mapping, ret_why);
	if (r < 0)
		return r;
	*ret_count = mapping.count;
	*ret = TAKE_PTR(mapping.releases);
	mapping.count = 0;
	return 0;
}

const struct tdxupd_release *mapping_find(const struct tdxupd_release *releases,
					  size_t count,
					  const struct tdxupd_version *version)
{
	const struct tdxupd_release key = { .version = *version };

	return count ? bsearch(&key, releases, count, sizeof(*releases), compare_releases)
		     : NULL;
}
