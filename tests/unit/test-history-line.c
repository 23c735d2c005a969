// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "history-line.h"

static const struct tdxupd_digest start = { { 0 } };

static struct history_record sample(void)
{
	return (struct history_record){
		.sequence = 7,
		.monotonic_usec = UINT64_C(123456789012),
		.realtime_usec = UINT64_C(1764000000000000),
		.job = 3,
		.has_remaining = true,
		.remaining = 9,
		.boot_id = (char *)"4b8f9f0e-0000-4000-8000-000000000001",
		.phase = (char *)"waiting",
		.from = (char *)"1.5.06",
		.to = (char *)"1.5.16",
		.detail = (char *)"with \"quotes\" and a \\",
	};
}

/* Returns the line without its newline. */
static char *make(const struct history_record *record,
		  const struct tdxupd_digest *previous, struct tdxupd_digest *ret_chain)
{
	char *line;

	assert_int_equal(history_line_make(record, previous, &line, ret_chain), 0);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	line[strlen(line) - 1] = '\0';
	return line;
}

static void test_a_record_comes_back(void **state)
{
	struct history_record record = sample(), back;
	struct tdxupd_digest chain, again;
	char *line = make(&record, &start, &chain);

	(void)state;
	assert_int_equal(history_line_parse(line, strlen(line), &start, &back, &again),
			 0);
	assert_true(tdxupd_digest_is_equal(&chain, &again));
	assert_int_equal(back.sequence, 7);
	assert_true(back.monotonic_usec == record.monotonic_usec);
	assert_true(back.realtime_usec == record.realtime_usec);
	assert_int_equal(back.job, 3);
	assert_true(back.has_remaining);
	assert_int_equal(back.remaining, 9);
	assert_string_equal(back.phase, "waiting");
	assert_string_equal(back.detail, record.detail);
	assert_null(back.reason);
	history_record_done(&back);
	free(line);
}

static void test_unknown_is_absent(void **state)
{
	struct history_record record = sample(), back;
	struct tdxupd_digest chain;
	char *line;

	(void)state;
	record.has_remaining = false;
	line = make(&record, &start, &chain);
	assert_null(strstr(line, "remaining"));
	assert_int_equal(history_line_parse(line, strlen(line), NULL, &back, &chain), 0);
	assert_false(back.has_remaining);
	history_record_done(&back);
	free(line);
}

/* No byte of a line can be another one. */
static void test_an_edited_line_shows(void **state)
{
	struct history_record record = sample(), back;
	struct tdxupd_digest chain;
	char *line = make(&record, &start, &chain);

	(void)state;
	for (size_t i = 0; i < strlen(line); i++) {
		char was = line[i];

		line[i] = (char)(was ^ 1);
		assert_int_not_equal(
			history_line_parse(line, strlen(line), &start, &back, &chain), 0);
		line[i] = was;
	}
	for (size_t bytes = 0; bytes < strlen(line); bytes++)
		assert_int_equal(history_line_parse(line, bytes, &start, &back, &chain),
				 -EBADMSG);
	free(line);
}

static void test_a_missing_line_shows(void **state)
{
	struct history_record record = sample(), back;
	struct tdxupd_digest first, second, third, chain;
	char *a = make(&record, &start, &first);
	char *b = make(&record, &first, &second);
	char *c = make(&record, &second, &third);

	(void)state;
	assert_string_not_equal(a, b);
	assert_int_equal(history_line_parse(c, strlen(c), &first, &back, &chain), -EBADE);
	assert_int_equal(history_line_parse(c, strlen(c), &second, &back, &chain), 0);
	history_record_done(&back);
	free(a);
	free(b);
	free(c);
}

static void test_hostile_text_stays_one_line(void **state)
{
	struct history_record record = sample(), back;
	struct tdxupd_digest chain;
	char text[4 * HISTORY_TEXT_BYTES_MAX];
	char *line;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "\n\",\"chain\":\"\x1b[31m\xff", 18);
	record.detail = record.path = record.caller = text;
	line = make(&record, &start, &chain);
	assert_int_equal(history_line_parse(line, strlen(line), &start, &back, &chain),
			 0);
	assert_true(strlen(back.detail) < HISTORY_TEXT_BYTES_MAX);
	history_record_done(&back);
	free(line);
}

static void test_what_is_no_record(void **state)
{
	/* 96 digits of a chain */
#define CHAIN                                              \
	",\"chain\":\""                                    \
	"000000000000000000000000000000000000000000000000" \
	"000000000000000000000000000000000000000000000000\"}"
	static const struct {
		const char *line;
		int error;
	} table[] = {
		{ "", -EBADMSG },
		{ "{}", -EBADMSG },
		{ "[1" CHAIN, -EBADMSG },
		{ "{\"v\":1" CHAIN, -EBADMSG },
		{ "{\"v\":0" CHAIN, -EBADMSG },
		{ "{\"v\":\"1\"" CHAIN, -EBADMSG },
		{ "{\"v\":2,\"whatever\":{\"is\":[1]}" CHAIN, -EPROTO },
		{ "{\"v\":1,\"a\":[[[[[[1]]]]]]" CHAIN, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct history_record back;
		struct tdxupd_digest chain;

		assert_int_equal(history_line_parse(table[i].line, strlen(table[i].line),
						    NULL, &back, &chain),
				 table[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_record_comes_back),
		cmocka_unit_test(test_unknown_is_absent),
		cmocka_unit_test(test_an_edited_line_shows),
		cmocka_unit_test(test_a_missing_line_shows),
		cmocka_unit_test(test_hostile_text_stays_one_line),
		cmocka_unit_test(test_what_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
