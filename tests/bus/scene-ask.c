// SPDX-License-Identifier: LGPL-2.1-or-later
/* A scene's daemon asked for something, in a line. */
#include "scene.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SERVICE "org.tdxupd1"

/* Returns NULL and the error's name in @ret_error, or the job's path. */
static char *ask(struct scene *scene, const char *target, unsigned count, va_list args,
		 char **ret_error)
{
	sd_bus_message *call = NULL, *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *path = NULL;
	const char *job;

	assert_true(sd_bus_message_new_method_call(scene->bus, &call, SERVICE,
						   SCENE_MANAGER, SERVICE ".Manager",
						   "Update") >= 0);
	assert_true(sd_bus_message_append(call, "s", target ? target : "") >= 0);
	assert_true(sd_bus_message_open_container(call, 'a', "{sv}") >= 0);
	for (; count; count--) {
		assert_true(sd_bus_message_open_container(call, 'e', "sv") >= 0);
		assert_true(sd_bus_message_append(call, "s", va_arg(args, char *)) >= 0);
		assert_true(sd_bus_message_appendv(call, "v", args) >= 0);
		assert_true(sd_bus_message_close_container(call) >= 0);
	}
	assert_true(sd_bus_message_close_container(call) >= 0);
	if (sd_bus_call(scene->bus, call, 0, &error, &reply) >= 0) {
		assert_true(sd_bus_message_read(reply, "o", &job) >= 0);
		path = strdup(job);
	} else {
		*ret_error = strdup(error.name ? error.name : "?");
	}
	sd_bus_error_free(&error);
	sd_bus_message_unref(call);
	sd_bus_message_unref(reply);
	return path;
}

char *scene_update_with(struct scene *scene, const char *target, unsigned count, ...)
{
	char *error = NULL;
	va_list args;
	char *path;

	va_start(args, count);
	path = ask(scene, target, count, args, &error);
	va_end(args);
	if (!path)
		fail_msg("Update: %s", error);
	return path;
}

char *scene_update(struct scene *scene, const char *target)
{
	return scene_update_with(scene, target, 0);
}

void scene_begin_build(struct scene *scene)
{
	world_do(&scene->world, "td build vm1 manual");
	world_do(&scene->world, "td step vm1 init");
}

char *scene_update_waiting(struct scene *scene)
{
	char *job;

	scene_begin_build(scene);
	job = scene_update(scene, NULL);
	scene_await(scene, job, "State", "waiting");
	return job;
}

void scene_update_refused(struct scene *scene, const char *error, const char *target,
			  unsigned count, ...)
{
	char *found = NULL;
	va_list args;
	char *path;

	va_start(args, count);
	path = ask(scene, target, count, args, &found);
	va_end(args);
	if (path)
		fail_msg("Update was not refused but gave %s", path);
	assert_string_equal(found, error);
	free(found);
}

void scene_update_fails(struct scene *scene, const char *result, const char *target)
{
	char *job = scene_update(scene, target);

	scene_await_end(scene, job, result);
	free(job);
}

const char *scene_interface_of(const char *path)
{
	return strcmp(path, SCENE_MANAGER) == 0 ? SERVICE ".Manager" : SERVICE ".Job";
}

/* NULL, or the error's name. */
static const char *call(struct scene *scene, const char *path, const char *member,
			sd_bus_message **ret_reply, const char *types, va_list args)
{
	static char name[128];
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	r = sd_bus_call_methodv(scene->bus, SERVICE, path, scene_interface_of(path),
				member, &error, ret_reply, types, args);
	snprintf(name, sizeof(name), "%s", error.name ? error.name : "?");
	sd_bus_error_free(&error);
	return r < 0 ? name : NULL;
}

const char *scene_call_with(struct scene *scene, const char *path, const char *member,
			    const char *types, ...)
{
	const char *error;
	va_list args;

	va_start(args, types);
	error = call(scene, path, member, NULL, types, args);
	va_end(args);
	return error;
}

const char *scene_call(struct scene *scene, const char *path, const char *member)
{
	return scene_call_with(scene, path, member, "");
}

const char *scene_take(struct scene *scene, const char *member, int *ret_fd,
		       const char *types, ...)
{
	sd_bus_message *reply = NULL;
	const char *error;
	va_list args;
	int fd;

	va_start(args, types);
	error = call(scene, SCENE_MANAGER, member, &reply, types, args);
	va_end(args);
	if (error)
		return error;
	assert_true(sd_bus_message_read(reply, "h", &fd) >= 0);
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	sd_bus_message_unref(reply);
	return NULL;
}

const char *scene_hold(struct scene *scene, const char *what, uint64_t until_usec)
{
	return scene_call_with(scene, SCENE_MANAGER, "Hold", "sst", what, "a test",
			       until_usec);
}

const char *scene_unhold(struct scene *scene, const char *what)
{
	return scene_call_with(scene, SCENE_MANAGER, "Unhold", "s", what);
}

const char *scene_pin(struct scene *scene, const char *version)
{
	return scene_call_with(scene, SCENE_MANAGER, "Pin", "ss", version, "a test");
}

const char *scene_unpin(struct scene *scene)
{
	return scene_call(scene, SCENE_MANAGER, "Unpin");
}

unsigned scene_count(struct scene *scene, const char *member, const char *type)
{
	sd_bus_message *reply = NULL;
	unsigned count = 0;

	assert_true(sd_bus_call_method(scene->bus, SERVICE, SCENE_MANAGER,
				       SERVICE ".Manager", member, NULL, &reply,
				       NULL) >= 0);
	assert_true(sd_bus_message_enter_container(reply, 'a', type) >= 0);
	while (sd_bus_message_skip(reply, type) > 0)
		count++;
	sd_bus_message_unref(reply);
	return count;
}
