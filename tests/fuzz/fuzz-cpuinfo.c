// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as /proc/cpuinfo. */
#include <errno.h>

#include "fuzz.h"
#include "host-cpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tdxupd_host *host = calloc(1, sizeof(*host));
	FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;

	CHECK(host);
	if (file) {
		int rc = host_cpu_read(file, host);

		CHECK(rc == 0 || rc == -EBADMSG);
		CHECK(rc == 0 || (host->socket_count == 0 && !host->has_cpu_bugs));
		CHECK(host->socket_count <= TDXUPD_SOCKETS_MAX);
		/* A socket is listed once, or which signature would count? */
		for (size_t i = 0; i < host->socket_count; i++)
			for (size_t j = 0; j < i; j++)
				CHECK(host->sockets[i].physical_id !=
					      host->sockets[j].physical_id ||
				      host->sockets[i].signature !=
					      host->sockets[j].signature);
		fclose(file);
	}
	free(host);
	return 0;
}
