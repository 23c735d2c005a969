// SPDX-License-Identifier: LGPL-2.1-or-later
/* --quiet, --no-legend, --json=MODE and colours: the same for every verb that shows
 * something. */
#include "test.h"
#include "cli.h"
#include "util.h"
#include "../bus/scene.h"

#include <errno.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

/* @head: a column's name, NULL where a table has none. */
static const struct verb {
	const char *words[2];
	const char *head;
	bool is_for_json; /* prints JSON in any case */
} verbs[] = {
	{ { "status" }, NULL, false },
	{ { "list" }, "VERSION", false },
	{ { "plan" }, "STEP", false },
	{ { "check" }, NULL, false },
	{ { "is-current" }, NULL, false },
	{ { "jobs" }, "STATE", false },
	{ { "blockers" }, NULL, false },
	{ { "holds" }, "WHAT", false },
	{ { "history" }, "WHEN", false },
	{ { "doctor" }, NULL, false },
	{ { "config", "show" }, "KEY", false },
	{ { "catalog", "check" }, "VERDICT", false },
	{ { "catalog", "graph" }, NULL, false },
	{ { "attest", "show" }, NULL, false },
	{ { "attest", "export" }, NULL, true },
	{ { "version" }, NULL, false },
};

static void run(struct cli *ret, struct scene *scene, const char *option,
		const struct verb *verb)
{
	CLI_RUN(ret, scene, option, verb->words[0], verb->words[1]);
}

static void start(struct scene *scene)
{
	scene_start(scene, NULL);
	assert_null(scene_hold(scene, "1.5.05", 0));
	free(scene_update(scene, "1.5.06"));
}

/* An answer that nobody has got is none. */
static void test_a_full_disk(void **state)
{
	struct scene scene;

	(void)state;
	start(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		char command[512];
		int status;

		snprintf(command, sizeof(command),
			 "\"$TDXUPD_CTL\" --root %s --bus-address %s %s %s "
			 ">/dev/full 2>/dev/null",
			 scene.world.tree.path, scene.address, verbs[i].words[0],
			 verbs[i].words[1] ? verbs[i].words[1] : "");
		status = system(command);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == 0)
			fail_msg("%s %s left with 0", verbs[i].words[0],
				 verbs[i].words[1] ? verbs[i].words[1] : "");
	}
	scene_end(&scene);
}

static void test_quiet(void **state)
{
	struct scene scene;

	(void)state;
	start(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct cli loud, quiet;

		run(&loud, &scene, "--no-pager", &verbs[i]);
		run(&quiet, &scene, "--quiet", &verbs[i]);
		assert_int_equal(loud.code, quiet.code);
		if (!*loud.out || (*quiet.out && !verbs[i].is_for_json))
			fail_msg("%s: with --quiet `%s', without `%s'", verbs[i].words[0],
				 quiet.out, loud.out);
		cli_done(&loud);
		cli_done(&quiet);
	}
	scene_end(&scene);
}

static void test_no_legend(void **state)
{
	struct scene scene;

	(void)state;
	start(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct cli with, without;

		if (!verbs[i].head)
			continue;
		run(&with, &scene, "--no-pager", &verbs[i]);
		run(&without, &scene, "--no-legend", &verbs[i]);
		if (!strstr(with.out, verbs[i].head) ||
		    strstr(without.out, verbs[i].head) || !*without.out)
			fail_msg("%s: with a legend `%s', without `%s'",
				 verbs[i].words[0], with.out, without.out);
		cli_done(&with);
		cli_done(&without);
	}
	scene_end(&scene);
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; (text = strchr(text, '\n')); text++)
		count++;
	return count;
}

static void test_json(void **state)
{
	struct scene scene;

	(void)state;
	start(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct cli plain, brief, pretty, seq;

		run(&plain, &scene, "--json", &verbs[i]);
		run(&brief, &scene, "--json=short", &verbs[i]);
		run(&pretty, &scene, "--json=pretty", &verbs[i]);
		run(&seq, &scene, "--json=seq", &verbs[i]);
		assert_int_equal(count_lines(plain.out), 1);
		assert_int_equal(count_lines(brief.out), 1);
		assert_true(count_lines(pretty.out) > 1);
		assert_int_equal(count_lines(seq.out), 1);
		assert_int_equal(*seq.out, 0x1e);
		assert_true(*plain.out == '{' || *plain.out == '[');
		assert_null(strchr(pretty.out, 0x1e));
		cli_done(&plain);
		cli_done(&brief);
		cli_done(&pretty);
		cli_done(&seq);
	}
	scene_end(&scene);
}

/* ---- a terminal ---- */

/* What `list` prints there; free() it. */
static char *list_on_terminal(struct scene *scene, const char *variable,
			      const char *value)
{
	char *text = calloc(1, 1 << 16);
	size_t used = 0;
	ssize_t n;
	int fd;
	pid_t pid = forkpty(&fd, NULL, NULL, NULL);

	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("TERM", "xterm", 1);
		unsetenv("NO_COLOR");
		setenv(variable, value, 1);
		execl(getenv("TDXUPD_CTL"), "tdxupdctl", "--root", scene->world.tree.path,
		      "list", NULL);
		_exit(127);
	}
	while ((n = read(fd, text + used, (1 << 16) - 1 - used)) > 0 ||
	       (n < 0 && errno == EINTR))
		used += n > 0 ? (size_t)n : 0;
	assert_int_equal(scene_reap(pid), 0);
	close(fd);
	return text;
}

static void assert_coloured(struct scene *scene, const char *variable, const char *value,
			    bool is_coloured)
{
	_cleanup_(cleanup_free)
	char *text = list_on_terminal(scene, variable, value);

	assert_non_null(strstr(text, "offered"));
	assert_int_equal(strchr(text, '\x1b') != NULL, is_coloured);
}

static void test_colours(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_set(&scene, NULL);
	assert_coloured(&scene, "OTHER", "1", true);
	assert_coloured(&scene, "NO_COLOR", "1", false);
	/* Empty is as good as not set (no-color.org). */
	assert_coloured(&scene, "NO_COLOR", "", true);
	assert_coloured(&scene, "TERM", "dumb", false);
	/* And none in a file or a pipe. */
	setenv("TERM", "xterm", 1);
	cli_run(&cli, scene.world.tree.path, "list", NULL);
	assert_null(strchr(cli.out, '\x1b'));
	cli_done(&cli);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_full_disk), cmocka_unit_test(test_quiet),
		cmocka_unit_test(test_no_legend),   cmocka_unit_test(test_json),
		cmocka_unit_test(test_colours),
	};

	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
