// SPDX-License-Identifier: LGPL-2.1-or-later
/* How many TDs there are, under build or not. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "io.h"
#include "population.h"
#include "util.h"

/* A line per resource, and few of them: sev, sev_es, tdx. */
#define TEXT_BYTES 1024

int population_parse(const char *text, uint64_t *ret)
{
	static const char label[] = "tdx ";
	const char *line = text;
	size_t digits;
	uint64_t count = 0;

	while (strncmp(line, label, strlen(label)) != 0) {
		line = strchr(line, '\n');
		if (!line)
			return -ENODATA;
		line++;
	}
	line += strlen(label);
	digits = strspn(line, "0123456789");
	if (!digits || digits > 18 || (line[digits] && line[digits] != '\n'))
		return -EBADMSG;
	for (; digits; digits--)
		count = count * 10 + (uint64_t)(*line++ - '0');
	*ret = count;
	return 0;
}

int population_open(int root_fd)
{
	return io_open(root_fd, POPULATION_PATH, O_RDONLY | O_NONBLOCK);
}

int population_read_fd(int fd, uint64_t *ret)
{
	char text[TEXT_BYTES];
	int r = io_read_text_fd(fd, text, sizeof(text));

	return r < 0 ? r : population_parse(text, ret);
}

int population_read(int root_fd, uint64_t *ret)
{
	_cleanup_(cleanup_close)
	int fd = population_open(root_fd);

	return fd < 0 ? fd : population_read_fd(fd, ret);
}
