// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs a fuzz target over files, and over all files of directories. Links in libFuzzer's
 * place, so that every build replays the corpus.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t files;

static void run_file(const char *path)
{
	FILE *file = fopen(path, "re");
	uint8_t *data = NULL;
	size_t size = 0, n = 0;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	do {
		data = realloc(data, size + 65536);
		CHECK(data);
		n = fread(data + size, 1, 65536, file);
		size += n;
	} while (n > 0);
	fclose(file);
	/* Exactly as long as the input, so that a sanitizer sees one byte too many. */
	data = realloc(data, size ? size : 1);
	CHECK(data);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	files++;
}

static void run(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir) {
		run_file(path);
		return;
	}
	while ((entry = readdir(dir))) {
		char *below = NULL;

		if (entry->d_name[0] == '.')
			continue;
		CHECK(asprintf(&below, "%s/%s", path, entry->d_name) > 0);
		run(below);
		free(below);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	printf("%zu inputs\n", files);
	return files == 0; /* nothing replayed is nothing shown */
}
