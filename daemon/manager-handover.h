/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_HANDOVER_H
#define MANAGER_HANDOVER_H

#include "history-line.h"
#include "manager.h"

/* What systemd keeps them under. */
#define HANDOVER_NAME "jobs"

/* The daemon ends and may be started again: have what is still to be done kept until
 * then. Return: 0, also where nothing is; an errno: nothing is handed over. */
int manager_hand_over(struct manager *manager);
/* Does @last say that jobs were handed over in this boot, and nothing since? */
bool manager_was_suspended(const struct manager *manager,
			   const struct history_record *last);
/* Go on with what has come back in @fd, where @last says that it was handed over; else
 * the job of @last has ended. Does nothing where manager_was_suspended() says no. */
void manager_take_over(struct manager *manager, const struct history_record *last,
		       int fd);

#endif
