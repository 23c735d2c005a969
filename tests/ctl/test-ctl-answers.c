// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * State of the host, the images, holds and configuration -> word, exit code, advice, from
 * every verb that answers. What is advised is then done, word for word, and has to keep
 * its promise: the host can be updated, or what has no remedy here is said by the row.
 */
#include "test.h"
#include "cli.h"
#include "json.h"
#include "../bus/scene.h"

#include <json-c/json.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534
#define HOLDS  "var/lib/tdxupd/holds.json"

/*
 * @set_up: bring the host into the state; the daemon runs
 * @word: of the plan: "update", "current", a reason, or "unknown" where none can be made
 * @code: what `update`, `plan`, `check` and `is-current` leave with; AVAILABLE stands for
 *	an update, with which only is-current leaves
 * @why: is said, by everybody who says more than a word
 * @remedy: do what the advice says beyond its commands; NULL: they are all of it
 * @is_final: the advice is for another day, and nothing is to be updated afterwards
 * @is_local: there is no daemon to be asked
 */
struct row {
	const char *name;
	void (*set_up)(struct scene *scene);
	const char *word;
	int code;
	const char *why;
	void (*remedy)(struct scene *scene);
	bool is_final;
	bool is_local;
};

/* ---- asking ---- */

static struct json_object *ask(struct scene *scene, const char *verb, int *ret_code)
{
	struct json_object *answer;
	struct cli cli;

	CLI_RUN(&cli, scene, "--json", verb);
	answer = cli_parse(&cli);
	*ret_code = cli.code;
	cli_done(&cli);
	return answer;
}

static const char *word_of(struct json_object *answer)
{
	const char *reason = json_get_text(answer, "reason");

	return reason ? reason : json_get_text(answer, "result");
}

static void assert_word(const struct row *row, const char *verb,
			struct json_object *answer)
{
	const char *word = word_of(answer);
	const char *why = json_get_text(answer, "why");

	if (!word || strcmp(word, row->word) != 0)
		fail_msg("%s: %s says \"%s\", not \"%s\"", row->name, verb,
			 word ? word : "nothing", row->word);
	if (row->why && (!why || !strstr(why, row->why)))
		fail_msg("%s: %s says \"%s\", without \"%s\"", row->name, verb,
			 why ? why : "nothing", row->why);
}

static void assert_code(const struct row *row, const char *verb, int code, int wanted)
{
	if (code != wanted)
		fail_msg("%s: %s left with %d, not %d", row->name, verb, code, wanted);
}

/* A host without a module has an error for an answer. */
static bool is_error(struct json_object *answer)
{
	return json_get(answer, "error") != NULL;
}

static void assert_answer(const struct row *row, struct scene *scene, const char *verb,
			  int code)
{
	int found;
	struct json_object *answer = ask(scene, verb, &found);

	if (!is_error(answer))
		assert_word(row, verb, answer);
	else if (row->why &&
		 !strstr(json_get_text(json_get(answer, "error"), "message"), row->why))
		fail_msg("%s: %s without \"%s\"", row->name, verb, row->why);
	assert_code(row, verb, found, code);
	json_object_put(answer);
}

static void assert_status(const struct row *row, struct scene *scene)
{
	int code;
	struct json_object *status = ask(scene, "status", &code);
	bool has_module = row->code != CTL_EXIT_LOST;

	if (has_module)
		assert_word(row, "status", json_get(status, "plan"));
	assert_code(row, "status", code, has_module ? 0 : CTL_EXIT_LOST);
	json_object_put(status);
}

static struct json_object *find_row(struct json_object *doctor, const char *name)
{
	for (size_t i = 0; i < json_count(doctor); i++) {
		struct json_object *row = json_object_array_get_idx(doctor, i);

		if (strcmp(json_get_text(row, "name"), name) == 0)
			return row;
	}
	fail_msg("doctor has no row \"%s\"", name);
	return NULL;
}

static bool says(struct json_object *finding, const char *text)
{
	const char *next = json_get_text(finding, "next");

	return strstr(json_get_text(finding, "found"), text) ||
	       (next && strstr(next, text));
}

/* Where something is in the way, doctor says so in some row; it never says that the rest
 * is to be put right where the rest is. */
static void assert_doctor(const struct row *row, struct scene *scene)
{
	int code;
	struct json_object *doctor = ask(scene, "doctor", &code);
	const char *found = json_get_text(find_row(doctor, "Update"), "found");
	bool is_said = !row->why;

	for (size_t i = 0; i < json_count(doctor); i++)
		is_said = is_said || says(json_object_array_get_idx(doctor, i), row->why);
	if (!is_said)
		fail_msg("%s: doctor does not say \"%s\"", row->name, row->why);
	if (strcmp(row->word, "unknown") == 0) {
		assert_string_equal(
			json_get_text(find_row(doctor, "Configuration"), "state"), "bad");
		assert_string_equal(json_get_text(find_row(doctor, "Images"), "state"),
				    "?");
		assert_code(row, "doctor", code, CTL_EXIT_CONFIG);
	} else if (row->code != CTL_EXIT_LOST) {
		assert_null(strstr(found, "no plan can be made"));
	}
	json_object_put(doctor);
}

static void assert_verbs(const struct row *row, struct scene *scene)
{
	bool is_available = row->code == CTL_EXIT_AVAILABLE;
	bool has_plan = row->code != CTL_EXIT_LOST && row->code != CTL_EXIT_CONFIG;

	assert_answer(row, scene, "plan", is_available ? 0 : row->code);
	assert_answer(row, scene, "check", is_available ? 0 : row->code);
	assert_answer(row, scene, "is-current", row->code);
	assert_answer(row, scene, "list", has_plan ? 0 : row->code);
	assert_status(row, scene);
	assert_doctor(row, scene);
}

/* Others ask the daemon, which says the same. */
static void assert_others(const struct row *row, struct scene *scene)
{
	if (row->is_local)
		return;
	assert_int_equal(chmod(scene->world.tree.path, 0755), 0);
	cli_set_user(NOBODY);
	assert_answer(row, scene, "plan",
		      row->code == CTL_EXIT_AVAILABLE ? 0 : row->code);
	assert_answer(row, scene, "is-current", row->code);
	cli_set_user(0);
}

/* ---- updating ---- */

static void assert_update(const struct row *row, struct scene *scene, const char *option,
			  int code)
{
	struct cli cli;

	CLI_RUN(&cli, scene, "update", option);
	if (cli.code != code)
		fail_msg("%s: update %s left with %d, not %d: %s%s", row->name,
			 option ? option : "", cli.code, code, cli.out, cli.err);
	/* The sentence, and what helps, is all that a timer's journal will have. */
	if (row->why && code == row->code && code != CTL_EXIT_LOST &&
	    !strstr(cli.err, row->why))
		fail_msg("%s: update says \"%s\", without \"%s\"", row->name, cli.err,
			 row->why);
	cli_done(&cli);
}

/* Twice: what failed does not turn into success when it is tried again. */
static void assert_updates(const struct row *row, struct scene *scene, bool is_direct)
{
	int code = row->code == CTL_EXIT_AVAILABLE ? 0 : row->code;

	if (is_direct && !row->is_local)
		assert_int_equal(scene_stop(scene), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_update(row, scene, is_direct ? "--direct" : NULL, code);
	if (is_direct && !row->is_local)
		scene_run(scene);
}

/* ---- following the advice ---- */

static void run_command(const struct row *row, struct scene *scene, char *command)
{
	char *words[8] = { NULL }, *save = NULL;
	size_t count = 0;
	struct cli cli;

	for (char *word = strtok_r(command, " ", &save); word && count < 7;
	     word = strtok_r(NULL, " ", &save))
		words[count++] = word;
	assert_string_equal(words[0], "tdxupdctl");
	CLI_RUN(&cli, scene, words[1], words[2], words[3]);
	/* Only what is said of files that are unsound may leave with something else. */
	if (cli.code != 0 && cli.code != CTL_EXIT_UNTRUSTED)
		fail_msg("%s: the advice `tdxupdctl %s %s` failed with %d: %s", row->name,
			 words[1], words[2] ? words[2] : "", cli.code, cli.err);
	cli_done(&cli);
}

/* Each `command` in the text. */
static void run_commands(const struct row *row, struct scene *scene, const char *text)
{
	const char *begin = text, *end;

	while (begin && (begin = strstr(begin, "`tdxupdctl "))) {
		char command[96];

		end = strchr(++begin, '`');
		assert_non_null(end);
		snprintf(command, sizeof(command), "%.*s", (int)(end - begin), begin);
		run_command(row, scene, command);
		begin = end + 1;
	}
}

static void follow_advice(const struct row *row, struct scene *scene)
{
	int code;
	struct json_object *plan = ask(scene, "plan", &code);

	if (!is_error(plan)) {
		const char *advice = json_get_text(plan, "advice");

		if (!advice)
			fail_msg("%s: no advice", row->name);
		run_commands(row, scene, advice);
	}
	if (row->remedy)
		row->remedy(scene);
	json_object_put(plan);
}

static void assert_promise(const struct row *row, struct scene *scene)
{
	static const struct row fine = { .name = "after the advice",
					 .word = "update",
					 .code = CTL_EXIT_AVAILABLE };
	struct row after = fine;

	after.name = row->name;
	assert_verbs(&after, scene);
	assert_update(&after, scene, NULL, 0);
	scene_assert_host(scene, "1.5.16", 1);
	assert_update(&after, scene, NULL, 0);
	after.word = "current";
	after.code = 0;
	assert_verbs(&after, scene);
}

/* ---- states ---- */

static void do_nothing(struct scene *scene)
{
	(void)scene;
}

static void refresh(struct scene *scene)
{
	assert_null(scene_call(scene, SCENE_MANAGER, "Refresh"));
}

static void restart(struct scene *scene)
{
	assert_int_equal(scene_stop(scene), 0);
	scene_run(scene);
}

static void drop_newer(struct scene *scene)
{
	tree_drop(&scene->world.tree, WORLD_IMAGES "/tdx_module_1.5.16.blob");
}

static void put_newer(struct scene *scene)
{
	scene_put_images(scene, "1.5.06,ctx=1", "1.5.16,ctx=2", NULL);
}

static void hold_all(struct scene *scene)
{
	assert_null(scene_hold(scene, "all", 0));
}

static void hold_all_of_current(struct scene *scene)
{
	drop_newer(scene);
	hold_all(scene);
}

static void hold_newer(struct scene *scene)
{
	assert_null(scene_hold(scene, "1.5.16", 0));
}

static void hold_both_ways(struct scene *scene)
{
	hold_all(scene);
	hold_newer(scene);
}

static void pin_running(struct scene *scene)
{
	assert_null(scene_pin(scene, "1.5.06"));
}

static void pin_absent(struct scene *scene)
{
	assert_null(scene_pin(scene, "1.5.08"));
}

static void unpin_it(struct scene *scene)
{
	assert_null(scene_unpin(scene));
}

static void update_to_failure(struct scene *scene, const char *fault, const char *result)
{
	char *job;

	world_do(&scene->world, "%s", fault);
	job = scene_update(scene, NULL);
	scene_await_end(scene, job, result);
	free(job);
}

static void fail_an_update(struct scene *scene)
{
	update_to_failure(scene, "fail step=shutdown", "Refused");
}

static void lose_tdx(struct scene *scene)
{
	update_to_failure(scene, "fail step=install status=0x8000000000020001", "Lost");
}

static void reboot(struct scene *scene)
{
	assert_int_equal(scene_stop(scene), 0);
	world_do(&scene->world, "boot");
	scene_run(scene);
}

/* The simulated loader keeps what it was told of its log. */
static void reboot_to_an_empty_log(struct scene *scene)
{
	world_do(&scene->world, "set remaining=10");
	reboot(scene);
}

static void lose_tdx_and_reboot(struct scene *scene)
{
	lose_tdx(scene);
	reboot(scene);
}

static void empty_images(struct scene *scene)
{
	drop_newer(scene);
	tree_drop(&scene->world.tree, WORLD_IMAGES "/tdx_module_1.5.06.blob");
}

static void compress_images(struct scene *scene)
{
	empty_images(scene);
	tree_put(&scene->world.tree, WORLD_IMAGES "/modules.zip", "PK\x03\x04 and more");
	tree_put(&scene->world.tree, WORLD_IMAGES "/README.md", "# Modules");
}

static void damage_image(struct scene *scene)
{
	tree_put(&scene->world.tree, WORLD_IMAGES "/tdx_module_1.5.16.blob", "damaged");
}

static void put_holds(struct scene *scene, const char *bytes, size_t count)
{
	tree_put_bytes(&scene->world.tree, HOLDS, bytes, count);
	restart(scene);
}

static void empty_holds(struct scene *scene)
{
	hold_newer(scene);
	put_holds(scene, "", 0);
}

static void zero_holds(struct scene *scene)
{
	static const char zeros[512];

	hold_newer(scene);
	put_holds(scene, zeros, sizeof(zeros));
}

static void take_cpu_offline(struct scene *scene)
{
	world_do(&scene->world, "lp offline 3");
	refresh(scene);
}

static void take_cpu_online(struct scene *scene)
{
	world_do(&scene->world, "lp online 3");
	refresh(scene);
}

static void have_empty_slots(struct scene *scene)
{
	world_do(&scene->world, "host empty=4");
	refresh(scene);
}

static void configure(struct scene *scene, const char *text)
{
	scene_put_config(scene, text);
	assert_null(scene_call(scene, SCENE_MANAGER, "Reload"));
}

static void accept_absent_cpus(struct scene *scene)
{
	configure(scene, "AcceptAbsentCpus=yes\n");
}

static void block_newer(struct scene *scene)
{
	configure(scene, "Blocked=1.5.16\n");
}

static void use_up(struct scene *scene)
{
	world_do(&scene->world, "set remaining=0");
	refresh(scene);
}

static void break_config(struct scene *scene)
{
	scene_put_config(scene, "Blokced=1.5.16\n");
	assert_int_equal(scene_stop(scene), 0);
}

static void mend_config(struct scene *scene)
{
	scene_put_config(scene, "");
	scene_run(scene);
}

#define ROW(the_name, how, the_word, the_code, ...)                                  \
	{                                                                            \
		.name = the_name, .set_up = how, .word = the_word, .code = the_code, \
		__VA_ARGS__                                                          \
	}

static const struct row rows[] = {
	ROW("an update", do_nothing, "update", CTL_EXIT_AVAILABLE, .why = NULL),
	ROW("current", drop_newer, "current", 0, .why = NULL),
	ROW("current, all held", hold_all_of_current, "current", 0, .why = NULL),
	ROW("current, newer in Blocked=", block_newer, "current", 0, .why = NULL),
	ROW("all held", hold_all, "held", CTL_EXIT_HELD,
	    .why = "1.5.16 is here, and all updates are held since "),
	ROW("held", hold_newer, "held", CTL_EXIT_HELD,
	    .why = "1.5.16 is here, held since "),
	ROW("held both ways", hold_both_ways, "held", CTL_EXIT_HELD,
	    .why = "all updates are held"),
	ROW("holds.json of 0 bytes", empty_holds, "held", CTL_EXIT_HELD,
	    .why = "can't be used"),
	ROW("holds.json of zeros", zero_holds, "held", CTL_EXIT_HELD,
	    .why = "can't be used"),
	ROW("pinned", pin_running, "pinned", CTL_EXIT_PINNED,
	    .why = "1.5.16 is here, and 1.5.06 is pinned since "),
	ROW("pinned, not here", pin_absent, "no-image", CTL_EXIT_NO_IMAGE,
	    .why = "there is no image of 1.5.08 here", .remedy = unpin_it),
	ROW("refused by the kernel", fail_an_update, "failed", CTL_EXIT_FAILED,
	    .why = "1.5.16 is here, held since "),
	ROW("lost", lose_tdx, "lost", CTL_EXIT_LOST, .why = "eboot", .is_final = true),
	ROW("lost, and rebooted", lose_tdx_and_reboot, "failed", CTL_EXIT_FAILED,
	    .why = "job 1 failed: TDX is lost"),
	ROW("no images", empty_images, "no-image", CTL_EXIT_NO_IMAGE,
	    .why = "no compatible image", .remedy = put_newer),
	ROW("nothing that is an image", compress_images, "no-image", CTL_EXIT_NO_IMAGE,
	    .why = "modules.zip", .remedy = put_newer),
	ROW("a damaged image", damage_image, "untrusted", CTL_EXIT_UNTRUSTED,
	    .why = "1.5.16 is here: ", .remedy = put_newer),
	ROW("a CPU offline", take_cpu_offline, "refused", CTL_EXIT_REFUSED,
	    .why = "offline", .remedy = take_cpu_online),
	ROW("CPUs absent", have_empty_slots, "refused", CTL_EXIT_REFUSED,
	    .why = "possible", .remedy = accept_absent_cpus),
	ROW("no slots", use_up, "exhausted", CTL_EXIT_EXHAUSTED, .why = "no update left",
	    .remedy = reboot_to_an_empty_log),
	ROW("a broken configuration", break_config, "unknown", CTL_EXIT_CONFIG,
	    .why = "Blokced", .remedy = mend_config, .is_local = true),
};

static void run_row(const struct row *row, bool is_direct)
{
	struct scene scene;

	scene_start(&scene, NULL);
	row->set_up(&scene);
	assert_verbs(row, &scene);
	assert_others(row, &scene);
	assert_updates(row, &scene, is_direct);
	if (row->code != 0 && row->code != CTL_EXIT_AVAILABLE) {
		/* Asking for it has changed nothing. */
		assert_verbs(row, &scene);
		follow_advice(row, &scene);
		if (!row->is_final)
			assert_promise(row, &scene);
	}
	scene_end(&scene);
}

static void test_with_the_daemon(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i], false);
}

static void test_without_a_daemon(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		run_row(&rows[i], true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_with_the_daemon),
		cmocka_unit_test(test_without_a_daemon),
	};

	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
