// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the daemon has not got. Who finds that out calls here, who shows it reads it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "manager-lacks.h"
#include "manager.h"
#include "text.h"

#define LOADING "sys/class/firmware/tdx_module/loading"
#define TRIGGER "sys/devices/faux/tdx_host/update"

void manager_set_lack(struct manager *manager, enum lack lack, char *text)
{
	char *old = manager->lacks[lack];

	if (!old && !text)
		return;
	if (old && text && strcmp(old, text) == 0) {
		free(text);
		return;
	}
	if (text)
		journal_say(LOG_WARNING, NULL, "%s", text);
	else
		journal_say(LOG_INFO, NULL, "no more: %s", old);
	free(old);
	manager->lacks[lack] = text;
	if (manager->listener.changed)
		manager->listener.changed(manager->listener.userdata);
}

void manager_look_for_lacks(struct manager *manager)
{
	const struct tdxupd_host *host = manager->host;
	const char *path = host->has_trigger ? TRIGGER : LOADING;
	bool is_there = host->has_trigger || host->has_fw_upload;

	if (!is_there || faccessat(manager->root_fd, path, W_OK, AT_EACCESS) == 0)
		manager_set_lack(manager, LACK_INTERFACE, NULL);
	else
		manager_set_lack(manager, LACK_INTERFACE,
				 text_new("/%s can't be written by tdxupdd (%s), so no "
					  "update can be made; `systemctl restart "
					  "tdxupdd.service`, and look at drop-ins with "
					  "ReadWritePaths= or ReadOnlyPaths=",
					  path, strerror(errno)));
}

void manager_lacks_done(struct manager *manager)
{
	for (size_t i = 0; i < _LACK_MAX; i++)
		free(manager->lacks[i]);
}
