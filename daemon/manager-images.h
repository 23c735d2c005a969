/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_IMAGES_H
#define MANAGER_IMAGES_H

#include "manager.h"

/*
 * What the images there mean for this host: the next version, and with AutoUpdate=apply
 * and @may_apply a job. Watches the directories of the images from then on. All of it
 * comes when they have been read.
 */
void manager_replan(struct manager *manager, bool may_apply);
/* The same for whoever asks, with no consequence but that all see what is next. Return:
 * as manager_plan(). */
int manager_check_new(struct manager *manager, const struct tdxupd_catalog *catalog,
		      bool *ret_has, struct tdxupd_version *ret);
/* Where an update without a target would lead; nothing else goes on until that is read.
 * Return: false nowhere, for now. */
bool manager_find_next(struct manager *manager, struct tdxupd_version *ret);
void manager_images_done(struct manager *manager);

#endif
