/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TDX_HOST_BUILD_WATCH_H
#define TDX_HOST_BUILD_WATCH_H

/*
 * The calls that end the build of a TD, and the one that begins it; each takes the TD as
 * its first argument.
 */
enum build_watch_call {
	BUILD_WATCH_MNG_KEY_FREEID,
	BUILD_WATCH_MNG_VPFLUSHDONE,
	BUILD_WATCH_MR_FINALIZE,
	BUILD_WATCH_ENDS,
	BUILD_WATCH_MNG_INIT = BUILD_WATCH_ENDS,
	BUILD_WATCH_CALL_MAX,
};

int build_watch_start(const unsigned long addresses[BUILD_WATCH_CALL_MAX]);
void build_watch_stop(void);
int build_watch_count(void);
void build_watch_forget(void);

#endif
