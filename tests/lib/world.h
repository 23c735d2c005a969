/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tree.h"

/*
 * A world for an integration test: a root directory with a simulated TDX host in it. As
 * with tree.h, a world that cannot be had fails the running test, with the line that says
 * why. `world.tree.path` is what programs get as --root.
 *
 *	int main(void)
 *	{
 *		if (!world_is_possible())
 *			return TEST_SKIPPED;
 *		...
 *	}
 *
 *	world_start(&world, 4, "boot version=1.5.06 svn=0x0106", NULL);
 *	world_do(&world, "td build vm1 2s");
 *	world_write(&world, WORLD_UPLOAD "loading", "1\n");
 *	world_stop(&world);
 */
struct world {
	struct tree tree;
	pid_t simhost;
	int control;
};

#define WORLD_HOST   "sys/devices/faux/tdx_host/"
#define WORLD_UPLOAD "sys/class/firmware/tdx_module/"

/* Prints why not: no root, no /dev/fuse, no simhost built. */
bool world_is_possible(void);

/*
 * Returns when the files are there. The strings up to NULL are commands that the host
 * gets before that: tests/simhost/control.c, kernel/tdx-model-command*.c.
 */
void world_start(struct world *ret, unsigned lp_count, ...) __attribute__((sentinel));
/* The same in a tree that is there, for instance after its host was killed. */
void world_start_at(struct world *world, unsigned lp_count, ...)
	__attribute__((sentinel));
void world_stop(struct world *world);

/* A command that must succeed. */
void world_do(struct world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, and its answer lines; free() them. */
char *world_ask(struct world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A command that must be refused, with an answer that begins with @name ("EBUSY"). */
void world_refuse(struct world *world, const char *name, const char *command);
/* Fails the test unless `wait CONDITION` comes true within 10 s. */
#define world_wait(world, condition) world_do(world, "wait %s", condition)

/* A whole file: 0 or -errno. @ret is NUL-terminated, free() it. */
int world_read(const struct world *world, const char *path, char **ret);
/* open, one write, close: 0 or the -errno of whichever failed. */
int world_write(const struct world *world, const char *path, const char *text);
/* The same for bytes, in as many writes as sysfs wants. */
int world_write_bytes(const struct world *world, const char *path, const void *bytes,
		      size_t count);
/* Assert that a file reads exactly @text. */
void world_assert_reads(const struct world *world, const char *path, const char *text);
/* fw_upload's begin, data and commit; asserts that each is taken, and waits until idle.
 */
void world_upload(struct world *world, const void *bytes, size_t count);
/* Assert what became of a TD that is finalised. */
void world_assert_mrtd(struct world *world, const char *td, bool is_right);

/* A file where tdxupd looks for images, by its name there. */
#define WORLD_IMAGES "usr/lib/firmware/intel/tdx-module"
void world_put_image(const struct world *world, const char *name, const void *bytes,
		     size_t count);

#endif
