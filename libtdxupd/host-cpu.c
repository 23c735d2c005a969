// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What /proc/cpuinfo says of the sockets of a machine: which CPU each holds, as CPUID
 * says it and SIGSTRUCT lists it, and which bugs the kernel knows of. Which of them an
 * image supports is decided in compat.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host-cpu.h"
#include "util.h"

/* arch/x86/include/asm/cpufeatures.h: the P-SEAMLDR of such a CPU clobbers the VMCS. */
#define BUG_NAME "seamret_invd_vmcs"

/* One processor's block of lines. */
struct block {
	bool has_family, has_model, has_stepping;
	uint32_t family, model, stepping, physical_id;
};

struct cpuinfo {
	bool has_bugs, has_bug;
	size_t socket_count;
	struct tdxupd_socket sockets[TDXUPD_SOCKETS_MAX];
};

/* The inverse of arch/x86/lib/cpu.c:x86_family() and x86_model(). */
uint32_t host_cpu_signature(uint32_t family, uint32_t model, uint32_t stepping)
{
	uint32_t base = family < 0xf ? family : 0xf;

	return (family - base) << 20 | (model >> 4 & 0xf) << 16 | base << 8 |
	       (model & 0xf) << 4 | (stepping & 0xf);
}

static int parse_number(const char *text, uint32_t max, uint32_t *ret)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EBADMSG;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || *end || value > max)
		return -EBADMSG;
	*ret = (uint32_t)value;
	return 0;
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += length)
		if ((p == words || p[-1] == ' ') && (!p[length] || p[length] == ' '))
			return true;
	return false;
}

static int add_socket(struct cpuinfo *info, const struct tdxupd_socket *socket)
{
	for (size_t i = 0; i < info->socket_count; i++)
		if (info->sockets[i].physical_id == socket->physical_id &&
		    info->sockets[i].signature == socket->signature)
			return 0;
	if (info->socket_count == TDXUPD_SOCKETS_MAX)
		return -EBADMSG;
	info->sockets[info->socket_count++] = *socket;
	return 0;
}

static int end_block(struct cpuinfo *info, const struct block *block)
{
	struct tdxupd_socket socket = { .physical_id = block->physical_id };

	if (!block->has_family || !block->has_model || !block->has_stepping)
		return -EBADMSG;
	socket.signature =
		host_cpu_signature(block->family, block->model, block->stepping);
	return add_socket(info, &socket);
}

static int read_field(struct cpuinfo *info, struct block *block, const char *key,
		      const char *value)
{
	if (strcmp(key, "cpu family") == 0) {
		block->has_family = true;
		return parse_number(value, 0xf + 0xff, &block->family);
	}
	if (strcmp(key, "model") == 0) {
		block->has_model = true;
		return parse_number(value, 0xff, &block->model);
	}
	if (strcmp(key, "stepping") == 0) {
		block->has_stepping = true;
		return parse_number(value, 0xf, &block->stepping);
	}
	/* Absent on a kernel without SMP: then there is one. */
	if (strcmp(key, "physical id") == 0)
		return parse_number(value, UINT32_MAX, &block->physical_id);
	if (strcmp(key, "bugs") == 0) {
		info->has_bugs = true;
		info->has_bug |= has_word(value, BUG_NAME);
	}
	return 0;
}

/* "cpu family\t: 6" in place to key and value; false for a line of another form. */
static bool split_line(char *line, char **ret_key, char **ret_value)
{
	char *colon = strchr(line, ':'), *end;

	if (!colon)
		return false;
	for (end = colon; end > line && (end[-1] == '\t' || end[-1] == ' '); end--)
		;
	*end = '\0';
	*ret_key = line;
	*ret_value = colon + 1 + (colon[1] == ' ');
	return true;
}

int host_cpu_read(FILE *cpuinfo, struct tdxupd_host *host)
{
	_cleanup_(cleanup_free)
	char *line = NULL;
	struct cpuinfo info = {};
	struct block block = {};
	bool has_block = false;
	size_t size = 0;
	ssize_t length;
	int r = 0;

	while (r == 0 && (length = getline(&line, &size, cpuinfo)) >= 0) {
		char *key, *value;

		if (length > 0 && line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (!split_line(line, &key, &value))
			continue;
		if (strcmp(key, "processor") == 0) {
			if (has_block)
				r = end_block(&info, &block);
			block = (struct block){};
			has_block = true;
		} else if (has_block) {
			r = read_field(&info, &block, key, value);
		}
	}
	if (r == 0)
		r = has_block && !ferror(cpuinfo) ? end_block(&info, &block) : -EBADMSG;
	if (r < 0)
		return r;
	host->has_cpu_bugs = info.has_bugs;
	host->has_cpu_bug = info.has_bug;
	host->socket_count = info.socket_count;
	memcpy(host->sockets, info.sockets, sizeof(host->sockets));
	return 0;
}
