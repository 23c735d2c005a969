// SPDX-License-Identifier: LGPL-2.1-or-later
/* man/tdxupdctl.1 against the tables that the program works by, both ways. */
#include "test.h"
#include "ctl-verbs.h"
#include "io.h"

#include <fcntl.h>

#define PAGE_BYTES_MAX 65536

static char *page;

static int read_page(void **state)
{
	const char *source = getenv("TDXUPD_SOURCE");
	uint8_t *bytes;
	size_t count;
	int fd;

	(void)state;
	fd = source ? open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0 ||
	    io_read_file(fd, "man/tdxupdctl.1", PAGE_BYTES_MAX, &bytes, &count) < 0)
		return -1;
	close(fd);
	page = (char *)bytes;
	return 0;
}

static int free_page(void **state)
{
	(void)state;
	free(page);
	return 0;
}

/* Is there a line that begins so, with nothing or a space behind? */
static bool has_line(const char *begin)
{
	size_t length = strlen(begin);

	for (const char *line = page; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, begin, length) == 0 &&
		    (line[length] == '\n' || line[length] == ' '))
			return true;
	}
	return false;
}

static void test_every_verb_is_in_the_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < ctl_verb_count; i++) {
		char line[64];

		snprintf(line, sizeof(line), ".It Cm %s", ctl_verbs[i].name);
		if (!has_line(line))
			fail_msg("the page lacks the verb %s", ctl_verbs[i].name);
	}
}

static void test_every_option_is_in_the_page(void **state)
{
	(void)state;
	for (size_t i = 0; i < ctl_option_count; i++) {
		char line[64];

		if (ctl_options[i].letter)
			snprintf(line, sizeof(line), ".It Fl %c , Fl -%s",
				 ctl_options[i].letter, ctl_options[i].name);
		else
			snprintf(line, sizeof(line), ".It Fl -%s", ctl_options[i].name);
		if (!has_line(line))
			fail_msg("the page lacks the option --%s", ctl_options[i].name);
	}
}

static void test_every_exit_code_is_in_the_page(void **state)
{
	(void)state;
	for (int code = 0; code <= CTL_EXIT_DETACHED; code++) {
		char line[128];

		if (!ctl_exit_describe(code))
			continue;
		snprintf(line, sizeof(line), ".It %d Ta %s", code,
			 ctl_exit_describe(code));
		if (!has_line(line))
			fail_msg("the page lacks exit code %d", code);
	}
}

static bool is_option(const char *name)
{
	for (size_t i = 0; i < ctl_option_count; i++)
		if (strcmp(ctl_options[i].name, name) == 0)
			return true;
	return false;
}

static void test_every_option_of_the_page_exists(void **state)
{
	size_t found = 0;

	(void)state;
	for (const char *p = page; (p = strstr(p, "Fl -")); found++) {
		char name[32] = "";

		p += strlen("Fl -");
		assert_int_equal(sscanf(p, "%31[a-z-]", name), 1);
		if (!is_option(name))
			fail_msg("the page has an option --%s", name);
	}
	assert_true(found >= ctl_option_count);
}

static void test_every_verb_of_the_page_exists(void **state)
{
	size_t found = 0;

	(void)state;
	for (const char *p = page; (p = strstr(p, "\n.It Cm ")); found++) {
		char first[32] = "", second[32] = "";
		char *words[] = { first, second };
		int count, taken;

		p += strlen("\n.It Cm ");
		count = sscanf(p, "%31[a-z-]%*1[ ]%31[a-z-]", first, second);
		if (!ctl_verb_find(count, words, &taken))
			fail_msg("the page has a verb %s %s", first, second);
	}
	assert_int_equal(found, ctl_verb_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_verb_is_in_the_page),
		cmocka_unit_test(test_every_option_is_in_the_page),
		cmocka_unit_test(test_every_exit_code_is_in_the_page),
		cmocka_unit_test(test_every_option_of_the_page_exists),
		cmocka_unit_test(test_every_verb_of_the_page_exists),
	};

	return cmocka_run_group_tests(tests, read_page, free_page);
}
