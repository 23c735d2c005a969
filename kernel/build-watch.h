/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDX_HOST_BUILD_WATCH_H
#define TDX_HOST_BUILD_WATCH_H

#include <linux/types.h>

/* The calls of a TD's life that are watched; each takes the TD as its first argument. */
enum build_watch_call {
	BUILD_WATCH_MNG_CREATE,
	BUILD_WATCH_MNG_INIT,
	BUILD_WATCH_MNG_KEY_FREEID,
	BUILD_WATCH_MNG_VPFLUSHDONE,
	BUILD_WATCH_MR_FINALIZE,
	BUILD_WATCH_CALL_MAX,
};

int build_watch_start(const unsigned long addresses[BUILD_WATCH_CALL_MAX],
		      unsigned int td_max);
void build_watch_stop(void);
/* May sleep. */
int build_watch_count(void);
void build_watch_forget(void);

/* For the simulated module: probes that are there and do not fire. */
void build_watch_blind(bool is_blind);

#endif
