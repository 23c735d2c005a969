// SPDX-License-Identifier: LGPL-2.1-or-later
#include <poll.h>
#include <unistd.h>

#include "test.h"
#include "lifeline.h"

static int on_closed(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	unsigned *closed = userdata;

	(void)source, (void)fd, (void)events;
	(*closed)++;
	return sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static void run(sd_event *event)
{
	while (sd_event_run(event, 5000) > 0)
		;
}

static void test_it_lasts_as_long_as_the_last_copy(void **state)
{
	struct lifeline lifeline = { 0 };
	sd_event *event = NULL;
	unsigned closed = 0;
	int fd, copy;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(lifeline_open(&lifeline, event, on_closed, &closed, &fd), 0);
	copy = dup(fd);
	/* written to or not */
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	run(event);
	assert_int_equal(closed, 0);
	close(copy);
	run(event);
	assert_int_equal(closed, 1);
	lifeline_close(&lifeline);
	sd_event_unref(event);
}

static void test_whoever_holds_the_other_end_can_see_that_it_ends(void **state)
{
	struct lifeline lifeline = { 0 };
	sd_event *event = NULL;
	struct pollfd poller = { 0 };

	(void)state;
	lifeline_close(&lifeline); /* there is none */
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(lifeline_open(&lifeline, event, on_closed, NULL, &poller.fd), 0);
	assert_int_equal(poll(&poller, 1, 0), 0);
	lifeline_close(&lifeline);
	lifeline_close(&lifeline);
	assert_int_equal(poll(&poller, 1, 0), 1);
	assert_true(poller.revents & POLLERR);
	close(poller.fd);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_lasts_as_long_as_the_last_copy),
		cmocka_unit_test(test_whoever_holds_the_other_end_can_see_that_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
