/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_DEVICE_H
#define MANAGER_DEVICE_H

#include "manager.h"

/* Look at the host again whenever its device comes, goes or is bound. Where that can't be
 * told, say so. */
void manager_watch_device(struct manager *manager);
void manager_device_done(struct manager *manager);

#endif
