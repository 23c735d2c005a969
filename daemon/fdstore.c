// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is kept by systemd while the daemon is restarted. What that is, is decided by
 * whoever puts it there. */
#include <errno.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "fdstore.h"

static int take_names(char **names, int count, struct fdstore *store)
{
	store->items = calloc((size_t)count, sizeof(*store->items));
	if (!store->items)
		return -ENOMEM;
	for (int i = 0; i < count; i++)
		store->items[store->count++] = (struct fdstore_item){
			.name = names[i], /* taken over */
			.fd = SD_LISTEN_FDS_START + i,
		};
	return 0;
}

int fdstore_take(struct fdstore *ret)
{
	char **names = NULL;
	int r, count = sd_listen_fds_with_names(1, &names);

	*ret = (struct fdstore){ 0 };
	if (count <= 0)
		return count;
	r = take_names(names, count, ret);
	for (int i = 0; r < 0 && i < count; i++) {
		close(SD_LISTEN_FDS_START + i);
		free(names[i]);
	}
	free(names);
	return r;
}

void fdstore_done(struct fdstore *store)
{
	for (size_t i = 0; i < store->count; i++) {
		if (store->items[i].fd >= 0)
			close(store->items[i].fd);
		free(store->items[i].name);
	}
	free(store->items);
	*store = (struct fdstore){ 0 };
}

int fdstore_get(struct fdstore *store, const char *name)
{
	for (size_t i = 0; i < store->count; i++)
		if (store->items[i].fd >= 0 && strcmp(store->items[i].name, name) == 0)
			return TAKE_FD(store->items[i].fd);
	return -1;
}

bool fdstore_is_possible(void)
{
	const char *socket = getenv("NOTIFY_SOCKET");

	return socket && *socket;
}

int fdstore_put(const char *name, int fd)
{
	char text[128];
	int r;

	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
	r = sd_pid_notify_with_fds(0, 0, text, &fd, 1);
	return r > 0 ? 0 : r < 0 ? r : -ENODATA;
}

void fdstore_remove(const char *name)
{
	(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}
