/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SCENE_H
#define SCENE_H

#include <systemd/sd-bus.h>

#include "world.h"

/*
 * A simulated host, a bus of its own and the real daemon on both. As with world.h, what
 * can't be had fails the running test.
 */
struct scene {
	struct world world;
	char address[96];
	pid_t dbus;
	pid_t daemon;
	sd_bus *bus;
};

#define SCENE_MANAGER "/org/tdxupd1"

/* Prints why not. */
bool scene_is_possible(void);

/*
 * A host of four LPs that runs 1.5.06, images 1.5.06 and 1.5.16 whose measurement
 * contexts differ, and no daemon yet. The strings up to NULL are commands for the host.
 */
void scene_set(struct scene *ret, ...) __attribute__((sentinel));
/* A machine without TDX: no file of a host at all. */
void scene_set_bare(struct scene *ret);
/* The first with a daemon. */
#define scene_start(ret, ...)                \
	do {                                 \
		scene_set(ret, __VA_ARGS__); \
		scene_run(ret);              \
	} while (0)
void scene_end(struct scene *scene);

/* Images instead of the two: arguments of mkimage, up to NULL. */
void scene_put_images(struct scene *scene, ...) __attribute__((sentinel));
/* Records of what was put there last: the same modules, whatever their files are called.
 * @from, @to: the crypto contexts of 1.5.06 and of all others, NULL: not on record. */
void scene_put_records(struct scene *scene, const char *from, const char *to);
/* tdxupd.conf's [Update], beside the test's signer. */
void scene_put_config(struct scene *scene, const char *text);

/* End the bus, and start one at the same address. */
void scene_stop_bus(struct scene *scene);
void scene_restart_bus(struct scene *scene);

/* Start a daemon without waiting for anything. */
pid_t scene_spawn(struct scene *scene);
/* As fork(2); the child does not outlive this program. */
pid_t scene_fork(void);
/* In a child of one's own: be a daemon. */
void scene_become_daemon(const struct scene *scene) __attribute__((noreturn));
/* In a child of one's own: a user namespace in which root is root and has no inotify at
 * all. Return: whether that can be had. */
bool scene_give_inotify_up(void);
/* Until the daemon has its name. */
void scene_await_name(struct scene *scene);
/* And until it knows what became of an update that outlived the one before it. */
void scene_await_host(struct scene *scene);
/* Wait for a program's end: its exit status, or 128 and its signal. */
int scene_reap(pid_t pid);
/* Start a daemon and wait for its name. */
void scene_run(struct scene *scene);
/* The same with the journal, not stderr, for what it says. Return: where that comes; it
 * is the caller's to close. */
int scene_run_with_journal(struct scene *scene);
/* The next entry with that MESSAGE_ID, as lines FIELD=VALUE; free() it. Fails the test
 * when there is none for 10 s. */
char *scene_await_entry(int journal, const char *message_id);
/* Whether there is one among what has come by now. */
bool scene_has_entry(int journal, const char *message_id);
/* The same for one that says @text. */
bool scene_has_text(int journal, const char *text);
/* One that is to fail: its exit status. */
int scene_run_failing(struct scene *scene);
/* SIGTERM, and its exit status. */
int scene_stop(struct scene *scene);
/* SIGKILL. */
void scene_kill(struct scene *scene);

/* Ask for an update; the job's path, free() it. @target: NULL or "" for the newest. */
char *scene_update(struct scene *scene, const char *target);
/* The same with options, types and values as sd_bus_message_append() takes
 * a{sv}'s. */
char *scene_update_with(struct scene *scene, const char *target, unsigned count, ...);
/* A TD, vm1, whose build stays under way until it is told to go on. */
void scene_begin_build(struct scene *scene);
/* The same, and an update to the newest that waits for its end. */
char *scene_update_waiting(struct scene *scene);
/* One that is refused at once, with that error. */
void scene_update_refused(struct scene *scene, const char *error, const char *target,
			  unsigned count, ...);
/* One whose job ends with that, as scene_await_end() has it. */
void scene_update_fails(struct scene *scene, const char *result, const char *target);
/* The interface of what is at @path, the manager's or a job's. */
const char *scene_interface_of(const char *path);
/* A method of either, its answer aside: NULL, or the error's name. */
const char *scene_call_with(struct scene *scene, const char *path, const char *member,
			    const char *types, ...);
/* The same without arguments. */
const char *scene_call(struct scene *scene, const char *path, const char *member);
/* One of the manager's that gives a descriptor: NULL, and it is the caller's to close; or
 * the error's name. */
const char *scene_take(struct scene *scene, const char *member, int *ret_fd,
		       const char *types, ...);

/* How long a list of the manager's is, whose elements are of @type. */
unsigned scene_count(struct scene *scene, const char *member, const char *type);
/* Fails the test when it is not @wanted after 10 s. */
void scene_await_count(struct scene *scene, const char *member, const char *type,
		       unsigned wanted);

/* Hold or Unhold: NULL, or the error's name. @until_usec: CLOCK_REALTIME, 0 for ever. */
const char *scene_hold(struct scene *scene, const char *what, uint64_t until_usec);
const char *scene_unhold(struct scene *scene, const char *what);

/* Pin and Unpin, the same. */
const char *scene_pin(struct scene *scene, const char *version);
const char *scene_unpin(struct scene *scene);

/* A property as text, free() it. */
char *scene_get(struct scene *scene, const char *path, const char *property);
void scene_assert(struct scene *scene, const char *path, const char *property,
		  const char *value);
/* Fails the test when it has not come true after 10 s. */
void scene_await(struct scene *scene, const char *path, const char *property,
		 const char *value);
/* Until a job has ended: its result, "done" or the error's name; free() it. */
char *scene_await_result(struct scene *scene, const char *job);
/* The same; asserts its result, "done" or the end of the error's name. */
void scene_await_end(struct scene *scene, const char *job, const char *result);

/*
 * Take one thing that came from the bus, or wait a little for it. @waited: 0 at first.
 * Return: false when there was nothing for 10 s in all.
 */
bool scene_listen(sd_bus *bus, unsigned *waited);

/* An update to 1.5.16 could be had, the first look at the images is over, and nobody has
 * begun it. */
void scene_assert_rests(struct scene *scene);

/* The host was not touched: as many updates as @updates have ever gone through, nothing
 * is staged, and it runs @version. */
void scene_assert_host(struct scene *scene, const char *version, unsigned updates);

#endif
