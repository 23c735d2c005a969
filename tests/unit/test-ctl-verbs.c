// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "ctl-verbs.h"

static void test_verbs_of_one_and_two_words(void **state)
{
	char *one[] = { (char *)"plan", (char *)"1.5.16" };
	char *two[] = { (char *)"image", (char *)"show", (char *)"x" };
	char *half[] = { (char *)"image", (char *)"sho" };
	int words = 0;

	(void)state;
	assert_string_equal(ctl_verb_find(2, one, &words)->name, "plan");
	assert_int_equal(words, 1);
	assert_string_equal(ctl_verb_find(3, two, &words)->name, "image show");
	assert_int_equal(words, 2);
	assert_null(ctl_verb_find(2, half, &words));
	assert_null(ctl_verb_find(1, half, &words));
	assert_null(ctl_verb_find(0, half, &words));
}

/* A misspelt name in a verb's list would silently take an option away. */
static void test_every_option_of_a_verb_exists(void **state)
{
	(void)state;
	for (size_t v = 0; v < ctl_verb_count; v++) {
		char *copy = strdup(ctl_verbs[v].options);
		char *save = NULL;

		assert_non_null(copy);
		for (char *word = strtok_r(copy, " ", &save); word;
		     word = strtok_r(NULL, " ", &save)) {
			bool is_found = false;

			for (size_t i = 0; i < ctl_option_count; i++)
				is_found =
					is_found ||
					(strcmp(ctl_options[i].name, word) == 0 &&
					 ctl_verb_takes(&ctl_verbs[v], &ctl_options[i]));
			assert_true(is_found);
		}
		free(copy);
	}
}

static void test_every_option_is_taken_by_some_verb(void **state)
{
	(void)state;
	for (size_t i = 0; i < ctl_option_count; i++) {
		bool is_taken = false;

		for (size_t v = 0; v < ctl_verb_count; v++)
			is_taken = is_taken ||
				   ctl_verb_takes(&ctl_verbs[v], &ctl_options[i]);
		assert_true(is_taken);
	}
}

static void test_a_part_of_an_options_name_is_not_the_option(void **state)
{
	const struct ctl_option option = { .name = "al" };
	const struct ctl_verb verb = { .options = "all alb" };

	(void)state;
	assert_false(ctl_verb_takes(&verb, &option));
}

/* Each has a line of its own behind 35 columns of usage. */
static void test_the_help_fits_80_columns(void **state)
{
	(void)state;
	for (size_t i = 0; i < ctl_verb_count; i++) {
		assert_true(strlen(ctl_verbs[i].help) <= 45);
		assert_true(strlen(ctl_verbs[i].name) + strlen(ctl_verbs[i].arguments) <
			    32);
	}
	for (size_t i = 0; i < ctl_option_count; i++)
		assert_true(strlen(ctl_options[i].help) <= 45);
}

static void test_every_exit_code_is_described(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++) {
		bool is_ours = code <= CTL_EXIT_USAGE || code == CTL_EXIT_DETACHED ||
			       (code >= _CTL_EXIT_OWN && code < _CTL_EXIT_MAX);

		assert_int_equal(is_ours, ctl_exit_describe(code) != NULL);
	}
	assert_null(ctl_exit_describe(_CTL_EXIT_MAX));
	assert_null(ctl_exit_describe(-1));
	assert_non_null(ctl_exit_describe(CTL_EXIT_DETACHED));
}

/* systemd shows a name beside a code that it, LSB or sysexits.h has one for, such as
 * "status=4/NOPERMISSION" (systemd's src/shared/exit-status.c): never for ours. */
static void test_no_exit_code_has_a_foreign_name(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++) {
		bool is_named = (code > 2 && code < 8) || (code >= 64 && code <= 78) ||
				code >= 200;

		if (is_named && ctl_exit_describe(code))
			fail_msg("systemd has a name of its own for exit code %d", code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verbs_of_one_and_two_words),
		cmocka_unit_test(test_every_option_of_a_verb_exists),
		cmocka_unit_test(test_every_option_is_taken_by_some_verb),
		cmocka_unit_test(test_a_part_of_an_options_name_is_not_the_option),
		cmocka_unit_test(test_the_help_fits_80_columns),
		cmocka_unit_test(test_every_exit_code_is_described),
		cmocka_unit_test(test_no_exit_code_has_a_foreign_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
