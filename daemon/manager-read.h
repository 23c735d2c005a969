/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_READ_H
#define MANAGER_READ_H

#include "history-read.h"
#include "manager.h"

/*
 * What is read by a worker for the manager: images, and the history for whoever asks.
 * Each answer comes from the event loop, once; manager_drop_reading() forgets all with
 * that @userdata.
 */

/*
 * @catalog: NULL on error; taken over where *catalog is set to NULL
 * @why: on error a sentence for people, else NULL; borrowed
 */
typedef void (*manager_catalog_fn)(void *userdata, int r, struct tdxupd_catalog **catalog,
				   const char *why);
typedef void (*manager_bytes_fn)(void *userdata, int r, const uint8_t *bytes,
				 size_t count);

/* The images as they are when this is asked or later, judged by @config. Return: 0;
 * -ENOMEM. */
int manager_read_catalog(struct manager *manager, struct config *config, bool is_urgent,
			 manager_catalog_fn done, void *userdata);
/* The same with a watch on the directory, of the inotify instance @watch_fd, which is
 * there before the first file is read. */
int manager_watch_catalog(struct manager *manager, int watch_fd, manager_catalog_fn done,
			  void *userdata);
/* The same while nothing else goes on. Return: 0; what done() would get. */
int manager_read_catalog_now(struct manager *manager, struct tdxupd_catalog **ret);
/* The bytes of the image @name. */
int manager_read_image(struct manager *manager, struct config *config, const char *name,
		       manager_bytes_fn done, void *userdata);
/* The history, as JSON text. */
int manager_read_history(struct manager *manager, const struct history_query *query,
			 manager_bytes_fn done, void *userdata);
void manager_drop_reading(struct manager *manager, const void *userdata);
void manager_read_done(struct manager *manager);

#endif
