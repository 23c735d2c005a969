// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One user with many connections shuts nobody else out: not from waiting for a job, from
 * plans, or from polkit's questions. Root always has room.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
#include "util.h"

#define SERVICE "org.tdxupd1"
#define POLKIT  "org.freedesktop.PolicyKit1"

#define CONNECTIONS 17
#define CALLS       32

/* Two who are not root and not each other. */
enum {
	HOG = 65534,
	OTHER = 5
};

struct answers {
	unsigned all, limited;
};

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
	struct answers *answers = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(message);

	(void)unused;
	answers->all++;
	answers->limited += error && strcmp(error->name, SERVICE ".Error.Limit") == 0;
	return 0;
}

/* The bus goes by who we are when we connect. */
static sd_bus *connect_as(const struct scene *scene, uid_t uid)
{
	sd_bus *bus = NULL;
	const char *name;

	assert_int_equal(seteuid(uid), 0);
	assert_true(sd_bus_new(&bus) >= 0);
	assert_true(sd_bus_set_address(bus, scene->address) >= 0);
	assert_true(sd_bus_set_bus_client(bus, true) >= 0);
	assert_true(sd_bus_start(bus) >= 0);
	assert_true(sd_bus_get_unique_name(bus, &name) >= 0);
	assert_int_equal(seteuid(0), 0);
	return bus;
}

/* @member of the manager, or Wait() of a job at @path. */
static void ask(sd_bus *bus, const char *path, const char *member,
		struct answers *answers)
{
	bool is_job = strcmp(member, "Wait") == 0;
	sd_bus_message *call = NULL;

	assert_true(sd_bus_message_new_method_call(
			    bus, &call, SERVICE, path,
			    is_job ? SERVICE ".Job" : SERVICE ".Manager", member) >= 0);
	if (!is_job)
		assert_true(sd_bus_message_append(call, "sa{sv}", "", 0) >= 0);
	assert_true(sd_bus_call_async(bus, NULL, call, on_answer, answers, UINT64_MAX) >=
		    0);
	sd_bus_message_unref(call);
}

/* The bus answers in the order of asking: behind this, all that is refused at once is. */
static void settle(sd_bus *bus)
{
	unsigned waited = 0;
	struct answers answers = { 0 };
	sd_bus_message *call = NULL;

	assert_true(sd_bus_message_new_method_call(bus, &call, SERVICE, SCENE_MANAGER,
						   SERVICE ".Manager", "ListJobs") >= 0);
	assert_true(sd_bus_call_async(bus, NULL, call, on_answer, &answers, UINT64_MAX) >=
		    0);
	sd_bus_message_unref(call);
	while (!answers.all)
		if (!scene_listen(bus, &waited))
			fail_msg("no answer");
}

struct hog {
	sd_bus *connections[CONNECTIONS];
	struct answers answers;
};

static void hog_all(const struct scene *scene, const char *path, const char *member,
		    struct hog *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < CONNECTIONS; i++) {
		ret->connections[i] = connect_as(scene, HOG);
		for (unsigned call = 0; call < CALLS; call++)
			ask(ret->connections[i], path, member, &ret->answers);
		settle(ret->connections[i]);
	}
	assert_true(ret->answers.limited > 0);
}

static void hog_end(struct hog *hog)
{
	for (size_t i = 0; i < CONNECTIONS; i++)
		sd_bus_flush_close_unref(hog->connections[i]);
}

/* Whether @uid is let in beside the hog. */
static void assert_let_in(const struct scene *scene, uid_t uid, const char *path,
			  const char *member)
{
	struct answers answers = { 0 };
	sd_bus *bus = connect_as(scene, uid);

	ask(bus, path, member, &answers);
	settle(bus);
	assert_int_equal(answers.limited, 0);
	sd_bus_flush_close_unref(bus);
}

static void start(struct scene *scene)
{
	scene_set(scene, NULL);
	assert_int_equal(fchmod(scene->world.tree.fd, 0755), 0);
	scene_run(scene);
}

static void test_waiting(void **state)
{
	struct scene scene;
	struct hog hog;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	start(&scene);
	job = scene_update_waiting(&scene);
	hog_all(&scene, job, "Wait", &hog);
	assert_let_in(&scene, OTHER, job, "Wait");
	assert_let_in(&scene, 0, job, "Wait");
	hog_end(&hog);
	scene_end(&scene);
}

static void test_plans(void **state)
{
	struct scene scene;
	struct hog hog;

	(void)state;
	start(&scene);
	scene_assert_rests(&scene);
	hog_all(&scene, SCENE_MANAGER, "Plan", &hog);
	assert_let_in(&scene, OTHER, SCENE_MANAGER, "Plan");
	assert_let_in(&scene, 0, SCENE_MANAGER, "Plan");
	hog_end(&hog);
	scene_end(&scene);
}

/* A person who never types the password, on each connection. */
static void test_questions_to_polkit(void **state)
{
	struct scene scene;
	struct hog hog;
	sd_bus *polkit;

	(void)state;
	start(&scene);
	polkit = connect_as(&scene, 0);
	assert_true(sd_bus_request_name(polkit, POLKIT, 0) >= 0);
	hog_all(&scene, SCENE_MANAGER, "Update", &hog);
	assert_int_equal(hog.answers.limited, CONNECTIONS * CALLS - 4);
	assert_let_in(&scene, OTHER, SCENE_MANAGER, "Update");
	hog_end(&hog);
	sd_bus_flush_close_unref(polkit);
	scene_end(&scene);
}

/* ---- descriptors ---- */

/* Leave the daemon so many that it may still open. */
static void leave_descriptors(const struct scene *scene, unsigned count)
{
	struct rlimit limit;
	char path[64];

	assert_int_equal(prlimit(scene->daemon, RLIMIT_NOFILE, NULL, &limit), 0);
	for (limit.rlim_cur = 3;; limit.rlim_cur++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%ju", (int)scene->daemon,
			 (uintmax_t)limit.rlim_cur);
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		    count-- == 0)
			break;
	}
	assert_int_equal(prlimit(scene->daemon, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* Whether a lease can be given or not, there is an answer. */
static void test_no_descriptors_are_left(void **state)
{
	struct scene scene;
	unsigned granted = 0, refused = 0;

	(void)state;
	start(&scene);
	scene_assert_rests(&scene);
	for (unsigned left = 0; left < 8; left++) {
		const char *error;
		int fd = -1;

		leave_descriptors(&scene, left);
		error = scene_take(&scene, "BeginBuild", &fd, "sa{sv}", "vm", 0);
		if (error && (strstr(error, "NoReply") || strstr(error, "Timeout")))
			fail_msg("no answer with %u descriptors", left);
		granted += !error;
		refused += error != NULL;
		if (fd >= 0)
			close(fd);
		scene_await_count(&scene, "ListBuilds", "(ssuttb)", 0);
	}
	assert_true(granted > 0);
	assert_true(refused > 0);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_questions_to_polkit),
		cmocka_unit_test(test_no_descriptors_are_left),
	};

	if (!scene_is_possible() || geteuid() != 0)
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
