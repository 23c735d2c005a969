// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writes synthetic images and the mapping file that goes with them into a directory.
 *
 *   mkimage DIR [VERSION[,KEY=VALUE...]]...
 *   mkimage --signer [foreign]
 *
 * Each image is DIR/tdx_module_VERSION.blob and gives a line "FILE VERSION MRSEAM" on
 * standard output; DIR/mapping_file.json tells of all of them. Without a VERSION: all
 * that are published. --signer prints what TrustedSigner= has to be.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testimage.h"

#define MRSEAM_AT 4996 /* SIGSTRUCT at 4096, SEAMHASH 900 bytes into it */

struct request {
	struct testimage_spec spec;
	const char *file;
	const char *min_module;
	const char *min_seamldr; /* "1.5.00:2.0.00" */
	const char *strict;      /* the same, or "": a list with nothing in it */
	bool is_unmapped;
};

static const char *const usage =
	"usage: mkimage DIR [VERSION[,KEY=VALUE...]]...\n"
	"       mkimage --signer [foreign]\n"
	"keys: features0 ctx container svn date hv min_hv no_downgrade pages salt "
	"(numbers)\n"
	"      cpus=C06F0:806F8 (hexadecimal, may be empty)  debug=1  key=foreign\n"
	"      file=NAME  min_module=VERSION  min_seamldr=VERSION[:VERSION]  "
	"unmapped=1\n"
	"      strict=[VERSION[:VERSION]]\n";

static _Noreturn void die(const char *what, const char *which)
{
	fprintf(stderr, "mkimage: %s: %s\n%s", which, what, usage);
	exit(2);
}

static uint64_t parse_number(const char *text, uint64_t max)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value > max)
		die("not a number that fits", text);
	return value;
}

static void parse_cpus(char *text, struct testimage_spec *spec)
{
	spec->cpu_count = 0;
	for (char *word = strtok(text, ":"); word; word = strtok(NULL, ":")) {
		char *end;

		if (spec->cpu_count == TESTIMAGE_CPUS_MAX)
			die("too many CPUs", word);
		spec->cpus[spec->cpu_count++] = (uint32_t)strtoul(word, &end, 16);
		if (*end)
			die("not a CPU signature", word);
	}
}

static bool apply_number(struct testimage_spec *spec, const char *key, const char *value)
{
	if (strcmp(key, "features0") == 0)
		spec->features0 = parse_number(value, UINT64_MAX);
	else if (strcmp(key, "ctx") == 0)
		spec->ctx = (uint16_t)parse_number(value, UINT16_MAX);
	else if (strcmp(key, "container") == 0)
		spec->container = (uint16_t)parse_number(value, UINT16_MAX);
	else if (strcmp(key, "svn") == 0)
		spec->svn = (uint16_t)parse_number(value, UINT16_MAX);
	else if (strcmp(key, "date") == 0)
		spec->date = (uint32_t)parse_number(value, UINT32_MAX);
	else if (strcmp(key, "hv") == 0)
		spec->module_hv = (uint16_t)parse_number(value, UINT16_MAX);
	else if (strcmp(key, "min_hv") == 0)
		spec->min_update_hv = (uint16_t)parse_number(value, UINT16_MAX);
	else if (strcmp(key, "no_downgrade") == 0)
		spec->no_downgrade = parse_number(value, 1);
	else if (strcmp(key, "pages") == 0)
		spec->module_pages = (uint32_t)parse_number(value, UINT32_MAX);
	else if (strcmp(key, "salt") == 0)
		spec->salt = (uint32_t)parse_number(value, UINT32_MAX);
	else if (strcmp(key, "debug") == 0)
		spec->module_type = parse_number(value, 1) ? TESTIMAGE_DEBUG : 0;
	else
		return false;
	return true;
}

static void apply(struct request *request, const char *key, char *value)
{
	if (apply_number(&request->spec, key, value))
		return;
	if (strcmp(key, "cpus") == 0)
		parse_cpus(value, &request->spec);
	else if (strcmp(key, "key") == 0 && strcmp(value, "foreign") == 0)
		request->spec.key = TESTIMAGE_KEY_FOREIGN;
	else if (strcmp(key, "file") == 0 && *value && !strchr(value, '/'))
		request->file = value;
	else if (strcmp(key, "min_module") == 0)
		request->min_module = value;
	else if (strcmp(key, "min_seamldr") == 0)
		request->min_seamldr = value;
	else if (strcmp(key, "strict") == 0)
		request->strict = value;
	else if (strcmp(key, "unmapped") == 0)
		request->is_unmapped = parse_number(value, 1);
	else
		die("no such key, or no such value", key);
}

/* Cuts @text into pieces; they are referred to from @ret. */
static void parse_request(char *text, struct request *ret)
{
	char *next = text, *word = strsep(&next, ",");
	struct tdxupd_version version;

	if (tdxupd_version_parse(word, &version) < 0)
		die("not a version", word);
	*ret = (struct request){
		.spec = testimage_default(version),
		.min_module = version.major >= 2 ? "2.0.02" : "1.5.01",
		.min_seamldr = version.major >= 2 ? "2.0.00" : "1.5.00:2.0.00",
	};
	while ((word = strsep(&next, ","))) {
		char *value = strchr(word, '=');

		if (!value)
			die("KEY=VALUE expected", word);
		*value++ = '\0';
		apply(ret, word, value);
	}
}

static void write_file(const char *dir, const char *name, const void *bytes, size_t count)
{
	char *path;
	FILE *file;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		abort();
	file = fopen(path, "we");
	if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0)
		die(strerror(errno), path);
	free(path);
}

static void write_image(const char *dir, const struct request *request)
{
	char version[TDXUPD_VERSION_TEXT_BYTES], name[64];
	const char *file = request->file;
	uint8_t *bytes;
	size_t count;
	int rc;

	tdxupd_version_format(&request->spec.version, version);
	snprintf(name, sizeof(name), "tdx_module_%s.blob", version);
	rc = testimage_build(&request->spec, &bytes, &count);
	if (rc < 0)
		die(strerror(-rc), version);
	write_file(dir, file ? file : name, bytes, count);
	printf("%s %s ", file ? file : name, version);
	for (size_t i = 0; i < sizeof(struct tdxupd_digest); i++)
		printf("%02x", bytes[MRSEAM_AT + i]);
	printf("\n");
	free(bytes);
}

static void write_versions(FILE *out, const char *name, const char *versions)
{
	fprintf(out, "      \"%s\": [", name);
	for (const char *p = versions, *comma = ""; *p; comma = ", ") {
		size_t length = strcspn(p, ":");

		fprintf(out, "%s\"%.*s\"", comma, (int)length, p);
		p += length + (p[length] == ':');
	}
	fprintf(out, "],\n");
}

static void write_release(FILE *out, const struct request *request, bool is_first)
{
	char version[TDXUPD_VERSION_TEXT_BYTES];

	tdxupd_version_format(&request->spec.version, version);
	fprintf(out,
		"%s\n    {\n      \"version\": \"%s\",\n"
		"      \"min_module_version_for_td_preserving\": \"%s\",\n",
		is_first ? "" : ",", version, request->min_module);
	write_versions(out, "min_seamldr_versions", request->min_seamldr);
	if (request->strict)
		write_versions(out, "strict_compat_versions", request->strict);
	fprintf(out, "      \"tdx_feature0\": \"0x%" PRIX64 "\"\n    }",
		request->spec.features0);
}

/* One row a version: a second image of one version is there to be ambiguous. */
static bool has_row(const struct request *requests, size_t before,
		    const struct tdxupd_version *version)
{
	for (size_t i = 0; i < before; i++)
		if (!requests[i].is_unmapped &&
		    tdxupd_version_compare(&requests[i].spec.version, version) == 0)
			return true;
	return false;
}

static void write_mapping(const char *dir, const struct request *requests, size_t count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	bool is_first = true;

	if (!out)
		abort();
	fputs("{\n  \"tdx_module_releases\": [", out);
	for (size_t i = 0; i < count; i++) {
		if (requests[i].is_unmapped ||
		    has_row(requests, i, &requests[i].spec.version))
			continue;
		write_release(out, &requests[i], is_first);
		is_first = false;
	}
	fputs("\n  ]\n}\n", out);
	if (fclose(out) != 0)
		abort();
	write_file(dir, "mapping_file.json", text, size);
	free(text);
}

static int print_signer(const char *key)
{
	char text[TDXUPD_DIGEST_TEXT_BYTES];
	struct tdxupd_digest signer;

	if (key && strcmp(key, "foreign") != 0)
		die("no such key", key);
	signer = testimage_signer(key ? TESTIMAGE_KEY_FOREIGN : TESTIMAGE_KEY_TRUSTED);
	puts(tdxupd_digest_format(&signer, text));
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const published[] = { "1.5.01", "1.5.05", "1.5.06", "1.5.08",
						 "1.5.09", "1.5.13", "1.5.16", "2.0.02",
						 "2.0.04", "2.0.05", "2.0.08" };
	size_t published_count = sizeof(published) / sizeof(published[0]);
	size_t count = argc > 2 ? (size_t)argc - 2 : published_count;
	struct request *requests = calloc(count, sizeof(*requests));

	if (argc < 2 || !requests)
		die("what to do?", "no argument");
	if (strcmp(argv[1], "--signer") == 0) {
		free(requests);
		return print_signer(argv[2]);
	}
	for (size_t i = 0; i < count; i++) {
		char text[16];

		if (argc > 2) {
			parse_request(argv[i + 2], &requests[i]);
		} else {
			snprintf(text, sizeof(text), "%s", published[i]);
			parse_request(text, &requests[i]);
		}
		write_image(argv[1], &requests[i]);
	}
	write_mapping(argv[1], requests, count);
	free(requests);
	return 0;
}
