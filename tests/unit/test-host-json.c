// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "tdxupd.h"
#include "tree.h"

static struct tdxupd_host *from_text(const char *text)
{
	struct tdxupd_host *host = NULL;

	assert_int_equal(tdxupd_host_from_json(text, strlen(text), &host, NULL), 0);
	return host;
}

static void assert_survives(const struct tdxupd_host *host)
{
	struct tdxupd_host *back;
	char *text, *again;

	assert_int_equal(tdxupd_host_to_json(host, &text), 0);
	back = from_text(text);
	assert_int_equal(tdxupd_host_to_json(back, &again), 0);
	assert_string_equal(text, again);
	assert_int_equal(back->state, host->state);
	assert_int_equal(back->has_remaining_updates, host->has_remaining_updates);
	assert_int_equal(back->has_cpus, host->has_cpus);
	assert_int_equal(back->has_cpu_bugs, host->has_cpu_bugs);
	assert_int_equal(back->has_td_count, host->has_td_count);
	assert_int_equal(back->has_features0, host->has_features0);
	assert_int_equal(back->features0, host->features0);
	assert_int_equal(back->has_mrseam, host->has_mrseam);
	assert_memory_equal(&back->mrseam, &host->mrseam, sizeof(host->mrseam));
	assert_int_equal(back->has_tee_tcb_svn, host->has_tee_tcb_svn);
	assert_memory_equal(back->tee_tcb_svn, host->tee_tcb_svn,
			    sizeof(host->tee_tcb_svn));
	assert_int_equal(back->socket_count, host->socket_count);
	assert_memory_equal(&back->online, &host->online, sizeof(host->online));
	assert_string_equal(back->boot_id, host->boot_id);
	tdxupd_host_free(back);
	free(text);
	free(again);
}

static void test_a_host_survives_both_ways(void **state)
{
	struct tdxupd_host *host;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_int_equal(tdxupd_host_read(tree.fd, &host), 0);
	assert_survives(host);
	tdxupd_host_free(host);

	tree_put_host(&tree);
	assert_int_equal(tdxupd_host_read(tree.fd, &host), 0);
	assert_true(host->has_features0 && host->has_cpus && host->has_td_count);
	assert_true(host->has_mrseam && host->has_tee_tcb_svn);
	assert_survives(host);
	tdxupd_host_free(host);
	tree_remove(&tree);
}

static void test_absent_is_unknown(void **state)
{
	struct tdxupd_host *host = from_text("{\"something else\": [1, {}]}");

	(void)state;
	assert_int_equal(host->state, TDXUPD_TDX_UNKNOWN);
	assert_false(host->has_seamldr_version);
	assert_false(host->has_remaining_updates);
	assert_false(host->has_features0);
	assert_false(host->has_mrseam);
	assert_false(host->has_tee_tcb_svn);
	assert_false(host->has_update_guard);
	assert_false(host->has_tds_building);
	assert_false(host->has_td_count);
	assert_false(host->has_fw_upload);
	assert_false(host->has_cpu_bugs);
	assert_false(host->has_cpus);
	assert_int_equal(host->socket_count, 0);
	tdxupd_host_free(host);
}

static void test_bad_files_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "ends too early" },
		{ "{", "ends too early" },
		{ "[]", "no object" },
		{ "null ", "no object" },
		{ "{} x", "no JSON" },
		{ "{\"state\": \"\xff\"}", "no JSON" },
		{ "{'state': 'live'}", "no JSON" },
		{ "{\"state\": 1}", "\"state\"" },
		{ "{\"state\": \"alive\"}", "\"state\"" },
		{ "{\"state\": \"live\\u0000\"}", "NUL" },
		{ "{\"state\": \"live\"}", "\"module_version\"" },
		{ "{\"state\": \"live\", \"module_version\": \"1.5\"}",
		  "\"module_version\"" },
		{ "{\"seamldr_version\": \"1.5.999999999999\"}", "\"seamldr_version\"" },
		{ "{\"seamldr_version\": \"1.5.00\\n\"}", "\"seamldr_version\"" },
		{ "{\"remaining_updates\": -1}", "\"remaining_updates\"" },
		{ "{\"remaining_updates\": 4294967296}", "\"remaining_updates\"" },
		{ "{\"remaining_updates\": 1.5}", "\"remaining_updates\"" },
		{ "{\"remaining_updates\": null}", "\"remaining_updates\"" },
		{ "{\"tds\": 99999999999999999999999}", "\"tds\"" },
		{ "{\"features0\": 7}", "\"features0\"" },
		{ "{\"features0\": \"0x\"}", "\"features0\"" },
		{ "{\"features0\": \"0x-1\"}", "\"features0\"" },
		{ "{\"features0\": \"0x10000000000000000\"}", "\"features0\"" },
		{ "{\"mrseam\": \"00\"}", "\"mrseam\" is not 96 hex digits" },
		{ "{\"mrseam\": 7}", "\"mrseam\"" },
		{ "{\"tee_tcb_svn\": \"0601\"}", "\"tee_tcb_svn\" is not 32 hex" },
		{ "{\"tee_tcb_svn\": \"0x010000000000000000000000000000\"}",
		  "\"tee_tcb_svn\"" },
		{ "{\"update_guard\": \"me\"}", "\"update_guard\"" },
		{ "{\"sockets\": {}}", "\"sockets\"" },
		{ "{\"sockets\": [1]}", "\"sockets\"" },
		{ "{\"sockets\": [{\"id\": 1}]}", "socket" },
		{ "{\"sockets\": [{\"id\": 1, \"signature\": \"0x100000000\"}]}",
		  "\"signature\"" },
		{ "{\"cpus\": {\"online\": \"3-0\"}}", "\"online\"" },
		{ "{\"cpus\": []}", "\"cpus\"" },
		{ "{\"has_cpu_bug\": \"no\"}", "\"has_cpu_bug\"" },
		{ "{\"boot_id\": \"5f8b0a52-7a04-4f3c-9a53-27c3f0c9a1de0\"}",
		  "\"boot_id\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tdxupd_host *host = NULL;
		char *why = NULL;

		assert_int_equal(tdxupd_host_from_json(cases[i].text,
						       strlen(cases[i].text), &host,
						       &why),
				 -EBADMSG);
		assert_null(host);
		assert_non_null(why);
		if (!strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].text, why);
		free(why);
	}
}

/* "[[[[...", "{"a":{"a":..." and what is longer than any description of a host. */
static void test_depth_and_size_have_limits(void **state)
{
	struct tdxupd_host *host = NULL;
	size_t size = 2 << 20;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	memset(text, '[', size);
	memcpy(text, "{\"x\":", 5);
	assert_int_equal(tdxupd_host_from_json(text, 100000, &host, NULL), -EBADMSG);
	memset(text, ' ', size);
	memcpy(text, "{}", 2);
	assert_int_equal(tdxupd_host_from_json(text, 1 << 20, &host, NULL), 0);
	tdxupd_host_free(host);
	host = NULL;
	assert_int_equal(tdxupd_host_from_json(text, (1 << 20) + 1, &host, NULL),
			 -EBADMSG);
	text[10] = '\0';
	assert_int_equal(tdxupd_host_from_json(text, 100, &host, NULL), -EBADMSG);
	assert_null(host);
	free(text);
}

static void test_too_many_sockets(void **state)
{
	struct tdxupd_host *host = NULL;
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	fputs("{\"sockets\": [", file);
	for (int i = 0; i <= TDXUPD_SOCKETS_MAX; i++)
		fprintf(file, "%s{\"id\": %d, \"signature\": \"0xc06f2\"}", i ? "," : "",
			i);
	fputs("]}", file);
	fclose(file);
	assert_int_equal(tdxupd_host_from_json(text, size, &host, NULL), -EBADMSG);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_host_survives_both_ways),
		cmocka_unit_test(test_absent_is_unknown),
		cmocka_unit_test(test_bad_files_are_refused_with_a_reason),
		cmocka_unit_test(test_depth_and_size_have_limits),
		cmocka_unit_test(test_too_many_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
