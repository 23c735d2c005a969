// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "probe-canary.h"
#include "util.h"

/*
 * A story in words: `b5` a look begins at time 5; `e7.3@5` our file 7 was read by thread
 * 3 at time 5, r its return, x any other call; `l` learn who we are, `l3` as thread 3.
 */
static int tell(struct probe_canary *canary, const char *story)
{
	static const char letters[] = "erx";
	static const enum probe_call calls[] = { PROBE_CANARY, PROBE_CANARY_RETURN,
						 PROBE_INIT };
	int learnt = 0;

	*canary = (struct probe_canary){ 0 };
	for (const char *p = story; *p; p++) {
		struct probe_event event = { .kind = PROBE_EVENT_CALL };
		const char *letter = strchr(letters, *p);
		unsigned file, pid, usec;
		int length;

		if (*p == 'b')
			probe_canary_begin(canary, strtoull(p + 1, NULL, 10));
		if (*p == 'l')
			learnt = probe_canary_learn(canary, atoi(p + 1));
		if (!letter)
			continue;
		assert_int_equal(sscanf(p + 1, "%u.%u@%u%n", &file, &pid, &usec, &length),
				 3);
		p += length;
		event.call = calls[letter - letters];
		event.td = file;
		event.pid = (pid_t)pid;
		event.usec = usec;
		probe_canary_take(canary, &event);
	}
	return learnt;
}

static void test_stories(void **state)
{
	static const struct {
		const char *story;
		bool is_seen;
		int learnt;
	} table[] = {
		{ "b100", false, 0 },
		{ "b100 e7.3@100 r7.3@101", true, 0 },
		/* both have to be seen, in their order */
		{ "b100 e7.3@100", false, 0 },
		{ "b100 r7.3@100", false, 0 },
		{ "b100 r7.3@100 e7.3@101", false, 0 },
		{ "b100 x7.3@100 x7.3@101", false, 0 },
		/* a leftover proves nothing */
		{ "b100 e7.3@90 r7.3@91", false, 0 },
		{ "b100 e7.3@90 r7.3@101", false, 0 },
		{ "b100 e7.3@100 r7.3@101 b200", false, 0 },
		{ "b100 e7.3@100 b200 r7.3@201", false, 0 },
		{ "b100 b200 e7.3@100 r7.3@101", false, 0 },
		/* who we are is learnt from a look that nobody else was at */
		{ "b100 e7.3@100 r7.3@101 l3", true, 0 },
		{ "b100 e7.3@100 r7.3@101 l", true, 0 },
		{ "b100 e7.3@100 r7.3@101 l4", true, -EAGAIN },
		{ "b100 l3", false, -EAGAIN },
		{ "b100 e7.3@100 e8.4@100 r7.3@101 r8.4@101 l", false, -EAGAIN },
		{ "b100 e7.3@100 r7.3@101 l b200 e7.3@200 r7.3@201", true, 0 },
		/* and others' looks are not ours */
		{ "b100 e7.3@100 r7.3@101 l b200 e8.3@200 r8.3@201", false, 0 },
		{ "b100 e7.3@100 r7.3@101 l b200 e7.4@200 r7.4@201", false, 0 },
		{ "b100 e7.3@100 r7.3@101 l b200 e8.4@200 e7.3@200 r8.4@201 r7.3@201",
		  true, 0 },
		{ "b100 e7.3@100 r7.3@101 l b200 e7.3@150 r7.3@151", false, 0 },
		/* a file larger than one read has more than one */
		{ "b100 e7.3@100 r7.3@101 e7.3@102 r7.3@103 l", true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct probe_canary canary;

		if (tell(&canary, table[i].story) != table[i].learnt ||
		    probe_canary_is_seen(&canary) != table[i].is_seen)
			fail_msg("%s", table[i].story);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
