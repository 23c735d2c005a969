// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "build-config.h"
#include "io.h"
#include "known.h"
#include "test.h"
#include "tree.h"
#include "util.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ROW(version, mrseam)                                                       \
	"{\"version\":\"" version "\",\"svn\":\"0x0106\",\"date\":\"2024-04-07\"," \
	"\"mrseam\":\"" mrseam "\"}"
#define FILE_OF(rows) "{\"known_modules\":[" rows "]}"

static int parse(const char *text, struct tdxupd_known_module **ret, size_t *ret_count,
		 char **ret_why)
{
	return known_parse(text, strlen(text), ret, ret_count, ret_why);
}

static void test_rows_are_read_and_sorted(void **state)
{
	struct tdxupd_known_module *known = NULL;
	size_t count = 0;
	static const char text[] = FILE_OF(ROW("1.5.16", HEX_A HEX_A) "," ROW(
		"1.5.06", HEX_B HEX_B) ","
				       "{\"version\":\"2.0.02\",\"svn\":\"0x0303\","
				       "\"date\":\"2024-08-14\","
				       "\"mrseam\":\"" HEX_A HEX_B
				       "\",\"module_hv\":3,\"no_downgrade\":true,"
				       "\"of_the_future\":[1]}");

	(void)state;
	assert_int_equal(parse(text, &known, &count, NULL), 0);
	assert_int_equal(count, 3);
	assert_int_equal(known[0].version.update, 6);
	assert_int_equal(known[0].mrseam.bytes[0], 0xbb);
	assert_int_equal(known[0].svn, 0x0106);
	assert_int_equal(known[0].date, 0x20240407);
	assert_false(known[0].has_handoff);
	assert_int_equal(known[1].version.update, 16);
	assert_true(known[2].has_handoff);
	assert_int_equal(known[2].module_hv, 3);
	assert_true(known[2].no_downgrade);
	free(known);
	assert_int_equal(parse(FILE_OF(""), &known, &count, NULL), 0);
	assert_int_equal(count, 0);
	free(known);
}

static void test_every_member_is_read(void **state)
{
	static const char text[] =
		FILE_OF("{\"version\":\"1.5.34\",\"published\":\"2026-03-31\","
			"\"date\":\"2026-03-30\",\"cpus\":[\"0x806F0\",\"0xC06F0\"],"
			"\"has_more_cpus\":true,\"min_update_hv\":1,\"crypto_context\":2,"
			"\"features0\":\"0x15\",\"superseded_features0\":[\"0x11\"],"
			"\"min_module_version\":\"1.5.01\","
			"\"min_seamldr_versions\":[\"1.5.00\",\"2.0.00\"],"
			"\"advisories\":[\"INTEL-SA-01397\"]}");
	struct tdxupd_known_module *known = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(parse(text, &known, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_false(known->has_svn);
	assert_false(known->has_mrseam);
	assert_true(known->has_date);
	assert_int_equal(known->date, 0x20260330);
	assert_int_equal(known->cpu_count, 2);
	assert_int_equal(known->cpus[1], 0xc06f0);
	assert_true(known->has_more_cpus);
	assert_true(known->has_min_update_hv);
	assert_int_equal(known->min_update_hv, 1);
	assert_true(known->has_crypto_context);
	assert_int_equal(known->crypto_context, 2);
	assert_true(known->has_features0);
	assert_int_equal(known->superseded_features0[0], 0x11);
	assert_true(known->has_min_module_version);
	assert_int_equal(known->min_seamldr_versions[1].major, 2);
	assert_true(known->has_advisories);
	assert_string_equal(known->advisories[0], "INTEL-SA-01397");
	free(known);
}

static void test_a_byte_order_mark_is_skipped(void **state)
{
	struct tdxupd_known_module *known = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(parse("\xef\xbb\xbf" FILE_OF("{\"version\":\"1.5.06\"}"), &known,
			       &count, NULL),
			 0);
	assert_int_equal(count, 1);
	free(known);
	assert_int_equal(parse("\xef\xbb", &known, &count, NULL), -EBADMSG);
}

/* Of some that were published no image was at hand. */
static void test_not_every_module_was_measured(void **state)
{
	static const char text[] =
		FILE_OF("{\"version\":\"1.5.08\",\"svn\":\"0x0107\"},"
			"{\"version\":\"1.5.09\",\"svn\":\"0x0108\",\"module_hv\":0,"
			"\"no_downgrade\":false}");
	struct tdxupd_known_module *known = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(parse(text, &known, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_false(known[0].has_mrseam);
	assert_false(known[0].has_handoff);
	assert_false(known[1].has_mrseam);
	assert_true(known[1].has_handoff);
	free(known);
}

static void test_one_bad_row_spoils_the_file(void **state)
{
	static const struct {
		const char *text, *why;
	} table[] = {
		{ "", "ends too early" },
		{ "[]", "no object" },
		{ "{}", "lacks \"known_modules\"" },
		{ "{\"known_modules\":{}}", "known_modules" },
		{ FILE_OF("1"), "module 0" },
		{ FILE_OF("{}"), "lacks \"version\"" },
		{ FILE_OF(ROW("1.5", HEX_A HEX_A)), "version" },
		{ FILE_OF(ROW("1.5.06", HEX_A)), "96 hex digits" },
		{ FILE_OF(ROW("1.5.06", HEX_A HEX_A "a")), "96 hex digits" },
		{ FILE_OF(ROW("1.5.06", HEX_A HEX_A) "," ROW("1.5.06", HEX_B HEX_B)),
		  "version of 1.5.06 twice" },
		{ FILE_OF(ROW("1.5.06", HEX_A HEX_A) "," ROW("1.5.16", HEX_A HEX_A)),
		  "MRSEAM of" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"svn\":262}"), "svn" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"svn\":\"0x10000\"}"), "svn" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"published\":\"2024-04\"}"),
		  "\"published\"" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"cpus\":[\"806F0\"]}"), "cpus" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"cpus\":\"0x806F0\"}"), "cpus" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"crypto_context\":65536}"),
		  "crypto_context" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"advisories\":[\"a b\"]}"),
		  "INTEL-SA-01397" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"advisories\":[\"\"]}"),
		  "INTEL-SA-01397" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"min_seamldr_versions\":[\"1.5\"]}"),
		  "min_seamldr_versions" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"superseded_features0\":[\"0x1\","
			  "\"0x1\",\"0x1\",\"0x1\",\"0x1\"]}"),
		  "more than 4" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"svn\":\"0x106\",\"mrseam\":\"" HEX_A
				  HEX_A "\",\"date\":\"2024-4-7\"}"),
		  "YYYY-MM-DD" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"svn\":\"0x106\",\"mrseam\":\"" HEX_A
				  HEX_A "\",\"date\":\"2024-04-071\"}"),
		  "YYYY-MM-DD" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"svn\":\"0x106\",\"mrseam\":\"" HEX_A
				  HEX_A "\",\"date\":\"2024-04-07\",\"module_hv\":1}"),
		  "lacks \"no_downgrade\"" },
		{ FILE_OF("{\"version\":\"1.5.06\",\"svn\":\"0x106\",\"mrseam\":\"" HEX_A
				  HEX_A
			  "\",\"date\":\"2024-04-07\",\"no_downgrade\":true}"),
		  "lacks \"module_hv\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct tdxupd_known_module *known = NULL;
		size_t count = 77;
		char *why = NULL;

		assert_int_equal(parse(table[i].text, &known, &count, &why), -EBADMSG);
		assert_null(known);
		assert_int_equal(count, 77);
		assert_non_null(why);
		if (!strstr(why, table[i].why))
			fail_msg("%s: %s", table[i].text, why);
		free(why);
		assert_int_equal(parse(table[i].text, &known, &count, NULL), -EBADMSG);
	}
}

#define PATH TDXUPD_DATADIR "/known-modules.json"

static void test_file_may_be_missing_but_not_wrong(void **state)
{
	struct tdxupd_known_module *known = NULL;
	size_t count = 77;
	char *why = NULL;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_int_equal(known_read(tree.fd, IO_REQUIRE_SAFE, NULL, &known, &count, &why),
			 0);
	assert_int_equal(count, 0);
	tree_put(&tree, &PATH[1], FILE_OF(ROW("1.5.06", HEX_A HEX_A)));
	assert_int_equal(known_read(tree.fd, 0, NULL, &known, &count, &why), 0);
	assert_int_equal(count, 1);
	free(TAKE_PTR(known));
	tree_put(&tree, &PATH[1], "{");
	assert_int_equal(known_read(tree.fd, 0, NULL, &known, &count, &why), -EBADMSG);
	assert_non_null(strstr(why, PATH ": "));
	free(TAKE_PTR(why));
	tree_put(&tree, &PATH[1], FILE_OF(ROW("1.5.06", HEX_A HEX_A)));
	assert_int_equal(fchmodat(tree.fd, &PATH[1], 0666, 0), 0);
	assert_int_equal(known_read(tree.fd, IO_REQUIRE_SAFE, NULL, &known, &count, &why),
			 -EPERM);
	assert_non_null(strstr(why, "others than root"));
	free(why);
	assert_null(known);
	tree_remove(&tree);
}

/* What this tree installs. That it is true is shown by test-image-real. */
static void test_our_own_file_is_valid(void **state)
{
	_cleanup_(cleanup_close)
	int fd = open(getenv("TDXUPD_SOURCE"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tdxupd_known_module *known = NULL;
	uint8_t *bytes = NULL;
	size_t bytes_count, count, handoffs = 0, contexts = 0, stand_ins = 0;
	char *why = NULL;

	(void)state;
	assert_int_equal(io_read_file(fd, "libtdxupd/known-modules.json", KNOWN_BYTES_MAX,
				      &bytes, &bytes_count),
			 0);
	if (known_parse((const char *)bytes, bytes_count, &known, &count, &why) < 0)
		fail_msg("%s", why);
	assert_int_equal(count, 21);
	for (size_t i = 0; i < count; i++) {
		assert_true(known[i].has_mrseam);
		assert_true(known[i].has_svn);
		assert_true(known[i].cpu_count > 0);
		assert_true(known[i].has_advisories);
		handoffs += known[i].has_handoff;
		contexts += known[i].has_crypto_context;
		stand_ins +=
			known[i].has_min_module_version && known[i].min_seamldr_count;
	}
	assert_int_equal(handoffs, 15);
	assert_int_equal(contexts, 4);
	/* Of 2.0.20 the least predecessor is not published. */
	assert_int_equal(stand_ins, 20);
	free(known);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_read_and_sorted),
		cmocka_unit_test(test_every_member_is_read),
		cmocka_unit_test(test_a_byte_order_mark_is_skipped),
		cmocka_unit_test(test_not_every_module_was_measured),
		cmocka_unit_test(test_one_bad_row_spoils_the_file),
		cmocka_unit_test(test_file_may_be_missing_but_not_wrong),
		cmocka_unit_test(test_our_own_file_is_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
