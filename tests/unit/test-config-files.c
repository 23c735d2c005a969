// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "../../daemon/config-files.h"
#include "util.h"

static char *root;

static int make_root(void **state)
{
	static char template[] = "/tmp/tdxupd-test.XXXXXX";
	static char path[sizeof(template)];

	(void)state;
	umask(022);
	root = mkdtemp(strcpy(path, template));
	return root ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* All assignments as "file-name group key=value;", files without their directory. */
static void assert_lines(const char *expected)
{
	struct config_lines lines;
	char text[1024] = "";
	char *why = NULL;

	assert_int_equal(config_files_read(root, &lines, &why), 0);
	for (size_t i = 0; i < lines.count; i++) {
		struct config_line *line = &lines.items[i];
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s %s %s=%s;",
			 line->file + strlen(root), line->group ? line->group : "-",
			 line->key, line->value);
	}
	config_lines_done(&lines);
	assert_string_equal(text, expected);
}

static void test_no_file_is_no_error(void **state)
{
	(void)state;
	assert_lines("");
}

static void test_the_strongest_main_file_counts_alone(void **state)
{
	(void)state;
	put("usr/lib/tdxupd/tdxupd.conf", "[Update]\nA=vendor\nB=vendor\n");
	put("etc/tdxupd/tdxupd.conf", "[Update]\nA=admin\n");
	assert_lines("/etc/tdxupd/tdxupd.conf Update A=admin;");
}

static void test_drop_ins_come_by_name_and_hide_each_other(void **state)
{
	(void)state;
	put("usr/lib/tdxupd/tdxupd.conf.d/20-b.conf", "[Update]\nB=vendor\n");
	put("usr/lib/tdxupd/tdxupd.conf.d/10-a.conf", "[Update]\nA=vendor\n");
	put("run/tdxupd/tdxupd.conf.d/20-b.conf", "[Update]\nB=runtime\n");
	put("etc/tdxupd/tdxupd.conf.d/15-c.conf", "[Update]\nC=admin\n");
	put("etc/tdxupd/tdxupd.conf.d/README", "[Update]\nX=1\n");
	put("etc/tdxupd/tdxupd.conf.d/.20-b.conf", "[Update]\nX=1\n");
	assert_lines("/usr/lib/tdxupd/tdxupd.conf.d/10-a.conf Update A=vendor;"
		     "/etc/tdxupd/tdxupd.conf.d/15-c.conf Update C=admin;"
		     "/run/tdxupd/tdxupd.conf.d/20-b.conf Update B=runtime;");
}

static void test_null_masks_a_drop_in(void **state)
{
	char path[512];

	(void)state;
	put("usr/lib/tdxupd/tdxupd.conf.d/10-a.conf", "[Update]\nA=vendor\n");
	put("etc/tdxupd/tdxupd.conf.d/README", "");
	snprintf(path, sizeof(path), "%s/etc/tdxupd/tdxupd.conf.d/10-a.conf", root);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_lines("");
}

static void test_repeated_keys_are_joined(void **state)
{
	(void)state;
	put("etc/tdxupd/tdxupd.conf",
	    "# c\n[Update]\nA=1\n; c\nA=2 3\nEmpty=\nQ=\"a b\"\n");
	assert_lines("/etc/tdxupd/tdxupd.conf Update A=1\n2 3;"
		     "/etc/tdxupd/tdxupd.conf Update Empty=;"
		     "/etc/tdxupd/tdxupd.conf Update Q=a b;");
}

static void assert_trouble(int error, const char *expected)
{
	struct config_lines lines;
	char *why = NULL;

	assert_int_equal(config_files_read(root, &lines, &why), error);
	assert_non_null(why);
	assert_string_equal(why + strlen(root), expected);
	free(why);
}

static void test_a_malformed_file_is_named_with_its_line(void **state)
{
	(void)state;
	put("etc/tdxupd/tdxupd.conf", "[Update]\nA=1\n[Upd\n");
	assert_trouble(-EBADMSG, "/etc/tdxupd/tdxupd.conf:3: Missing bracket");
}

static void test_a_directory_is_no_file(void **state)
{
	(void)state;
	put("etc/tdxupd/tdxupd.conf.d/10-a.conf/x", "");
	assert_trouble(-EBADMSG, "/etc/tdxupd/tdxupd.conf.d/10-a.conf: not a file");
}

#define WITH_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

static void assert_unsafe(const char *what)
{
	struct config_lines lines;
	char *why = NULL;

	assert_int_equal(config_files_read(root, &lines, &why), -EBADMSG);
	assert_non_null(strstr(why, what));
	assert_non_null(strstr(why, "could have written it"));
	free(why);
}

static void set_mode(const char *name, mode_t mode)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(chmod(path, mode), 0);
}

static void set_owner(const char *name, uid_t uid)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(chown(path, uid, 0), 0);
}

/* What decides which images are loaded is looked at as they are. */
static void test_what_others_could_write_is_refused(void **state)
{
	static const char *const modes[] = { "etc/tdxupd/tdxupd.conf",
					     "etc/tdxupd/tdxupd.conf.d/10.conf",
					     "etc/tdxupd/tdxupd.conf.d" };

	(void)state;
	put("etc/tdxupd/tdxupd.conf", "[Update]\nTarget=newest\n");
	put("etc/tdxupd/tdxupd.conf.d/10.conf", "[Update]\nTarget=newest\n");
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		mode_t mode = i == 2 ? 0755 : 0644;

		set_mode(modes[i], mode | 020);
		assert_unsafe(modes[i]);
		set_mode(modes[i], mode | 002);
		assert_unsafe(modes[i]);
		set_mode(modes[i], mode);
		if (geteuid() != 0)
			continue;
		set_owner(modes[i], 65534);
		assert_unsafe(modes[i]);
		set_owner(modes[i], 0);
	}
	assert_lines("/etc/tdxupd/tdxupd.conf Update Target=newest;"
		     "/etc/tdxupd/tdxupd.conf.d/10.conf Update Target=newest;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ROOT(test_no_file_is_no_error),
		WITH_ROOT(test_the_strongest_main_file_counts_alone),
		WITH_ROOT(test_drop_ins_come_by_name_and_hide_each_other),
		WITH_ROOT(test_null_masks_a_drop_in),
		WITH_ROOT(test_repeated_keys_are_joined),
		WITH_ROOT(test_a_malformed_file_is_named_with_its_line),
		WITH_ROOT(test_a_directory_is_no_file),
		WITH_ROOT(test_what_others_could_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
