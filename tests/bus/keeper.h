/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KEEPER_H
#define KEEPER_H

#include <pthread.h>

#include "scene.h"

#define KEEPER_FDS_MAX 64

/*
 * systemd, as far as it keeps a service's descriptors (manager.c and service.c of v252 to
 * v257): it takes them with FDSTORE=1, drops them by name with FDSTOREREMOVE=1 and of its
 * own when the other end is gone, gives all to the service when it starts it again, also
 * after a crash, and drops them when it was stopped.
 */
struct keeper {
	int socket;
	char path[104];
	pthread_t thread;
	pthread_mutex_t lock;
	bool is_ending;
	unsigned count;
	struct {
		char name[64];
		int fd;
	} kept[KEEPER_FDS_MAX];
};

/* Before the first start of the scene's daemon. It listens in a thread of its own, which
 * goes on where a test fails: nothing of it is on that test's stack. */
struct keeper *keeper_begin(const struct scene *scene);
void keeper_end(struct keeper *keeper);
/* Start the daemon with what is kept, and wait for its name. */
void keeper_run(struct keeper *keeper, struct scene *scene);
/* `systemctl restart` and `systemctl stop`. */
void keeper_restart(struct keeper *keeper, struct scene *scene);
void keeper_stop(struct keeper *keeper, struct scene *scene);
/* SIGKILL, and Restart=on-failure. */
void keeper_crash(struct keeper *keeper, struct scene *scene);
/* How many are kept whose names begin so. */
unsigned keeper_count(struct keeper *keeper, const char *prefix);

#endif
