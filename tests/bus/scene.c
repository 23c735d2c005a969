// SPDX-License-Identifier: LGPL-2.1-or-later
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "util.h"

#define SERVICE  "org.tdxupd1"
#define ARGS_MAX 24
/* In ms, for what takes a few: longer than any load makes it. */
#define PATIENCE 120000
#define PAUSE_MS 5

/* Set by tests/meson.build. */
static const char *program(const char *variable)
{
	const char *path = getenv(variable);

	return path ? path : "";
}

bool scene_is_possible(void)
{
	static const char *const variables[] = { "TDXUPD_DAEMON", "TDXUPD_MKIMAGE" };

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (access(program(variables[i]), X_OK) < 0) {
			printf("SKIPPED: %s names no program (run it with meson test)\n",
			       variables[i]);
			return false;
		}
	if (access("/usr/bin/dbus-daemon", X_OK) < 0) {
		printf("SKIPPED: there is no dbus-daemon\n");
		return false;
	}
	return world_is_possible();
}

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000,
				      .tv_nsec = (long)(ms % 1000) * 1000000 },
		  NULL);
}

/* ---- programs ---- */

static void redirect(int to, const char *file)
{
	int fd = file ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;

	if (fd >= 0)
		dup2(fd, to);
}

pid_t scene_fork(void)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* @out, @err: NULL, or files that get standard output and error. */
static pid_t start_program(char **argv, const char *out, const char *err)
{
	pid_t pid = scene_fork();

	if (pid)
		return pid;
	redirect(STDOUT_FILENO, out);
	redirect(STDERR_FILENO, err);
	execv(argv[0], argv);
	_exit(127);
}

int scene_reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Firmware loads the very modules that the images are: so they measure the same. */
static void tell_measurements(struct scene *scene, const char *listing)
{
	char file[64], version[20], mrseam[97];
	FILE *lines = fopen(listing, "re");

	assert_non_null(lines);
	while (fscanf(lines, "%63s %19s %96s", file, version, mrseam) == 3)
		world_do(&scene->world, "known %s version=%s", mrseam, version);
	fclose(lines);
}

void scene_put_images(struct scene *scene, ...)
{
	char directory[128], listing[128];
	char *argv[ARGS_MAX + 1] = { (char *)(uintptr_t)program("TDXUPD_MKIMAGE"),
				     directory };
	size_t count = 2;
	va_list args;

	snprintf(directory, sizeof(directory), "%s/" WORLD_IMAGES,
		 scene->world.tree.path);
	snprintf(listing, sizeof(listing), "%s/images", scene->world.tree.path);
	tree_put(&scene->world.tree, WORLD_IMAGES "/README", "no image\n");
	va_start(args, scene);
	while (count < ARGS_MAX && (argv[count] = va_arg(args, char *)))
		count++;
	va_end(args);
	argv[count] = NULL;
	assert_int_equal(scene_reap(start_program(argv, listing, NULL)), 0);
	if (scene->world.simhost)
		tell_measurements(scene, listing);
}

void scene_put_records(struct scene *scene, const char *from, const char *to)
{
	char *listing = NULL, *text = NULL, *line, *rest;
	size_t size, count = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(world_read(&scene->world, "images", &listing), 0);
	fputs("{\"known_modules\": [", out);
	for (rest = listing; (line = strsep(&rest, "\n")) && *line; count++) {
		char file[64], version[20], mrseam[97];
		const char *context;

		assert_int_equal(sscanf(line, "%63s %19s %96s", file, version, mrseam),
				 3);
		context = strcmp(version, "1.5.06") == 0 ? from : to;
		fprintf(out, "%s{\"version\": \"%s\", \"mrseam\": \"%s\"%s%s}",
			count ? "," : "", version, mrseam,
			context ? ", \"crypto_context\": " : "", context ? context : "");
	}
	fputs("]}\n", out);
	assert_int_equal(fclose(out), 0);
	tree_put(&scene->world.tree, "etc/tdxupd/known-modules.d/contexts.json", text);
	free(text);
	free(listing);
}

static void read_signer(struct scene *scene, char *ret, size_t size)
{
	char path[128];
	char *argv[] = { (char *)(uintptr_t)program("TDXUPD_MKIMAGE"),
			 (char[]){ "--signer" }, NULL };
	FILE *file;

	snprintf(path, sizeof(path), "%s/signer", scene->world.tree.path);
	assert_int_equal(scene_reap(start_program(argv, path, NULL)), 0);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(ret, (int)size, file));
	fclose(file);
	ret[strcspn(ret, "\n")] = '\0';
}

void scene_put_config(struct scene *scene, const char *text)
{
	char signer[128], config[4096];

	read_signer(scene, signer, sizeof(signer));
	snprintf(config, sizeof(config), "[Update]\nTrustedSigner=%s\n%s", signer, text);
	tree_put(&scene->world.tree, "etc/tdxupd/tdxupd.conf", config);
}

/* ---- the bus ---- */

static void start_dbus(struct scene *scene)
{
	static const char format[] =
		"<!DOCTYPE busconfig PUBLIC "
		"\"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" "
		"\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
		"<busconfig><type>session</type><listen>%s</listen><auth>EXTERNAL</auth>"
		"<servicedir>%s/run/services</servicedir>"
		"<policy context=\"default\"><allow send_destination=\"*\"/>"
		"<allow eavesdrop=\"true\"/><allow own=\"*\"/><allow user=\"*\"/>"
		"</policy></busconfig>\n";
	char config[1024], option[160], out[128];
	char *argv[] = { (char[]){ "/usr/bin/dbus-daemon" }, option,
			 (char[]){ "--nofork" }, (char[]){ "--nopidfile" }, NULL };

	snprintf(scene->address, sizeof(scene->address), "unix:path=%s/run/bus",
		 scene->world.tree.path);
	snprintf(config, sizeof(config), format, scene->address, scene->world.tree.path);
	tree_put(&scene->world.tree, "run/bus.conf", config);
	snprintf(option, sizeof(option), "--config-file=%s/run/bus.conf",
		 scene->world.tree.path);
	snprintf(out, sizeof(out), "%s/run/bus.log", scene->world.tree.path);
	scene->dbus = start_program(argv, NULL, out);
}

static bool try_connect(struct scene *scene)
{
	if (scene->bus)
		return true;
	if (sd_bus_new(&scene->bus) >= 0 &&
	    sd_bus_set_address(scene->bus, scene->address) >= 0 &&
	    sd_bus_set_bus_client(scene->bus, true) >= 0 &&
	    sd_bus_set_method_call_timeout(scene->bus, PATIENCE * UINT64_C(1000)) >= 0 &&
	    sd_bus_start(scene->bus) >= 0 &&
	    sd_bus_get_unique_name(scene->bus, &(const char *){ NULL }) >= 0)
		return true;
	scene->bus = sd_bus_close_unref(scene->bus);
	return false;
}

static void connect_bus(struct scene *scene)
{
	for (unsigned waited = 0; !try_connect(scene); waited += PAUSE_MS) {
		if (waited > PATIENCE)
			fail_msg("there is no bus at %s", scene->address);
		pause_ms(PAUSE_MS);
	}
}

static void furnish(struct scene *scene)
{
	scene_put_images(scene, "1.5.06,ctx=1", "1.5.16,ctx=2", NULL);
	scene_put_config(scene, "");
	start_dbus(scene);
	connect_bus(scene);
}

void scene_stop_bus(struct scene *scene)
{
	scene->bus = sd_bus_close_unref(scene->bus);
	kill(scene->dbus, SIGTERM);
	scene_reap(scene->dbus);
	tree_drop(&scene->world.tree, "run/bus");
}

void scene_restart_bus(struct scene *scene)
{
	start_dbus(scene);
	connect_bus(scene);
}

void scene_set(struct scene *ret, ...)
{
	va_list args;
	const char *command;

	*ret = (struct scene){ 0 };
	world_start(&ret->world, 4, "boot version=1.5.06 svn=0x0106 ctx=1",
		    "set remaining=10", "trust any", NULL);
	va_start(args, ret);
	while ((command = va_arg(args, const char *)))
		world_do(&ret->world, "%s", command);
	va_end(args);
	furnish(ret);
}

void scene_set_bare(struct scene *ret)
{
	*ret = (struct scene){ 0 };
	tree_new(&ret->world.tree);
	furnish(ret);
}

void scene_end(struct scene *scene)
{
	if (scene->daemon)
		assert_int_equal(scene_stop(scene), 0);
	scene_stop_bus(scene);
	if (scene->world.simhost)
		world_stop(&scene->world);
	else
		tree_remove(&scene->world.tree);
}

/* ---- the daemon ---- */

void scene_become_daemon(const struct scene *scene)
{
	const char *path = program("TDXUPD_DAEMON");

	execl(path, path, "--root", scene->world.tree.path, "--bus-address",
	      scene->address, NULL);
	_exit(127);
}

static bool write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	bool is_written = file && fputs(text, file) >= 0;

	return file && fclose(file) == 0 && is_written;
}

bool scene_give_inotify_up(void)
{
	return unshare(CLONE_NEWUSER) == 0 && write_text("/proc/self/uid_map", "0 0 1") &&
	       write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/gid_map", "0 0 1") &&
	       write_text("/proc/sys/user/max_inotify_instances", "0") &&
	       inotify_init1(IN_CLOEXEC) < 0;
}

pid_t scene_spawn(struct scene *scene)
{
	pid_t pid = scene_fork();

	if (pid)
		return pid;
	scene_become_daemon(scene);
}

/* The bus may not have noticed yet that the one before is dead. */
static bool has_name(struct scene *scene)
{
	sd_bus_message *reply = NULL;
	uint32_t pid;

	if (sd_bus_call_method(scene->bus, "org.freedesktop.DBus", "/",
			       "org.freedesktop.DBus", "GetConnectionUnixProcessID", NULL,
			       &reply, "s", SERVICE) < 0)
		return false;
	assert_true(sd_bus_message_read(reply, "u", &pid) >= 0);
	sd_bus_message_unref(reply);
	return (pid_t)pid == scene->daemon;
}

void scene_await_name(struct scene *scene)
{
	for (unsigned waited = 0; !has_name(scene); waited += PAUSE_MS) {
		if (waited > PATIENCE ||
		    waitpid(scene->daemon, NULL, WNOHANG) == scene->daemon)
			fail_msg("the daemon did not start; what it said is above");
		pause_ms(PAUSE_MS);
	}
}

/* Until it knows what became of an update that outlived the one before it. */
void scene_await_host(struct scene *scene)
{
	for (bool is_known = false; !is_known;) {
		_cleanup_(cleanup_free)
		char *state = scene_get(scene, SCENE_MANAGER, "State");

		is_known = strcmp(state, "recovering") != 0;
		if (!is_known)
			pause_ms(PAUSE_MS);
	}
}

void scene_run(struct scene *scene)
{
	scene->daemon = scene_spawn(scene);
	scene_await_name(scene);
	scene_await_host(scene);
}

int scene_run_failing(struct scene *scene)
{
	return scene_reap(scene_spawn(scene));
}

int scene_stop(struct scene *scene)
{
	pid_t pid = scene->daemon;

	scene->daemon = 0;
	kill(pid, SIGTERM);
	return scene_reap(pid);
}

void scene_kill(struct scene *scene)
{
	kill(scene->daemon, SIGKILL);
	assert_int_equal(scene_reap(scene->daemon), 128 + SIGKILL);
	scene->daemon = 0;
}

/* ---- looking ---- */

static char *format_value(sd_bus_message *reply)
{
	const char *contents, *text;
	char *value = NULL;
	uint32_t number;
	int32_t integer;
	uint64_t large;
	char type;

	assert_true(sd_bus_message_peek_type(reply, &type, &contents) >= 0);
	assert_true(sd_bus_message_enter_container(reply, 'v', contents) >= 0);
	if (contents[0] == 's' || contents[0] == 'o') {
		assert_true(sd_bus_message_read_basic(reply, contents[0], &text) >= 0);
		return strdup(text);
	}
	if (contents[0] == 'u' || contents[0] == 'b') {
		assert_true(sd_bus_message_read_basic(reply, contents[0], &number) >= 0);
		assert_true(asprintf(&value, "%u", number) > 0);
	} else if (contents[0] == 'i') {
		assert_true(sd_bus_message_read_basic(reply, 'i', &integer) >= 0);
		assert_true(asprintf(&value, "%d", integer) > 0);
	} else if (contents[0] == 't') {
		assert_true(sd_bus_message_read_basic(reply, 't', &large) >= 0);
		assert_true(asprintf(&value, "%llu", (unsigned long long)large) > 0);
	}
	return value;
}

/* NULL where there is no such object, with what was said instead. */
static char *try_get(struct scene *scene, const char *path, const char *property,
		     char **ret_error)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	char *value = NULL;

	if (sd_bus_call_method(scene->bus, SERVICE, path,
			       "org.freedesktop.DBus.Properties", "Get", &error, &reply,
			       "ss", scene_interface_of(path), property) < 0) {
		*ret_error = strdup(error.message ? error.message : "?");
	} else {
		value = format_value(reply);
		assert_non_null(value);
	}
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	return value;
}

char *scene_get(struct scene *scene, const char *path, const char *property)
{
	char *error = NULL;
	char *value = try_get(scene, path, property, &error);

	if (!value)
		fail_msg("%s of %s: %s", property, path, error);
	return value;
}

void scene_assert(struct scene *scene, const char *path, const char *property,
		  const char *value)
{
	_cleanup_(cleanup_free)
	char *found = scene_get(scene, path, property);

	if (strcmp(found, value) != 0)
		fail_msg("%s of %s is `%s', not `%s'", property, path, found, value);
}

/* Also for an object that is not there yet. */
void scene_await(struct scene *scene, const char *path, const char *property,
		 const char *value)
{
	for (unsigned waited = 0;; waited += PAUSE_MS) {
		_cleanup_(cleanup_free)
		char *error = NULL;
		_cleanup_(cleanup_free)
		char *found = try_get(scene, path, property, &error);

		if (found && strcmp(found, value) == 0)
			return;
		if (waited > PATIENCE)
			fail_msg("%s of %s is still `%s', not `%s'", property, path,
				 found ? found : error, value);
		pause_ms(PAUSE_MS);
	}
}

void scene_await_count(struct scene *scene, const char *member, const char *type,
		       unsigned wanted)
{
	for (unsigned waited = 0;; waited += PAUSE_MS) {
		unsigned count = scene_count(scene, member, type);

		if (count == wanted)
			return;
		if (waited > PATIENCE)
			fail_msg("%s still has %u, not %u", member, count, wanted);
		pause_ms(PAUSE_MS);
	}
}

char *scene_await_result(struct scene *scene, const char *job)
{
	for (unsigned waited = 0;; waited += PAUSE_MS) {
		_cleanup_(cleanup_free)
		char *found = scene_get(scene, job, "Result");

		if (*found)
			return TAKE_PTR(found);
		if (waited > PATIENCE)
			fail_msg("%s has not ended", job);
		pause_ms(PAUSE_MS);
	}
}

void scene_await_end(struct scene *scene, const char *job, const char *result)
{
	_cleanup_(cleanup_free)
	char *found = scene_await_result(scene, job);
	char expected[96];

	snprintf(expected, sizeof(expected), "%s%s",
		 strcmp(result, "done") == 0 ? "" : SERVICE ".Error.", result);
	if (strcmp(found, expected) != 0)
		fail_msg("Result of %s is `%s', not `%s'", job, found, expected);
}

bool scene_listen(sd_bus *bus, unsigned *waited)
{
	int r = sd_bus_process(bus, NULL);

	if (r == 0) {
		*waited += PAUSE_MS;
		r = sd_bus_wait(bus, PAUSE_MS * 1000);
	}
	assert_true(r >= 0);
	return *waited <= PATIENCE;
}

void scene_assert_rests(struct scene *scene)
{
	scene_await(scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	scene_assert(scene, SCENE_MANAGER, "CurrentJob", "/");
	scene_assert_host(scene, "1.5.06", 0);
}

void scene_assert_host(struct scene *scene, const char *version, unsigned updates)
{
	_cleanup_(cleanup_free)
	char *status = world_ask(&scene->world, "status");
	_cleanup_(cleanup_free)
	char *loading = NULL;
	char expected[64];

	snprintf(expected, sizeof(expected), "version %s\n", version);
	assert_non_null(strstr(status, expected));
	snprintf(expected, sizeof(expected), " updates %u\n", updates);
	assert_non_null(strstr(status, expected));
	/* Not there where the module does not support updates. */
	if (world_read(&scene->world, WORLD_UPLOAD "loading", &loading) == 0)
		assert_string_equal(loading, "0\n");
}
