// SPDX-License-Identifier: LGPL-2.1-or-later
/* Prints every key of tdxupd.conf and its default, "KEY=VALUE": what an empty
 * configuration comes to. */
#include <stdio.h>

#include "config.h"

int main(int argc, char **argv)
{
	_cleanup_(cleanup_config)
	struct config *config = NULL;

	if (argc != 2 || config_load(argv[1], &config, NULL) < 0)
		return 1;
	for (size_t i = 0; i < config->value_count; i++)
		printf("%s=%s\n", config->values[i].key, config->values[i].value);
	return 0;
}
